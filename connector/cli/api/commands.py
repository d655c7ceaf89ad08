"""A command for each endpoint of a platform, with the endpoint's own parameters."""

import inspect
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final, Literal, get_origin

import typer
from typer.main import get_command

from connector.cli.api import call, given, show
from connector.cli.api.regulate import regulate
from connector.cli.api.upload import upload
from connector.cli.options import AsJson, Yes, confirm, noun
from connector.cli.session import settings
from connector.errors import ConfigurationError, ConnectorError
from connector.platforms.endpoint import ENDPOINTS, At, Body, Endpoint, Parameter, load_all

_BY_HAND: Final[dict[tuple[str, str], Callable[..., None]]] = {
    ("intilery", "regulate"): regulate,
    ("intempt", "upload"): upload,
}


def _make(row: Endpoint) -> Callable[..., None]:
    """A function whose parameters are the endpoint's own and those that every call has: what Typer reads."""
    parameters = row.parameters

    def command(connection: str, as_json: bool, yes: bool = False, **values: Any) -> None:
        _run(row, connection, {one.name: values[one.name] for one in parameters}, as_json=as_json, yes=yes)

    own = [_option(one) for one in parameters]
    own += [_keyword("connection", given.ConnectionName, ""), _keyword("as_json", AsJson, default=False)]
    if row.confirm:
        own.append(_keyword("yes", Yes, default=False))
    command.__signature__ = inspect.Signature(own)  # type: ignore[attr-defined]  # what inspect looks at first
    command.__annotations__ = {one.name: one.annotation for one in own}
    command.__doc__ = inspect.getdoc(row.build)
    return command


def _keyword(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


def _option(one: Parameter) -> inspect.Parameter:
    """A builder's parameter as an argument or option of the command."""
    spelling = "--" + (one.about.name or one.name.strip("_").replace("_", "-"))
    if isinstance(one.about, Body):
        kind: Any = typer.Option("--data", metavar="JSON", help=one.about.text)
        return _keyword(one.name, Annotated[str, kind])
    if one.required:
        kind = typer.Argument(metavar=(one.about.name or one.name).upper(), help=one.about.text)
        return _keyword(one.name, Annotated[_type(one), kind])
    metavar = None if one.kind is bool or get_origin(one.kind) is Literal else _metavar(one)
    default = (
        list(one.default) if isinstance(one.default, Sequence) and not isinstance(one.default, str) else one.default
    )
    shown = typer.Option(spelling, metavar=metavar, help=one.about.text, show_default=bool(one.default))
    return _keyword(one.name, Annotated[_type(one), shown], default)


def _metavar(one: Parameter) -> str:
    if isinstance(one.about, At):
        return "MOMENT"
    if one.kind is Any:
        return "JSON"
    return "N" if "int" in str(one.kind) else "TEXT"


def _type(one: Parameter) -> Any:
    """The type that Typer reads the parameter as."""
    if isinstance(one.about, At) or one.kind is Any:
        return str | None
    if get_origin(one.kind) is Sequence or "Sequence" in str(one.kind):
        return list[str]
    if "Hidden" in str(one.kind):
        return str
    return one.kind


def _run(row: Endpoint, connection: str, values: dict[str, Any], *, as_json: bool, yes: bool) -> None:
    of = settings()
    chosen = given.connection_of(of, row.platform, connection)
    arguments = {one.name: given.read(one, values[one.name]) for one in row.parameters}
    of.vault.hide(arguments.get("subscription_id") or "")
    try:
        row.build(chosen, **arguments)  # a mistake in it is told before anybody is asked
        if row.confirm:
            confirm(f"{row.confirm}. Go on?", yes=yes)
        exchange = call.call(of, chosen, row.conversation(chosen, **arguments))
    except ConfigurationError:
        raise
    except ConnectorError as error:
        raise call.told(error, of.vault) from None
    show.show(exchange, of.vault, as_json=as_json)


def group(platform: str, about: str) -> Any:
    """A platform's commands."""
    load_all()
    made = noun(about)
    for (whose, name), row in ENDPOINTS.items():
        if whose == platform:
            made.command(name)(_BY_HAND.get((platform, name)) or _make(row))
    command: Any = get_command(made)
    command.name = platform
    return command
