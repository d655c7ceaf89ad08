"""`intempt_track`: record what a customer did (API reference of 2026, *Track data*)."""

from collections.abc import Mapping, Sequence
from typing import Final

from pydantic import Field

from connector.actions import JsonTree, Scope
from connector.actions.writing import (
    Body,
    IntemptWrite,
    LiteralId,
    ObjectTree,
    event_id_of,
    moment_of,
    object_of,
    run_time,
    small,
    text_of,
)
from connector.errors import RenderError
from connector.model import Event, Json, Request
from connector.platforms.bodies import compact
from connector.platforms.intempt import tracking
from connector.settings import Connection
from connector.template.field import Text

_IDS: Final = {
    "userId": "user_id",
    "profileId": "profile_id",
    "accountId": "account_id",
    "sessionId": "session_id",
    "pageId": "page_id",
    "anotherUserId": "another_user_id",
    "anotherAccountId": "another_account_id",
}


class IntemptTrack(IntemptWrite):
    """Record an event.

    name: of the event. source: the id of the source it comes from; without it the project's own. userId, profileId,
    accountId: whose it is, the event's own userId where none is written. data: a JSON object; or a list of them, lines
    of one event such as an order's. userAttributes, accountAttributes: JSON objects. timestamp: the run's time unless
    it is written. The eventId is made of the delivery's id, the same at each attempt.
    """

    kind = "intempt_track"
    example = """
intempt_track: {name: Basket rated, source: "1841503112918048768", data: {product: "{{ properties.name }}", rating: 5}}
"""

    name: Text
    source: LiteralId | None = None
    user_id: Text | None = Field(default=None, alias="userId")
    profile_id: Text | None = Field(default=None, alias="profileId")
    account_id: Text | None = Field(default=None, alias="accountId")
    session_id: Text | None = Field(default=None, alias="sessionId")
    page_id: Text | None = Field(default=None, alias="pageId")
    another_user_id: Text | None = Field(default=None, alias="anotherUserId")
    another_account_id: Text | None = Field(default=None, alias="anotherAccountId")
    data: JsonTree | None = None
    user_attributes: ObjectTree | None = Field(default=None, alias="userAttributes")
    account_attributes: ObjectTree | None = Field(default=None, alias="accountAttributes")
    timestamp: Text | None = None

    def fields(self, scope: Scope, event: Event) -> Body:
        """What, who, when, and the data."""
        ids = {key: text_of(key, getattr(self, name), scope) for key, name in _IDS.items()}
        if self.user_id is None and self.profile_id is None and self.account_id is None:
            ids["userId"] = event.body.get("userId")
        at = moment_of("timestamp", self.timestamp, scope)
        return compact(
            name=text_of("name", self.name, scope),
            source=self.source,
            timestamp=run_time(scope, event) if at is None else at,
            **ids,
            data=None if self.data is None else self.data.render(scope),
            userAttributes=object_of("userAttributes", self.user_attributes, scope),
            accountAttributes=object_of("accountAttributes", self.account_attributes, scope),
        )

    def body(self, fields: Body) -> Body:
        """One entry of `track`, a line for each item of `data`; the eventId is added when it is sent."""
        data = fields.get("data")
        lines = data if isinstance(data, list) else [data]
        if not all(isinstance(line, dict) or (line is None and data is None) for line in lines):
            raise RenderError("data must give a mapping, or a list of mappings")
        own = {key: value for key, value in fields.items() if key not in {"name", "source", "data"}}
        entry = tracking.entry(fields.get("name", ""), *(own | compact(data=line) for line in lines))
        tracking.checked_entries([entry])
        return entry

    def told(self) -> Mapping[str, str]:
        """The source."""
        return {} if self.source is None else {"source": self.source}

    @classmethod
    def request(cls, connection: Connection, body: Body, id: str, meta: Mapping[str, Json]) -> Request:
        """POST …/sources/{source}/track, or …/track."""
        return cls.batch(connection, [cls.entry(body, id, meta)], meta)

    @classmethod
    def lot(cls, body: bytes, meta: Mapping[str, Json]) -> str:
        """The events of one source."""
        return f"track {meta.get('source', '')}" if small(body) else ""

    @classmethod
    def entry(cls, body: Body, id: str, meta: Mapping[str, Json]) -> Body:  # noqa: ARG003  Intempt gets no mark
        """The event, all its lines under one eventId."""
        return {**body, "payload": [{"eventId": event_id_of(id), **line} for line in body["payload"]]}

    @classmethod
    def batch(cls, connection: Connection, entries: Sequence[Body], meta: Mapping[str, Json]) -> Request:
        """One request for the events of a source."""
        return tracking.track(connection, {"track": list(entries)}, source=meta.get("source", ""))
