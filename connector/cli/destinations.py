"""`connector destinations`: the receivers, whether they are called, and trying one."""

import secrets
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli import failure
from connector.cli.options import AsJson, ByDefault, WrongUse, noun, person
from connector.cli.output import Column, emit_json, iso, relative, say, table
from connector.cli.parts import receiver
from connector.cli.session import opened, reading, settings
from connector.engines.clock import now as clock
from connector.errors import HttpError
from connector.model import Instant, Json, Message, canonical

if TYPE_CHECKING:
    from connector.actions import Destination
    from connector.model import Answer
    from connector.settings import Settings
    from connector.store.database import Tx
    from connector.store.parking import Parked

app = noun("The receivers: how they fare, and trying one.")

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="Its name under `destinations:`, or @ and that of a connection.")
]


def standings(tx: "Tx", of: "Settings") -> list[dict[str, Json]]:
    """How each destination stands: `open`, `parked`, or `gone` when deliveries wait for one that was taken away.

    Accounts that are written to are among them where something waits for them, or they are parked.
    """
    from connector.store import parking, standing  # noqa: PLC0415

    parked, waiting = parking.parked(tx), standing.waiting(tx)
    written = [receiver(of, f"@{name}") for name in of.connections]
    names = [*of.destinations, *(name for name in written if name in waiting or name in parked)]
    gone = sorted(name for name in waiting if name and name not in names)
    found = []
    for name in [*names, *gone]:
        place, counts = parked.get(name), waiting.get(name, {})
        found.append(
            {
                "name": name,
                "state": "gone" if name in gone else "parked" if place else "open",
                "pending": counts.get("pending", 0),
                "held": counts.get("held", 0),
                "dead": counts.get("dead", 0),
                "reason": place.reason if place else "",
                "since": iso(place.since) if place else None,
                "next_probe": iso(place.probe_at) if place and not place.by else None,
                "by": place.by if place else "",
            }
        )
    return found


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Every destination: open or parked, and what waits for it."""
    from connector.store import parking  # noqa: PLC0415

    of, at = settings("warn"), clock()
    with reading(of) as tx:
        found = standings(tx, of)
        parked = parking.parked(tx)
    if as_json:
        emit_json(found)
        return
    rows = [
        (one["name"], one["state"], one["pending"], one["held"], one["dead"], _why(one, parked.get(one["name"]), at))
        for one in found
    ]
    counted = [Column(state, right=True) for state in ("pending", "held", "dead")]
    table(["name", "state", *counted, Column("why", rigid=False)], rows)
    if not rows:
        say("no destinations: add one under `destinations:`")


def _why(one: dict[str, Json], place: "Parked | None", at: Instant) -> str:
    if one["state"] == "gone":
        return "not in the configuration any more"
    if place is None:
        return ""
    probe = "" if place.by else f", tried again {relative(max(place.probe_at, at), at)}"
    return f"{place.reason}, {relative(place.since, at)}{probe}"


@app.command()
def test(name: Name) -> None:
    """Send one test request, signed as deliveries are, and say what came back. Exits 1 when it was not taken."""
    import asyncio  # noqa: PLC0415

    from connector.actions import Action, Destination  # noqa: PLC0415

    of = settings()
    if name.startswith("@"):
        raise WrongUse(f"{name} is an account: try a call of it with `connector api`")
    destination = Destination.read(of.destinations[_known(of, name)])
    try:
        answer = asyncio.run(_send(of, destination, name))
    except HttpError as error:
        say(f"{name} did not answer: {error}", "bold red")
        raise typer.Exit(failure.NOT_WELL) from None
    verdict = Action.kinds[destination.kind].judge(answer)
    said = of.vault.redact(verdict.reason) or f"HTTP {answer.status}"
    if verdict.outcome == "delivered":
        say(f"{name} took it: {said}, in {answer.elapsed} ms", "green")
        return
    say(f"{name} did not take it: {said}, in {answer.elapsed} ms", "bold red")
    raise typer.Exit(failure.NOT_WELL)


async def _send(of: "Settings", destination: "Destination", name: str) -> "Answer":
    from connector.http import Http  # noqa: PLC0415

    body = canonical({"text": f"A test from connector: the destination {name} is reached."})
    message = Message(headers=(("Content-Type", "application/json"),), body=body)
    request = destination.request(message, id=f"test_{secrets.token_hex(16)}", at=clock())
    async with Http(of.egress.allow, of.vault) as http:
        return await http.send(request, overflow="cut")


@app.command()
def park(name: Name, by: ByDefault = "") -> None:
    """Call it no more until it is released; its deliveries wait."""
    from connector.store import people  # noqa: PLC0415

    of, who = settings("warn"), person(by)
    with opened(of) as store, store.write() as tx:
        people.park(tx, _known(of, name), who, clock())
    say(f"{name} is parked by {who}; its deliveries wait until: connector destinations release {name}")


@app.command()
def release(name: Name, by: ByDefault = "") -> None:
    """Call a parked one again, at once."""
    from connector.store import people  # noqa: PLC0415

    of, who = settings("warn"), person(by)
    with opened(of) as store, store.write() as tx:
        was_parked = people.open_destination(tx, _known(of, name), who, clock())
    say(f"{name} is called again" if was_parked else f"{name} was not parked")


def _known(of: "Settings", name: str) -> str:
    from connector.document import did_you_mean  # noqa: PLC0415

    if name.startswith("@") and receiver(of, name) in {f"@{each.identity}" for each in of.connections.values()}:
        return receiver(of, name)
    if name not in of.destinations:
        known = did_you_mean(name, of.destinations) or f"known: {', '.join(of.destinations) or 'none'}"
        raise WrongUse(f"no destination {name!r} in {of.file} - {known}")
    return name
