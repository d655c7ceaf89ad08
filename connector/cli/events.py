"""`connector events`: which events come, and what is in them; for writing recipes."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Final

import typer

from connector.cli.options import AsJson, moment
from connector.cli.output import Column, as_text, emit_json, iso, plural, say, shorten, table, when
from connector.cli.session import reading, settings
from connector.engines.clock import now as clock
from connector.model import Instant, Json, event_name

if TYPE_CHECKING:
    from connector.model import Event
    from connector.store.database import Tx

_SAMPLE: Final = 200  # events whose fields are looked at
_MOST_FIELDS: Final = 300
_DEEPEST: Final = 8
_EXAMPLE: Final = 60  # characters
_BARE: Final = re.compile(r"[\w$]+")


def events(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="One event, in any spelling: its fields.")] = None,
    since: Annotated[str, typer.Option(metavar="1h", help="Only those that happened since then.")] = "24h",
    listed: Annotated[bool, typer.Option("--list", help="With NAME: the events themselves, newest first.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="With --list: at most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Which events come, and with NAME what is in them."""
    at = clock()
    begin = moment(since, at)
    with reading(settings("warn")) as tx:
        if name is None:
            _names(tx, begin, at, since, as_json=as_json)
        elif listed:
            _list(tx, event_name(name), begin, limit, at, as_json=as_json)
        else:
            _fields(tx, event_name(name), begin, as_json=as_json)


def _names(tx: "Tx", begin: Instant, at: Instant, since: str, *, as_json: bool) -> None:
    from connector.store import seen  # noqa: PLC0415

    found = seen.names(tx, begin)
    if as_json:
        emit_json(
            [{"name": one.name, "count": one.n, "last_seen": iso(one.last), "example": one.example} for one in found]
        )
        return
    if not found:
        say(f"no events since {since}: try --since 30d, or `connector status` for what the feeds say")
    rows = [(one.name, one.n, when(one.last, at), one.example) for one in found]
    table(["event", Column("count", right=True), "last seen", Column("for example")], rows)


def _list(tx: "Tx", name: str, begin: Instant, limit: int, at: Instant, *, as_json: bool) -> None:
    from connector.recipe.memory import customer  # noqa: PLC0415
    from connector.store import seen  # noqa: PLC0415

    found = seen.named(tx, name, begin, limit)
    if as_json:
        emit_json(
            [
                {"id": one.id, "at": iso(one.at), "user": customer(one), "feed": one.feed, "name": one.name}
                for one in found
            ]
        )
        return
    if not found:
        say(f"no {name} since then: see `connector events`")
    rows = [(one.id, when(one.at, at), " ".join(customer(one).values())) for one in found]
    table(["event", "at", Column("customer", rigid=False)], rows)


# ── fields ────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class Seen:
    """One field over several events."""

    n: int = 0
    types: set[str] = field(default_factory=set)
    example: Json = None


def _fields(tx: "Tx", name: str, begin: Instant, *, as_json: bool) -> None:
    from connector.store import seen  # noqa: PLC0415

    sample = seen.named(tx, name, begin, _SAMPLE)
    found = _look(sample)
    if as_json:
        emit_json(
            {
                "name": name,
                "sampled": len(sample),
                "fields": [
                    {"path": path, "types": sorted(one.types), "seen": one.n, "example": _example(one)}
                    for path, one in found.items()
                ],
            }
        )
        return
    if not sample:
        say(f"no {name} since then: see `connector events`, or try --since 30d")
        return
    say(f"{name}: the fields of the latest {plural(len(sample), 'event')}, as recipes write them")
    say()
    rows = [(path, one.n, ", ".join(sorted(one.types)), _example(one)) for path, one in found.items()]
    table(["path", Column("in", right=True), "type", Column("for example", rigid=False)], rows)


def _look(sample: "Iterable[Event]") -> dict[str, Seen]:
    """The fields of some events by their paths, in the order of the words of recipes, then by name."""
    from connector.recipe.compare import kind_of  # noqa: PLC0415
    from connector.recipe.scope import scope as scope_of  # noqa: PLC0415

    found: dict[str, Seen] = {}
    for event in sample:
        scope = scope_of(event)
        own = {key: value for key, value in scope["event"].items() if key != "rawData"}
        for path, value in _walk({**scope, "event": own}):
            if path not in found and len(found) >= _MOST_FIELDS:
                continue
            seen = found.setdefault(path, Seen())
            seen.n += 1
            seen.types.add(kind_of(value))
            if seen.example is None:
                seen.example = value
    words = ("event", "properties", "traits", "context")
    return dict(sorted(found.items(), key=lambda pair: (words.index(pair[0].partition(".")[0]), pair[0])))


def _walk(value: Json, path: str = "", depth: int = 0) -> Iterator[tuple[str, Json]]:
    """Every field below a value that is not itself a mapping; of a list itself and its first item."""
    if isinstance(value, Mapping) and depth < _DEEPEST:
        for key, inner in value.items():
            written = key if _BARE.fullmatch(key) else json.dumps(key)
            yield from _walk(inner, f"{path}.{written}" if path else written, depth + 1)
        return
    yield path, value
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        yield from _walk(value[0], f"{path}.0", depth + 1)


def _example(seen: Seen) -> str:
    return "" if seen.example is None else shorten(as_text(seen.example), _EXAMPLE)
