"""Intilery's second host: Segment's messages, and the marketing preferences of one subscriber.

Neither gets the account's token. A message says whose it is by its writeKey, which is no secret; a subscriptionId (of a
profile's metadata, `_subscriptionId`) is one: it opens a customer's preferences without any key, so it is hidden here.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import quote

from connector.model import Answer, Hidden, Json, Request
from connector.platforms import answers, dialect
from connector.platforms.bodies import Body, a_list, a_mapping, checked_time, encode, has_text, refused
from connector.platforms.endpoint import About, Data, endpoint
from connector.platforms.hidden import Around, Veiled
from connector.platforms.intilery.account import CAP, DEADLINE, JSON_TYPE
from connector.platforms.intilery.tracking import Accepted
from connector.settings import Connection

HOST: Final = "https://events.intilery.com"
_OWN: Final = "https://tracking.intilery.com"
_CLUES: Final = {
    **answers.CLUES,
    400: "the second host refuses the request",
    404: "nobody has this subscriptionId, or nothing is at this address: see `second_host` under `dialect`",
}
_KINDS: Final = ("identify", "track", "page", "screen", "group", "alias")


def host(connection: Connection) -> str:
    """Where it is. A connection to a sandbox has it there, too: nothing may leak to the real one."""
    said = dialect.of(connection, "second_host")
    if said != "auto":
        return said.rstrip("/")
    own = connection.base_url.rstrip("/")
    return HOST if own == _OWN else own


def write_key(connection: Connection) -> str:
    """What a message says whose it is by."""
    said = dialect.of(connection, "write_key")
    if said != "auto":
        return said
    names = (connection.client_id, connection.account_id, connection.brand_id)
    return base64.b64encode(":".join(names).encode()).decode()


def _request(method: str, url: str | Hidden, body: bytes = b"") -> Request:
    return Request(method=method, url=url, headers=(JSON_TYPE,), body=body, deadline=DEADLINE, cap=CAP)


# ── Segment's messages ────────────────────────────────────────────────────────────────────────


def parse_taken(answer: Answer) -> Accepted:
    """That messages were taken; what is answered is not documented, so any success that does not say no counts."""
    body = answers.accepted(answer, "an acknowledgement", _CLUES)
    return Accepted(answers.text_id(body.get("eventId")) if isinstance(body, dict) else "")


@endpoint(
    "segment",
    "POST",
    "/cdp/events/segment/t",
    source="Intilery's site, source code",
    parse=parse_taken,
    example={"body": {"type": "track", "event": "Product Added", "userId": "u1"}},
)
def segment(connection: Connection, body: Data) -> Request:
    """Send one of Segment's messages to the second host; the writeKey is filled in.

    POST https://events.intilery.com/cdp/events/segment/t: a message with writeKey. No token. Answers undocumented.
    """
    message = {"writeKey": write_key(connection), **_message(body, "the body")}
    return _request("POST", f"{host(connection)}/cdp/events/segment/t", encode(message))


@endpoint(
    "segment-batch",
    "POST",
    "/cdp/events/segment/mobile/batch",
    source="Intilery's site, source code",
    parse=parse_taken,
    example={"body": {"batch": [{"type": "identify", "userId": "u1", "traits": {}}]}},
)
def segment_batch(connection: Connection, body: Data) -> Request:
    """Send several of Segment's messages to the second host: `{"batch": […]}`, or only the list.

    POST https://events.intilery.com/cdp/events/segment/mobile/batch: `{writeKey, batch}`, never gzipped. No token.
    """
    whole = body if isinstance(body, Mapping) else {"batch": body}
    messages = [_message(one, f"batch[{n}]") for n, one in enumerate(a_list(whole.get("batch"), "batch"))]
    filled = {"writeKey": write_key(connection), **whole, "batch": messages}
    return _request("POST", f"{host(connection)}/cdp/events/segment/mobile/batch", encode(filled))


def _message(body: Json, what: str) -> Body:
    found = a_mapping(body, what)
    if found.get("type") not in _KINDS:
        raise refused(f"{what} needs a type: one of {', '.join(_KINDS)}")
    known = [has_text(found, name) for name in ("userId", "anonymousId")]
    if not any(known):
        raise refused(f"{what} needs a userId or an anonymousId")
    checked_time(found)
    return found


# ── marketing preferences ─────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a subscriber wants to get. channels: channel → subscribed. body: everything that was answered."""

    customer_id: str
    channels: Mapping[str, bool]
    categories: tuple[Mapping[str, Json], ...]
    unsubscribe_all: bool
    body: Mapping[str, Json]


