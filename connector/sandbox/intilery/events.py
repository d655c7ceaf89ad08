"""One event as the feed shows it, encoded once, with what the store needs to find it again."""

import json
import re
import uuid
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from connector.sandbox.times import print_time, read_time

AccountName: TypeAlias = tuple[str, str, str]  # client, account, brand

_PEOPLE = ("userId", "customerId", "anonymousId")
_OF_A_CALL = ("event", "action", "properties", "traits", "context", "timestamp", "sendType", "messageId")


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of a feed. Instants are milliseconds.

    id: its eventId, None where it has none. text: its JSON. time and received: where it stands under either clock.
    visible: when the feed shows it at the earliest. share: the part of the switch `lag`, 0..1, that it waits on top.
    people: the user, customer and anonymous ids in it.
    """

    id: str | None
    text: bytes
    action: str
    time: int
    received: int
    visible: int
    share: float
    people: tuple[str, ...]


def as_event(body: Mapping[str, Any], at: int, visible: int | None = None) -> Event:
    """An entry from the platform's object, which is served as it is; times that cannot be read stand at `at`."""
    received = _read(body.get("receivedTime"), at)
    text = json.dumps(body, separators=(",", ":")).encode()
    event_id = body.get("eventId")
    return Event(
        id=event_id if isinstance(event_id, str) else None,
        text=text,
        action=str(body.get("eventAction", "")),
        time=_read(body.get("eventTime"), received),
        received=received,
        visible=received if visible is None else max(received, visible),
        share=zlib.crc32(text) / 2**32,
        people=tuple(value for name in _PEOPLE if isinstance(value := body.get(name), str)),
    )


def raw_event(text: str, at: int, visible: int | None = None) -> Event:
    """An entry that is served as this text, JSON or not: for numbers, keys and characters that no encoder prints."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        body = None
    known = as_event(body if isinstance(body, dict) else {}, at, visible)
    return replace(known, text=text.encode("utf-8", "surrogatepass"))


def filled(given: Mapping[str, Any], account: AccountName, at: int) -> dict[str, Any]:
    """The platform's object from as little as `{"event": "Order Completed", "userId": "u1"}`.

    Given keys stay, nulls too; those of a tracking call (event, properties, traits, context, timestamp …) go into
    rawData. What is missing is made up: an eventId, receivedTime `at`, eventTime from the timestamp or `at` …
    """
    raw = given.get("rawData", {})
    if isinstance(raw, dict):
        raw = _raw_data(given, raw, at)
    name = raw["event"] if isinstance(raw, dict) else "page"
    client_id, account_id, brand_id = account
    return {
        "eventId": str(uuid.uuid4()),
        "eventTime": raw["timestamp"] if isinstance(raw, dict) else print_time(at),
        "receivedTime": print_time(at),
        "eventAction": action_of(str(name)),
        "clientId": client_id,
        "accountId": account_id,
        "brandId": brand_id,
        "customerId": customer_id(account, given.get("userId")),
        "userId": None,
        "anonymousId": None,
        "source": "SEGMENT_API",
        **{key: value for key, value in given.items() if key not in _OF_A_CALL},
        "rawData": raw,
    }


def _raw_data(given: Mapping[str, Any], raw: Mapping[str, Any], at: int) -> dict[str, Any]:
    name = given.get("event", raw.get("event", given.get("eventAction", "page")))
    made = {"event": name, "timestamp": given.get("eventTime", given.get("receivedTime", print_time(at)))}
    if "type" not in raw:
        made["action"] = "identify" if name == "identify" else "track"
    people = {key: given[key] for key in ("userId", "anonymousId") if key in given and "rawData" not in given}
    return people | made | dict(raw) | {key: given[key] for key in _OF_A_CALL if key in given}


def action_of(name: str) -> str:
    """`Email Opened` → `email_opened`: the eventAction of an event's name."""
    return "_".join(re.findall(r"[a-z0-9]+", name.lower()))


def customer_id(account: AccountName, user_id: object) -> str | None:
    """The platform's own id of a customer: the same for one userId of one account, None for nobody."""
    if not isinstance(user_id, str):
        return None
    return stable_uuid("/".join((*account, user_id)))


def stable_uuid(text: str) -> str:
    """The same uuid for the same text, whatever is in it."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, text.encode("utf-8", "backslashreplace").decode()))


def _read(value: object, otherwise: int) -> int:
    try:
        return read_time(value) if isinstance(value, str) else otherwise
    except ValueError:
        return otherwise
