"""What a recipe's limit remembers, and how the ids of one customer come together.

A memory row belongs to one recipe and account and holds keys (`userId=u1`, `anonymousId=a1` …) and the instants a
limit was spent at. An event that reaches the limit joins the rows it shares a key with and adds its own keys. Anyone
can send an event with somebody's ids, so rows of different `userId`s are never joined.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count
from typing import Final, Protocol, TypeAlias

from connector.model import Event, Instant, Json, Rate, Spent, canonical
from connector.recipe.path import Path, Scope

Row: TypeAlias = tuple[int, tuple[str, ...], tuple[Instant, ...]]  # its id, its keys, when it was spent

CUSTOMER_IDS: Final = ("userId", "customerId", "anonymousId")  # the strongest first
INTEMPT_IDS: Final = ("masterId",)

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_LONGEST_KEY: Final = 200  # characters; a longer one is hashed
_MOST_KEYS: Final = 100  # of one row: whoever forges ids for a customer must not make the row grow for ever


@dataclass(frozen=True, slots=True)
class Remembered:
    """The memory rows that share a key with an event, oldest first."""

    rows: list[Row]


class Memory(Protocol):
    """Where limits are remembered: the store, or a dictionary in tests and replay."""

    def recall(self, recipe_id: str, account: str, keys: tuple[str, ...]) -> Remembered:
        """The rows of this recipe and account that hold one of these keys."""
        ...


@dataclass(slots=True)
class DictMemory:
    """A memory for tests and replay: nothing is kept beyond the process."""

    rows: dict[int, tuple[str, str, Spent]] = field(default_factory=dict)
    _numbers: Iterable[int] = field(default_factory=lambda: count(1))

    def recall(self, recipe_id: str, account: str, keys: tuple[str, ...]) -> Remembered:
        """The rows of this recipe and account that hold one of these keys."""
        wanted = set(keys)
        return Remembered(
            [
                (number, spent.keys, spent.times)
                for number, (recipe, owner, spent) in self.rows.items()
                if recipe == recipe_id and owner == account and not wanted.isdisjoint(spent.keys)
            ]
        )

    def keep(self, recipe_id: str, account: str, spent: Spent) -> None:
        """Write what `evaluate` gave: the joined rows become one."""
        number = min(spent.joins) if spent.joins else next(iter(self._numbers))
        for other in spent.joins:
            self.rows.pop(other, None)
        self.rows[number] = (recipe_id, account, spent)


@dataclass(frozen=True, slots=True)
class Unspent:
    """A memory without what the earlier run of this very event spent: it does not stand in its own way."""

    memory: Memory
    at: Instant

    def recall(self, recipe_id: str, account: str, keys: tuple[str, ...]) -> Remembered:
        """See Memory."""
        rows = self.memory.recall(recipe_id, account, keys).rows
        return Remembered([(number, of, _without(times, self.at)) for number, of, times in rows])


def _without(times: tuple[Instant, ...], at: Instant) -> tuple[Instant, ...]:
    if at not in times:
        return times
    position = times.index(at)
    return times[:position] + times[position + 1 :]


# ── keys ──────────────────────────────────────────────────────────────────────────────────────

KeysOf: TypeAlias = Callable[[Event, Scope], tuple[str, ...]]  # () = no key


def customer(event: Event) -> dict[str, str]:
    """The ids of the event's customer that are present, as text: `{"userId": "u1", "anonymousId": "a1"}`."""
    names = INTEMPT_IDS if event.account.startswith("intempt:") else CUSTOMER_IDS
    ids = {}
    for name in names:
        value = event.body.get(name)
        if type(value) is int:
            value = str(value)  # 64-bit ids are text
        if type(value) is str and value.strip():
            ids[name] = value
    return ids


def customer_keys(event: Event, _scope: Scope) -> tuple[str, ...]:
    """The default key: each id is compared with its own kind."""
    return tuple(_short(f"{name}={value}") for name, value in customer(event).items())


def path_keys(paths: tuple[Path, ...]) -> KeysOf:
    """One compound key of what the paths give; no path = one key for everyone, a missing part = no key."""

    def keys(_event: Event, scope: Scope) -> tuple[str, ...]:
        values = [path.get(scope) for path in paths]
        return () if any(map(_empty, values)) else (_short("key=" + canonical(values).decode()),)

    return keys


