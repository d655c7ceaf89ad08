"""`connector audit`: who did what, and whether the chain of the rows still holds."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from connector.cli.options import AsJson, moment
from connector.cli.output import Column, as_text, day_and_time, emit_json, iso, say, shorten, table
from connector.cli.session import reading, settings
from connector.engines.clock import now as clock
from connector.model import Json

if TYPE_CHECKING:
    from connector.store.audit import Entry

_LONGEST: Final = 60  # characters of a value, such as a cursor; in JSON all are whole


def audit(
    since: Annotated[str, typer.Option(metavar="7d", help="Only what was done since then.")] = "30d",
    as_json: AsJson = False,
) -> None:
    """Who did what, the newest last, and whether anything in the audit was changed."""
    from connector.store import audit as book  # noqa: PLC0415

    begin = moment(since, clock())
    with reading(settings("warn")) as tx:
        entries, broken = book.entries(tx, begin), book.verify(tx)
    if as_json:
        emit_json({"intact": broken is None, "broken_at": broken, "rows": [_as_json(entry) for entry in entries]})
        return
    if not entries:
        say(f"nobody did anything since {day_and_time(begin)}")
    rows = [
        (entry.number, day_and_time(entry.at), entry.actor, _words(entry.action), _about(entry), _told(entry.detail))
        for entry in entries
    ]
    who, about, more = Column("who", rigid=False), Column("about", rigid=False), Column("more", rigid=False)
    table([Column("row", right=True), "at", who, "what", about, more], rows)
    if broken is None:
        say("the audit is unchanged: every row fits the one before", "green")
    else:
        say(f"the audit was CHANGED: row {broken} does not fit the chain; compare it with a backup", "bold red")


def _about(entry: "Entry") -> str:
    """`dlv_… of LRD-100023`: the delivery, and whose privacy is meant."""
    return f"{entry.subject} of {entry.user_id}" if entry.user_id else entry.subject


def _words(action: str) -> str:
    """`regulation approved` for `regulation.approved`."""
    return action.replace(".", " ").replace("_", " ")


def _told(detail: Json) -> str:
    """`type: suppress, recipe: privacy-request`."""
    if not isinstance(detail, dict):
        return as_text(detail)
    return ", ".join(
        f"{name}: {shorten(as_text(value), _LONGEST)}" for name, value in detail.items() if value not in (None, "")
    )


def _as_json(entry: "Entry") -> dict[str, Json]:
    return {
        "row": entry.number,
        "at": iso(entry.at),
        "who": entry.actor,
        "what": entry.action,
        "about": entry.subject,
        "user_id": entry.user_id,
        "detail": entry.detail,
        "hash": entry.hash,
    }
