"""Track and consents, second generation (the SDKs' contracts; public API reference of 2026).

Nothing tells a repeat from a second event for sure, so whoever repeats an event repeats its eventId. Success is a 201
with an empty body.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Final, Literal

from connector.model import SECOND, Instant, Json, Request, instant, instant_text
from connector.platforms import dialect
from connector.platforms.bodies import (
    LARGEST,
    Body,
    a_list,
    a_mapping,
    checked_objects,
    compact,
    encode,
    has_text,
    part,
    portions,
    refused,
    size_of,
)
from connector.platforms.endpoint import About, Data, endpoint
from connector.platforms.intempt.project import parse_taken, request
from connector.settings import Connection

IDENTIFY: Final = "Identify"
PRODUCT_VIEWED: Final = "Product viewed"
ADDED_TO_CART: Final = "Added to cart"
PRODUCT_ORDERED: Final = "Product ordered"  # several lines under one eventId

MOST_ENTRIES: Final = 50  # verified up to there, and the SDKs' own limit
_IDS: Final = ("userId", "profileId", "accountId", "productId")
_EARLIEST: Final = instant("2010-01-01") or 0  # before it: refused
_LATEST: Final = instant("2040-01-18") or 0  # after it: replaced by the server's clock, without a word
_AROUND: Final = 32  # bytes that a request has around its entries


# ── bodies ────────────────────────────────────────────────────────────────────────────────────


def payload(  # noqa: PLR0913  what a payload may have
    *,
    event_id: str,
    timestamp: Instant | None = None,
    user_id: str = "",
    profile_id: str = "",
    account_id: str = "",
    session_id: str = "",
    page_id: str = "",
    another_user_id: str = "",
    another_account_id: str = "",
    data: Body | None = None,
    user_attributes: Body | None = None,
    account_attributes: Body | None = None,
) -> dict[str, Json]:
    """One line of an event, of what is given. event_id: the same when it is repeated; timestamp: milliseconds."""
    return compact(
        eventId=event_id,
        timestamp=timestamp,
        profileId=profile_id,
        userId=user_id,
        accountId=account_id,
        sessionId=session_id,
        pageId=page_id,
        anotherUserId=another_user_id,
        anotherAccountId=another_account_id,
        data=data,
        userAttributes=user_attributes,
        accountAttributes=account_attributes,
    )


def entry(name: str, *payloads: Body) -> dict[str, Json]:
    """An event of this name with its lines."""
    return {"name": name, "payload": list(payloads)}


def requests(entries: Iterable[Body]) -> Iterator[list[Body]]:
    """The entries in their order, as many at a time as one request may have; one that is too large goes by itself."""
    return portions(entries, size_of, most=MOST_ENTRIES, largest=LARGEST - _AROUND)


def checked_entries(entries: Json) -> Sequence[Json]:
    """The entries of a request, found to have what is required. Raises RequestRefused."""
    found = a_list(entries, "track")
    if len(found) > MOST_ENTRIES:
        raise refused(f"track has {len(found)} entries, and at most {MOST_ENTRIES} are sent at a time")
    for n, one in enumerate(found):
        if not has_text(a_mapping(one, f"track[{n}]"), "name"):
            raise refused(f"track[{n}] needs a name: what happened")
        for m, line in enumerate(a_list(one.get("payload"), f"track[{n}].payload")):
            _check_line(a_mapping(line, f"track[{n}].payload[{m}]"), f"track[{n}].payload[{m}]")
    return found


def _check_line(line: Body, what: str) -> None:
    known = [has_text(line, name) for name in (*_IDS, "eventId")][:-1]
    checked_objects(line, "data", "userAttributes", "accountAttributes")
    if not any(known) and not (line.get("data") or {}).get("productId"):
        raise refused(f"{what} needs one of {', '.join(_IDS)}")
    at = line.get("timestamp")
    if at is not None and (not _is_whole(at) or not _EARLIEST <= at <= _LATEST):
        raise refused(f"the timestamp of {what} must be milliseconds since 1970, between 2010 and 2040")


def _is_whole(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


# ── track ─────────────────────────────────────────────────────────────────────────────────────


@endpoint(
    "track",
    "POST",
    "/v1/{org}/projects/{project}/sources/{source}/track",
    source="API reference of 2026; SDKs",
    parse=parse_taken,
    example={
        "source": "1841503112918048768",
        "body": {"track": [{"name": "purchase", "payload": [{"eventId": "e1", "userId": "u1"}]}]},
    },
    also={
        "/v1/{org}/projects/{project}/track": {
            "body": {"track": [{"name": "no_source", "payload": [{"eventId": "e1", "userId": "u1"}]}]}
        }
    },
)
def track(
    connection: Connection,
    body: Data,
    *,
    source: Annotated[str, About("The id of the source; without it the project's own path.")] = "",
    ip: Annotated[Literal["", "0", "1"], About("1: locate the sender by its address; 0: do not.")] = "",
) -> Request:
    """Record what users did: `{"track": [{"name", "payload": [{…}]}]}`, or only the list.

    POST /v1/{org}/projects/{project}/sources/{id}/track, or …/track without a source: at most 50 entries → 201, empty.
    400 may pass by itself; 401; 402: the plan's limit; 413; 422; 429: empty. timestamp: milliseconds.
    """
    whole = body if isinstance(body, Mapping) else {"track": body}
    sent = encode({**whole, "track": checked_entries(whole.get("track"))})
    path = f"sources/{part(source, 'the id of the source')}/track" if source else "track"
    return request(connection, "POST", "project", path, query={"ip": ip} if ip else (), body=sent)


# ── consents ──────────────────────────────────────────────────────────────────────────────────


def consent(  # noqa: PLR0913  what a consent may have
    connection: Connection,
    *,
    action: Literal["accept", "reject"],
    timestamp: Instant | None = None,
    user_id: str = "",
    profile_id: str = "",
    source_id: str = "",
    source: str = "connector",
    category: str = "",
    valid_until: str | Instant = "unlimited",
    **more: str,
) -> dict[str, Json]:
    """The body of one consent, of what is given. source: who recorded it, in words; source_id: goes with profile_id.

    timestamp: milliseconds, in seconds on the wire unless the dialect says otherwise. valid_until: `unlimited`, or an
    instant, which is sent in the same unit. more: email, message, reason, method, deviceInfo.
    """
    return compact(
        action=action,
        timestamp=_moment(connection, timestamp),
        userId=user_id,
        profileId=profile_id,
        category=category,
        validUntil=valid_until if isinstance(valid_until, str) else _moment(connection, valid_until),
        **more,
        source=source,
        sourceId=source_id,
    )


def _moment(connection: Connection, at: Instant | None) -> int | None:
    seconds = dialect.of(connection, "consent_time") == "seconds"
    return at // SECOND if at is not None and seconds else at


@endpoint(
    "consents",
    "POST",
    "/v1/{org}/projects/{project}/consents/data",
    source="API reference of 2026; SDKs",
    parse=parse_taken,
    example={"body": {"action": "reject", "timestamp": 1795225081, "userId": "u1", "validUntil": "unlimited"}},
)
def consents(connection: Connection, body: Data) -> Request:
    """Record that somebody gave or withdrew consent.

    POST /v1/{org}/projects/{project}/consents/data: action accept or reject, timestamp in seconds, userId or profileId
    (with sourceId), validUntil, source, category?, email?, message?, reason?, method?, deviceInfo? → 200 `{}`. Errors
    400, 401, 402, 429. A timestamp in milliseconds would be replaced by the server's clock without a word.
    """
    found = a_mapping(body, "the body")
    if found.get("action") not in {"accept", "reject"}:
        raise refused("action must be accept or reject")
    by_user, by_profile = has_text(found, "userId"), has_text(found, "profileId")
    if not by_user and not (by_profile and has_text(found, "sourceId")):
        raise refused("userId is needed, or profileId with sourceId")
    for name in ("timestamp", "validUntil"):
        _check_moment(connection, found.get(name), name)
    return request(connection, "POST", "project", "consents/data", body=encode(found))


def _check_moment(connection: Connection, at: Json, name: str) -> None:
    """The unit shows in the size: seconds and milliseconds of this century are far from each other."""
    if at is None or (name == "validUntil" and isinstance(at, str)):
        return
    unit = dialect.of(connection, "consent_time")
    earliest = _EARLIEST // SECOND if unit == "seconds" else _EARLIEST
    if not _is_whole(at) or not earliest <= at < earliest * 100:
        raise refused(f"{name} must be a whole number of {unit} since 1970, not before {instant_text(_EARLIEST)[:10]}")
