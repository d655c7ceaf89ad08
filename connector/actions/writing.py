"""What the actions that write to a platform share: who receives it, our mark in it, and how long a chain may get.

A recipe names no receiver: it is the event's own connection, the only one of the platform, or the one that `connection`
names. What is rendered, once, is the call as the platform documents it. What is the account's (its address, its key,
its spelling of the wire) is added at each attempt, and so is the id, which is the delivery's own.
"""

import json
import uuid
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Final, Literal, TypeAlias

from pydantic import InstanceOf, PlainValidator

from connector.actions import Action, Destination, Scope, Tree
from connector.errors import RenderError, RequestRefused
from connector.model import Answer, Event, Instant, Json, Message, Request, Verdict, instant
from connector.platforms.bodies import LARGEST, LARGEST_ITEM
from connector.platforms.intempt import project
from connector.platforms.intilery import MARK, tracking
from connector.secrets import Secret
from connector.settings import Connection
from connector.template import OMIT, Template
from connector.template.field import wrong

Body: TypeAlias = dict[str, Json]

MOST_HOPS: Final = 3  # writes of ours, each woken by the one before
FOREIGN_MARK: Final = "foreign_mark"  # noted of an event whose mark names nothing that we wrote
MOST_TOGETHER: Final = 50  # calls in one request, whichever platform
_LONGEST_ID: Final = 64  # characters of a delivery's id
ADDED: Final = 512  # bytes that an id and our mark may add to a call
_ENCODE: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


# ── fields ────────────────────────────────────────────────────────────────────────────────────


def _read_object(value: object) -> Tree:
    if not isinstance(value, dict) and not (isinstance(value, str) and "{{" in value):
        raise wrong("must be a mapping, or one whole {{ }} that gives one", "write key: value below it")
    return Tree(value)


