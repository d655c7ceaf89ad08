"""Every table, as SQLModel classes. Instants are milliseconds since the epoch; JSON is stored as text.

Only plain column types stand here (integers, text, bytes), so that rows written in bulk need no conversion and the
same tables run on PostgreSQL. Primary keys begin with an ever-growing number: inserts then touch the end of the tree,
and stay as fast at ten million rows as at the first.
"""

from typing import Any

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Text, text
from sqlmodel import Field, SQLModel

BIG = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only in an INTEGER key


def _key() -> Any:
    return Field(default=None, sa_column=Column(BIG, primary_key=True, autoincrement=True))


def _big(*, null: bool = False, index: bool = False, primary: bool = False) -> Any:
    column: Column[Any] = Column(BIG, nullable=null and not primary, index=index, primary_key=primary)
    return Field(default=None, sa_column=column)


def _bytes() -> Any:
    return Field(default=None, sa_column=Column(LargeBinary, nullable=True))


def _text() -> Any:
    return Field(default="", sa_column=Column(Text, nullable=False))


def _some(name: str, *columns: str, where: str) -> Index:
    """An index of some rows. `info`: their condition, for other databases; naming one here loads all of its dialect."""
    return Index(name, *columns, sqlite_where=text(where), info={"where": where})


class Account(SQLModel, table=True):
    """One account on a platform, by its identity. All state hangs on this number, none on a connection's name."""

    __tablename__ = "accounts"
    id: int | None = _key()
    identity: str = Field(unique=True)


class StoredEvent(SQLModel, table=True):
    """One event of the inbox. `payload` is emptied after `privacy.keep.events`; the row, and its id, live longer."""

    __tablename__ = "events"
    __table_args__ = (
        Index("events_id", "account", "event_id", unique=True),
        Index("events_name", "name", "at"),
    )
    seq: int | None = _key()
    account: int = _big()
    event_id: str
    feed: str
    name: str
    at: int = _big()
    time: int | None = _big(null=True)
    first_seen: int = _big()
    own: int = 0
    notes: str = ""
    payload: bytes | None = _bytes()


class Cursor(SQLModel, table=True):
    """Where one reader of a feed goes on: opaque to everyone but the feed. Moved by compare-and-set only."""

    __tablename__ = "cursors"
    account: int = _big(primary=True)
    feed: str = Field(primary_key=True)
    reader: str = Field(primary_key=True)
    cursor: str = _text()
    moved: int = _big()


class StateRow(SQLModel, table=True):
    """One row of a feed's keyed state, e.g. a watched id: see `model.Row`. Moved by compare-and-set on `revision`."""

    __tablename__ = "state_rows"
    __table_args__ = (_some("state_rows_due", "account", "feed", "rank", "due", where="due > 0"),)
    account: int = _big(primary=True)
    feed: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    value: str = _text()
    revision: int = _big()
    rank: int = 0
    due: int = _big()
    heard: int = _big()
    about: str = _text()


class FeedState(SQLModel, table=True):
    """How a feed fares, for `status`: one row a feed, by its name."""

    __tablename__ = "feeds"
    feed: str = Field(primary_key=True)
    account: int = _big()
    first_run: int = _big()
    start: int = _big()
    last_poll: int | None = _big(null=True)
    last_success: int | None = _big(null=True)
    next_poll: int | None = _big(null=True)
    failures: int = 0
    error: str = _text()
    detail: str = _text()


class Gap(SQLModel, table=True):
    """A stretch of time whose completeness could not be proved, or an incident a person must know of."""

    __tablename__ = "gaps"
    seq: int | None = _key()
    feed: str
    start: int = _big()
    end: int = _big()
    seen: int = 0
    reason: str = _text()
    at: int = _big()


class RecipeVersion(SQLModel, table=True):
    """A version that was in service: waiting work ends under the version that began it."""

    __tablename__ = "recipe_versions"
    version: str = Field(primary_key=True)
    recipe: str = Field(index=True)
    file: str
    text: str = _text()
    loaded: int = _big()


class RecipeState(SQLModel, table=True):
    """One recipe's standing: its last good version, since when it is live, and what is wrong with its file now."""

    __tablename__ = "recipes"
    id: str = Field(primary_key=True)
    file: str
    version: str
    mode: str
    live_from: int = _big()
    present: int = 1
    error: str = _text()


class StoredOutcome(SQLModel, table=True):
    """What an event made of a recipe, where it can't be recomputed. A `fired` one is a run."""

    __tablename__ = "outcomes"
    __table_args__ = (Index("outcomes_event", "event"), Index("outcomes_recipe", "recipe", "at"))
    seq: int | None = _key()
    event: int = _big()
    recipe: str
    version: str
    refire: int = 0
    reason: str
    detail: str = _text()
    at: int = _big()


class RunAnswers(SQLModel, table=True):
    """What the lookups of a run found, packed: kept with the run, and let go with its event's payload."""

    __tablename__ = "answers"
    run: int | None = _big(primary=True)
    event: int = _big(index=True)
    body: bytes | None = _bytes()


