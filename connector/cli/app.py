"""The root of the commands: their names, and what is imported when one is asked for."""

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_command

from connector.cli import failure
from connector.cli.session import config_file

_START, _LOOK, _ACT, _KEEP = "Start here", "See what happens", "Put right", "Keep"

COMMANDS: Final = {  # name → where `connector --help` shows it; each is a module of that name
    "init": _START,
    "demo": _START,
    "sandbox": _START,
    "check": _START,
    "test": _START,
    "run": _START,
    "status": _LOOK,
    "events": _LOOK,
    "explain": _LOOK,
    "deliveries": _LOOK,
    "destinations": _LOOK,
    "audit": _LOOK,
    "api": _LOOK,
    "approvals": _ACT,
    "regulations": _ACT,
    "cursor": _ACT,
    "backfill": _ACT,
    "db": _KEEP,
    "version": _KEEP,
}


class Commands(TyperGroup):
    """The commands, each imported when it is named."""

    def __init__(self, **attrs: Any) -> None:
        super().__init__(**{**attrs, "commands": dict.fromkeys(COMMANDS)})  # names, for "did you mean"

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The commands under their headings, for `--help`."""
        for heading in dict.fromkeys(COMMANDS.values()):
            names = [name for name in COMMANDS if COMMANDS[name] == heading]
            with formatter.section(heading):
                formatter.write_dl([(name, self.get_command(ctx, name).get_short_help_str(100)) for name in names])

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002  Typer's signature
        """The command of a name, or None."""
        return _command(cmd_name) if cmd_name in COMMANDS else None


def _command(name: str) -> Any:
    """A module's `app` (a noun with verbs of its own), else its function of the module's name."""
    if name == "run":
        part: Any = _run
    else:
        module = import_module(f"connector.cli.{name}")
        part = getattr(module, "app", None) or getattr(module, name)
    if not isinstance(part, typer.Typer):
        single = typer.Typer(add_completion=False, rich_markup_mode=None)
        single.command(name)(part)
        part = single
    command: Any = get_command(part)
    command.name = name
    return command


def _run() -> None:
    """Poll, decide and deliver, until it is stopped."""
    import gc  # noqa: PLC0415

    gc.disable()  # until everything that stays is loaded: see engines/local.py
    from connector.cli.run import run  # noqa: PLC0415  the daemon's modules

    run(config_file.get())


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"max_content_width": 100},
)


@app.callback()
def connector(
    config: Annotated[
        Path, typer.Option("--config", envvar="CONNECTOR_CONFIG", metavar="FILE", help="The configuration file.")
    ] = Path("connector.yaml"),
) -> None:
    """Polls customer-data platforms, decides by recipes, delivers."""
    config_file.set(config)


def run_command(arguments: Sequence[str]) -> int:
    """Run one command; its exit code (design §8)."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal that cannot show a character gets its escape
    return failure.guarded(lambda: app(list(arguments), prog_name="connector", standalone_mode=False))
