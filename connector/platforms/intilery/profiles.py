"""The profiles of an account: their list, and the traits, metadata and events of one (Profiles API document)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Annotated, Final, TypeAlias

from connector.model import Answer, Json, Request
from connector.platforms import answers, dialect
from connector.platforms.bodies import part, refused
from connector.platforms.endpoint import About, Conversation, Moment, endpoint
from connector.platforms.intilery import events
from connector.platforms.intilery.account import request
from connector.settings import Connection

ID_TYPES: Final = ("userId", "email", "id")
_CLUES: Final = {**answers.CLUES, 404: "nobody has this id, or nothing is at this address"}

Who: TypeAlias = Annotated[str, About("userId:ID, email:ADDRESS or id:ID")]


@dataclass(frozen=True, slots=True)
class Profile:
    """One customer. id: Intilery's own; user_id: yours, the External Id. All ids are text, empty where there is none.

    body: everything that was answered; of `meta` also _subscriptionId, createdBy, firstEvent, lastEvent and others.
    """

    id: str
    user_id: str
    email: str
    body: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class ProfilePage:
    """A part of the list. scroll_id: what the next part is asked for by; there is none after an empty part."""

    profiles: tuple[Profile, ...]
    scroll_id: str


def profile(body: Mapping[str, Json]) -> Profile:
    """The profile that a platform's object stands for."""
    user_id = answers.text_id(body.get("userId")) or answers.text_id(body.get("externalId"))
    email = body.get("email")
    return Profile(answers.text_id(body.get("id")), user_id, email if isinstance(email, str) else "", body)


# ── answers ───────────────────────────────────────────────────────────────────────────────────


def parse_profiles(answer: Answer) -> tuple[Profile, ...]:
    """Whom `traits` or `meta` found: one by userId or id, any number by e-mail, none among them.

    Raises NothingThere (404), FeedRefused (401, 403) and FeedUnavailable (any other refusal, or no sound JSON).
    """
    body = answers.an_object(answer, "a profile", _CLUES)
    if isinstance(body.get("data"), list) and not body.keys() & {"id", "userId", "externalId", "email"}:
        return tuple(map(profile, answers.objects(answer, body["data"], "a list of profiles")))
    return (profile(body),)


def parse_page(answer: Answer) -> ProfilePage:
    """A part of the list. Raises as `parse_profiles` does."""
    what, ids = "a list of profiles", ("id", "userId", "externalId", "email")
    body, mended = answers.a_list_of_objects(answer, what, _CLUES, path=("data",), kept=ids)
    if "data" not in body and body.get("message"):
        raise answers.unexpected(answer, what, "it has no `data`")
    found = mended or answers.objects(answer, body.get("data"), what)
    scroll_id = body.get("scrollId")
    return ProfilePage(tuple(map(profile, found)), scroll_id if isinstance(scroll_id, str) and found else "")


def parse_profile_events(answer: Answer) -> list[events.Item]:
    """One customer's events, as `events.parse_events` gives the account's; a 404 is about the customer."""
    refusal = answers.refusal(answer, _CLUES)
    if refusal:
        raise refusal
    return events.parse_events(answer)


# ── the list ──────────────────────────────────────────────────────────────────────────────────


@endpoint("profiles", "GET", "/v1/profiles", source="Profiles API", parse=parse_page)
def profiles(
    connection: Connection,
    *,
    scroll_id: Annotated[str, About("Go on with the part after the one that gave this.")] = "",
    scroll_name: Annotated[str, About("The parameter's name: scrollId or scrollid.")] = "",
) -> Request:
    """The list of profiles, a hundred at a time.

    GET …/v1/profiles (Profiles API, *Listing all Customer Profiles*). 400: the scrollId is unknown or has timed out.
    scroll_name: by default what the dialect says.
    """
    name = scroll_name or _scroll_names(connection)[0]
    return request(connection, "GET", "profiles", {name: scroll_id} if scroll_id else ())


def _scroll_names(connection: Connection) -> tuple[str, ...]:
    said = dialect.of(connection, "scroll")
    return ("scrollId", "scrollid") if said == "auto" else (said,)


def following(
    connection: Connection, scroll_id: str, first_id: str, scroll_name: str = "", before: Collection[str] = ()
) -> Conversation[tuple[ProfilePage, str]]:
    """The part after one, and the name of the parameter that got it.

    first_id: the first profile's of the part before: where it comes again, the list began anew, since the platform
    knows the parameter by its other name. scroll_name: what is known to work. before: all ids of the part before, where
    they are known: a list that begins anew may have another first profile by now. See `began_anew`.
    """
    found = ProfilePage((), "")
    names = (scroll_name,) if scroll_name else _scroll_names(connection)
    for name in names:
        found = parse_page((yield profiles(connection, scroll_id=scroll_id, scroll_name=name)))
        if not began_anew(found, first_id, before):
            return found, name
    return found, names[-1]


