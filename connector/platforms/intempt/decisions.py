"""What Intempt decides: which variant somebody gets, and which products a feed recommends (second generation)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, TypeAlias

from connector.model import Answer, Json, Request
from connector.platforms import answers, dialect
from connector.platforms.bodies import compact, encode, part, refused
from connector.platforms.endpoint import About, Moment, endpoint
from connector.platforms.intempt.project import CLUES, request
from connector.settings import Connection

_NAME: Final = re.compile(r"[A-Za-z0-9_-]+")

UserId: TypeAlias = Annotated[str, About("The id of the user.", "user")]
ProfileId: TypeAlias = Annotated[str, About("The id of the profile, with --source.", "profile")]
SourceId: TypeAlias = Annotated[str, About("The id of the source.", "source")]
ProductId: TypeAlias = Annotated[str, About("The id of the product that is looked at.", "product")]


# ── choices ───────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody gets under a name. body: any JSON, None where nothing was served."""

    name: str
    group: str
    body: Json


def parse_choices(answer: Answer) -> tuple[Choice, ...]:
    """What was chosen, perhaps nothing. Raises FeedRefused and FeedUnavailable."""
    what = "choices"
    found = answers.objects(answer, answers.an_object(answer, what, CLUES).get("choices"), what)
    return tuple(Choice(str(one.get("name", "")), str(one.get("group") or ""), one.get("body")) for one in found)


Names: TypeAlias = Annotated[Sequence[str], About("Only what has this name; may be repeated.", "name")]
Groups: TypeAlias = Annotated[Sequence[str], About("Only what is in this group; may be repeated.", "group")]
Device: TypeAlias = Annotated[Literal["all", "desktop", "mobile"], About("What it is for.")]
SessionId: TypeAlias = Annotated[str, About("The session: what is shown once in one is not chosen again.", "session")]


@endpoint(
    "choose",
    "POST",
    "/v1/{org}/projects/{project}/optimization/choose-api",
    source="API reference of 2026; SDKs",
    parse=parse_choices,
    example={"user": "u1", "names": ("checkout_v2",)},
)
def choose(  # noqa: PLR0913  the endpoint's own parameters
    connection: Connection,
    *,
    user: UserId = "",
    profile: ProfileId = "",
    source: SourceId = "",
    names: Names = (),
    groups: Groups = (),
    device: Device = "all",
    session: SessionId = "",
    product: ProductId = "",
    timestamp: Moment = None,
) -> Request:
    """Which variants of experiments, personalizations and flags somebody gets.

    POST /v1/{org}/projects/{project}/optimization/choose-api: `{"identification": {userId, or sourceId and profileId},
    names?, groups?, device, sessionId?, productId?, timestamp?}` → `{"choices": [{"name", "group", "body"}]}`. 400:
    Identification is required. Without a device nothing is ever chosen.
    """
    body = _choosing(user, profile, source, names, groups)
    body |= compact(device=device, sessionId=session, productId=product, timestamp=timestamp)
    return request(connection, "POST", "project", "optimization/choose-api", body=encode(body))


@endpoint(
    "choose-web",
    "POST",
    "/v1/{org}/projects/{project}/optimization/choose-web",
    source="browser SDK",
    parse=parse_choices,
    example={"user": "u1"},
)
def choose_web(  # noqa: PLR0913  as above
    connection: Connection,
    *,
    user: UserId = "",
    profile: ProfileId = "",
    source: SourceId = "",
    names: Names = (),
    groups: Groups = (),
    device: Device = "desktop",
    session: SessionId = "",
) -> Request:
    """As `choose`, for what is shown in a browser.

    POST /v1/{org}/projects/{project}/optimization/choose-web: the browser's twin of choose-api; body and answer are not
    documented, and taken to be the same.
    """
    body = _choosing(user, profile, source, names, groups) | compact(device=device, sessionId=session)
    return request(connection, "POST", "project", "optimization/choose-web", body=encode(body))


def _choosing(user: str, profile: str, source: str, names: Sequence[str], groups: Sequence[str]) -> dict[str, Any]:
    if not user and not (profile and source):
        raise refused("the id of a user is needed, or those of a profile and its source")
    for name in (*names, *groups):
        if not _NAME.fullmatch(name):
            raise refused(f"names and groups have letters, digits, '_' and '-' only, not {name[:80]!r}")
    who = compact(userId=user, profileId=profile, sourceId=source)
    return {"identification": who, **compact(names=list(names), groups=list(groups))}


