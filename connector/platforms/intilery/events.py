"""The account's feed: its requests as data, its answers as events (Events API document, its neighbours' error shapes).

Nothing here trusts what the documents leave open: each such point is a key of the connection's `dialect`.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec

from connector.errors import FeedError, FeedUnavailable
from connector.model import (
    DAY,
    SECOND,
    Answer,
    Event,
    Instant,
    Json,
    Request,
    canonical,
    event_name,
    instant,
    instant_text,
)
from connector.platforms import answers, dialect, rescue
from connector.platforms.endpoint import About, Moment, endpoint
from connector.platforms.intilery.account import request
from connector.settings import Connection

Body: TypeAlias = dict[str, Json]
Item: TypeAlias = tuple[Body, tuple[str, ...], bytes]
"""An event's object, what was odd about its JSON, and that JSON where the object is exactly what it says."""

DOCUMENTED: Final = (
    *("id", "externalId", "email", "eventId", "eventTime", "receivedTime", "eventAction", "clientId", "accountId"),
    *("brandId", "customerId", "userId", "anonymousId", "source", "rawData"),
)
"""The names an event may have (Profiles API document, *Get a Customer's Events*)."""

OF_PROFILES: Final = frozenset({"id", "externalId", "email"})
"""Those that only a customer's own events have (Profiles API): the account's feed shows the same event without them."""

MOST_RESULTS: Final = 10_000  # "page through up to 10,000 results"
LARGEST_SIZE: Final = 100
MARK: Final = "connector"
"""What we write carries this key in its context, so that it is known as our own when the feed shows it."""

_LONGEST_ID: Final = 128
MADE_UP: Final = "hash_"  # begins the id of an event that has none of its own
_OURS: Final = (MADE_UP, "made_")  # the latter: ids of events that feeds make of changes
_LONGEST_NAME: Final = 200


# ── answers ───────────────────────────────────────────────────────────────────────────────────


class _Envelope(msgspec.Struct):
    """What the feed answers: `{"data": […]}`, with a scrollId in an older version; or what refusals look like."""

    data: list[msgspec.Raw] | None = None
    error: Any = None
    errors: Any = None
    message: Any = None
    success: Any = None


_envelope: Final = msgspec.json.Decoder(_Envelope)
_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode
_REFUSALS: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def parse_events(answer: Answer) -> list[Item]:
    """The events of a feed's answer in its order, integers exact.

    An event whose JSON is odd comes mended or reduced, with a note; anything but a JSON object with a list of objects
    in `data` (or, where nothing else is said, without `data`) is an error, never "no events".
    Raises FeedRefused (401, 403) and FeedUnavailable (any other status, or not the expected JSON).
    """
    refused = answers.refusal(answer)
    if refused:
        raise refused
    try:
        found = _envelope.decode(answer.body)
        elements: Iterable[bytes | msgspec.Raw] = found.data or ()
    except _REFUSALS as reason:
        found, elements = _split(answer, reason)
    if found.error or found.errors or found.success is False or (found.data is None and found.message):
        raise _unexpected(answer, "an error with status 200")
    return [_item(bytes(element), answer) for element in elements]


def _split(answer: Answer, reason: Exception) -> tuple[_Envelope, list[bytes]]:
    """Find the events of a page that holds something the decoder refuses."""
    parts = rescue.split(answer.body)
    if parts is None:
        raise _unexpected(answer, _reason(reason)) from None
    try:
        return _envelope.decode(parts[0]), parts[1]
    except _REFUSALS as outer:
        raise _unexpected(answer, _reason(outer)) from None


def _reason(error: Exception) -> str:
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


def _unexpected(answer: Answer, what: str) -> FeedError:
    words = answers.spoken(answer.body)
    said = f"; it begins: {words}" if words else ""
    return FeedUnavailable(
        f"the platform's answer is not a list of events: {what}{said}", answer.status, answers.request_id(answer)
    )


def _item(text: bytes, answer: Answer) -> Item:
    if text[:1] != b"{":
        raise _unexpected(answer, "data holds something that is no object")
    # Brackets are counted since that is cheap: so few cannot be nested too deeply.
    brackets = text.count(b"{") + (text.count(b"[") if b"[" in text else 0)
    if len(text) <= rescue.LARGEST and brackets <= rescue.DEEPEST:
        try:
            return _decode(text), (), text
        except _REFUSALS:
            pass
    return *rescue.element(text, DOCUMENTED), b""


