"""One row a thing that a list shows: what is new in the list, and what has changed since it was looked at last.

A row is the digest of the thing's content, and the how-manieth content it is: a change back makes another event than
the first.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from connector.feeds import Rows
from connector.feeds.made import digest
from connector.model import Json, Row

_AHEAD: Final = 20_000  # changed rows that may wait to be committed while the list is read on


@dataclass(frozen=True, slots=True)
class Change:
    """A thing that is new (count 1) or not as it was. digest: of its content now; count: its how-manieth content."""

    key: str
    digest: str
    count: int

    @property
    def is_new(self) -> bool:
        """Whether nothing was known of it."""
        return self.count == 1


@dataclass(slots=True)
class Kept:
    """A feed's rows while it reads on: pages that were given count as committed, since they will be, in their order.

    by: what the digests depend on beside the content. A row made by another rule tells no change: it is only rewritten.
    """

    rows: Rows
    by: str = ""
    _ahead: dict[str, Row] = field(default_factory=dict)

    def take(self, digests: Mapping[str, str]) -> tuple[list[Row], list[Change]]:
        """The rows to be written for what a list shows (key → digest), and what has changed, in the list's order."""
        known = self._known(digests)
        rows, changes = [], []
        for key, now in digests.items():
            row = known.get(key)
            before = json.loads(row.value) if row is not None else {}
            by_this_rule = before.get("by", "") == self.by
            if row is not None and before["is"] == now and by_this_rule:
                continue
            change = Change(key, now, before.get("n", 0) + (row is None or by_this_rule))
            if row is None or by_this_rule:
                changes.append(change)
            rows.append(self._row(change, row.revision if row is not None else 0))
        return rows, changes

    def _row(self, change: Change, revision: int) -> Row:
        value = {"is": change.digest, "n": change.count, **({"by": self.by} if self.by else {})}
        row = Row(change.key, json.dumps(value, separators=(",", ":")), revision)
        self._ahead.pop(change.key, None)
        self._ahead[change.key] = replace(row, revision=revision + 1)
        if len(self._ahead) > _AHEAD:
            del self._ahead[next(iter(self._ahead))]
        return row

    def _known(self, keys: Mapping[str, str]) -> dict[str, Row]:
        known = dict(self.rows.get(keys))
        for key in keys:
            later = self._ahead.get(key)
            if later is not None and (key not in known or known[key].revision < later.revision):
                known[key] = later
        return known


def digests_of(contents: Mapping[str, Json]) -> tuple[dict[str, str], int]:
    """The digest of each content by its key, and how many are left out since they are nested too deeply."""
    digests = {}
    for key, content in contents.items():
        try:
            digests[key] = digest(content)
        except ValueError:
            continue
    return digests, len(contents) - len(digests)
