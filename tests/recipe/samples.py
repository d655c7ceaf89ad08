"""Recipes and events that several tests use."""

from pathlib import Path
from typing import Any, Final

from connector.model import Event, Instant, event_name, instant, instant_text
from connector.recipe.parse import parse
from connector.recipe.recipe import Known, Recipe

NOON: Final[Instant] = 1_793_534_400_000  # 2026-11-01T12:00Z
ACCOUNT: Final = "intilery:acme/acme/ACME"
KNOWN: Final = Known(
    frozenset({"intilery.events", "intilery.profiles", "shop.events"}),
    {"sales": "slack", "ops": "slack", "crm": "webhook", "uk": "webhook"},
    {"intilery": "intilery", "shop": "intilery", "intempt": "intempt"},
)

SMALL: Final = (Path(__file__).parent / "small.yaml").read_text()  # the small recipe of the documentation
LARGE: Final = (Path(__file__).parent / "large.yaml").read_text()  # every key, shown once


def recipe(*lines: str, event: str = "x", actions: str = "[{webhook: {to: crm}}]") -> Recipe:
    """A recipe with these lines in its middle."""
    return parse(
        "\n".join(
            [
                "id: a",
                f"trigger: {{feed: intilery.events, event: {event}}}",
                *lines,
                f"actions: {actions}",
                "tests: []",
            ]
        ),
        "a.yaml",
    )


def event(name: str = "x", *, at: Instant = NOON, own: bool = False, raw: Any = None, **fields: Any) -> Event:
    """An event as the feed brings it. properties, context, traits: of `rawData`; the others are the event's own."""
    inner = {part: fields.pop(part) for part in ("properties", "context", "traits") if part in fields}
    time = fields.pop("time", at)
    body = {
        "eventId": f"e-{at}",
        "eventTime": instant_text(time),
        "receivedTime": instant_text(at),
        "eventAction": event_name(name),
        **fields,
        "rawData": {"event": name, **inner} if raw is None else raw,
    }
    return Event(ACCOUNT, "intilery.events", f"e-{at}", event_name(name), at, instant(body["eventTime"]), body, own)
