"""What every kind of lookup promises, whatever it is: a new one is held to it by being there."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector import lookups
from connector.errors import FeedError, RenderError, RequestRefused
from connector.lookups import Lookup, NotFound, NotOne
from connector.model import Answer, Asked, Json, Request
from connector.recipe.recipe import NamedLookup
from connector.settings import Connection, load
from tests.deliver.bench import CONFIGURATION
from tests.recipe.samples import NOON, recipe

lookups.load_all()
KINDS = sorted(Lookup.kinds)
HOSTILE = [
    "{{ 7*7 }}", "a/../b", "..", "%2e%2e", "a?b=c#d", "@evil.test/", "x\r\nHost: evil.test", "\0", "é", "漢字",
    "\u202e", "//evil.test", "\\", "${HOME}", "x" * 900, "ABC/123", "a:b", "a b", "+", "&masterId=2",
]  # fmt: skip


def named(kind: str) -> NamedLookup:
    """The lookup of a kind's example, as a recipe that holds it has it."""
    text = "\n".join(f"  {line}" for line in Lookup.kinds[kind].example.strip().splitlines())
    (found,) = recipe(f"lookups:\n{text}").lookups
    return found


def scope(value: Json) -> Mapping[str, Json]:
    """A scope that gives this value wherever an example looks."""
    names = ("userId", "masterId", "email", "intemptProfileId", "room_id")
    return {part: dict.fromkeys(names, value) for part in ("event", "traits", "properties")}


@cache
def connection(platform: str) -> Connection:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "connector.yaml"
        file.write_text(CONFIGURATION.format(url="https://platform.example"))
        return load(file, {"TOKEN": "t", "KEY": "a.b"}).connections[platform]


def first_request(kind: str, asked: Asked) -> Request:
    return next(Lookup.kinds[kind].talk(connection(Lookup.kinds[kind].platform), asked))


def answered(kind: str, asked: Asked, *answers: Answer) -> Json:
    """What is found when the platform answers so; its last answer again and again."""
    talk = Lookup.kinds[kind].talk(connection(Lookup.kinds[kind].platform), asked)
    rest = list(answers)
    try:
        next(talk)
        while True:
            talk.send(rest.pop(0) if len(rest) > 1 else rest[0])
    except StopIteration as end:
        return end.value


