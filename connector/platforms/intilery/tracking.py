"""What is written: identify, track, page, screen, several at once, and commands (Tracking API document).

Each takes the documented JSON object; what makes one in a program, `call`, stands beside them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from connector.model import Answer, Instant, Json, Request, Verdict, instant_text
from connector.platforms import answers, dialect
from connector.platforms.bodies import (
    LARGEST,
    LARGEST_ITEM,
    Body,
    a_list,
    a_mapping,
    checked_objects,
    checked_time,
    compact,
    encode,
    has_text,
    portions,
    refused,
    size_of,
)
from connector.platforms.endpoint import About, Data, endpoint
from connector.platforms.intilery.account import request
from connector.platforms.intilery.events import MARK
from connector.platforms.verdict import judge as judge_by
from connector.settings import Connection

SENDING: Final = ("send_email", "send_sms", "send_print", "send_push")
COMMANDS: Final = (*SENDING, "start_journey")
_METHODS: Final = frozenset({"identify", "page", "screen", "group"})
_AROUND_BATCH: Final = 64  # bytes that a batch has around its items
_CLUES: Final = {
    **answers.CLUES,
    400: "the platform refuses the call",
    401: "the platform does not know the token: mend auth_token in the configuration or the secrets",
    403: "the token may not write to this account: mend auth_token, or client, account and brand, in the configuration",
    413: "the request is too large: send less at a time",
}


# ── bodies ────────────────────────────────────────────────────────────────────────────────────


def call(  # noqa: PLR0913  what a call may have
    *,
    user_id: str = "",
    anonymous_id: str = "",
    event: str = "",
    traits: Body | None = None,
    properties: Body | None = None,
    context: Body | None = None,
    timestamp: Instant | None = None,
    name: str = "",
) -> dict[str, Json]:
    """A call's body, of what is given. timestamp: an instant, ISO 8601 on the wire; left out, the server's own."""
    at = None if timestamp is None else instant_text(timestamp)
    return compact(
        userId=user_id,
        anonymousId=anonymous_id,
        event=event,
        name=name,
        traits=traits,
        properties=properties,
        context=context,
        timestamp=at,
    )


def marked(body: Body, mark: Json) -> dict[str, Json]:
    """The call with our mark in its context, so that it is known as our own when the feed shows it."""
    return {**body, "context": {**(body.get("context") or {}), MARK: mark}}


def checked(body: Json, method: str) -> dict[str, Json]:
    """The call with what the method requires, `event` filled in where it can only be one. Raises RequestRefused."""
    found = a_mapping(body, "the body")
    known = [has_text(found, name) for name in ("userId", "anonymousId")]
    if not any(known):
        raise refused("userId or anonymousId is needed")
    checked_objects(found, "traits", "properties", "context")
    checked_time(found)
    event = found.get("event")
    if method in {"identify", "page"}:
        if event not in {None, method}:
            raise refused(f"event must be {method}, or left out")
        found = {**found, "event": method}
    elif method == "track" and not has_text(found, "event"):
        raise refused("event is needed: what the customer did")
    if method == "identify" and found.get("traits") is None:
        raise refused("traits are needed, {} if there are none")
    return dict(found)


# ── answers ───────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Accepted:
    """What was taken in. It says nothing of the feed: an event of a new type shows there once it is marked as valid.

    event_id: Intilery's, empty where the answer has none.
    """

    event_id: str


def parse_accepted(answer: Answer) -> Accepted:
    """That a call was taken. Raises FeedRefused (401, 403) and FeedUnavailable (all else, `success: false` too)."""
    body = answers.accepted(answer, "an acknowledgement", _CLUES)
    return Accepted(answers.text_id(body.get("eventId")) if isinstance(body, dict) else "")


def judge(answer: Answer) -> Verdict:
    """What an answer means for a delivery. A 400 is final: the documents know no passing one."""
    return judge_by(answer, _CLUES)


# ── one call ──────────────────────────────────────────────────────────────────────────────────


@endpoint(
    "identify",
    "POST",
    "/v1/identify",
    source="Tracking API",
    parse=parse_accepted,
    example={"body": {"userId": "u1", "traits": {"firstName": "Ada"}}},
)
def identify(connection: Connection, body: Data) -> Request:
    """Tie a user to traits.

    POST …/v1/identify (Tracking API): userId or anonymousId, traits, context?, timestamp?. 400, 403, 413, 429, 502-504.
    Processing is asynchronous: half a second passes before a lookup shows the traits.
    """
    return request(connection, "POST", "identify", body=encode(checked(body, "identify")))


@endpoint(
    "track",
    "POST",
    "/v1/track",
    source="Tracking API",
    parse=parse_accepted,
    example={"body": {"userId": "u1", "event": "Product Added", "properties": {"price": "11.99"}}},
)
def track(connection: Connection, body: Data) -> Request:
    """Record what a user did.

    POST …/v1/track (Tracking API): userId or anonymousId, event, properties?, context?, timestamp?. Errors as identify.
    """
    return request(connection, "POST", "track", body=encode(checked(body, "track")))


@endpoint(
    "page",
    "POST",
    "/v1/page",
    source="Tracking API",
    parse=parse_accepted,
    example={"body": {"userId": "u1", "properties": {"path": "/"}}},
)
def page(connection: Connection, body: Data) -> Request:
    """Record a page that a user saw.

    POST …/v1/page (Tracking API): userId or anonymousId, properties?, context?, timestamp?. Errors as identify.
    """
    return request(connection, "POST", "page", body=encode(checked(body, "page")))


@endpoint(
    "screen",
    "POST",
    "/v1/screen",
    source="Tracking API",
    parse=parse_accepted,
    example={"body": {"userId": "u1", "name": "Home"}},
)
def screen(connection: Connection, body: Data) -> Request:
    """Record a screen of an app that a user saw.

    POST …/v1/screen (Tracking API): userId or anonymousId, name?, properties?, context?, timestamp?; no event. Errors
    as identify.
    """
    return request(connection, "POST", "screen", body=encode(checked(body, "screen")))


# ── commands ──────────────────────────────────────────────────────────────────────────────────


@endpoint(
    "command",
    "POST",
    "/v1/track",
    source="Track Action Commands",
    parse=parse_accepted,
    example={"name": "send_email", "body": {"userId": "u1", "assetId": "welcome"}},
)
def command(
    connection: Connection,
    name: Annotated[str, About(f"One of {', '.join(COMMANDS)}")],
    body: Data,
) -> Request:
    """Have an e-mail, SMS, letter or push message sent, or a journey started.

    POST …/v1/track (Track Action Commands): userId; assetId, any other keys are merged into what is sent; of
    start_journey properties.journeyIdToTrigger, stepIdToTrigger?. Errors as identify.
    """
    found = checked_command(name, body)
    spelling = name.upper() if dialect.of(connection, "command_names") == "upper" else name
    return request(connection, "POST", "track", body=encode({**found, "event": spelling}))


def checked_command(name: str, body: Json) -> dict[str, Json]:
    """A command's body, found to have what it requires. Raises RequestRefused."""
    if name not in COMMANDS:
        raise refused(f"a command is one of {', '.join(COMMANDS)}, not {name[:80]!r}")
    found = a_mapping(body, "the body")
    if not has_text(found, "userId"):
        raise refused(f"{name} needs a userId")
    if name in SENDING and not has_text(found, "assetId"):
        raise refused(f"{name} needs an assetId: what is to be sent")
    properties = a_mapping(found.get("properties") or {}, "properties")
    if name == "start_journey" and not has_text(properties, "journeyIdToTrigger"):
        raise refused("start_journey needs properties.journeyIdToTrigger")
    checked_objects(found, "context")
    checked_time(found)
    return dict(found)


