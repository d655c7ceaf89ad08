"""What a person gives a call: the connection, JSON bodies, times; and what every call has in common."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
import typer

from connector.cli.options import WrongUse, moment
from connector.engines.clock import now as clock
from connector.model import Json
from connector.platforms import dialect
from connector.platforms.endpoint import At, Body, Parameter

if TYPE_CHECKING:
    from connector.settings import Connection, Settings

ConnectionName = Annotated[
    str, typer.Option("--connection", metavar="NAME", help="Which connection, where several are of this platform.")
]

_LARGEST: Final = 8_000_000  # bytes of a body that are read: twice what any endpoint takes


def connection_of(of: "Settings", platform: str, name: str) -> "Connection":
    """The connection of this name, else the only one of the platform. Raises WrongUse and ConfigurationError."""
    from connector.document import did_you_mean  # noqa: PLC0415

    known = {each.name: each for each in of.connections.values() if each.platform == platform}
    if not known:
        raise WrongUse(f"{of.file} has no connection to {platform}: add one under `connections:`")
    if name and name not in known:
        hint = did_you_mean(name, known) or f"known: {', '.join(known)}"
        raise WrongUse(f"no connection {name!r} to {platform} in {of.file} - {hint}")
    if not name and len(known) > 1:
        raise WrongUse(f"several connections are to {platform}: add --connection with one of {', '.join(known)}")
    chosen = known[name] if name else next(iter(known.values()))
    dialect.check(platform, chosen.dialect)
    return chosen


def read(parameter: Parameter, value: Any) -> Any:
    """What a builder takes, of what was given on the command line. Raises WrongUse."""
    if isinstance(parameter.about, At):
        return None if value is None else moment(value, clock())
    if isinstance(parameter.about, Body):
        return read_json("--data", value)
    if parameter.kind is Any:
        return None if value is None else read_json(f"--{parameter.about.name or parameter.name}", value)
    if parameter.name == "subscription_id" and value == "-":
        return sys.stdin.readline().strip()
    return value


def read_json(option: str, text: str) -> Json:
    """JSON given as it stands, as `@FILE`, or as `-` for standard input; integers exact. Raises WrongUse."""
    if text == "-":
        raw = _limited(option, sys.stdin.buffer.read)
    elif text.startswith("@"):
        raw = _file(option, Path(text[1:]))
    else:
        raw = text.encode(errors="surrogateescape")
    try:
        return msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise WrongUse(
            f"{option} is no JSON: {error}; write it as it stands, as @FILE, or - for standard input"
        ) from None


def _file(option: str, file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return _limited(option, opened.read)
    except OSError as error:
        raise WrongUse(f"{option}: {file} cannot be read: {error.strerror}") from None


def _limited(option: str, take: Callable[[int], bytes]) -> bytes:
    raw = take(_LARGEST + 1)
    if len(raw) > _LARGEST:
        raise WrongUse(f"{option} is larger than {_LARGEST // 1_000_000} MB")
    return raw
