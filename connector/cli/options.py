"""Options that several commands take, and how their values are read."""

import getpass
import sys
from typing import Annotated, Any, Final, Literal

import typer
from typer.core import TyperGroup

from connector.errors import ConnectorError
from connector.model import Instant, instant, span

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
By = Annotated[str, typer.Option("--by", metavar="NAME", help="Who decides; kept in the audit.")]
ByDefault = Annotated[
    str, typer.Option("--by", metavar="NAME", help="Who does it; kept in the audit. Default: your login name.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")]
Format = Literal["text", "json", "github"]

_WHOLE: Final = 200  # characters of a sentence


class WrongUse(ConnectorError):
    """The command cannot do what it was asked; the message says what to do instead."""


def person(by: str = "") -> str:
    """Who does it, as the audit names them: without a name the login's. Raises WrongUse for a name of blanks."""
    if by:
        return decider(by)
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        raise WrongUse("this login has no name: add --by NAME") from None


def decider(by: str) -> str:
    """Who decides, where a name must be given; nobody's login stands for them. Raises WrongUse without one."""
    if not by.strip():
        raise WrongUse("--by needs a name: it is kept in the audit")
    return by.strip()


def moment(text: str, now: Instant) -> Instant:
    """The instant that `7d` (so long ago), `now` or an ISO 8601 time in UTC means. Raises WrongUse."""
    if text == "now":
        return now
    at = instant(text)
    if at is not None:
        return at
    try:
        return now - span(text)
    except ValueError:
        raise WrongUse(f"expected a time such as 7d, now or 2026-11-01T00:00:00Z, got {text!r}") from None


def confirm(question: str, *, yes: bool) -> None:
    """Let a person say that it is meant, unless they said `--yes`. Raises WrongUse where nobody can be asked."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise WrongUse(f"{question} add --yes")
    typer.confirm(question, abort=True)


class Verbs(TyperGroup):
    """The verbs of a noun, whose first sentences `--help` shows whole."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002  its signature
        """The verbs, for `--help`."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, verb.get_short_help_str(_WHOLE)) for name, verb in self.commands.items()])


def noun(help: str) -> typer.Typer:
    """A command that has verbs of its own. Its help is plain text: Rich's would take longer than most commands."""
    return typer.Typer(cls=Verbs, help=help, no_args_is_help=True, add_completion=False, rich_markup_mode=None)
