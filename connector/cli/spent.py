"""Who spent the limit that an event met, and when it lets the next one pass."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from connector.cli.output import iso, plural, when
from connector.model import Instant, Json

if TYPE_CHECKING:
    from connector.model import Event
    from connector.recipe.memory import Memory
    from connector.recipe.recipe import Limit, Recipe
    from connector.store.database import Tx
    from connector.store.history import Fired

_SHOWN: Final = 10  # runs, the newest
_LOOKED_AT: Final = 200  # instants, the newest: the others' events are not looked for
_EVERYONE: Final = ("key=[]",)


@dataclass(frozen=True, slots=True)
class Spender:
    """A run that spent a limit. event: its event's id, "" where that is not known any more."""

    at: Instant
    event: str = ""


@dataclass(frozen=True, slots=True)
class Spent:
    """A limit as one event met it. rate: `1/1d`. keys: whose limit it is. free: None where it never is, or not known.

    runs: those that count against the event, oldest first; earlier: how many more there were. gone: some are not
    remembered any more. ever: the limit is one for ever.
    """

    rate: str
    keys: tuple[str, ...]
    runs: tuple[Spender, ...]
    earlier: int
    gone: bool
    ever: bool
    free: Instant | None

    def lines(self, at: Instant) -> Iterator[str]:
        """For people, below the outcome."""
        whose = "everyone" if self.keys == _EVERYONE else ", ".join(self.keys)
        yield f"  limit {self.rate} of {whose}"
        if self.earlier:
            yield f"    spent by {plural(self.earlier, 'earlier run')}"
        for run in self.runs:
            yield f"    spent by {run.event or 'an event that was let go'}, {when(run.at, at)}"
        if self.gone:
            yield "    who spent the rest is not remembered any more"
        elif self.ever:
            yield "    never free again"
        else:
            yield f"    free again {when(self.free, at)}"

    def as_json(self) -> dict[str, Json]:
        """For programs."""
        return {
            "rate": self.rate,
            "keys": list(self.keys),
            "spent": [{"event": run.event or None, "at": iso(run.at)} for run in self.runs],
            "earlier": self.earlier,
            "free_again": iso(self.free),
        }


def spent(
    tx: "Tx", recipe: "Recipe", event: "Event", memory: "Memory", now: Instant, *, before: int | None = None
) -> Spent | None:
    """What spent the limit of a recipe as an event of `now` met it; None for an event without a key.

    before: the number of the outcome that was limited; later runs were not in its way.
    """
    from connector.recipe.memory import free_again, standing  # noqa: PLC0415

    limit = recipe.limit
    keys = _keys(recipe, limit, event, now) if limit is not None else ()
    if limit is None or not keys:
        return None
    known = standing(memory.recall(recipe.memory_id, event.account, keys).rows, keys)
    near = known.near(limit.rate, now)
    runs = [Spender(at) for at in near[:-_LOOKED_AT]]
    runs += _runs(tx, recipe, limit, set(known.keys), near[-_LOOKED_AT:], before)
    return Spent(
        rate=str(limit.rate),
        keys=known.keys,
        runs=tuple(runs[-_SHOWN:]),
        earlier=len(runs[:-_SHOWN]),
        gone=len(runs) < limit.rate.count,
        ever=limit.rate.per is None,
        free=free_again(limit.rate, [run.at for run in runs]),
    )


def _keys(recipe: "Recipe", limit: "Limit", event: "Event", now: Instant) -> tuple[str, ...]:
    from connector.recipe.scope import run_scope, scope  # noqa: PLC0415

    return limit.keys(event, run_scope(scope(event), recipe, event, now))


def _runs(
    tx: "Tx", recipe: "Recipe", limit: "Limit", keys: set[str], times: tuple[Instant, ...], before: int | None
) -> Iterator[Spender]:
    """The runs at these instants, of which those with one of the keys are meant."""
    from connector.store import history  # noqa: PLC0415

    for at in dict.fromkeys(times):
        n = times.count(at)
        meant = [run for run in history.fired(tx, recipe.id, at) if _shares(tx, recipe, limit, keys, run)][:n]
        yield from (Spender(at, run.event_id) for run in meant if before is None or run.run < before)
        yield from [Spender(at)] * (n - len(meant))


def _shares(tx: "Tx", recipe: "Recipe", limit: "Limit", keys: set[str], run: "Fired") -> bool:
    """Whether a run's event has one of the keys."""
    from connector.store import inbox  # noqa: PLC0415

    event = inbox.load(tx, run.event)
    return event is not None and not keys.isdisjoint(_keys(recipe, limit, event, run.at))
