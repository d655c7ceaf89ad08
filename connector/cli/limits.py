"""What limits remember while a backfill of one recipe looks, and while it writes."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from connector.model import Instant, Spent

if TYPE_CHECKING:
    from connector.recipe.memory import Remembered
    from connector.store.database import Tx


class Limits(Protocol):
    """A memory that can be written to."""

    def recall(self, recipe_id: str, account: str, keys: tuple[str, ...]) -> "Remembered":
        """See recipe.memory.Memory."""
        ...

    def keep(self, recipe_id: str, account: str, spent: Spent) -> None:
        """Remember what a run spent."""
        ...


@dataclass(slots=True)
class Stored:
    """The limits as the database remembers them, within one transaction."""

    tx: "Tx"
    now: Instant

    def recall(self, recipe_id: str, account: str, keys: tuple[str, ...]) -> "Remembered":
        """See Limits."""
        from connector.poll import StoredMemory  # noqa: PLC0415

        return StoredMemory(self.tx, self._number(account)).recall(recipe_id, account, keys)

    def keep(self, recipe_id: str, account: str, spent: Spent) -> None:
        """See Limits."""
        from connector.store import memory  # noqa: PLC0415

        memory.keep(self.tx, self._number(account), recipe_id, spent, self.now)

    def _number(self, account: str) -> int:
        return int(self.tx.one("SELECT id FROM accounts WHERE identity = ?", (account,))[0])


@dataclass(slots=True)
class Trial:
    """The same without writing: what is spent on the way is kept beside what the database remembers."""

    stored: Stored
    gone: set[int] = field(default_factory=set)  # rows of the database that were joined into own ones
    own: dict[int, tuple[str, Spent]] = field(default_factory=dict)  # under negative numbers
    holders: dict[tuple[str, str], int] = field(default_factory=dict)  # (account, key) → own row

    def recall(self, recipe_id: str, account: str, keys: tuple[str, ...]) -> "Remembered":
        """See Limits."""
        from connector.recipe.memory import Remembered  # noqa: PLC0415

        rows = [row for row in self.stored.recall(recipe_id, account, keys).rows if row[0] not in self.gone]
        mine = sorted({self.holders[account, key] for key in keys if (account, key) in self.holders}, reverse=True)
        return Remembered([*rows, *((number, self.own[number][1].keys, self.own[number][1].times) for number in mine)])

    def keep(self, recipe_id: str, account: str, spent: Spent) -> None:  # noqa: ARG002  one recipe
        """See Limits."""
        self.gone.update(spent.joins)
        for number in spent.joins:
            self.own.pop(number, None)
        number = -1 - len(self.gone) - len(self.own)  # grows with every call
        self.own[number] = (account, spent)
        self.holders.update(((account, key), number) for key in spent.keys)
