"""`connector status`: whether all is well, and if not, what is wrong and what to do."""

from typing import TYPE_CHECKING, Final

import typer

from connector.cli import failure
from connector.cli.cursor import behind, cursors_of, moment_of
from connector.cli.destinations import standings
from connector.cli.options import AsJson
from connector.cli.output import Column, emit_json, fields, iso, outcomes, plural, rough, say, table, when
from connector.cli.parts import Served, feeds, served
from connector.cli.session import daemon, reading, settings
from connector.engines.clock import now as clock
from connector.model import DAY, Instant, Json, instant

if TYPE_CHECKING:
    from connector.settings import Settings
    from connector.store.database import Tx

_FRESH: Final = "fresh"
_HELD: Final = {"guard": "by a guard", "loop": "because writes of ours woke each other"}  # nobody else lets these go
_RECENT: Final = 7 * DAY  # gaps younger than this are shown


def status(as_json: AsJson = False) -> None:
    """Whether all is well. Exits 1 when it is not, saying why."""
    of, at = settings("warn"), clock()
    process = daemon(of)
    with reading(of) as tx:
        found = _look(of, tx, process, at)
    problems = found["problems"]
    if as_json:
        emit_json(found)
    else:
        _tell(found, at)
    if problems:
        raise typer.Exit(failure.NOT_WELL)


def _look(of: "Settings", tx: "Tx", process: int | None, at: Instant) -> dict[str, Json]:
    from connector.store import driver, history, schema, standing  # noqa: PLC0415
    from connector.store import waiting as runs  # noqa: PLC0415
    from connector.store.database import fact  # noqa: PLC0415
    from connector.store.regulations import KILL_SWITCH  # noqa: PLC0415

    waiting = [one for one in history.regulations(tx, limit=100_000) if one.waits_for_a_person]
    found: dict[str, Json] = {
        "healthy": False,
        "problems": [],
        "feeds": _feeds(of, tx, at),
        "destinations": standings(tx, of),
        "recipes": _recipes(served(of, tx), tx, at),
        "deliveries": standing.delivery_counts(tx),
        "waiting": [
            {
                "recipe": one.recipe,
                "runs": one.runs,
                "since": iso(one.since),
                "failing_since": iso(one.failing),
                "reason": one.reason,
            }
            for one in runs.summed(tx)
        ],
        "daemon": process,
        "approvals": len(waiting),
        "held": standing.held_counts(tx),
        "secrets": [warning.message for warning in of.warnings],
        "regulations_stopped": fact(tx, KILL_SWITCH),
        "gaps": _gaps(tx, at),
        "database": {"sqlite": driver.version_text(), "safe": driver.safe, "version": schema.HEAD},
    }
    found["problems"] = _problems(found)
    found["healthy"] = not found["problems"]
    return found


