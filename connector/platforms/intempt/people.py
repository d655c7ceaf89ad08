"""What Intempt knows of one profile or user: the events matched, the segments (first generation, documents of 2021).

Whether they still answer is unknown; below what they are is `reads` of the dialect. 404: nobody has the id, or nothing
is there; 410: not available any more.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, TypeAlias

from connector.model import Answer, Instant, Json, Request, instant
from connector.platforms import answers
from connector.platforms.bodies import a_mapping, encode, part, refused
from connector.platforms.endpoint import About, endpoint
from connector.platforms.intempt.project import CAP, CLUES, DEADLINE, reads, request
from connector.settings import Connection

ProfileId: TypeAlias = Annotated[str, About("The id of the profile.", "profile")]
MasterId: TypeAlias = Annotated[str, About("The id of the user, whose profiles were merged.", "master")]


# ── the service ───────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Service:
    """What the root says of itself: `metadata`, `v1`, `ok`."""

    service: str
    version: str
    status: str


def parse_service(answer: Answer) -> Service:
    """That the platform is there. Raises FeedRefused and FeedUnavailable."""
    body = answers.an_object(answer, "what the service root says", CLUES)
    return Service(*(str(body.get(name, "")) for name in ("service", "version", "status")))


@endpoint("service", "GET", "/", source="API reference of 2021", parse=parse_service)
def service(connection: Connection) -> Request:
    """Whether the platform is there.

    GET https://api.intempt.com/ (API reference of 2021). Needs no key and gets none.
    """
    return Request("GET", f"{connection.base_url.rstrip('/')}/", deadline=DEADLINE, cap=CAP)


# ── matches ───────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Matches:
    """The events that a user has matched: names alone, without ids or times. All ids are text, digit by digit.

    last_updated: when any of them matched last, None where that cannot be read.
    """

    master_id: str
    profile_ids: tuple[str, ...]
    names: tuple[str, ...]
    last_updated: Instant | None
    body: Mapping[str, Json]


def parse_matches(answer: Answer) -> Matches:
    """What a user has matched. Raises NothingThere (404), FeedRefused (401, 403), FeedUnavailable (all else)."""
    what = "matched events"
    body = answers.an_object(answer, what, CLUES)
    ids, names = body.get("profileIds") or [], body.get("matchedEvents") or []
    if not isinstance(ids, list) or not isinstance(names, list) or not all(isinstance(one, str) for one in names):
        raise answers.unexpected(answer, what, "profileIds and matchedEvents must be lists")
    if "matchedEvents" not in body:
        raise answers.unexpected(answer, what, "it has no matchedEvents")
    profiles = tuple(filter(None, map(answers.text_id, ids)))
    master = answers.text_id(body.get("masterId"))
    return Matches(master, profiles, tuple(dict.fromkeys(names)), instant(body.get("lastUpdated")), body)


@endpoint(
    "matches",
    "GET",
    "/v1/{org}/events/matches",
    source="API reference of 2021",
    parse=parse_matches,
    example={"profile": "182233618306719744"},
)
def matches(connection: Connection, *, profile: ProfileId = "", master: MasterId = "") -> Request:
    """The events that one profile or user has matched.

    GET /v1/{org}/events/matches?profileId= or ?masterId= (API reference of 2021).
    """
    return request(connection, "GET", reads(connection), "events/matches", query=_one_of(profile, master))


def _one_of(profile: str, master: str) -> dict[str, Json]:
    if bool(profile.strip()) == bool(master.strip()):
        raise refused("give the id of a profile or of a master, one of the two")
    return {"profileId": profile} if profile.strip() else {"masterId": master}


# ── segmentations ─────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Segmentation:
    """That a user belongs to a segment since `created`; which segment, the documented answer does not say."""

    id: str
    master_id: str
    profile_ids: tuple[str, ...]
    created: Instant | None
    body: Mapping[str, Json]


def segmentation_of(body: Mapping[str, Json]) -> Segmentation:
    """The segmentation that a platform's object stands for."""
    ids = body.get("profileIds")
    profiles = tuple(filter(None, map(answers.text_id, ids if isinstance(ids, list) else ())))
    own, master = answers.text_id(body.get("id")), answers.text_id(body.get("masterId"))
    return Segmentation(own, master, profiles, instant(body.get("created")), body)


def parse_segmentations(answer: Answer) -> tuple[Segmentation, ...]:
    """The segmentations of a user, perhaps none. Raises as `parse_matches` does."""
    what = "a list of segmentations"
    body = answers.an_object(answer, what, CLUES)
    return tuple(map(segmentation_of, embedded(answer, body, "segmentations", what)))


def parse_segmentation(answer: Answer) -> Segmentation:
    """One segmentation. Raises as `parse_matches` does."""
    return segmentation_of(answers.an_object(answer, "a segmentation", CLUES))


def embedded(answer: Answer, body: Mapping[str, Json], name: str, what: str) -> list[dict[str, Json]]:
    """The list that HAL embeds; none where there is nothing embedded. Raises FeedUnavailable for anything else."""
    inside = body.get("_embedded")
    if inside is None and "_links" not in body:
        raise answers.unexpected(answer, what, "it has neither _embedded nor _links")
    if inside is not None and not isinstance(inside, dict):
        raise answers.unexpected(answer, what, "_embedded is no JSON object")
    return answers.objects(answer, (inside or {}).get(name), what)


@endpoint(
    "segmentations",
    "GET",
    "/v1/{org}/segmentations/latest",
    source="API reference of 2021",
    parse=parse_segmentations,
    example={"master": "200382140847620096"},
)
def segmentations(
    connection: Connection,
    *,
    profile: ProfileId = "",
    master: MasterId = "",
    source: Annotated[str, About("The id of a source, with --identity.")] = "",
    identity: Annotated[Json, About("The value of the source's profile identifier, as a JSON object.")] = None,
) -> Request:
    """The latest segmentations of one profile or user.

    GET /v1/{org}/segmentations/latest?profileId=, ?masterId=, or ?sourceId=&profile= with a JSON object (API reference
    of 2021).
    """
    if source:
        if profile or master or identity is None:
            raise refused("with the id of a source, give the identity, and no other id")
        value = encode(a_mapping(identity, "the identity")).decode()
        query: dict[str, Json] = {"sourceId": source, "profile": value}
    else:
        query = _one_of(profile, master)
    return request(connection, "GET", reads(connection), "segmentations/latest", query=query)


@endpoint("all-segmentations", "GET", "/v1/{org}/segmentations", source="API reference of 2021, link only",
          parse=parse_segmentations)  # fmt: skip
def all_segmentations(connection: Connection) -> Request:
    """All segmentations there are.

    GET /v1/{org}/segmentations: the API reference of 2021 only links here.
    """
    return request(connection, "GET", reads(connection), "segmentations")


@endpoint(
    "segmentation",
    "GET",
    "/v1/{org}/segmentations/{id}",
    source="API reference of 2021, link only",
    parse=parse_segmentation,
    example={"id": "200382528132874240"},
)
def segmentation(connection: Connection, id: Annotated[str, About("The id of the segmentation.")]) -> Request:
    """One segmentation.

    GET /v1/{org}/segmentations/{id}: the API reference of 2021 only links here.
    """
    return request(connection, "GET", reads(connection), f"segmentations/{part(id, 'the id')}")
