"""`intempt_consent`: record that somebody gave or withdrew consent (API reference of 2026, *Consent*)."""

from collections.abc import Mapping
from typing import Final, Literal

from pydantic import Field

from connector.actions import Scope
from connector.actions.writing import Body, IntemptWrite, LiteralId, moment_of, run_time, text_of
from connector.errors import RenderError
from connector.model import Event, Json, Request
from connector.platforms.bodies import compact
from connector.platforms.intempt import tracking
from connector.settings import Connection
from connector.template.field import Text

UNLIMITED: Final = "unlimited"
_WORDS: Final = ("category", "email", "message", "reason", "method")


class IntemptConsent(IntemptWrite):
    """Record a consent, or that it was withdrawn.

    action: accept or reject. userId: whose it is, the event's own where neither it nor profileId is written; profileId
    needs sourceId. validUntil: `unlimited` (default), or a time. source: who recorded it, in words. category, email,
    message, reason, method, deviceInfo: as documented. timestamp: the run's time unless it is written.
    """

    kind = "intempt_consent"
    example = """
intempt_consent: {action: reject, category: marketing, reason: "{{ properties.name | default(omit) }}"}
"""

    action: Literal["accept", "reject"]
    user_id: Text | None = Field(default=None, alias="userId")
    profile_id: Text | None = Field(default=None, alias="profileId")
    source_id: LiteralId | None = Field(default=None, alias="sourceId")
    category: Text | None = None
    email: Text | None = None
    message: Text | None = None
    reason: Text | None = None
    method: Text | None = None
    device_info: Text | None = Field(default=None, alias="deviceInfo")
    valid_until: Text | None = Field(default=None, alias="validUntil")
    source: Text | None = None
    timestamp: Text | None = None

    def fields(self, scope: Scope, event: Event) -> Body:
        """What was decided, by whom, and when."""
        user_id = text_of("userId", self.user_id, scope)
        if self.user_id is None and self.profile_id is None:
            user_id = event.body.get("userId")
        at = moment_of("timestamp", self.timestamp, scope)
        return compact(
            action=self.action,
            userId=user_id,
            profileId=text_of("profileId", self.profile_id, scope),
            sourceId=self.source_id,
            **{name: text_of(name, getattr(self, name), scope) for name in _WORDS},
            deviceInfo=text_of("deviceInfo", self.device_info, scope),
            validUntil=self._until(scope),
            source=text_of("source", self.source, scope),
            timestamp=run_time(scope, event) if at is None else at,
        )

    def _until(self, scope: Scope) -> Json:
        if self.valid_until is None or text_of("validUntil", self.valid_until, scope) == UNLIMITED:
            return UNLIMITED
        return moment_of("validUntil", self.valid_until, scope) or UNLIMITED

    def body(self, fields: Body) -> Body:
        """The consent with its times in milliseconds: which unit an account wants is known when it is sent."""
        if not fields.get("userId") and not (fields.get("profileId") and fields.get("sourceId")):
            raise RenderError("userId is needed, or profileId with sourceId")
        return fields

    @classmethod
    def request(cls, connection: Connection, body: Body, id: str, meta: Mapping[str, Json]) -> Request:  # noqa: ARG003
        """POST …/consents/data."""
        names = {"userId": "user_id", "profileId": "profile_id", "sourceId": "source_id", "validUntil": "valid_until"}
        given = {names.get(name, name): value for name, value in body.items()}
        return tracking.consents(connection, tracking.consent(connection, **given))
