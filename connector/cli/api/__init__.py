"""`connector api`: every endpoint of both platforms from the command line, made of the table of endpoints.

| module | holds |
|---|---|
| commands | a command for each endpoint |
| given | what a person gives: connection, bodies, times |
| call | the exchange |
| show | answers as tables or JSON |
| upload | CSV files |
| regulate | regulations, which need a named person |

Nothing is imported until a platform is named: `connector --help` shows this command, too.
"""

from typing import Any, Final

import typer
from typer.core import TyperGroup

PLATFORMS: Final = {"intilery": "Endpoints of Intilery.", "intempt": "Endpoints of Intempt."}


class Platforms(TyperGroup):
    """The platforms, each a command whose commands are made when it is named."""

    def __init__(self, **attrs: Any) -> None:
        super().__init__(**{**attrs, "commands": dict.fromkeys(PLATFORMS)})  # names, for "did you mean"

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  Typer's signature
        """Their names."""
        return list(PLATFORMS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002  Typer's signature
        """The command of a platform, or None."""
        if cmd_name not in PLATFORMS:
            return None
        from connector.cli.api.commands import group  # noqa: PLC0415  the platforms' modules

        return group(cmd_name, PLATFORMS[cmd_name])


app = typer.Typer(cls=Platforms, no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@app.callback()
def api() -> None:
    """Call one endpoint of a platform."""