def _feeds(of: "Settings", tx: "Tx", at: Instant) -> list[dict[str, Json]]:
    from connector.store import standing  # noqa: PLC0415

    polled, found = standing.polled(tx), []
    for feed in feeds(of).values():
        cursors, state = cursors_of(tx, feed), polled.get(feed.name)
        late = behind(feed, cursors, at)
        found.append(
            {
                "feed": feed.name,
                "cursor": iso(moment_of(feed, cursors[_FRESH])) if _FRESH in cursors else None,
                "behind_seconds": late[_FRESH] // 1000 if _FRESH in late else None,
                "last_poll": iso(state.last_poll) if state else None,
                "error": state.error if state else "",
                "last_success": iso(state.last_success) if state else None,
                "next_poll": iso(state.next_poll) if state else None,
                "failures": state.failures if state else 0,
                "notes": state.detail if state else "",
                "readers": [{"reader": reader, "behind_seconds": late[reader] // 1000} for reader in late],
            }
        )
    return found


def _recipes(now_served: Served, tx: "Tx", at: Instant) -> list[dict[str, Json]]:
    """A row for each recipe in service, and for each broken file; what counts under `error` is not well."""
    from connector.store import standing  # noqa: PLC0415

    counts = standing.outcome_counts(tx, at)
    found = []
    for id in sorted({*now_served.recipes, *now_served.broken}):
        recipe, mistake = now_served.recipes.get(id), now_served.broken.get(id)
        found.append(
            {
                "id": id,
                "version": recipe.version if recipe else None,
                "mode": recipe.mode if recipe else None,
                "error": str(mistake) if mistake else "",
                "outcomes": counts.get(id, {}),
            }
        )
    return found


def _gaps(tx: "Tx", at: Instant) -> list[dict[str, Json]]:
    from connector.store import standing  # noqa: PLC0415

    return [
        {"feed": feed, "start": iso(start), "end": iso(end), "seen": seen, "reason": reason, "noticed": iso(noticed)}
        for feed, start, end, seen, reason, noticed in standing.gaps(tx)
        if noticed > at - _RECENT
    ]


def _problems(found: dict[str, Json]) -> list[str]:
    """What is not well, each with what to do."""
    problems = [] if found["daemon"] is not None else ["the daemon does not run: start `connector run`"]
    problems += found["secrets"]
    problems += [f"the feed {feed['feed']} fails: {feed['error']}" for feed in found["feeds"] if feed["error"]]
    for one in found["destinations"]:
        if one["state"] == "parked":
            problems.append(f"{one['name']} is parked ({one['reason']}): see `connector destinations list`")
        if one["state"] == "gone" and one["pending"] + one["held"]:
            n = plural(one["pending"] + one["held"], "delivery waits", "deliveries wait")
            problems.append(f"{n} for {one['name']}, which is not in the configuration any more: name it again")
    for recipe in found["recipes"]:
        if recipe["error"]:
            kept = "its last good version stays in service" if recipe["version"] else "it is not in service"
            problems.append(f"{recipe['error']} ({kept})")
    problems += [f"{_waits(one)}: {one['reason']}" for one in found["waiting"] if one["failing_since"]]
    for reason, words in _HELD.items():
        if held := found["held"].get(reason):
            n = plural(held, "delivery is", "deliveries are")
            problems.append(f"{n} held {words}: connector deliveries list --state held")
    if found["deliveries"]["dead"]:
        n = plural(found["deliveries"]["dead"], "delivery is", "deliveries are")
        problems.append(f"{n} dead: see `connector deliveries list --state dead`, then retry or discard")
    return problems


# ── for people ────────────────────────────────────────────────────────────────────────────────


def _tell(found: dict[str, Json], at: Instant) -> None:
    if found["healthy"]:
        say("all is well", "green")
    for problem in found["problems"]:
        say(f"not well: {problem}", "bold red")
    for note in _notes(found):
        say(f"note: {note}", "yellow")
    say()
    rows = [
        (feed["feed"], _when(feed["cursor"], at), _late(feed["behind_seconds"]), _when(feed["last_poll"], at))
        for feed in found["feeds"]
    ]
    table(["feed", "has read up to", Column("behind", right=True), "last poll"], rows)
    say()
    counted = ("pending", "held", "dead")
    rows_to = [(one["name"], one["state"], *(one[state] for state in counted)) for one in found["destinations"]]
    table(["destination", "state", *(Column(state, right=True) for state in counted)], rows_to)
    say()
    rows_of = [(recipe["id"], recipe["mode"] or "broken", outcomes(recipe["outcomes"])) for recipe in found["recipes"]]
    table(["recipe", "mode", Column("since yesterday (UTC)", rigid=False)], rows_of)
    say()
    fields([("deliveries", ", ".join(f"{n} {state}" for state, n in found["deliveries"].items() if n) or "none")])


def _notes(found: dict[str, Json]) -> list[str]:
    notes = []
    if found["approvals"]:
        notes.append(f"{plural(found['approvals'], 'regulation waits', 'regulations wait')}: connector approvals list")
    if found["regulations_stopped"]:
        notes.append(
            f"regulations are stopped by {found['regulations_stopped']}: connector regulations resume --by NAME"
        )
    notes += [
        f"{gap['feed']} may lack events of {gap['start']} to {gap['end']}: {gap['reason']}" for gap in found["gaps"]
    ]
    notes += [f"{feed['feed']}: {feed['notes']}" for feed in found["feeds"] if feed["notes"]]
    notes += [
        _waits(one) + (f": {one['reason']}" if one["reason"] else "")
        for one in found["waiting"]
        if not one["failing_since"]
    ]
    if not found["database"]["safe"]:
        notes.append(
            f"SQLite {found['database']['sqlite']} is old: commands that change anything need the daemon stopped"
        )
    return notes


def _waits(one: dict[str, Json]) -> str:
    """`3 runs of trial-click wait for their lookups`."""
    return (
        f"{plural(one['runs'], 'run', 'runs')} of {one['recipe']} {'waits' if one['runs'] == 1 else 'wait'} for lookups"
    )


def _when(text: str | None, at: Instant) -> str:
    return when(instant(text), at)


def _late(seconds: int | None) -> str:
    return "" if seconds is None else rough(seconds * 1000)
