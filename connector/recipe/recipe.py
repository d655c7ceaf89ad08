"""A recipe as it runs: everything compiled, frozen, shared by all events."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from connector.actions import Action, Destination, load_all
from connector.errors import Mistake
from connector.lookups import Lookup
from connector.model import DAY, Json, Outcome, Rate, Reason
from connector.recipe.condition import Condition
from connector.recipe.memory import KeysOf
from connector.recipe.path import Path

if TYPE_CHECKING:
    from connector.settings import Settings

Mode: TypeAlias = Literal["live", "shadow", "disabled"]
Wanted: TypeAlias = Literal["delivered", "dead"]

SILENT: Final[tuple[Reason, ...]] = ("not_live", "stale", "own", "if", "no_key", "no_action")
MAX_AGE: Final = DAY  # how much older than its `at` an event may be, unless the trigger says otherwise


@dataclass(frozen=True, slots=True)
class Known:
    """What the configuration offers to recipes: `connection.feed` names, destinations with their kinds, and connections
    with their platforms.
    """  # noqa: D205  the three need two lines

    feeds: frozenset[str]
    destinations: Mapping[str, str]
    connections: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: "Settings") -> "Known":
        """What these settings offer. A destination whose kind can't be told is left to `Destination.read` to refuse."""
        load_all()
        feeds = (f"{name}.{feed}" for name, connection in settings.connections.items() for feed in connection.feeds)
        kinds = {
            name: next((key for key in section if key in Destination.kinds), "unknown")
            for name, section in settings.destinations.items()
        }
        return cls(frozenset(feeds), kinds, {name: each.platform for name, each in settings.connections.items()})


@dataclass(frozen=True, slots=True)
class NamedLookup:
    """One entry of `lookups`. cache: milliseconds that an answer serves, 0 for none. connection: as written, if it is.

    optional: a run goes on where nothing is found.
    """

    name: str
    lookup: Lookup
    cache: int = 0
    optional: bool = False
    connection: str | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `rate.count` runs a key in `rate.per`; `keys` gives an event's keys, none = no key."""

    rate: Rate
    keys: KeysOf


@dataclass(frozen=True, slots=True)
class Targets:
    """Where an action sends: `names`, or by the value at `by` the entry of `map`, else `otherwise` (None: an error)."""

    names: tuple[str, ...] = ()
    by: Path | None = None
    map: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    otherwise: tuple[str, ...] | None = None

    def every(self) -> tuple[str, ...]:
        """All destinations this may name."""
        mapped = [name for names in self.map.values() for name in names]
        return (*self.names, *mapped, *(self.otherwise or ()))


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of `actions`: what every action has, around the part its kind owns."""

    id: str
    kind: str
    action: Action
    targets: Targets
    condition: Condition | None = None
    for_each: Path | None = None
    needs: tuple[tuple[str, Wanted], ...] = ()
    expires: int | None = None
    guard: Rate | None = None
    awaited: bool = False  # another action needs this one


@dataclass(frozen=True, slots=True)
class TestEvent:
    """One event of a test. after: milliseconds since the event before. parts: those of `properties context traits`
    that are written; fields: the documented fields of an event that are.
    """  # noqa: D205  the fields need two lines

    name: str
    feed: str
    after: int
    parts: Mapping[str, Json]
    fields: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class TestCase:
    """One entry of `tests`; `replay` runs it. expect: an action's id or kind with the fields a delivery of it has.

    lookups: what they find, by name; None: nothing.
    """

    name: str
    events: tuple[TestEvent, ...]
    expect: tuple[tuple[str, Mapping[str, Json]], ...]
    because: str | None
    line: int
    lookups: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Recipe:
    """One recipe file. version: the first 16 hex digits of its content's SHA-256.

    triggers: normalised names, `*` allowed. max_age: milliseconds, None = any. own: what we wrote wakes it, too.
    condition: what of `if` is judged before the lookups, late: what reads them. extras: which of `recipe connection
    customer now` its conditions and templates read. warnings: what `check` shows beside the mistakes.
    """

    id: str
    version: str
    text: str
    file: str
    feeds: tuple[str, ...]
    triggers: tuple[str, ...]
    actions: tuple[Step, ...]
    description: str = ""
    owner: str = ""
    labels: tuple[str, ...] = ()
    mode: Mode = "live"
    max_age: int | None = MAX_AGE
    own: bool = False
    condition: Condition | None = None
    lookups: tuple[NamedLookup, ...] = ()
    late: Condition | None = None
    limit: Limit | None = None
    tests: tuple[TestCase, ...] = ()
    extras: frozenset[str] = frozenset()
    warnings: tuple[Mistake, ...] = ()
    stops: Mapping[Reason, Outcome] = field(init=False, repr=False)  # the outcomes that need no words

    def __post_init__(self) -> None:
        stops = {reason: Outcome(self.id, self.version, reason) for reason in SILENT}
        object.__setattr__(self, "stops", stops)

    @property
    def memory_id(self) -> str:
        """Whose memory its limit reads and spends: in shadow it has its own, so trying a change costs nobody a turn."""
        return f"{self.id} (shadow)" if self.mode == "shadow" else self.id

    def step(self, action_id: str) -> Step:
        """The action of that id. Raises KeyError."""
        for step in self.actions:
            if step.id == action_id:
                return step
        raise KeyError(action_id)
