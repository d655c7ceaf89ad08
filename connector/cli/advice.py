"""Why a delivery stands where it stands, and the commands that help."""

from typing import TYPE_CHECKING, Final, NamedTuple

from connector.cli.output import relative
from connector.model import Instant, State

if TYPE_CHECKING:
    from connector.store.history import Line
    from connector.store.parking import Parked

_HELD: Final = {  # why it is held → what to say, and which commands help
    "approval": (
        "a named person must decide",
        ("approvals approve {id} --by NAME", "approvals reject {id} --by NAME"),
    ),
    "cap": (
        "too many regulations were proposed at once: reject what nobody asked for",
        ("approvals list", "approvals reject {id} --by NAME"),
    ),
    "kill_switch": ("regulations are stopped", ("regulations resume --by NAME",)),
    "needs_human": (
        "look in the platform's console: there it is done, or approve it to have it sent again, or turn it down",
        ("regulations done {id} --by NAME", "approvals approve {id} --by NAME", "approvals reject {id} --by NAME"),
    ),
    "loop": (
        "four writes of ours woke each other: see whether their recipes run in a circle",
        ("deliveries release {id}", "deliveries discard {id}"),
    ),
    "guard": (
        "so many went out that a person should look: let it go, or give it up",
        ("deliveries release {id}", "deliveries discard {id}"),
    ),
    "needs": ("it waits for another action of its recipe: see that one", ("deliveries list --recipe {recipe}",)),
}
_OTHERWISE: Final = ("let it go, or give it up", ("deliveries release {id}", "deliveries discard {id}"))


def why(line: "Line", parked: "Parked | None", at: Instant) -> str:
    """Why it stands where it stands, on one line of a list."""
    if line.state == State.PENDING and parked is not None:
        return f"{line.destination} is parked: {parked.reason}"
    if line.state == State.PENDING:
        due = f"next {relative(line.due, at)}" if line.due > at else "due now"
        return f"{due}: {line.answer}" if line.answer else due
    return line.reason or line.answer


class Advice(NamedTuple):
    """Why a delivery stands where it stands, and the commands that help."""

    words: str
    commands: tuple[str, ...] = ()


def advice_for(line: "Line", parked: "Parked | None", at: Instant, *, again: bool) -> Advice:
    """What may be done about one delivery. again: whether a backfill runs its event again."""
    if line.state == State.HELD:
        words, commands = _HELD.get(line.reason.partition(":")[0], _OTHERWISE)
    elif line.state == State.DEAD and not line.rendered:
        words, commands = "mend the recipe for the next events, and give this one up", ("deliveries discard {id}",)
        if again:
            words = "mend the recipe, then run the event again, or give it up"
            commands = ("backfill {recipe}", *commands)
    elif line.state == State.DEAD:
        words = "try again once the cause is gone, or give it up"
        commands = ("deliveries retry {id}", "deliveries discard {id}")
    elif line.state == State.PENDING:
        words, commands = _next(line, parked, at)
    else:
        return Advice("")
    filled = (command.format(id=line.id, recipe=line.recipe) for command in commands)
    return Advice(words, tuple(f"connector {command}" for command in filled))


def _next(line: "Line", parked: "Parked | None", at: Instant) -> Advice:
    """What becomes of a pending one."""
    if line.kind == "regulation" and line.reason == "to send":
        return Advice(f"it is sent through the API {relative(line.due, at)}")
    if line.kind == "regulation":
        return Advice("do it in the platform's console, then note it", ("regulations done {id} --by NAME",))
    if parked is None:
        return Advice(f"it is tried again {relative(line.due, at)}" if line.answer else "it goes out at once")
    release_it = (f"destinations release {parked.name}",)
    if parked.by:
        return Advice(f"its destination was parked by {parked.by}", release_it)
    probe = relative(max(parked.probe_at, at), at)
    return Advice(f"its destination is parked ({parked.reason}) and tried again {probe}; or at once", release_it)
