"""`intilery_command`: have something sent to a customer, or a journey started (*Track Action Commands*)."""

from collections.abc import Mapping
from typing import Final, Literal

from pydantic import Field, model_validator

from connector.actions import Scope, wrong_at
from connector.actions.writing import Body, IntileryWrite, ObjectTree, marked, moment_of, object_of, text_of
from connector.errors import RenderError
from connector.model import DAY, MINUTE, Event, Json, Rate, Request, instant_text
from connector.platforms.bodies import compact
from connector.platforms.intilery import tracking
from connector.settings import Connection
from connector.template.field import Text, wrong

_OWN: Final = frozenset({"userId", "anonymousId", "event", "assetId", "properties", "context", "timestamp", "traits"})


class IntileryCommand(IntileryWrite):
    """Send an e-mail, SMS, letter or push message to a customer, or start a journey.

    event: which command. userId: the event's own unless written. assetId: what is sent. merge: a JSON object whose keys
    are merged into it. properties: of start_journey journeyIdToTrigger, and stepIdToTrigger if wanted. timestamp: left
    out unless written.
    """

    kind = "intilery_command"
    guard = Rate(100, 10 * MINUTE)
    expires = DAY
    example = """
intilery_command: {event: send_email, assetId: basket-reminder, merge: {product: "{{ properties.name }}"}}
"""

    event: Literal["send_email", "send_sms", "send_print", "send_push", "start_journey"]
    user_id: Text | None = Field(default=None, alias="userId")
    asset_id: Text | None = Field(default=None, alias="assetId")
    merge: ObjectTree | None = None
    properties: ObjectTree | None = None
    context: ObjectTree | None = None
    timestamp: Text | None = None

    @model_validator(mode="after")
    def _complete(self) -> "IntileryCommand":
        if self.event in tracking.SENDING and self.asset_id is None:
            raise wrong_at((("event",), wrong(f"{self.event} needs an assetId", "write assetId: what is to be sent")))
        if self.event == "start_journey" and self.properties is None:
            raise wrong_at((("event",), wrong("start_journey needs properties", "{journeyIdToTrigger: ...}")))
        return self

    def fields(self, scope: Scope, event: Event) -> Body:
        """Which command, to whom, and with what."""
        user_id = event.body.get("userId") if self.user_id is None else text_of("userId", self.user_id, scope)
        at = moment_of("timestamp", self.timestamp, scope)
        return compact(
            userId=user_id,
            event=self.event,
            assetId=text_of("assetId", self.asset_id, scope),
            merge=object_of("merge", self.merge, scope),
            properties=object_of("properties", self.properties, scope),
            context=object_of("context", self.context, scope),
            timestamp=None if at is None else instant_text(at),
        )

    def body(self, fields: Body) -> Body:
        """The command, with what is merged beside its own keys."""
        merge = fields.get("merge") or {}
        if taken := _OWN & merge.keys():
            raise RenderError(f"merge may not hold {', '.join(sorted(taken))}: these are the command's own keys")
        own = {name: value for name, value in fields.items() if name != "merge"}
        return tracking.checked_command(self.event, {**merge, **own})

    @classmethod
    def request(cls, connection: Connection, body: Body, id: str, meta: Mapping[str, Json]) -> Request:
        """POST …/v1/track."""
        return tracking.command(connection, body["event"], marked(body, id, meta))
