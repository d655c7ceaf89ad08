"""The data that travels between the layers: frozen, without behaviour that needs a clock, network or database.

Instants are whole milliseconds since 1970-01-01T00:00:00Z (`Instant`); spans are milliseconds too.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Literal, Protocol, TypeAlias

import msgspec

Json: TypeAlias = Any  # what json.loads returns; the outside world decides its shape
Instant: TypeAlias = int  # milliseconds since the epoch, UTC
Now: TypeAlias = Callable[[], Instant]

SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

_UNITS: Final = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY, "w": 7 * DAY}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


# ── time ──────────────────────────────────────────────────────────────────────────────────────


def span(text: str) -> int:
    """Milliseconds of a duration such as `10s 15m 24h 7d 4w`; a run of them adds up (`1h20m`).

    Raises ValueError with what is expected.
    """
    if not re.fullmatch(r"(?:[0-9]{1,9}[smhdw])+", text):
        message = f"expected a duration such as 10s, 15m, 24h, 7d or 4w, got {text!r}"
        raise ValueError(message)
    return sum(int(n) * _UNITS[unit] for n, unit in re.findall(r"([0-9]+)([smhdw])", text))


def span_text(milliseconds: int) -> str:
    """The shortest spelling of a span: 90000 → `1m30s`, 0 → `0s`; under a second `250ms`."""
    if 0 < milliseconds < SECOND:
        return f"{milliseconds}ms"
    parts = []
    for unit, size in (("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", SECOND)):
        n, milliseconds = divmod(milliseconds, size)
        if n:
            parts.append(f"{n}{unit}")
    return "".join(parts) or "0s"


def instant_text(at: Instant) -> str:
    """ISO 8601 in UTC with milliseconds, the form the Intilery documents print: `2026-11-01T12:00:00.000Z`."""
    return (_EPOCH + timedelta(milliseconds=at)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def instant(text: object) -> Instant | None:
    """The instant of an ISO 8601 text, or None when it is not one that can be read.

    Zone-less times are taken as UTC; one-digit months and days are read, since the Intilery tracking document prints
    `2015-2-02T00:30:08.276Z`. Years outside 1..9999, numbers and everything else are None.
    """
    if not isinstance(text, str) or len(text) > 40:  # the longest spelling has 35
        return None
    padded = re.sub(r"(?<=-)(\d)(?=-|T|$)", r"0\1", text.strip())
    try:
        when = datetime.fromisoformat(padded)
        when = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return (when - _EPOCH) // timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` in any `per` milliseconds; `per` None means ever (`1/ever`)."""

    count: int
    per: int | None

    @classmethod
    def parse(cls, text: str) -> "Rate":
        """Read `5/1h`, `100/1s` or `1/ever`. Raises ValueError with what is expected."""
        match = re.fullmatch(r"([1-9][0-9]{0,8})/(ever|[0-9smhdw]+)", text)
        if not match:
            message = f"expected a rate such as 5/1h, 100/1s or 1/ever, got {text!r}"
            raise ValueError(message)
        per = None if match[2] == "ever" else span(match[2])
        if per == 0:
            message = f"a rate's time cannot be zero, got {text!r}"
            raise ValueError(message)
        return cls(int(match[1]), per)

    def __str__(self) -> str:
        return f"{self.count}/{'ever' if self.per is None else span_text(self.per)}"


# ── events ────────────────────────────────────────────────────────────────────────────────────