class WaitingRun(SQLModel, table=True):
    """A run that waits for its lookups. It gets an outcome when it ends, and is then no longer here.

    due: when it is looked at next; null while it only waits for its turn, or while its recipe is off. lane: runs of one
    lane are judged in order; it is the number of its first, or 0 without a limit. failing: since when its answers have
    failed to come. asked: JSON; answers: those that came so far, packed.
    """

    __tablename__ = "waiting_runs"
    __table_args__ = (Index("waiting_runs_due", "due", "seq"), Index("waiting_runs_lane", "lane", "seq"))
    seq: int | None = _key()
    event: int = _big(index=True)
    account: int = _big()
    recipe: str
    version: str
    refire: int = 0
    at: int = _big()
    since: int = _big()
    lane: int = _big()
    due: int | None = _big(null=True)
    attempts: int = 0
    failing: int | None = _big(null=True)
    reason: str = _text()
    asked: str = _text()
    answers: bytes | None = _bytes()


class WaitingKey(SQLModel, table=True):
    """Which waiting runs a key is among: the next event with this key comes after them."""

    __tablename__ = "waiting_keys"
    memory: str = Field(primary_key=True)
    account: int = _big(primary=True)
    key: str = Field(primary_key=True)
    run: int = _big(primary=True)
    __table_args__ = (Index("waiting_keys_run", "run"),)


class OutcomeCount(SQLModel, table=True):
    """How often each recipe stopped for each reason, by day."""

    __tablename__ = "outcome_counts"
    day: int = _big(primary=True)
    recipe: str = Field(primary_key=True)
    reason: str = Field(primary_key=True)
    n: int = 0


class MemoryRow(SQLModel, table=True):
    """What a recipe's limit remembers of one set of keys: the instants it was spent at, as a JSON list."""

    __tablename__ = "memories"
    id: int | None = _key()
    recipe: str = Field(index=True)
    account: int = _big()
    times: str = _text()
    touched: int = _big(index=True)


class MemoryKey(SQLModel, table=True):
    """Which memory a key belongs to; keys that ever met in one event share a memory."""

    __tablename__ = "memory_keys"
    recipe: str = Field(primary_key=True)
    account: int = _big(primary=True)
    key: str = Field(primary_key=True)
    memory: int = _big(index=True)


class Delivery(SQLModel, table=True):
    """One row of the outbox: a request that must arrive. Everything in it stays the same at every attempt."""

    __tablename__ = "deliveries"
    __table_args__ = (
        Index("deliveries_id", "id", unique=True),
        _some("deliveries_due", "destination", "due", "seq", where="state = 'pending'"),
        _some(
            "deliveries_order", "destination", "order_key", "seq", where="state = 'pending' AND order_key IS NOT NULL"
        ),
        _some(
            "deliveries_waiting", "state", "reason", "seq", where="state IN ('held', 'dead', 'discarded', 'skipped')"
        ),
        _some("deliveries_expiry", "expires_at", where="expires_at IS NOT NULL AND state IN ('pending', 'held')"),
        Index("deliveries_run", "run"),
    )
    seq: int | None = _key()
    id: str
    account: int = _big()
    run: int = _big()
    event: int = _big()
    recipe: str
    version: str
    action: str
    kind: str
    destination: str
    item: int | None = None
    refire: int = 0
    state: str
    reason: str = _text()
    attempts: int = 0
    created: int = _big()
    due: int = _big()
    settled: int | None = _big(null=True)
    expires_at: int | None = _big(null=True)
    order_key: str | None = None
    awaited: int = 0
    needs: str = _text()
    method: str = ""
    path: str = _text()
    headers: str = _text()
    body: bytes | None = _bytes()
    meta: str = _text()
    answer: str = _text()
    status: int | None = None
    response: str = _text()


class Attempt(SQLModel, table=True):
    """One try of a delivery: when, how long it took, what came back, what that meant."""

    __tablename__ = "attempts"
    __table_args__ = ({"sqlite_with_rowid": False},)
    delivery: int = _big(primary=True)
    n: int = Field(primary_key=True)
    at: int = _big()
    elapsed: int = 0
    status: int | None = None
    outcome: str
    spent: int = 1
    answer: str = _text()


class DestinationState(SQLModel, table=True):
    """A destination that is not simply open: parked since when, why, and when it is probed next."""

    __tablename__ = "destinations"
    name: str = Field(primary_key=True)
    state: str
    reason: str = _text()
    since: int = _big()
    probes: int = 0
    probe_at: int = _big()
    by: str = ""


class GuardPass(SQLModel, table=True):
    """A delivery that passed a guard, by recipe and destination; forgotten when the guard's time is over."""

    __tablename__ = "guard_passes"
    __table_args__ = (Index("guard_passes_at", "recipe", "destination", "at"),)
    seq: int | None = _key()
    recipe: str
    destination: str
    at: int = _big()


class Regulation(SQLModel, table=True):
    """A privacy request, proposed by an event, moved by people only: proposed approved rejected done dry_run."""

    __tablename__ = "regulations"
    __table_args__ = (Index("regulations_active", "account", "user_id", "type"),)
    seq: int | None = _key()
    delivery: str = Field(unique=True)
    account: int = _big()
    type: str
    user_id: str
    reason: str = _text()
    recipe: str
    state: str
    proposed: int = _big(index=True)
    due: int = _big()
    decided: int | None = _big(null=True)
    decided_by: str = ""
    done: int | None = _big(null=True)


class AuditRow(SQLModel, table=True):
    """One line of the append-only, hash-chained audit. `hash` covers the row and the hash before it."""

    __tablename__ = "audit"
    seq: int | None = _key()
    at: int = _big()
    actor: str
    action: str
    subject: str
    detail: str = _text()
    previous: str
    hash: str


class Fact(SQLModel, table=True):
    """A named fact about this database: the daemon's process, the kill switch, when it was made."""

    __tablename__ = "facts"
    name: str = Field(primary_key=True)
    value: str = _text()
    at: int = _big()