# ── recommendation feeds ──────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class RecommendationFeed:
    """One recommendation feed. needs: what it is asked about, such as USER or PRODUCT. body: all that was answered."""

    id: str
    name: str
    needs: str
    body: Mapping[str, Json]


def parse_feeds(answer: Answer) -> tuple[RecommendationFeed, ...]:
    """The feeds there are, from a list, or an object that holds one. Raises FeedRefused and FeedUnavailable."""
    what = "a list of feeds"
    found = answers.accepted(answer, what, CLUES)
    inside: Mapping[str, Json] = found if isinstance(found, dict) else {"feeds": found}
    inside = inside.get("_embedded") or inside
    lists = [value for value in inside.values() if isinstance(value, list)]
    if not isinstance(found, list) and len(lists) != 1:
        raise answers.unexpected(answer, what, "it is none, and holds none")
    return tuple(map(_feed, answers.objects(answer, lists[0], what)))


def _feed(body: dict[str, Json]) -> RecommendationFeed:
    name = str(body.get("name") or body.get("title") or "")
    return RecommendationFeed(answers.text_id(body.get("id")), name, str(body.get("feedInput") or ""), body)


@endpoint("feeds", "GET", "/v1/{org}/projects/{project}/feeds", source="SDKs' contract", parse=parse_feeds)
def feeds(connection: Connection) -> Request:
    """The recommendation feeds of the project.

    GET /v1/{org}/projects/{project}/feeds (SDKs' contract). The shape of the answer is not documented.
    """
    return request(connection, "GET", "project", "feeds")


def parse_products(answer: Answer) -> tuple[Mapping[str, Json], ...]:
    """The products that a feed recommends, perhaps none. Raises FeedRefused and FeedUnavailable."""
    what = "recommended products"
    return tuple(answers.objects(answer, answers.an_object(answer, what, CLUES).get("products"), what))


@endpoint(
    "feed",
    "POST",
    "/v1/{org}/projects/{project}/feeds/{feed}/data",
    source="API reference of 2026; SDKs",
    parse=parse_products,
    example={"feed": "5292", "user": "u1", "fields": ("id", "title")},
)
def feed(  # noqa: PLR0913  the endpoint's own parameters
    connection: Connection,
    feed: Annotated[str, About("The id of the feed.")],
    *,
    user: UserId = "",
    account: Annotated[str, About("The id of the account, instead of a user.")] = "",
    profile: ProfileId = "",
    source: SourceId = "",
    fields: Annotated[Sequence[str], About("A field of the products that is wanted; may be repeated.", "field")] = (),
    limit: Annotated[int | None, About("At most so many products.")] = None,
    offset: Annotated[int | None, About("So many are left out first.")] = None,
    product: ProductId = "",
) -> Request:
    """The products that a feed recommends to somebody.

    POST /v1/{org}/projects/{project}/feeds/{id}/data: `{id, type: user|account, sourceId?, fields, limit?, offset?,
    productId?}`, or profileId and sourceId instead → `{"products": […]}`. 400: no such feed. A feed about products
    answers nothing without a product. fields: required here, since without them the answer is 400 times as large.
    """
    given = [bool(one) for one in (user, account, profile)]
    if sum(given) != 1 or (profile and not source):
        raise refused("the id of a user or of an account is needed, or those of a profile and its source")
    if not fields:
        raise refused("say which fields of the products are wanted, such as id and title")
    if (limit is not None and limit < 1) or (offset or 0) < 0:
        raise refused("limit is 1 or more, offset 0 or more")
    body = {**_somebody(connection, user, account, profile), "fields": list(fields)}
    body |= compact(limit=limit, offset=offset, productId=product, sourceId=source)
    path = f"feeds/{part(feed, 'the id of the feed')}/data"
    return request(connection, "POST", "project", path, body=encode(body))


def _somebody(connection: Connection, user: str, account: str, profile: str) -> dict[str, Json]:
    if profile:
        return {"profileId": profile}
    kind = "user" if user else "account"
    return {"id": user or account, "type": kind.upper() if dialect.of(connection, "feed_type") == "upper" else kind}