def _empty(value: Json) -> bool:
    return value is None or value in ([], {}) or (isinstance(value, str) and not value.strip())


def _short(key: str) -> str:
    """The key itself; its hash where an event made it long, or broke a character in two."""
    if len(key) <= _LONGEST_KEY and (key.isascii() or not _SURROGATE.search(key)):
        return key
    return f"{key.partition('=')[0]}=sha256:{sha256(key.encode(errors='surrogatepass')).hexdigest()}"


def users(keys: Iterable[str]) -> set[str]:
    """Those of some keys that are a `userId`."""
    return {key for key in keys if key.startswith("userId=")}


def may_join(known: set[str], theirs: set[str]) -> bool:
    """Whether a weaker id may join the set of these users with theirs: never where that brings another `userId`."""
    return not known or theirs <= known


# ── limits ────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Standing:
    """A limit's memory of one event's keys, joined: what `evaluate` judges and gives back."""

    keys: tuple[str, ...]
    times: tuple[Instant, ...]
    joins: tuple[int, ...]
    grown: bool  # the event added a key or joined rows

    def limited(self, rate: Rate, now: Instant) -> bool:
        """Whether `rate.count` runs lie less than `rate.per` from now; a late event counts those after it too."""
        return len(self.near(rate, now)) >= rate.count

    def near(self, rate: Rate, now: Instant) -> tuple[Instant, ...]:
        """The runs that count against one at `now`, oldest first."""
        if rate.per is None:
            return self.times
        return tuple([at for at in self.times if abs(now - at) < rate.per])

    def after_run(self, rate: Rate, now: Instant) -> Spent:
        """The memory after a run at `now`; what can limit nothing any more is dropped."""
        times = sorted([*self.times, now])
        if rate.per is None:
            times = times[-rate.count :]
        else:  # near the newest, and near this run: a backfill of old events is limited among itself
            times = [at for at in times if times[-1] - at < rate.per or abs(now - at) < rate.per]
        return Spent(self.keys, tuple(times), self.joins)

    def unspent(self) -> Spent | None:
        """The memory after an event that made no run: changed only where it joined rows or added a key."""
        return Spent(self.keys, self.times, self.joins) if self.grown and self.joins else None


def free_again(rate: Rate, times: Sequence[Instant]) -> Instant | None:
    """When a limit that runs at these instants (oldest first) spent lets the next one pass; None: never."""
    return times[-rate.count] + rate.per if rate.per is not None and len(times) >= rate.count else None


def standing(rows: list[Row], keys: tuple[str, ...]) -> Standing:
    """Join the rows that share a key with an event; `keys` come the strongest first.

    A row of another `userId` is left alone, and keeps the key it shares: an event belongs to its stronger id.
    """
    if not rows:
        return Standing(keys, (), (), grown=True)
    joined = _joined(rows, keys)
    apart = {key for row in rows if row not in joined for key in row[1]}
    keys = tuple(key for key in keys if key not in apart)
    known = dict.fromkeys(key for _, row_keys, _ in joined for key in row_keys)
    grown = len(joined) > 1 or not known.keys() >= set(keys)
    times = tuple(sorted(at for _, _, row_times in joined for at in row_times))
    return Standing(_union(known, keys), times, tuple(number for number, _, _ in joined), grown)


def _joined(rows: list[Row], keys: tuple[str, ...]) -> list[Row]:
    """The rows that may become one, oldest first."""
    known, chosen = users(keys), set()
    for key in keys:
        for number, row_keys, _ in rows:
            if key in row_keys and (key in known or may_join(known, users(row_keys))):
                chosen.add(number)
                known |= users(row_keys)
    return [row for row in rows if row[0] in chosen]


def _union(known: dict[str, None], keys: tuple[str, ...]) -> tuple[str, ...]:
    """All keys; beyond the most a row may hold, the weakest ids go first, the event's own never."""
    spare = [key for key in known if key not in keys]
    spare.sort(key=_weakness)
    return (*spare[: max(0, _MOST_KEYS - len(keys))], *keys)


def _weakness(key: str) -> int:
    name = key.partition("=")[0]
    return CUSTOMER_IDS.index(name) if name in CUSTOMER_IDS else 0