def to_event(  # noqa: PLR0913  an Item's parts, where it was found, and when
    body: Body,
    account: str,
    feed: str,
    first_seen: Instant,
    notes: tuple[str, ...] = (),
    text: bytes = b"",
    *,
    behind: int = 0,
) -> Event:
    """The event that a platform's object stands for, whatever its fields hold.

    first_seen: when it reached us, which its `at` never passes. notes, text: see Item.
    behind: milliseconds the platform's clock is behind ours, so that nothing that happens now looks past.
    """
    raw = body.get("rawData")
    raw = raw if type(raw) is dict else {}
    context = raw.get("context")
    arrived, happened = body.get("receivedTime"), body.get("eventTime")
    received = _time(arrived)
    time = received if happened == arrived else _time(happened)
    at = first_seen if received is None or received + behind > first_seen else received + behind
    if received is None or time is None or time > first_seen + DAY:
        unread = (received is None and arrived is not None) or (time is None and happened is not None)
        if unread or (time or 0) > first_seen + DAY:
            notes = (*notes, "bad_time")
    event_id = _id_of(body)
    if not event_id:
        own_part = {name: value for name, value in body.items() if name not in OF_PROFILES}
        event_id = MADE_UP + hashlib.sha256(canonical(own_part)).hexdigest()[:40]
        notes = (*notes, "made_up_id")
    own = type(context) is dict and bool(context.get(MARK))
    return Event(account, feed, event_id, _name_of(body, raw), at, time, body, own, notes, text)


def _id_of(body: Body) -> str:
    """The event's own id where it can serve as a key, else nothing."""
    own = body.get("eventId")
    if type(own) is not str or len(own) > _LONGEST_ID or own.startswith(_OURS):  # nobody may claim a made-up id
        return ""
    return own if own.isprintable() and not own.isspace() else ""


def _name_of(body: Body, raw: Body) -> str:
    name = body.get("eventAction")
    usual = _usual_name(name[:_LONGEST_NAME]) if type(name) is str else ""
    if not usual and type(name := raw.get("event")) is str:
        usual = _usual_name(name[:_LONGEST_NAME])
    return usual


_usual_name: Final = lru_cache(maxsize=4096)(event_name)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _time(value: Json) -> Instant | None:
    """The instant of a time after 1970, quickly where it has the documents' form."""
    if type(value) is str and len(value) == 24 and value[23] == "Z":
        try:
            since = datetime.fromisoformat(value) - _EPOCH
        except ValueError:
            pass
        else:
            moment = since.days * DAY + since.seconds * SECOND + since.microseconds // 1000
            return moment if moment > 0 else None
    return max(0, instant(value) or 0) or None


# ── requests ──────────────────────────────────────────────────────────────────────────────────

Sort: TypeAlias = Annotated[Literal["asc", "desc"], About("The oldest or the newest first.")]
Skip: TypeAlias = Annotated[int, About("Hits to skip.", "from")]
Size: TypeAlias = Annotated[int, About("Events in the answer, 1 to 100.")]
Include: TypeAlias = Annotated[str | None, About("Only this event action.")]
Exclude: TypeAlias = Annotated[Sequence[str], About("Not this event action; may be repeated.")]
Days: TypeAlias = Annotated[bool, About("Ask for whole days, such as 2026-11-01.")]


@endpoint("events", "GET", "/v1/events", source="Events API", parse=parse_events, example={"size": 10})
def events_request(  # noqa: PLR0913  the endpoint's own parameters
    connection: Connection,
    *,
    start: Moment = None,
    end: Moment = None,
    sort: Sort = "desc",
    from_: Skip = 0,
    size: Size = LARGEST_SIZE,
    include: Include = None,
    exclude: Exclude = (),
    days: Days = False,
) -> Request:
    """What all customers of the account did.

    GET …/v1/events (Events API): include, exclude, start, end, sort, from, size; ISO 8601. At most 10,000 results are
    reached by from and size. Errors 400, 401, 403, 413, 429, 5xx.
    """
    slash = "/" if dialect.of(connection, "slash") == "yes" else ""
    query = page_query(start, end, sort, from_, size, include=include, exclude=exclude, days=days)
    return request(connection, "GET", f"events{slash}", query)


def page_query(  # noqa: PLR0913  as above
    start: Instant | None,
    end: Instant | None,
    sort: str,
    from_: int,
    size: int,
    *,
    include: str | None,
    exclude: Sequence[str],
    days: bool,
) -> dict[str, Json]:
    """The parameters that choose a page of events, the account's or one profile's."""
    query: dict[str, Json] = {}
    if start is not None:
        query["start"] = instant_text(start)[:10] if days else instant_text(start)
    if end is not None:
        query["end"] = instant_text(end + DAY - 1)[:10] if days else instant_text(end)
    query |= {"sort": sort, "from": from_, "size": size}
    if include is not None:
        query["include"] = include
    if exclude:
        query["exclude"] = ",".join(exclude)
    return query