def test_there_are_six_kinds() -> None:
    of_intempt = ["intempt_item", "intempt_matches", "intempt_segmentations"]
    assert [*of_intempt, "intilery_events", "intilery_meta", "intilery_traits"] == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_says_what_it_is(kind: str) -> None:
    known = Lookup.kinds[kind]
    assert kind == named(kind).lookup.kind
    assert kind.startswith(f"{known.platform}_")
    assert known.__doc__
    assert "object" == known.model_json_schema()["type"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_question_is_json_and_the_same_each_time(kind: str) -> None:
    lookup = named(kind).lookup
    asked = lookup.ask(scope("a"), NOON)
    assert asked is not None
    assert asked == json.loads(json.dumps(asked)) == lookup.ask(scope("a"), NOON)


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_is_asked_about_with_an_empty_id(kind: str) -> None:
    assert None is named(kind).lookup.ask(scope("  "), NOON)


@pytest.mark.parametrize("kind", KINDS)
def test_every_template_has_its_place(kind: str) -> None:
    lookup = named(kind).lookup
    found = list(lookup.templates())
    assert found
    assert all(getattr(lookup, str(where[0])) is template for where, template in found)


@pytest.mark.parametrize("kind", KINDS)
def test_a_64_bit_id_is_asked_for_digit_by_digit(kind: str) -> None:
    asked = named(kind).lookup.ask(scope(182233618306719744), NOON)
    assert asked is not None
    assert "182233618306719744" in str(first_request(kind, asked).url)


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("kind", KINDS)
def test_what_an_event_says_never_leaves_its_place_in_the_request(kind: str, value: str) -> None:
    asked = named(kind).lookup.ask(scope(value), NOON)
    assert asked is not None
    usual = urlsplit(str(first_request(kind, named(kind).lookup.ask(scope("USUAL"), NOON) or {}).url))
    try:
        request = first_request(kind, asked)
    except RequestRefused:
        return
    url = urlsplit(str(request.url))
    assert (usual.scheme, usual.netloc, usual.path.count("/")) == (url.scheme, url.netloc, url.path.count("/"))
    assert ".." not in url.path.split("/")
    assert usual.query.count("&") == url.query.count("&")
    assert url.path.isprintable()
    assert url.path.isascii()
    said = [unquote(part) for part in url.path.split("/")] + [each for _, each in parse_qsl(url.query)]
    assert any(part in {value, f"userId:{value}", f"email:{value}"} for part in said)


@pytest.mark.parametrize("kind", KINDS)
def test_half_a_character_is_no_id(kind: str) -> None:
    with pytest.raises(RenderError, match="holds half a character"):
        named(kind).lookup.ask(scope("a\ud800"), NOON)


@pytest.mark.parametrize("kind", KINDS)
def test_no_secret_stands_in_a_request(kind: str) -> None:
    request = first_request(kind, named(kind).lookup.ask(scope("a"), NOON) or {})
    assert "GET" == request.method
    assert all(not isinstance(value, str) for name, value in request.headers if name.lower() != "content-type")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["data", "id", "email", "_embedded", "segmentations", "_links", "matchedEvents", "profileIds"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)
BODIES = st.binary(max_size=40) | JSON.map(lambda value: json.dumps(value).encode())


@given(
    kind=st.sampled_from(KINDS), status=st.sampled_from([200, 201, 204, 301, 400, 401, 404, 410, 429, 500]), body=BODIES
)
def test_whatever_is_answered_is_found_or_a_known_error(kind: str, status: int, body: bytes) -> None:
    asked = named(kind).lookup.ask(scope("a"), NOON) or {}
    try:
        found = answered(kind, asked, Answer(status, body=body))
    except (NotFound, NotOne, FeedError):
        return
    assert isinstance(found, dict | list)
    assert found == json.loads(json.dumps(found))


# ── the documents' own answers ────────────────────────────────────────────────────────────────

FIXTURES = Path(__file__).parent.parent / "fixtures"


def fixture(name: str, status: int = 200) -> Answer:
    return Answer(status, body=(FIXTURES / name).read_bytes())


def test_traits_are_those_of_the_documents() -> None:
    found = answered("intilery_traits", {"who": "userId:1"}, fixture("intilery/profile-traits.json"))
    assert ("Joe", "joe.bloggs@intilery.com") == (found["firstName"], found["externalId"])
    by_email = answered("intilery_traits", {"who": "email:1"}, fixture("intilery/profile-traits-by-email.json"))
    assert found == by_email


def test_metadata_is_found_whichever_end_its_path_has() -> None:
    unknown = fixture("intilery/error-profile-not-found-meta.json", 404)
    found = answered("intilery_meta", {"who": "userId:1"}, unknown, fixture("intilery/profile-meta.json"))
    assert "audience_board" in found["audiencesStatic"]


QUESTION: dict[str, Any] = {"who": "userId:1", "include": None, "exclude": [], "start": None, "size": 100}


def test_events_are_those_of_the_documents() -> None:
    found = answered("intilery_events", QUESTION, fixture("intilery/profile-events.json"))
    assert ["email_opened", "email_opened"] == [event["eventAction"] for event in found]


def test_events_of_two_customers_are_an_error() -> None:
    body = b'{"data":[{"eventId":"1","id":"a"},{"eventId":"2","id":"b"}]}'
    with pytest.raises(NotOne, match="2 profiles have this email"):
        answered("intilery_events", QUESTION, Answer(200, body=body))


def test_events_are_asked_for_by_days_where_times_are_refused_and_cut_here() -> None:
    body = json.dumps(
        {
            "data": [
                {"eventId": "1", "eventTime": "2026-11-01T09:00:00Z"},
                {"eventId": "2", "eventTime": "2026-11-01T13:00:00Z"},
            ]
        }
    ).encode()
    asked = QUESTION | {"start": NOON}
    talk = Lookup.kinds["intilery_events"].talk(connection("intilery"), asked)
    assert "start=2026-11-01T12%3A00%3A00.000Z" in str(next(talk).url)
    assert "start=2026-11-01&" in str(talk.send(Answer(400)).url)
    with pytest.raises(StopIteration) as end:
        talk.send(Answer(200, body=body))
    assert ["2"] == [event["eventId"] for event in end.value.value]


def test_matches_are_those_of_the_documents() -> None:
    found = answered("intempt_matches", {"profile": "1"}, fixture("intempt/matches-by-profile.json"))
    assert {
        "masterId": "182233620328374272",
        "profileIds": ["182233618306719744", "182233618306719715", "182233618306771518"],
        "matchedEvents": ["newtestevent"],
        "lastUpdated": "2021-01-13T09:09:52.207+00:00",
    } == found


def test_segmentations_are_those_of_the_documents() -> None:
    (one,) = answered("intempt_segmentations", {"master": "1"}, fixture("intempt/segmentations.json"))
    assert ("200382528132874240", "200382140847620096") == (one["id"], one["masterId"])


def test_an_item_is_that_of_the_documents() -> None:
    found = answered("intempt_item", {"collection": "1", "id": "2"}, fixture("intempt/data-item.json"))
    assert ("24663674875432960", "19554189106348032", 10) == (found["id"], found["collId"], found["data"]["roomId"])
