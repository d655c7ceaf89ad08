"""Regulations as Intilery's site documented them in February 2021, and then withdrew: the only shape that is known.

Whether anything answers there today is unknown, so path and names of types are keys of the `dialect`. Only by userId;
everything is asynchronous, most of it done within seven days.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, TypeAlias
from urllib.parse import quote

from connector.model import Answer, Instant, Json, Request, instant
from connector.platforms import answers, dialect
from connector.platforms.bodies import encode, part, refused
from connector.platforms.endpoint import About, endpoint
from connector.platforms.intilery.account import request
from connector.settings import Connection

MOST_USERS: Final = 5_000
LARGEST: Final = 4_000_000  # bytes of a request
STATES: Final = ("initialized", "running", "finished", "failed")
_NEVER: Final = "0001-01-01T00:00:00Z"
_CLUES: Final = {
    **answers.CLUES,
    400: "the platform refuses the request: see `regulation_types` under `dialect`",
    403: "the token has no permission for regulations: reading needs read access, the rest that of an API owner",
    404: "there is no such regulation, or no such endpoint: see `regulations_path` under `dialect`, or use mode manual",
}


@dataclass(frozen=True, slots=True)
class Regulation:
    """One request and how it fares. id: the platform's; state: one of STATES; ended: None while it is not.

    users: the userIds, where the answer tells them. failures: what went wrong, in the platform's words.
    """

    id: str
    state: str
    users: tuple[str, ...] = ()
    created: Instant | None = None
    ended: Instant | None = None
    failures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RegulationPage:
    """A part of the list. next: the token of the next part, empty at the end."""

    regulations: tuple[Regulation, ...]
    next: str


# ── answers ───────────────────────────────────────────────────────────────────────────────────


def parse_requested(answer: Answer) -> str:
    """The id of what was asked for. Raises NothingThere, FeedRefused and FeedUnavailable."""
    what = "a regulation's id"
    found = answers.text_id(answers.an_object(answer, what, _CLUES).get("regulate_id"))
    if not found:
        raise answers.unexpected(answer, what, "it has no regulate_id")
    return found


def parse_status(answer: Answer) -> Regulation:
    """How one fares; its id is that of the question. Raises as `parse_requested` does."""
    what = "a regulation"
    body = answers.an_object(answer, what, _CLUES)
    state = body.get("overall_status")
    if not isinstance(state, str):
        raise answers.unexpected(answer, what, "it has no overall_status")
    places = [
        place
        for stream in answers.objects(answer, body.get("stream_status"), what)
        for place in answers.objects(answer, stream.get("destination_status"), what)
    ]
    failures = tuple(f"{place.get('name')}: {place['err_string']}" for place in places if place.get("err_string"))
    return Regulation("", state, (), instant(body.get("created_at")), _ended(body.get("finished_at")), failures)


def parse_page(answer: Answer) -> RegulationPage:
    """A part of the list. Raises as `parse_requested` does."""
    what = "a list of regulations"
    body = answers.an_object(answer, what, _CLUES)
    entries = answers.objects(answer, body.get("entries"), what)
    return RegulationPage(tuple(map(_entry, entries)), answers.text_id(body.get("next_page_token")))


def parse_cancelled(answer: Answer) -> None:
    """That one was taken back. Raises as `parse_requested` does."""
    answers.accepted(answer, "an acknowledgement", _CLUES)


def _entry(body: dict[str, Json]) -> Regulation:
    attributes = body.get("attributes")
    values = attributes.get("values") if isinstance(attributes, dict) else None
    users = tuple(map(answers.text_id, values)) if isinstance(values, list) else ()
    created, ended = instant(body.get("created_at")), _ended(body.get("finished_at"))
    return Regulation(answers.text_id(body.get("regulate_id")), str(body.get("status", "")), users, created, ended)


def _ended(text: Json) -> Instant | None:
    return None if text == _NEVER else instant(text)


# ── requests ──────────────────────────────────────────────────────────────────────────────────


def wire_type(connection: Connection, kind: str) -> str:
    """A type's name on the wire. Raises RequestRefused for one that has none."""
    names = dialect.mapping(connection, "regulation_types", dialect.REGULATION_TYPES)
    if kind not in names:
        raise refused(
            f"{kind[:80]!r} has no name on the wire that is known (known: {', '.join(names)});"
            " write it under `dialect: {regulation_types: …}`"
        )
    return names[kind]


