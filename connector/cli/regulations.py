"""`connector regulations`: the ledger of privacy requests, work items, and the kill switch (design §9)."""

from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer

from connector.cli.options import AsJson, By, decider, noun
from connector.cli.output import Column, emit_json, iso, relative, say, table
from connector.cli.session import opened, reading, settings
from connector.engines.clock import now as clock
from connector.model import Instant, Json, instant_text

if TYPE_CHECKING:
    from connector.store.history import Request

app = noun("Privacy requests: the ledger and its kill switch.")

Id = Annotated[str, typer.Argument(metavar="ID", help="The whole id, from `regulations list`.")]

_TYPES: Final = {  # as Intilery's documents spell them (tracking document, Regulation types)
    "suppress_and_delete": "Suppress and Delete",
    "delete": "Delete (only offered once the user is suppressed)",
    "unsuppress": "Unsuppress",
    "suppress": "Suppress",
    "no_track": "NoTrack",
    "track": "Track",
    "access": "Access (the data comes as a zip file)",
}
_OPEN: Final = frozenset({"proposed", "approved", "sent"})


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Every request with its due date, newest first."""
    from connector.store.regulations import WORK_ITEM  # noqa: PLC0415

    at = clock()
    known = ledger(to_people=not as_json)
    if as_json:
        emit_json([_as_json(one, at) for one in known.requests])
        return
    if not known.requests:
        say("no regulations")
    rows = [(one.id, one.type, one.user_id, one.state, _due(one, at), one.decided_by) for one in known.requests]
    table(["id", "type", Column("user", rigid=False), "state", "due", "decided by"], rows)
    if any(one.state == "dry_run" for one in known.requests):
        say("dry_run: only noted, nobody was asked and nothing is sent (`regulations.mode`)")
    for one in known.requests:
        if one.doing == WORK_ITEM:
            say()
            tell_steps(one)


class Ledger(NamedTuple):
    """Every request, newest first. stopped: who turned regulations off, None while they go on."""

    requests: "list[Request]"
    stopped: str | None


def ledger(*, to_people: bool) -> Ledger:
    """The ledger as it stands; to people it is said at once when regulations are stopped."""
    from connector.store import history  # noqa: PLC0415
    from connector.store.database import fact  # noqa: PLC0415
    from connector.store.regulations import KILL_SWITCH  # noqa: PLC0415

    with reading(settings("warn")) as tx:
        known = Ledger(history.regulations(tx, limit=100_000), fact(tx, KILL_SWITCH))
    if known.stopped and to_people:
        say(f"regulations are stopped by {known.stopped}: connector regulations resume --by NAME", "bold red")
    return known


def asked(one: "Request") -> dict[str, Json]:
    """Who asked for what, for programs."""
    return {
        "id": one.id,
        "type": one.type,
        "user_id": one.user_id,
        "reason": one.reason,
        "recipe": one.recipe,
        "event": one.event,
        "account": one.account,
    }


def tell_steps(one: "Request") -> None:
    """What a person does for one approved request, in Intilery's own words."""
    say(f"to do for {one.id}:")
    say(f"  1. in Intilery's console open Regulations and make one of the type {_TYPES[one.type]}")
    say(f"  2. its user id is, character by character: {one.user_id}")
    say("  3. regulations are carried out asynchronously: when it has finished,")
    say(f"     connector regulations done {one.id} --by NAME")


def _overdue(one: "Request", at: Instant) -> bool:
    return one.state in _OPEN and one.due < at


def _due(one: "Request", at: Instant) -> str:
    if one.state not in _OPEN:
        return ""
    return f"{instant_text(one.due)[:10]} {'OVERDUE' if _overdue(one, at) else relative(one.due, at)}"


def _as_json(one: "Request", at: Instant) -> dict[str, Json]:
    return {
        **asked(one),
        "state": one.state,
        "held": one.held,
        "proposed": iso(one.proposed),
        "due": iso(one.due),
        "overdue": _overdue(one, at),
        "decided": iso(one.decided),
        "decided_by": one.decided_by,
        "done": iso(one.done),
    }


@app.command()
def done(
    id: Annotated[str, typer.Argument(metavar="ID", help="The whole id, from `regulations list`.")], by: By
) -> None:
    """Note that the work was done in the platform's console, or that what was sent has finished."""
    from connector.store import regulations  # noqa: PLC0415

    who = decider(by)
    with opened(settings("warn")) as store, store.write() as tx:
        regulations.done(tx, id, who, clock())
    say(f"done by {who}: {id}")


@app.command()
def stop(by: By) -> None:
    """The kill switch: hold every open regulation, let none be approved or done."""
    from connector.store import regulations  # noqa: PLC0415

    who = decider(by)
    with opened(settings("warn")) as store, store.write() as tx:
        regulations.stop(tx, who, clock())
    say(f"regulations are stopped by {who}; to go on: connector regulations resume --by NAME")


@app.command()
def resume(by: By) -> None:
    """Lift the kill switch."""
    from connector.store import regulations  # noqa: PLC0415

    of, who = settings("warn"), decider(by)
    with opened(of) as store, store.write() as tx:
        regulations.resume(tx, regulations.Rules.of(of), who, clock())
    say(f"regulations go on, says {who}: see connector approvals list")
