"""`needs`: the actions of the same run that an action waits for, and when that has come true."""

from collections.abc import Mapping, Sequence

from connector.document import did_you_mean
from connector.model import OPEN_STATES, Json, State
from connector.recipe.findings import Place
from connector.recipe.recipe import Wanted
from connector.template.values import in_words


def read_needs(data: Json, place: Place) -> tuple[tuple[str, Wanted], ...]:
    """`tell`, `[tell, note]` (delivered) or `{tell: dead}`; mistakes are recorded."""
    if isinstance(data, str):
        return ((data, "delivered"),)
    if isinstance(data, list) and data and all(isinstance(name, str) for name in data):
        return tuple((name, "delivered") for name in data)
    if not isinstance(data, dict) or not data:
        place.mistake(f"`needs` takes the id of an action, a list of them, or {{id: dead}}, not {in_words(data)}")
        return ()
    return tuple((name, _wanted(end, place.at(name))) for name, end in data.items())


def _wanted(end: Json, place: Place) -> Wanted:
    if end == "dead":
        return "dead"
    if end != "delivered":
        hint = did_you_mean(end, ("delivered", "dead")) if isinstance(end, str) else ""
        place.mistake("an action is needed `delivered` or `dead`", hint)
    return "delivered"


def needs_met(needs: Sequence[tuple[str, Wanted]], states: Mapping[str, Sequence[State]]) -> bool | None:
    """Whether an action's needs have come true; None while that is open, False when it can't happen any more.

    states: of all deliveries of each action of the run. `delivered`: there are some, and all arrived. `dead`: at least
    one was given up, discarded or expired, and none is still open.
    """
    verdicts = [_met(wanted, states.get(action, ())) for action, wanted in needs]
    if False in verdicts:
        return False
    return None if None in verdicts else True


def _met(wanted: Wanted, states: Sequence[State]) -> bool | None:
    lost = any(state in {State.DEAD, State.DISCARDED} for state in states)
    if any(state in OPEN_STATES for state in states):
        return False if lost and wanted == "delivered" else None
    return lost if wanted == "dead" else bool(states) and not lost
