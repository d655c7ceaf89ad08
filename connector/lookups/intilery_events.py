"""`intilery_events`: what one customer did, as Intilery knows it now (Profiles API, *Get a Customer's Events*)."""

from typing import Annotated, Final

from pydantic import BeforeValidator, Field, PlainValidator

from connector.lookups import NotOne, Scope
from connector.lookups.profile import OfProfile
from connector.model import MINUTE, Asked, Instant, Json, event_name, instant, span
from connector.platforms import dialect
from connector.platforms.answers import text_id
from connector.platforms.endpoint import Conversation
from connector.platforms.intilery import profiles
from connector.settings import Connection
from connector.template.field import wrong

_MOST: Final = 100


def _name(value: object) -> str:
    name = event_name(value) if isinstance(value, str) else ""
    if not name:
        raise wrong("must be the name of an event", "write order_completed")
    return name


def _names(value: object) -> list[str]:
    return [_name(one) for one in (value if isinstance(value, list) else [value])]


def _span(value: object) -> int:
    try:
        return span(str(value))
    except ValueError as error:
        raise wrong(str(error)) from None


class IntileryEvents(OfProfile):
    """What one customer did lately: a list of events as the feed shows them, the newest first.

    user_id, email or id: whose, one of them; events of several customers with one e-mail address are an error.
    include: only these events (one name); exclude: not these. since: how far back from the run's time, to the minute.
    size: how many at most. Somebody who did nothing of it is found, with an empty list.
    """

    kind = "intilery_events"
    example = """
orders: {intilery_events: {user_id: "{{ event.userId }}", include: Order Completed, since: 30d, size: 10}}
"""

    include: Annotated[str | None, PlainValidator(_name, json_schema_input_type=str)] = None
    exclude: Annotated[list[str], BeforeValidator(_names)] = Field(default_factory=list)
    since: Annotated[int | None, PlainValidator(_span, json_schema_input_type=str)] = None
    size: int = Field(_MOST, ge=1, le=_MOST)

    def more(self, scope: Scope, now: Instant) -> Asked:  # noqa: ARG002  names and times are literal
        """The names, how many, and from when."""
        start = None if self.since is None else (now - self.since) // MINUTE * MINUTE
        return {"include": self.include, "exclude": self.exclude, "start": start, "size": self.size}

    @classmethod
    def talk(cls, connection: Connection, asked: Asked) -> Conversation[Json]:
        """One request; a second one, for whole days, where the platform refuses times. See Lookup."""
        said, start = dialect.of(connection, "datetime"), asked["start"]
        days = said == "date"
        options = {"start": start, "size": asked["size"], "include": asked["include"], "exclude": asked["exclude"]}
        answer = yield profiles.profile_events(connection, asked["who"], days=days, **options)
        if answer.status == 400 and said == "auto" and start is not None:
            answer = yield profiles.profile_events(connection, asked["who"], days=True, **options)
        found = [body for body, *_ in profiles.parse_profile_events(answer)]
        people = {whose for body in found if (whose := text_id(body.get("id")))}
        if len(people) > 1:
            raise NotOne(f"{len(people)} profiles have this email, and only one can be meant: look up by user_id or id")
        return [body for body in found if start is None or (instant(body.get("eventTime")) or start) >= start]
