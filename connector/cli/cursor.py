"""`connector cursor`: where each feed goes on, and moving that."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Final

import typer

from connector.cli.options import AsJson, ByDefault, WrongUse, moment, noun, person
from connector.cli.output import Column, emit_json, iso, rough, say, table, when
from connector.cli.parts import feeds
from connector.cli.session import opened, reading, settings
from connector.engines.clock import now as clock
from connector.errors import FeedError, NoMoments
from connector.model import DAY, Instant, instant_text, span, span_text

if TYPE_CHECKING:
    from connector.feeds import Feed
    from connector.settings import Settings
    from connector.store.database import Tx

app = noun("Where each feed goes on.")

Name = Annotated[str, typer.Argument(metavar="FEED", help="Its name, such as intilery.events.")]

_FRESH: Final = "fresh"


@app.command()
def show(as_json: AsJson = False) -> None:
    """Every reader of every feed: the moment up to which it has read, and how far it is behind."""
    of, at = settings("warn"), clock()
    with reading(of) as tx:
        found = [
            (feed, reader, cursor, cursors)
            for feed in feeds(of).values()
            for cursors in [cursors_of(tx, feed)]
            for reader, cursor in cursors.items()
        ]
    if as_json:
        emit_json(
            [
                {
                    "feed": feed.name,
                    "reader": reader,
                    "moment": iso(moment_of(feed, cursor)),
                    "behind_seconds": behind(feed, cursors, at).get(reader, 0) // 1000,
                    "cursor": cursor,
                }
                for feed, reader, cursor, cursors in found
            ]
        )
        return
    if not found:
        say("no feed has been read yet")
    rows = [
        (feed.name, reader, when(moment_of(feed, cursor), at), rough(behind(feed, cursors, at).get(reader, 0)))
        for feed, reader, cursor, cursors in found
    ]
    table(["feed", "reader", "has read up to", Column("behind", right=True)], rows)


@app.command("set")
def set_(
    feed: Name,
    to: Annotated[str, typer.Argument(metavar="MOMENT", help="2026-11-01T00:00:00Z, or 6h for so long ago.")],
    by: ByDefault = "",
) -> None:
    """Let a feed go on from another moment. Events that are known already are not evaluated again."""
    of, at = settings("warn"), clock()
    _move(of, feed, lambda _stands: moment(to, at), person(by), at)


@app.command()
def rewind(
    feed: Name,
    back: Annotated[str, typer.Argument(metavar="SPAN", help="How far back from where it stands, such as 6h.")],
    by: ByDefault = "",
) -> None:
    """Let a feed read again what it has read. Events that are known already are not evaluated again."""
    try:
        distance = span(back)
    except ValueError as error:
        raise WrongUse(str(error)) from None
    at = clock()
    _move(settings("warn"), feed, lambda stands: min(stands, at) - distance, person(by), at)


def _move(of: "Settings", name: str, to: Callable[[Instant], Instant], by: str, at: Instant) -> None:
    """Move the fresh reader, wherever the daemon has brought it meanwhile; a page it has in hand is refused then."""
    from connector.document import did_you_mean  # noqa: PLC0415
    from connector.store import people  # noqa: PLC0415

    known = feeds(of)
    if name not in known:
        raise WrongUse(f"no feed {name!r} - {did_you_mean(name, known) or 'known: ' + (', '.join(known) or 'none')}")
    feed = known[name]
    with opened(of) as store, store.write() as tx:
        old = cursors_of(tx, feed).get(_FRESH)
        stands = moment_of(feed, old) if old else None
        target = to(at if stands is None else stands)
        _check(target, at, of.privacy.keep.ids)
        try:
            new = feed.rewind(old if stands is not None else None, target)  # an unreadable one is begun anew
        except NoMoments as error:
            raise WrongUse(str(error)) from None
        people.set_cursor(store, tx, feed.account, feed.key, _FRESH, old=old, new=new, by=by, now=at)
    say(f"{name} goes on from {when(target, at)}")


def _check(target: Instant, at: Instant, ids: int) -> None:
    """Raises WrongUse for a moment that no cursor may stand at."""
    if target > at:
        raise WrongUse(f"{instant_text(target)} lies in the future: a feed cannot go on from there")
    oldest = at - ids + DAY  # a day to read it in, before the ids of that time are let go
    if target < oldest:
        raise WrongUse(
            f"ids are kept for {span_text(ids)} (`privacy.keep.ids`): events before {instant_text(oldest)} "
            "would be evaluated a second time"
        )


def cursors_of(tx: "Tx", feed: "Feed") -> dict[str, str]:
    """Each reader's cursor of a feed: the fresh one, then the re-reads by age."""
    from connector.store import standing  # noqa: PLC0415

    places = [place for place in standing.places(tx) if (place.account, place.feed) == (feed.account, feed.key)]
    return {place.reader: place.cursor for place in sorted(places, key=lambda place: _age(place.reader))}


def _age(reader: str) -> tuple[int, str]:
    """How old what a reader reads is; it is called by that."""
    try:
        return span(reader), reader
    except ValueError:
        return -1 if reader == _FRESH else 0, reader


def moment_of(feed: "Feed", cursor: str) -> Instant | None:
    """The moment a cursor stands for; every reader's cursor says it in the same way."""
    try:
        return feed.read_to({_FRESH: cursor})
    except FeedError:
        return None


def behind(feed: "Feed", cursors: Mapping[str, str], at: Instant) -> dict[str, int]:
    """Milliseconds each reader is behind; none where a cursor cannot be read."""
    try:
        return feed.behind(cursors, at)
    except FeedError:
        return {}