def _read_id(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not value.replace("-", "").replace("_", "").isalnum() or len(value) > 100:
        raise wrong("an id is literal: letters, digits, - and _", 'write the id of the console: "1841503112918048768"')
    return value


ObjectTree: TypeAlias = Annotated[Tree, PlainValidator(_read_object, json_schema_input_type=dict[str, Json])]
LiteralId: TypeAlias = Annotated[str, PlainValidator(_read_id, json_schema_input_type=str)]


def text_of(name: str, template: Template | None, scope: Scope) -> str | None:
    """What a key comes to, as text; None where it is not written, or left out (`default(omit)`). Raises RenderError."""
    value = None if template is None else _rendered(name, template, scope)
    if value is None or value is OMIT:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise RenderError(f"{name} must give a text or a whole number")
    return str(value)


def object_of(name: str, tree: Tree | None, scope: Scope) -> Body | None:
    """What a key comes to, as a JSON object; None where it is not written. Raises RenderError."""
    if tree is None:
        return None
    value = tree.render(scope)
    if not isinstance(value, dict):
        raise RenderError(f"{name} must give a mapping")
    return value


def moment_of(name: str, template: Template | None, scope: Scope) -> Instant | None:
    """What a key comes to, as a moment: ISO 8601, or milliseconds since 1970. None as `text_of`. Raises RenderError."""
    value = None if template is None else _rendered(name, template, scope)
    if value is None or value is OMIT:
        return None
    at = value if isinstance(value, int) and not isinstance(value, bool) else instant(value)
    if at is None:
        raise RenderError(f"{name} must give a time such as 2026-11-01T12:00:00Z, or milliseconds since 1970")
    return at


def run_time(scope: Scope, event: Event) -> Instant:
    """When the run happened: the same at every attempt, so that a repeat tells of the same moment."""
    return instant(scope.get("now")) or event.at


def _rendered(name: str, template: Template, scope: Scope) -> Json:
    try:
        return template.render(scope)
    except RenderError as error:
        raise RenderError(f"{name}: {error}") from None


# ── actions ───────────────────────────────────────────────────────────────────────────────────


def hops_of(event: Event) -> int:
    """How many marked writes, each woken by the one before, led to this event: 0 for what bears no mark.

    A foreign mark counts too: two connectors that write to one account must not wake each other for ever.
    """
    if not event.own and FOREIGN_MARK not in event.notes:
        return 0
    mark = _mark(event)
    hops = mark.get("hops") if isinstance(mark, dict) else None
    return max(hops, 1) if type(hops) is int else 1


def written_by(event: Event) -> str:
    """The delivery that an event's mark names, "" where it names none. Anyone can write a mark: it proves nothing."""
    mark = _mark(event)
    delivery = mark.get("delivery") if isinstance(mark, dict) else None
    return delivery if isinstance(delivery, str) and len(delivery) <= _LONGEST_ID and delivery.isascii() else ""


def _mark(event: Event) -> Json:
    raw = event.body.get("rawData")
    context = raw.get("context") if isinstance(raw, dict) else None
    return context.get(MARK) if isinstance(context, dict) else None


def event_id_of(delivery: str) -> str:
    """The id of a written event, made of its delivery's: a UUID, as the platforms' own libraries send."""
    return str(uuid.UUID(delivery.removeprefix("dlv_"))) if len(delivery) == 36 else delivery


class Write(Action):
    """One call to a platform. Subclasses say what it is made of, and which request it becomes."""

    platform: ClassVar[Literal["intilery", "intempt"]]
    reads: ClassVar[frozenset[str]] = frozenset({"now"})

    @abstractmethod
    def fields(self, scope: Scope, event: Event) -> Body:
        """The keys of the recipe with what they come to, and those that the event fills in. Raises RenderError."""

    def body(self, fields: Body) -> Body:
        """The documented call, as far as it is the same for every account. Raises RenderError and RequestRefused."""
        return fields

    def told(self) -> Mapping[str, str]:
        """What the request needs to know beside the body: literal ids."""
        return {}

    @classmethod
    @abstractmethod
    def request(cls, connection: Connection, body: Body, id: str, meta: Mapping[str, Json]) -> Request:
        """The request of one call. id: the delivery's. Raises RequestRefused."""

    @classmethod
    def lot(cls, body: bytes, meta: Mapping[str, Json]) -> str:  # noqa: ARG003  most kinds have no batch
        """Calls of one lot may go in one request; those of none ("") go alone."""
        return ""

    @classmethod
    def entry(cls, body: Body, id: str, meta: Mapping[str, Json]) -> Body:
        """The call as one of several in a request."""
        raise NotImplementedError

    @classmethod
    def batch(cls, connection: Connection, entries: Sequence[Body], meta: Mapping[str, Json]) -> Request:
        """One request for the entries of a lot. meta: of any of them. Raises RequestRefused."""
        raise NotImplementedError

    def render(self, scope: Scope, event: Event) -> Message:
        """The call, found to be complete and not too large. Raises RenderError."""
        try:
            body = _ENCODE(self.body(self.fields(scope, event))).encode(errors="replace")
        except RequestRefused as error:
            raise RenderError(str(error).removesuffix(". Nothing was sent")) from None
        except ValueError as error:  # NaN and infinity are no JSON
            raise RenderError(f"the call cannot be written as JSON: {error}") from None
        if len(body) > LARGEST - ADDED:
            raise RenderError(f"the call is too large: {len(body):,} bytes, and at most {LARGEST:,} are taken")
        return Message(body=body, meta={"kind": self.kind, "hops": hops_of(event) + 1, **self.told()})

    def preview(self, scope: Scope, event: Event) -> dict[str, Json]:
        """The keys of the recipe, and those that the event fills in."""
        return self.fields(scope, event)


class IntileryWrite(Write):
    """A call to Intilery."""

    platform: ClassVar[Literal["intilery"]] = "intilery"

    @classmethod
    def judge(cls, answer: Answer, refusals: int = 0) -> Verdict:  # noqa: ARG003  a 400 is final here
        """By the status, and by `success` in the body."""
        return tracking.judge(answer)


class IntemptWrite(Write):
    """A call to Intempt."""

    platform: ClassVar[Literal["intempt"]] = "intempt"
    patience: ClassVar[int] = project.PATIENCE

    @classmethod
    def judge(cls, answer: Answer, refusals: int = 0) -> Verdict:
        """By the status: a 201 is empty, a 400 may pass by itself, 402 is the plan's limit."""
        return project.judge(answer, refusals=refusals)


def marked(body: Body, id: str, meta: Mapping[str, Json]) -> Body:
    """An Intilery call with our mark: which delivery it is, and how many writes of ours led to it."""
    return tracking.marked(body, {"delivery": id, "hops": meta["hops"]})


def small(body: bytes) -> bool:
    """Whether a call may go with others."""
    return len(body) <= LARGEST_ITEM - ADDED


# ── receivers ─────────────────────────────────────────────────────────────────────────────────


class Account(Destination):
    """A connection as a receiver of what is written to it. Its rate is the connection's, which polling shares."""

    connection: InstanceOf[Connection]

    def secrets(self) -> tuple[Secret, ...]:
        """The token or key."""
        return (self.connection.token,)

    def request(self, message: Message, *, id: str, at: Instant) -> Request:  # noqa: ARG002  the moment was rendered
        """The stored call, as this account wants it. Raises RequestRefused."""
        return _kind(message).request(self.connection, json.loads(message.body), id, message.meta)

    def lot(self, message: Message) -> str:
        """What it may go together with: see `Write.lot`."""
        return _kind(message).lot(message.body, message.meta)

    def together(self, some: Sequence[tuple[Message, str]]) -> Request:
        """One request for several deliveries of a lot, each with its id. Raises RequestRefused."""
        entries = [_kind(message).entry(json.loads(message.body), id, message.meta) for message, id in some]
        first, _ = some[0]
        return _kind(first).batch(self.connection, entries, first.meta)


def _kind(message: Message) -> type[Write]:
    kind = Action.kinds[str(message.meta["kind"])]
    assert issubclass(kind, Write)  # noqa: S101  only a Write's message says its kind
    return kind


def lane(identity: str) -> str:
    """What the outbox calls a connection as a receiver: no destination of the configuration can have this name."""
    return f"@{identity}"


def accounts(connections: Mapping[str, Connection]) -> dict[str, Account]:
    """Every connection as a receiver, by its name in the outbox."""
    return {lane(each.identity): Account(connection=each) for each in connections.values()}
