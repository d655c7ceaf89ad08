"""`python -m connector` and the `connector` command."""

import sys


def main() -> None:
    """Run one command and exit with its code (design §8)."""
    from connector.cli.app import run_command  # noqa: PLC0415  `import connector.__main__` alone costs nothing

    sys.exit(run_command(sys.argv[1:]))


if __name__ == "__main__":
    main()