def _path(connection: Connection) -> str:
    return quote(dialect.of(connection, "regulations_path").strip("/"), safe="/")


Kind: TypeAlias = Annotated[str, About("suppress_and_delete, delete, unsuppress, suppress, no_track, track or access.")]
Id: TypeAlias = Annotated[str, About("The platform's id of the regulation.")]


@endpoint(
    "regulate",
    "POST",
    "/v1/regulations",
    source="Intilery's site, February 2021",
    parse=parse_requested,
    example={"kind": "suppress", "users": ("u1",)},
    confirm="regulations cannot be undone once they run",
)
def regulate(
    connection: Connection, kind: Kind, users: Annotated[Sequence[str], About("The userId; may be repeated.")]
) -> Request:
    """Ask for a regulation of users.

    POST …/v1/regulations `{"regulation_type", "attributes": {"name": "userId", "values": […]}}` → `{"regulate_id"}`. At
    most 5,000 users and 4 MB. 404: no such endpoint. Nothing tells a repeat from a second request: list before asking
    again.
    """
    if not users or len(users) > MOST_USERS or not all(user.strip() for user in users):
        raise refused(f"a regulation takes 1 to {MOST_USERS:,} userIds, none of them empty")
    body = {"regulation_type": wire_type(connection, kind), "attributes": {"name": "userId", "values": list(users)}}
    return request(connection, "POST", _path(connection), body=encode(body, largest=LARGEST))


@endpoint(
    "regulations",
    "GET",
    "/v1/regulations",
    source="Intilery's site, February 2021",
    parse=parse_page,
    example={"status": "failed", "kinds": ("suppress", "delete")},
)
def regulations(
    connection: Connection,
    *,
    status: Annotated[str, About(f"One of {', '.join(STATES)}.")] = "",
    kinds: Annotated[Sequence[str], About("Only this type; may be repeated.", "type")] = (),
    page_token: Annotated[str, About("Go on with the part after the one that gave this.")] = "",
) -> Request:
    """The regulations that were asked for.

    GET …/v1/regulations?status=&regulation_types=&regulation_types= → `{"entries", "next_page_token"}`. By what name
    the token is sent back was not documented: `regulations_token` of the dialect.
    """
    query = [("status", status)] if status else []
    query += [("regulation_types", wire_type(connection, kind)) for kind in kinds]
    query += [(dialect.of(connection, "regulations_token"), page_token)] if page_token else []
    return request(connection, "GET", _path(connection), query)


@endpoint(
    "regulation",
    "GET",
    "/v1/regulations/{id}",
    source="Intilery's site, February 2021",
    parse=parse_status,
    example={"id": "2ad4"},
)
def regulation(connection: Connection, id: Id) -> Request:
    """How one regulation fares.

    GET …/v1/regulations/{id} → `{"overall_status", "stream_status", "created_at", "finished_at"}`. 404: no such one.
    """
    return request(connection, "GET", f"{_path(connection)}/{part(id, 'the id')}")


@endpoint(
    "cancel-regulation",
    "DELETE",
    "/v1/regulations/{id}",
    source="Intilery's site, February 2021",
    parse=parse_cancelled,
    example={"id": "2ad4"},
    confirm="the request is taken back",
)
def cancel_regulation(connection: Connection, id: Id) -> Request:
    """Take back a regulation that has not begun.

    DELETE …/v1/regulations/{id}, only while it is initialized.
    """
    return request(connection, "DELETE", f"{_path(connection)}/{part(id, 'the id')}")