def began_anew(found: ProfilePage, first_id: str, before: Collection[str] = ()) -> bool:
    """Whether a part is the one before over again: by its first profile, or by half of them. See `following`."""
    ids = {one.id for one in found.profiles}
    again = 2 * len(ids.intersection(before))
    return bool(found.profiles) and (found.profiles[0].id == first_id or again >= max(2, len(ids), len(before)))


# ── one profile ───────────────────────────────────────────────────────────────────────────────


def _path(connection: Connection, who: str, what: str) -> str:
    kind, colon, value = who.partition(":")
    if kind not in ID_TYPES or not colon:
        raise refused(f"a profile is named as userId:ID, email:ADDRESS or id:ID, not {who[:80]!r}")
    twice = dialect.of(connection, "encoding") == "twice"
    return f"profiles/{kind}:{part(value, f'the {kind}', safe='@', twice=twice)}/{what}"


@endpoint(
    "traits",
    "GET",
    "/v1/profiles/{idType}:{id}/traits",
    source="Profiles API",
    parse=parse_profiles,
    example={"who": "userId:ABC/123"},
)
def traits(connection: Connection, who: Who) -> Request:
    """What is known of a customer; by e-mail, of all that have it.

    GET …/v1/profiles/{idType}:{id}/traits (Profiles API). 404: nobody has the id.
    """
    return request(connection, "GET", _path(connection, who, "traits"))


def meta_words(connection: Connection) -> tuple[str, ...]:
    """The ends that the metadata's path may have, the likelier first."""
    said = dialect.of(connection, "meta")
    return ("meta", "metadata") if said == "auto" else (said,)


def find_meta(connection: Connection, who: str, word: str = "") -> Conversation[tuple[Profile, ...]]:
    """A customer's metadata, whichever end its path has. word: the end to try, by default those of the dialect.

    A 404 means either that nobody has the id or that the path ends otherwise: only a success tells which end is right.
    Whoever knows it says so, by `meta` of the dialect, and saves the second request.
    """
    one, *others = (word,) if word else meta_words(connection)
    answer = yield meta(connection, who, word=one)
    if answer.status == 404 and others:
        answer = yield meta(connection, who, word=others[0])
    return parse_profiles(answer)


@endpoint(
    "meta",
    "GET",
    "/v1/profiles/{idType}:{id}/meta",
    source="Profiles API",
    parse=parse_profiles,
    example={"who": "userId:ABC/123"},
    also={"/v1/profiles/{idType}:{id}/metadata": {"who": "userId:ABC/123", "word": "metadata"}},
    talk=find_meta,
)
def meta(
    connection: Connection,
    who: Who,
    *,
    word: Annotated[str, About("How the path ends: meta or metadata.")] = "",
) -> Request:
    """Traits and metadata: where a customer comes from, first and last events, audiences.

    GET …/v1/profiles/{idType}:{id}/meta, or /metadata (Profiles API has both). 404: nobody has the id, or the path
    ends with the other word. word: by default the likelier one of the dialect.
    """
    return request(connection, "GET", _path(connection, who, word or meta_words(connection)[0]))


@endpoint(
    "profile-events",
    "GET",
    "/v1/profiles/{idType}:{id}/events",
    source="Profiles API",
    parse=parse_profile_events,
    example={"who": "email:joe.bloggs@intilery.com"},
)
def profile_events(  # noqa: PLR0913  the endpoint's own parameters
    connection: Connection,
    who: Who,
    *,
    start: Moment = None,
    end: Moment = None,
    sort: events.Sort = "desc",
    from_: events.Skip = 0,
    size: events.Size = events.LARGEST_SIZE,
    include: events.Include = None,
    exclude: events.Exclude = (),
    days: events.Days = False,
) -> Request:
    """What one customer did; by e-mail, all that have it.

    GET …/v1/profiles/{idType}:{id}/events (Profiles API). As the account's feed, but each event also has id,
    externalId and email. 404: nobody has the id.
    """
    query = events.page_query(start, end, sort, from_, size, include=include, exclude=exclude, days=days)
    return request(connection, "GET", _path(connection, who, "events"), query)
