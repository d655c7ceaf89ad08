"""What the Intilery calls share (Tracking API document): whose they are, their context, and our mark in it."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from pydantic import Field

from connector.actions import Scope
from connector.actions.writing import (
    Body,
    IntileryWrite,
    ObjectTree,
    marked,
    moment_of,
    object_of,
    run_time,
    small,
    text_of,
)
from connector.model import Event, Json, Request, event_name, instant_text
from connector.platforms.bodies import compact
from connector.platforms.intilery import tracking
from connector.settings import Connection
from connector.template.field import Text

BATCH: Final = "batch"


class Tracked(IntileryWrite):
    """A call about one user.

    userId, anonymousId: whose it is; the event's own where neither is written. context: as documented; our mark is
    added to it. timestamp: when it happened, the run's time by default.
    """

    call: ClassVar[str]  # what the platform calls it

    user_id: Text | None = Field(default=None, alias="userId")
    anonymous_id: Text | None = Field(default=None, alias="anonymousId")
    context: ObjectTree | None = None
    timestamp: Text | None = None

    def fields(self, scope: Scope, event: Event) -> Body:
        """Who, when and where; the kinds add the rest."""
        user_id, anonymous_id = self._who(scope, event)
        at = moment_of("timestamp", self.timestamp, scope)
        return compact(
            userId=user_id,
            anonymousId=anonymous_id,
            context=object_of("context", self.context, scope),
            timestamp=instant_text(run_time(scope, event) if at is None else at),
        )

    def _who(self, scope: Scope, event: Event) -> tuple[Json, Json]:
        if self.user_id is None and self.anonymous_id is None:
            return event.body.get("userId"), event.body.get("anonymousId")
        return text_of("userId", self.user_id, scope), text_of("anonymousId", self.anonymous_id, scope)

    def body(self, fields: Body) -> Body:
        """The call, found to have what the document requires."""
        return tracking.checked(fields, self.call)

    @classmethod
    def request(cls, connection: Connection, body: Body, id: str, meta: Mapping[str, Json]) -> Request:
        """POST …/v1/{identify|track|page|screen}."""
        build = {
            "identify": tracking.identify,
            "track": tracking.track,
            "page": tracking.page,
            "screen": tracking.screen,
        }[cls.call]
        return build(connection, marked(body, id, meta))

    @classmethod
    def lot(cls, body: bytes, meta: Mapping[str, Json]) -> str:  # noqa: ARG003  all of an account go together
        """One lot for all calls, where a batch would read them as they are meant."""
        return BATCH if small(body) else ""

    @classmethod
    def entry(cls, body: Body, id: str, meta: Mapping[str, Json]) -> Body:
        """The call, which says by `event` what it is."""
        return marked(body if cls.call == "track" else {**body, "event": cls.call}, id, meta)

    @classmethod
    def batch(cls, connection: Connection, entries: Sequence[Body], meta: Mapping[str, Json]) -> Request:  # noqa: ARG003
        """POST …/v1/batch."""
        return tracking.batch(connection, {"batch": list(entries)})


def means_more(event: str) -> bool:
    """Whether a tracked event of this name would be taken for a command, or for another call of a batch."""
    return event_name(event) in {*tracking.COMMANDS, "identify", "page", "screen", "group", "alias"}
