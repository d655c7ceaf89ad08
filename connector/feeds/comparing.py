"""Feeds that compare what they see with what they saw: one reader, and a cursor that says how far back that holds."""

from collections.abc import Mapping
from typing import ClassVar, Self

import msgspec

from connector.errors import NoMoments
from connector.feeds import Feed
from connector.feeds.cursor import FRESH
from connector.model import Instant


class Mark(msgspec.Struct, frozen=True, omit_defaults=True):
    """at: the moment since when everything was looked at. Subclasses keep more."""

    at: Instant

    @classmethod
    def of(cls, cursor: str | None) -> Self | None:
        """What a cursor says, None where there is none that can be read: then it is as before the first reading."""
        try:
            return msgspec.json.decode(cursor, type=cls) if cursor else None
        except msgspec.MsgspecError:
            return None

    def text(self) -> str:
        """The form it is kept in."""
        return msgspec.json.encode(self).decode()


class Comparing(Feed):
    """What has no moments of its own to read. mark: what its cursor is."""

    mark: ClassVar[type[Mark]] = Mark

    def due(self, cursors: Mapping[str, str], now: Instant) -> list[str]:  # noqa: ARG002  there is one reader
        """See Feed."""
        return []

    def behind(self, cursors: Mapping[str, str], now: Instant) -> dict[str, int]:
        """See Feed."""
        at = self.read_to(cursors)
        return {} if at is None else {FRESH: max(0, now - at)}

    def read_to(self, cursors: Mapping[str, str]) -> Instant | None:
        """The moment since when everything was looked at."""
        mark = self.mark.of(cursors.get(FRESH))
        return mark.at if mark else None

    def rewind(self, cursor: str | None, to: Instant) -> str:  # noqa: ARG002  there is nowhere to go
        """See Feed."""
        raise NoMoments(f"{self.name} compares what it sees with what it saw: it has no moments to go back to")
