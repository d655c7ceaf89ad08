"""Whatever is sent to a platform is answered: with a refusal, never with a defect of the sandbox."""

import base64
import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.sandbox import Sandbox
from connector.sandbox.request import Request
from tests.sandbox.intempt import SOURCE

FIXTURES = Path(__file__).parent.parent / "fixtures"
TRACKER, PROFILE, BOOKING = 23525541210886144, 63065212245184512, 19554189106348032
KEY = base64.b64encode(b"acme:acme:ACME").decode()
HEADERS = {"auth-token": "x", "content-type": "application/json", "authorization": "ApiKey a.b", "host": "127.0.0.1:1"}
ODD = st.sampled_from([None, True, 0, -1, 2**70, 1.5, "", "x", "7", "\ud800", [], [None], [{}], {}, {"x": None}])


def fixture(name: str) -> Any:
    return json.loads((FIXTURES / f"{name}.json").read_text())


T, A1, A2 = "/track/acme/acme/ACME/v1", "/v1/acme", "/v1/acme/projects/shop"
SCHEMA = {"type": "record", "name": "n", "fields": [{"name": "id", "type": "long", "identifier": {"primary": True}}]}
COMMAND = {"userId": "u1", "event": "start_journey", "properties": {"journeyIdToTrigger": "j"}, "assetId": "a"}
MESSAGE = {"type": "track", "userId": "u1", "event": "x", "writeKey": KEY, "context": {"traits": {"plan": "plus"}}}
VALID: list[tuple[str, str, Any]] = [
    ("POST", f"{T}/identify", fixture("intilery/identify")),
    ("POST", f"{T}/track", fixture("intilery/track-product-added")),
    ("POST", f"{T}/track", COMMAND),
    ("POST", f"{T}/page", fixture("intilery/page")),
    ("POST", f"{T}/screen", fixture("intilery/screen")),
    ("POST", f"{T}/batch", fixture("intilery/batch")),
    ("POST", f"{T}/regulations", {"regulation_type": "Delete", "attributes": {"name": "userId", "values": ["u1"]}}),
    ("POST", "/cdp/events/segment/t", MESSAGE),
    ("POST", "/cdp/events/segment/mobile/batch", {"writeKey": KEY, "batch": [MESSAGE], "context": {"ip": "x"}}),
    ("POST", f"{A2}/sources/{SOURCE}/track", fixture("intempt/track")),
    ("POST", f"{A2}/consents/data", {"action": "accept", "userId": "u1", "timestamp": 1795225081}),
    ("POST", f"{A2}/optimization/choose-api", {"identification": {"userId": "u1"}, "names": ["a"], "device": "all"}),
    ("POST", f"{A2}/feeds/5292/data", {"id": "u1", "type": "user", "fields": ["id"], "limit": 3, "offset": 1}),
    ("POST", f"{A1}/collections/{PROFILE}/data", fixture("intempt/post-item")),
    ("POST", f"{A1}/sources/{TRACKER}/data", fixture("intempt/post-source-data")),
    ("POST", f"{A1}/collections", {"name": "n", "sourceId": TRACKER, "schema": SCHEMA}),
    ("POST", f"{A1}/identifiers", {"collId": BOOKING, "type": "primary", "name": "x", "schema": SCHEMA}),
    ("POST", f"{A1}/sources", {"title": "T", "type": "api", "description": "d"}),
    ("PUT", f"{A2}/sources/{TRACKER}", {"title": "T", "name": "n"}),
    ("POST", f"{A2}/sources/{TRACKER}/properties", {"propertyName": "a", "propertyValue": "b"}),
    ("POST", f"{A2}/consents", {"regulation": "GDPR", "purpose": "p"}),
]
READS = [f"{T}/profiles/userId:u1/traits", f"{T}/profiles/email:x/meta", f"{T}/profiles/id:x/events", f"{T}/profiles"]


def places(value: Any) -> Iterator[tuple[Any, ...]]:
    """The path to each value in a JSON value."""
    yield ()
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in members:
        for place in places(one):
            yield (name, *place)


def replaced(body: Any, place: tuple[Any, ...], value: Any) -> Any:
    if not place:
        return value
    body = copy.deepcopy(body)
    inner = body
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    return body


def ask(here: Sandbox, method: str, path: str, body: Any = None, query: str = "") -> int:
    asked = Request(method, path, query, HEADERS, json.dumps(body).encode())
    return (here.intempt if path.startswith("/v1/") else here.intilery).answer(asked).status


@pytest.fixture
def here() -> Sandbox:
    made = Sandbox(switches={"rate_limit": "off", "intempt_rate": "off", "regulations": "historical"})
    made.organization("acme").person([7], users=["u1"], segments=["s"])
    made.account().identify("u1", {"email": "x"})
    return made


@pytest.mark.parametrize(("method", "path", "body"), VALID, ids=[path for _, path, _ in VALID])
@given(data=st.data())
@settings(max_examples=100)
def test_a_body_with_one_wrong_value_is_answered(method: str, path: str, body: Any, data: Any) -> None:
    here = Sandbox(switches={"rate_limit": "off", "intempt_rate": "off", "regulations": "historical"})
    place = data.draw(st.sampled_from(list(places(body))), "place")
    wrong = replaced(body, place, data.draw(ODD, "value"))
    assert ask(here, method, path, wrong) in {200, 201, 400, 404, 413}
    assert {ask(here, "GET", read) for read in READS} <= {200, 400, 404}


@pytest.mark.parametrize(("method", "path", "body"), VALID, ids=[path for _, path, _ in VALID])
def test_the_body_itself_is_taken(here: Sandbox, method: str, path: str, body: Any) -> None:
    assert ask(here, method, path, body) in {200, 201}


@pytest.mark.parametrize(
    "query", ["", "page=x", "page=-1", "size=x", "sourceId=x&profile=x", "profileId=%FF", "scrollId="]
)
@pytest.mark.parametrize(
    "path",
    [
        *READS,
        f"{T}/events",
        f"{T}/regulations",
        f"{A1}/events/matches",
        f"{A1}/segmentations/latest",
        f"{A1}/collections/{BOOKING}/data",
        f"{A1}/sources",
        f"{A2}/consents",
    ],
)
def test_any_query_is_answered(here: Sandbox, path: str, query: str) -> None:
    here.switches.set({"intempt_pages": "next"})
    assert ask(here, "GET", path, query=query) in {200, 400, 404}
