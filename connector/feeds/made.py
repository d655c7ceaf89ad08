"""Events that a platform does not give, but that are what changed between two looks."""

import hashlib
from collections.abc import Mapping

from connector.model import Event, Instant, Json, canonical, event_name, instant_text
from connector.platforms import rescue


def made_id(*facts: Json) -> str:
    """An id made of what the event is about: the same change always has the same one."""
    return "made_" + hashlib.sha256(canonical(list(facts))).hexdigest()[:40]


def digest(value: Json) -> str:
    """What tells one state of something from another. Raises ValueError for what is nested too deeply."""
    try:
        text = canonical(value)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if text.count(b"{") + text.count(b"[") > rescue.DEEPEST and rescue.deeper_than(value, rescue.DEEPEST):
        raise ValueError("nested too deeply")
    return hashlib.sha256(text).hexdigest()[:32]


def made_event(  # noqa: PLR0913  what an event is
    account: str,
    feed: str,
    id: str,
    action: str,
    properties: Mapping[str, Json],
    *,
    now: Instant,
    time: Instant | None = None,
    ids: Mapping[str, Json] | None = None,
    raw: Mapping[str, Json] | None = None,
) -> Event:
    """An event in the form of the platform's own: its properties stand in rawData.

    time: when it happened as far as the platform says, by default now. ids: whose it is, such as `masterId`.
    raw: what else stands in rawData, such as `traits`.
    """
    happened = now if time is None else min(time, now)
    body = {
        "eventId": id,
        "eventAction": action,
        "eventTime": instant_text(happened),
        "receivedTime": instant_text(now),
        **(ids or {}),
        "rawData": {"event": action, "properties": properties, **(raw or {})},
    }
    return Event(account, feed, id, event_name(action), now, happened, body)
