"""`python -m connector.sandbox [--port 8300] [--traffic 2/1s] [--set NAME=VALUE …]`; exits 2 for what cannot be."""

import argparse
import sys

from connector.errors import ConnectorError
from connector.sandbox.server import run
from connector.sandbox.switches import table


def main() -> int:
    """The sandbox by itself."""
    parser = argparse.ArgumentParser(
        prog="python -m connector.sandbox",
        epilog=f"switches, the default first:\n{table()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=8300, help="0 takes a free one")
    parser.add_argument("--traffic", default="2/1s", help="events a time for each account, or off")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="set a switch")
    chosen = parser.parse_args()
    try:
        run(chosen.port, chosen.traffic, chosen.set, lambda line: print(line, flush=True))  # noqa: T201  its output
    except ConnectorError as error:
        print(error, file=sys.stderr)  # noqa: T201  its output
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