class Event(msgspec.Struct, frozen=True, gc=False):
    """One thing that happened to one customer. A struct, since millions are made: a tenth of a dataclass's time.

    account: the connection's identity, e.g. `intilery:acme/acme/ACME`; feed: `connection.feed`, e.g. `intilery.events`.
    id: the dedupe key within the account. name: normalised (`event_name`). at: the platform's `receivedTime`, never
    later than our first sight of it. time: `eventTime` where it can be read. body: the platform's object as it came.
    own: it carries our mark, which the inbox proves. notes: what was odd about it (`bad_time`, `made_up_id` …).
    text: the body's own JSON as it came, empty where the body is not exactly that.
    """

    account: str
    feed: str
    id: str
    name: str
    at: Instant
    time: Instant | None
    body: Mapping[str, Json]
    own: bool = False
    notes: tuple[str, ...] = ()
    text: bytes = b""


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of time, end excluded, whose completeness could not be proved. seen: the events read in it."""

    start: Instant
    end: Instant
    seen: int
    reason: str


QUIET, ACTIVE, NEW = 0, 1, 2  # the lines that watched ids wait in: `rank` of a row
LIVELY: Final = HOUR  # so long after a change, or after an event showed it, an id counts as active


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a feed's keyed state: a watched id, an item, a profile.

    value: what the feed knows of it, text of its own. revision: what a compare-and-set expects; 0: the row is new.
    due: when it is to be looked at next, 0 for never. rank: the line it waits in: 1 for those that were active lately,
    2 for those that events showed and that nobody has looked at yet.
    heard: when an event of another feed showed the key last, 0 for never. about: what that event said, JSON.
    """

    key: str
    value: str = ""
    revision: int = 0
    due: Instant = 0
    rank: int = 0
    heard: Instant = 0
    about: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """What one step of a feed's reader brought; committed whole or not at all.

    reader: whose step it is. old: the cursor it was read from (None: none yet), what a compare-and-set expects. cursor:
    where the reader goes on, None while it stays. notes: what a person should know, in a sentence each.
    rows: changed rows of the feed's keyed state. gone: keys of rows that are dropped. shown: what is there already when
    a feed is read for the first time: it wakes no recipe, but watch lists learn ids from it.
    """

    reader: str
    old: str | None
    cursor: str | None = None
    events: Sequence[Event] = ()
    gaps: tuple[Gap, ...] = ()
    notes: tuple[str, ...] = ()
    rows: Sequence[Row] = ()
    gone: Sequence[str] = ()
    shown: Sequence[Event] = ()


def event_name(text: str) -> str:
    """The one spelling names are compared by: lower case, runs of other characters become `_`.

    >>> event_name("Product Added")
    'product_added'
    """
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


_CANONICAL: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode


def canonical(value: Json) -> bytes:
    """JSON with sorted keys and no spaces: equal values give equal bytes. Integers stay exact."""
    return _CANONICAL(value).encode()


# ── deliveries ────────────────────────────────────────────────────────────────────────────────


class State(StrEnum):
    """The life of a delivery (design §7)."""

    HELD = "held"  # waits for a person or a time; `reason` says which
    PENDING = "pending"  # due at `due`, tried until an answer decides it
    DELIVERED = "delivered"  # the receiver took it
    DEAD = "dead"  # given up, kept for a person to retry or discard
    DISCARDED = "discarded"  # by a person, expired, or because what it needs cannot come true
    SKIPPED = "skipped"  # shadow recipe or dry run: everything but the sending


OPEN_STATES: Final = frozenset({State.HELD, State.PENDING})

HeldReason: TypeAlias = Literal[
    "approval", "guard", "hours", "muted", "needs", "cap", "kill_switch", "recipe_off", "loop"
]


@dataclass(frozen=True, slots=True)
class Message:
    """What a delivery carries, the same at every attempt: rendered once, stored, then only read.

    path is appended to the destination's address. headers are the action's own. body: exactly these bytes are signed
    and sent. meta: what the action's kind needs to know at sending and judging, and people want to see.
    """

    method: str = "POST"
    path: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    meta: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Planned:
    """One delivery that a run asks for. item: index of `for_each`, else None.

    state and reason: pending; held for `needs`; dead with `error: …` when rendering failed; skipped in shadow.
    expires (milliseconds) and guard: the action's own, None where it leaves them to the destination and its kind.
    needs: the actions this one waits for, each with the end it wants. awaited: another action needs this one.
    """

    action: str
    kind: str
    destination: str
    item: int | None = None
    message: Message | None = None
    state: State = State.PENDING
    reason: str = ""
    order_key: str | None = None
    expires: int | None = None
    guard: Rate | None = None
    awaited: bool = False
    needs: tuple[tuple[str, Literal["delivered", "dead"]], ...] = ()