def parse_preferences(answer: Answer) -> Preferences:
    """A subscriber's preferences. Raises NothingThere, FeedRefused and FeedUnavailable."""
    what = "marketing preferences"
    body = answers.an_object(answer, what, _CLUES)
    channels = answers.objects(answer, body.get("channels"), what)
    wanted = {str(one.get("channel", one.get("name", ""))): one.get("subscribed") is True for one in channels}
    categories = tuple(answers.objects(answer, body.get("categories"), what))
    everything = body.get("unsubscribeAll") is True
    return Preferences(answers.text_id(body.get("customerId")), wanted, categories, everything, body)


Subscription = Annotated[
    str | Hidden, About("The profile's _subscriptionId, or - for standard input: others see what a command is given.")
]


@endpoint(
    "preferences",
    "GET",
    "/cdp/marketing-preferences/{subscriptionId}",
    source="Intilery's site, source code",
    parse=parse_preferences,
    example={"subscription_id": "YWNtZTphY21lOnUx"},
)
def preferences(
    connection: Connection,
    subscription_id: Subscription,
    *,
    asset_id: Annotated[str, About("The asset whose link was followed.")] = "",
) -> Request:
    """What a subscriber wants to get.

    GET https://events.intilery.com/cdp/marketing-preferences/{subscriptionId}, ?assetId=. No token: the id is the key.
    """
    return _request("GET", _preferences_url(connection, subscription_id, asset_id))


def parse_changed(answer: Answer) -> None:
    """That preferences were taken. Raises NothingThere, FeedRefused and FeedUnavailable."""
    answers.accepted(answer, "an acknowledgement", _CLUES)


@endpoint(
    "set-preferences",
    "POST",
    "/cdp/marketing-preferences/{subscriptionId}",
    source="Intilery's site, source code",
    parse=parse_changed,
    example={"subscription_id": "YWNtZTphY21lOnUx", "body": {"channels": [{"channel": "email", "subscribed": False}]}},
)
def set_preferences(connection: Connection, subscription_id: Subscription, body: Data) -> Request:
    """Change what a subscriber wants to get.

    POST https://events.intilery.com/cdp/marketing-preferences/{subscriptionId}: `{channels, categories, unsubscribeAll,
    unsubscribeReason}`. No token: the id is the key.
    """
    found = a_mapping(body, "the body")
    for name in ("channels", "categories"):
        for one in a_list(found[name], name) if found.get(name) else ():
            a_mapping(one, f"each of {name}")
    if not isinstance(found.get("unsubscribeAll", False), bool):
        raise refused("unsubscribeAll must be true or false")
    return _request("POST", _preferences_url(connection, subscription_id), encode(found))


def _preferences_url(connection: Connection, subscription_id: str | Hidden, asset_id: str = "") -> Hidden:
    hidden = Veiled(subscription_id) if isinstance(subscription_id, str) else subscription_id
    if isinstance(subscription_id, str) and not subscription_id.strip():
        raise refused("the subscriptionId must not be empty")
    after = f"?assetId={quote(asset_id, safe='')}" if asset_id else ""
    return Around(f"{host(connection)}/cdp/marketing-preferences/", hidden, after, quoted=True)
