"""`connector deliveries`: what goes out, why it waits, and putting it right."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer

from connector.cli import failure
from connector.cli.advice import Advice, advice_for, why
from connector.cli.options import AsJson, ByDefault, WrongUse, moment, noun, person
from connector.cli.output import Column, emit_json, fields, iso, plural, relative, say, shorten, table, when
from connector.cli.parts import receiver, served
from connector.cli.session import daemon, opened, reading, settings
from connector.engines.clock import now as clock
from connector.model import Instant, Json, State

if TYPE_CHECKING:
    from connector.settings import Settings
    from connector.store.database import Tx
    from connector.store.history import Line, Story

app = noun("What goes out: look at it, and put it right.")

Ids = Annotated[list[str] | None, typer.Argument(metavar="ID…", help="Ids, or their beginnings.", show_default=False)]
All = Annotated[bool, typer.Option("--all", help="All that can be, of the --destination or --recipe.")]
OfDestination = Annotated[str | None, typer.Option("--destination", metavar="NAME", help="Only to this destination.")]
OfRecipe = Annotated[str | None, typer.Option("--recipe", metavar="ID", help="Only of this recipe.")]
Act = Callable[["Tx", str, str, Instant], object]

_PAGE: Final = 200  # changed in one transaction, so that the daemon never waits long
_SHOWN: Final = 600  # characters of a body

_ASKED: Final = ("type", "user_id", "reason")  # of a regulation


@app.command("list")
def list_(
    state: Annotated[State | None, typer.Option(help="Only in this state.")] = None,
    destination: OfDestination = None,
    recipe: OfRecipe = None,
    since: Annotated[str | None, typer.Option(metavar="7d", help="Only those made since then.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many, the newest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Deliveries, newest first."""
    from connector.store import history, parking  # noqa: PLC0415

    of, at = settings("warn"), clock()
    begin, to = None if since is None else moment(since, at), destination and receiver(of, destination)
    with reading(of) as tx:
        _must_be_known(of, tx, destination, recipe)
        lines = history.deliveries(tx, state=state, destination=to, recipe=recipe, since=begin, limit=limit)
        parked = parking.parked(tx)
    if as_json:
        emit_json([_as_json(line) for line in lines])
        return
    if not lines:
        say("no deliveries")
    rows = [
        (line.id, line.state, relative(line.created, at), line.attempts, line.destination, line.recipe, because)
        for line in lines
        for because in [why(line, parked.get(line.destination), at)]
    ]
    table(["id", "state", "made", Column("tries", right=True), "to", "recipe", Column("why", rigid=False)], rows)
    if len(lines) == limit:
        say(f"{plural(limit, 'newest', 'newest')} shown, there may be more: --limit N")


def _as_json(line: "Line") -> dict[str, Json]:
    return {
        "id": line.id,
        "recipe": line.recipe,
        "action": line.action,
        "event": line.event,
        "destination": line.destination,
        "state": line.state,
        "reason": line.reason,
        "attempts": line.attempts,
        "next_attempt": iso(line.due) if line.state == State.PENDING else None,
        "answer": line.answer,
    }


def _must_be_known(of: "Settings", tx: "Tx", destination: str | None, recipe: str | None) -> None:
    """Raises WrongUse for names that neither the configuration nor any delivery knows."""
    from connector.document import did_you_mean  # noqa: PLC0415
    from connector.store import history  # noqa: PLC0415

    receivers = [*of.destinations, *(f"@{name}" for name in of.connections)]
    to = destination and receiver(of, destination)
    if destination not in {None, *receivers} and not history.deliveries(tx, destination=to, limit=1):
        hint = did_you_mean(destination or "", receivers) or f"known: {', '.join(receivers) or 'none'}"
        raise WrongUse(f"no destination {destination!r} - {hint}")
    if recipe is None or history.deliveries(tx, recipe=recipe, limit=1):
        return
    at_work = served(of, tx)
    if recipe not in at_work.recipes and recipe not in at_work.broken:
        raise WrongUse(f"no recipe {recipe!r} - {did_you_mean(recipe, at_work.recipes) or 'see `connector status`'}")


# ── show ──────────────────────────────────────────────────────────────────────────────────────