def delivery_id(  # noqa: PLR0913  the seven facts that make a delivery the same one (design §4.3)
    account: str,
    origin: str | tuple[str, Instant],
    recipe: str,
    action: str,
    *,
    destination: str,
    item: int | None,
    refire: int,
) -> str:
    """`dlv_` + a hash of what makes a delivery this one: the same after a crash, a replay or a restored backup.

    origin: the event's id, or (digest key, window start).
    """
    facts = [account, list(origin) if isinstance(origin, tuple) else origin, recipe, action, destination, item, refire]
    return "dlv_" + hashlib.sha256(canonical(facts)).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer means for a delivery, judged by the action's kind.

    outcome: `delivered`; `retry` (spends an attempt); `throttled` (429: slows the destination, spends none);
    `dead` (no answer will change it); `refused` (401, 403, 410: the destination, not the delivery, is at fault).
    """

    outcome: Literal["delivered", "retry", "throttled", "dead", "refused"]
    reason: str = ""
    after: int | None = None  # milliseconds the receiver asked us to wait


# ── requests ──────────────────────────────────────────────────────────────────────────────────


class Hidden(Protocol):
    """A text whose value is read only where it is used: at the one door to the network (`secrets.Secret`)."""

    def reveal(self) -> str:
        """The value. Raises SecretMissing."""
        ...


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request as the builders make it; secret values are put in by the door when it is sent.

    deadline: milliseconds for the whole exchange. cap: bytes of the answer's body that are read.
    sign: a Standard Webhooks secret; the door adds `webhook-id` (= id), `webhook-timestamp` (from `at`) and
    `webhook-signature`. id: the delivery's id, at: the instant of this attempt.
    basic: a key `identifier.secret`; the door adds `Authorization: Basic` made of its two halves.
    """

    method: str
    url: str | Hidden
    headers: tuple[tuple[str, str | Hidden], ...] = ()
    body: bytes = b""
    deadline: int = 15_000
    cap: int = 65_536
    sign: Hidden | None = None
    id: str = ""
    at: Instant = 0
    path: str = ""  # appended to the url's own path by the door, already percent-encoded
    basic: Hidden | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. headers: lower-case names. body: at most the request's cap. elapsed: milliseconds."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    elapsed: int = 0


# ── outcomes ──────────────────────────────────────────────────────────────────────────────────

Reason: TypeAlias = Literal[
    "not_live", "stale", "own", "if", "no_key", "waiting", "lookup", "limited", "no_action", "fired", "error"
]
STORED_REASONS: Final = frozenset({"lookup", "limited", "fired", "error"})  # the others are recomputed (design §4.2)

Asked: TypeAlias = Mapping[str, Json]  # what a lookup asks for, rendered: equal questions are equal mappings


@dataclass(frozen=True, slots=True)
class Spent:
    """A limit's memory of one key after a run: the instants it was spent at, oldest first.

    joins: the memory rows that become this one (an event that shares an id with several sets joins them).
    """

    keys: tuple[str, ...]
    times: tuple[Instant, ...]
    joins: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Waits:
    """What a run that waits for lookups needs to go on.

    asked: each lookup's question by its name, None where there is nobody to ask about. memory and keys: whose limit it
    will be judged by, with every key that is known to be the same customer's; no keys without a limit.
    """

    asked: Mapping[str, Asked | None]
    memory: str = ""
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one event made of one recipe, with the reason: the first stop of design §6 *Order*.

    waits: of a run that is `waiting`. answers: what its lookups found, by name (None: nothing), once they were made.
    """

    recipe: str
    version: str
    reason: Reason
    detail: str = ""
    now: Instant = 0
    planned: tuple[Planned, ...] = ()
    spent: Spent | None = None
    waits: Waits | None = None
    answers: Mapping[str, Json] | None = None