# ── several at once ───────────────────────────────────────────────────────────────────────────


@endpoint(
    "batch",
    "POST",
    "/v1/batch",
    source="Tracking API",
    parse=parse_accepted,
    example={"body": {"batch": [{"event": "Song Played", "userId": "u1"}]}},
)
def batch(connection: Connection, body: Data) -> Request:
    """Send several calls at once: `{"batch": […], "context": {}}`, or only the list.

    POST …/v1/batch (Tracking API): at most 1 MB, and 32 KB a call; each says what it is by `event`. Errors as identify;
    what becomes of each call is not told.
    """
    whole = body if isinstance(body, Mapping) else {"batch": body}
    checked_objects(whole, "context")
    items = [item(connection, one, n) for n, one in enumerate(a_list(whole.get("batch"), "batch"))]
    return request(connection, "POST", "batch", body=encode({**whole, "batch": items}))


def item(connection: Connection, body: Json, n: int = 0) -> dict[str, Json]:
    """A call as an item of a batch. Raises RequestRefused for one that is incomplete, or too large."""
    given = a_mapping(body, f"batch[{n}]")
    said = given.get("event", given.get("type"))
    found = checked(given, said if said in _METHODS else "track")
    if dialect.of(connection, "batch_item") == "both":
        found = {"type": said if said in _METHODS else "track", **found}
    if size_of(found) > LARGEST_ITEM:
        raise refused(f"batch[{n}] has more than {LARGEST_ITEM:,} bytes: send it by itself")
    return found


def batches(calls: Iterable[Body]) -> Iterator[list[Body]]:
    """The calls in their order, as many at a time as one batch may have; one that is too large goes by itself."""
    small: list[Body] = []
    for one in calls:
        if size_of(one) <= LARGEST_ITEM - _AROUND_BATCH:
            small.append(one)
            continue
        yield from _together(small)
        yield [one]
        small = []
    yield from _together(small)


def _together(calls: Sequence[Body]) -> Iterator[list[Body]]:
    return portions(calls, size_of, most=len(calls), largest=LARGEST - _AROUND_BATCH)