@app.command()
def show(
    id: Annotated[str, typer.Argument(metavar="ID", help="The id, or its beginning.")], as_json: AsJson = False
) -> None:
    """Everything about one delivery. Exits 1 when it is dead or waits for somebody."""
    from connector.store import history, parking  # noqa: PLC0415

    at = clock()
    with reading(settings("warn")) as tx:
        story = history.story(tx, id)
        parked = parking.parked(tx).get(story.line.destination)
        again = history.runs_again(tx, story.line)
    advice = advice_for(story.line, parked, at, again=again)
    if as_json:
        emit_json(_story_as_json(story, advice))
    else:
        _tell(story, advice, at)
    stuck = story.line.state == State.PENDING and parked is not None
    if stuck or story.line.state in {State.DEAD, State.HELD}:
        raise typer.Exit(failure.NOT_WELL)


def _story_as_json(story: "Story", advice: Advice) -> dict[str, Json]:
    line, message = story.line, story.message
    sent = message and {
        "method": message.method,
        "path": message.path,
        "headers": dict(message.headers),
        "body": message.body.decode(errors="replace"),
        "meta": dict(message.meta),
    }
    tries = [
        {
            "at": iso(tried.at),
            "elapsed_ms": tried.elapsed,
            "status": tried.status,
            "outcome": tried.outcome,
            "spent": bool(tried.spent),
            "answer": tried.answer,
        }
        for tried in story.attempts
    ]
    return {
        **_as_json(line),
        "advice": advice.words,
        "commands": list(advice.commands),
        "kind": line.kind,
        "version": story.version,
        "run": str(story.run),
        "item": story.item,
        "refire": story.refire,
        "account": story.account,
        "order_key": story.order_key,
        "needs": [{"action": action, "state": wanted} for action, wanted in story.needs],
        "created": iso(line.created),
        "settled": iso(line.settled),
        "expires": iso(story.expires_at),
        "message": sent,
        "tries": tries,
        "event_body": dict(story.event.body) if story.event else None,
    }


def _tell(story: "Story", advice: Advice, at: Instant) -> None:
    line, message = story.line, story.message
    sent: list[tuple[str, object]] = []
    if message is not None:
        by_hand = line.kind == "regulation" and not message.path  # a person does it: no request is made
        sent = [
            ("sends", "" if by_hand else f"{message.method} {message.path}".strip()),
            *((f"  {name}", value) for name, value in message.headers),
            ("body", shorten(message.body.decode(errors="replace"), _SHOWN)),
            *((word.replace("_", " "), message.meta.get(word)) for word in _ASKED if line.kind == "regulation"),
        ]
    fields(
        [
            ("id", line.id),
            ("state", line.state),
            ("why", line.reason or line.answer),
            ("what to do", advice.words),
            *(("", command) for command in advice.commands),
            ("to", f"{line.destination} ({line.kind})" if line.destination else line.kind),
            ("recipe", f"{line.recipe}, action {line.action}, version {story.version}"),
            ("item", story.item),
            ("refired", story.refire or None),
            ("event", f"{story.event.name} {line.event}" if story.event else line.event or "let go"),
            ("account", story.account),
            ("needs", ", ".join(f"{action}: {wanted}" for action, wanted in story.needs)),
            ("order key", story.order_key),
            ("made", when(line.created, at)),
            ("next attempt", when(line.due, at) if line.state == State.PENDING else None),
            ("settled", when(line.settled, at) if line.settled else None),
            ("expires", when(story.expires_at, at) if story.expires_at else None),
            *sent,
        ]
    )
    rows = [
        (tried.n, when(tried.at, at), f"{tried.elapsed} ms", tried.outcome, tried.answer) for tried in story.attempts
    ]
    table([Column("try", right=True), "at", Column("took", right=True), "outcome", Column("answer", rigid=False)], rows)


# ── putting right ─────────────────────────────────────────────────────────────────────────────


class Narrowed(NamedTuple):
    """What `--all` means."""

    destination: str | None
    recipe: str | None


@app.command()
def retry(
    ids: Ids = None, all_: All = False, destination: OfDestination = None, recipe: OfRecipe = None, by: ByDefault = ""
) -> None:
    """Try dead deliveries again, under their ids, counting from zero."""
    from connector.store import people  # noqa: PLC0415

    n, stays = _change(people.retry, _chosen(ids, all_, destination, recipe), State.DEAD, by)
    say(f"{plural(n, 'delivery is', 'deliveries are')} pending again{_who_sends()}" if n else "none to try again")
    if stays.unrendered:
        say(f"{plural(stays.unrendered, 'dead one')} could not be rendered and stays dead: mend the recipe")


