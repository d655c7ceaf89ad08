"""Events, scopes and actions to try."""

from collections.abc import Mapping
from typing import Any

from connector.actions import Action, load_all
from connector.document import read
from connector.model import Event

load_all()

NOON = 1_793_534_400_000  # 2026-11-01T12:00Z


def action(text: str) -> Action:
    """The action of one entry of `actions`, without its `to`."""
    data = read(text, "recipe.yaml").data
    ((kind, keys),) = data.items()
    return Action.kinds[kind].model_validate({key: value for key, value in keys.items() if key != "to"})


def event(**body: Any) -> Event:
    """An Intilery event of u1 with these fields."""
    whole = {"eventId": "e1", "userId": "u1", **body}
    return Event("intilery:acme/acme/ACME", "intilery.events", "e1", "order_completed", NOON, NOON, whole)


def scope(happened: Event | None = None, **parts: Mapping[str, Any]) -> dict[str, Any]:
    """What templates see of it."""
    return {"event": (happened or event()).body, "properties": {}, "context": {}, "traits": {}, **parts}