@app.command()
def discard(
    ids: Ids = None, all_: All = False, destination: OfDestination = None, recipe: OfRecipe = None, by: ByDefault = ""
) -> None:
    """Give up dead, held or pending deliveries; --all means the dead ones."""
    from connector.store import people  # noqa: PLC0415

    chosen = _chosen(ids, all_, destination, recipe)
    n, stays = _change(people.discard, chosen, State.DEAD, by)
    say(f"{plural(n, 'delivery', 'deliveries')} discarded" if n else "none to discard: none is dead")
    if stays.held or stays.pending:
        say(f"{stays.held} held and {stays.pending} pending stay: discard those by their ids")


@app.command()
def release(
    ids: Ids = None, all_: All = False, destination: OfDestination = None, recipe: OfRecipe = None, by: ByDefault = ""
) -> None:
    """Let held deliveries go out. Regulations never: those are approved."""
    from connector.store import people  # noqa: PLC0415

    n, stays = _change(people.release, _chosen(ids, all_, destination, recipe), State.HELD, by)
    say(f"{plural(n, 'delivery is', 'deliveries are')} pending{_who_sends()}" if n else "none to release")
    if stays.decided:
        say(f"{plural(stays.decided, 'regulation')} held for a decision: see connector approvals list")


def _chosen(
    ids: Sequence[str] | None, everything: bool, destination: str | None, recipe: str | None
) -> Sequence[str] | Narrowed:
    """The ids, or what narrows `--all`. Raises WrongUse when neither or both were given."""
    if ids and not (everything or destination or recipe):
        return ids
    if ids or not (everything and (destination or recipe)):
        raise WrongUse("name the deliveries by their ids, or write --all with --destination NAME or --recipe ID")
    return Narrowed(destination, recipe)


class Stays(NamedTuple):
    """What `--all` leaves as it is, of what the same names fit."""

    held: int = 0
    pending: int = 0
    decided: int = 0
    unrendered: int = 0


def _change(act: Act, chosen: Sequence[str] | Narrowed, state: State, by: str) -> tuple[int, Stays]:
    """Do it to each, some in a transaction; how many. All are looked at before the first is changed."""
    from connector.store import history  # noqa: PLC0415
    from connector.store.database import chunks  # noqa: PLC0415

    of, who = settings("warn"), person(by)
    with opened(of) as store:
        with store.read() as tx:
            if isinstance(chosen, Narrowed):
                ids, stays = _all(of, tx, act, chosen, state)
            else:
                ids, stays = [history.delivery(tx, id).id for id in chosen], Stays()
        for some in chunks(ids, _PAGE):
            with store.write() as tx:
                for id in some:
                    act(tx, id, who, clock())
    return len(ids), stays


def _all(of: "Settings", tx: "Tx", act: Act, chosen: Narrowed, state: State) -> tuple[list[str], Stays]:
    """The ids that `--all` means, the oldest first, and what stays."""
    from connector.store import history, people  # noqa: PLC0415

    _must_be_known(of, tx, chosen.destination, chosen.recipe)
    to = chosen.destination and receiver(of, chosen.destination)
    found = {
        each: history.deliveries(tx, state=each, destination=to, recipe=chosen.recipe, limit=1_000_000)
        for each in ((state, State.HELD, State.PENDING) if act is people.discard else (state,))
    }
    held, pending = found.get(State.HELD, []), found.get(State.PENDING, [])
    meant = [line for line in reversed(found[state]) if _may(line)]
    unrendered = [line for line in meant if not line.rendered and act is people.retry]
    ids = [line.id for line in meant if line not in unrendered]
    decided = sum(line.kind == "regulation" for line in held)
    return ids, Stays(len(held), len(pending), decided, len(unrendered))


def _may(line: "Line") -> bool:
    """Whether `--all` means this one too: what only a decision or another action moves is left alone."""
    if line.kind == "regulation":
        return not line.rendered  # nobody can decide on it
    return line.reason not in {"approval", "cap", "kill_switch", "needs"}


def _who_sends() -> str:
    return "" if daemon(settings("warn")) is not None else ": start `connector run` to send"
