"""Collections, their keys and their data, one by one, all at once, and as CSV."""

import json
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.sandbox.intempt import KEY, Intempt, error

FIXTURES = Path(__file__).parent.parent / "fixtures" / "intempt"
BOOKING, ITEM = 19554189106348032, 24663674875432960  # the documents'
PROFILE, TRACKER = 63065212245184512, 23525541210886144
ROOMS = {"name": "rooms", "fields": {"id": "long", "price": ["null", "double"], "name": "string"}, "primary": "id"}


def fixture(name: str) -> Any:
    return json.loads((FIXTURES / f"{name}.json").read_text())


def without_links(value: Any) -> Any:
    """The same without `_links`: their host is ours."""
    if isinstance(value, dict):
        return {name: without_links(one) for name, one in value.items() if name != "_links"}
    return [without_links(one) for one in value] if isinstance(value, list) else value


@pytest.fixture
def rooms(intempt: Intempt) -> str:
    """A collection of rooms; its id."""
    return str(intempt.order("collections", ROOMS)["id"])


def data(intempt: Intempt, collection: Any) -> list[Any]:
    return [one["data"] for one in intempt.get(f"collections/{collection}/data")["_embedded"]["dataItemList"]]


# ── reading ───────────────────────────────────────────────────────────────────────────────────


def test_the_documents_item_and_list_are_ours(intempt: Intempt) -> None:
    assert without_links(fixture("data-item")) == without_links(intempt.get(f"collections/{BOOKING}/data/{ITEM}"))
    assert without_links(fixture("data-items")) == without_links(intempt.get(f"collections/{BOOKING}/data"))


def test_links_lead_to_where_one_is_with_the_scheme_that_is_printed(intempt: Intempt) -> None:
    own = intempt.get(f"collections/{BOOKING}/data/{ITEM}")["_links"]["self"]["href"]
    assert f"https://127.0.0.1:{intempt.client.sandbox.port}/v1/acme/collections/{BOOKING}/data/{ITEM}" == own
    intempt.switch(intempt_links="http")
    assert intempt.get(f"collections/{BOOKING}/data")["_links"]["self"]["href"].startswith("http://")


def test_a_long_list_is_whole_or_in_pages(intempt: Intempt, rooms: str) -> None:
    intempt.order("items", {"collection": "rooms", "items": [{"id": n} for n in range(250)]})
    assert 250 == len(data(intempt, rooms))
    intempt.switch(intempt_pages="next")
    seen, path = [], f"collections/{rooms}/data"
    while path:
        answer = intempt.get(path)
        seen += [one["data"]["id"] for one in answer["_embedded"]["dataItemList"]]
        path = answer["_links"].get("next", {}).get("href", "").partition("/v1/acme/")[2]
    assert list(range(250)) == sorted(seen)


def test_an_empty_list_may_have_nothing_embedded(intempt: Intempt, rooms: str) -> None:
    assert [] == data(intempt, rooms)
    intempt.switch(intempt_empty="missing")
    assert {"_links"} == set(intempt.get(f"collections/{rooms}/data"))


@pytest.mark.parametrize("path", [f"collections/{BOOKING}/data/7", "collections/7/data", "collections/7/data/7"])
def test_what_is_unknown_is_not_found(intempt: Intempt, path: str) -> None:
    assert (404, "The specified data could not be found.") == error(intempt.ask("GET", path))


# ── putting in, taking out ────────────────────────────────────────────────────────────────────


def test_an_item_is_put_in(intempt: Intempt, rooms: str) -> None:
    answer = intempt.ask("POST", f"collections/{rooms}/data", {"id": 10, "price": 79.5, "name": "Attic"})
    assert (201, b"") == (answer.status_code, answer.content)
    assert [{"id": 10, "price": 79.5, "name": "Attic"}] == data(intempt, rooms)


def test_the_answer_may_be_what_was_stored(intempt: Intempt, rooms: str) -> None:
    intempt.switch(intempt_created="item")
    answer = intempt.ask("POST", f"collections/{rooms}/data", {"id": 10})
    assert (201, answer.json()) == (answer.status_code, intempt.get(f"collections/{rooms}/data/{answer.json()['id']}"))


def test_ids_are_past_what_a_double_holds(intempt: Intempt, rooms: str) -> None:
    intempt.order("items", {"collection": "rooms", "items": [{"id": 1}]})
    [one] = intempt.get(f"collections/{rooms}/data")["_embedded"]["dataItemList"]
    assert one["id"] > 2**53
    assert one["collId"] == int(rooms)


def test_the_same_primary_key_overwrites(intempt: Intempt, rooms: str) -> None:
    for name in ("Attic", "Loft"):
        intempt.ask("POST", f"collections/{rooms}/data", {"id": 10, "name": name})
    assert [{"id": 10, "name": "Loft"}] == data(intempt, rooms)


def test_fields_that_the_schema_has_not_are_ignored(intempt: Intempt, rooms: str) -> None:
    intempt.ask("POST", f"collections/{rooms}/data", {"id": 10, "colour": "blue"})
    assert [{"id": 10}] == data(intempt, rooms)


def test_a_value_of_several_types_says_which(intempt: Intempt) -> None:
    fields = {"id": "long", "fieldName": ["string", "long", "double"]}
    id = intempt.order("collections", {"name": "unions", "fields": fields, "primary": "id"})["id"]
    bare = intempt.ask("POST", f"collections/{id}/data", {"id": 1, "fieldName": 3.14})
    assert (400, 'fieldName must say its type, for example {"fieldName": {"string": …}}') == error(bare)
    assert 201 == intempt.ask("POST", f"collections/{id}/data", {"id": 1, **fixture("union-value")}).status_code
    assert [{"id": 1, "fieldName": 3.14}] == data(intempt, id)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"id": "10"}, 'id must be "long"'),
        ({"id": True}, 'id must be "long"'),
        ({"id": 2**63}, 'id must be "long"'),
        ({"id": 1, "price": "5"}, 'price must be ["null", "double"]'),
        ({"id": 1, "name": None}, 'name must be "string"'),
        ({"name": "Attic"}, "id must not be empty"),
        ([{"id": 1}], "a data item must be a JSON object"),
        (b"{", "Malformed JSON"),
    ],
)
def test_what_does_not_fit_is_refused(intempt: Intempt, rooms: str, body: Any, message: str) -> None:
    answer = intempt.ask("POST", f"collections/{rooms}/data", body)
    assert 400 == answer.status_code
    assert message in error(answer)[1]
    assert [] == data(intempt, rooms)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ({"type": "string", "logicalType": "date"}, "2019-10-25", 5),
        ({"type": "array", "items": "int"}, [1, 2], [1, "2"]),
        ({"type": "map", "values": "boolean"}, {"a": True}, {"a": 1}),
        ({"type": "enum", "name": "e", "symbols": ["A"]}, "A", "B"),
        ({"type": "record", "name": "r", "fields": [{"name": "n", "type": "int"}]}, {"n": 1}, {"n": 2**31}),
        (["null", {"type": "array", "items": "string"}], None, 7),
        ("bytes", "x", 7),
        ("float", 1, "1"),
        ("null", None, 0),
    ],
)
def test_avro_s_types_are_known(intempt: Intempt, kind: Any, good: Any, bad: Any) -> None:
    id = intempt.order("collections", {"name": "any", "fields": {"id": "int", "x": kind}, "primary": "id"})["id"]
    assert 201 == intempt.ask("POST", f"collections/{id}/data", {"id": 1, "x": good}).status_code
    assert 400 == intempt.ask("POST", f"collections/{id}/data", {"id": 1, "x": bad}).status_code
    assert [{"id": 1, "x": good}] == data(intempt, id)


def test_without_a_primary_key_nothing_can_be_put_in(intempt: Intempt) -> None:
    id = intempt.order("collections", {"name": "keyless", "fields": {"id": "long"}})["id"]
    answer = intempt.ask("POST", f"collections/{id}/data", {"id": 1})
    assert (400, "collection keyless has no primary key") == error(answer)


def test_a_deleted_item_is_sent_back_and_gone(intempt: Intempt) -> None:
    answer = intempt.ask("DELETE", f"collections/{BOOKING}/data/{ITEM}")
    assert (200, without_links(fixture("data-item"))) == (answer.status_code, without_links(answer.json()))
    assert 404 == intempt.ask("DELETE", f"collections/{BOOKING}/data/{ITEM}").status_code


# ── a source's data ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("below", ["", "/"])
def test_a_source_s_data_goes_to_its_collections(intempt: Intempt, below: str) -> None:
    answer = intempt.ask("POST", f"{below}sources/{TRACKER}/data", fixture("post-source-data"))
    assert (201, b"") == (answer.status_code, answer.content)
    assert [fixture("post-item")] == data(intempt, PROFILE)  # the same visitor twice


def test_what_was_made_may_be_the_answer(intempt: Intempt) -> None:
    intempt.switch(intempt_created="item")
    answer = intempt.ask("POST", f"sources/{TRACKER}/data", {"profile": [{"visitorId": "v1"}, {"visitorId": "v2"}]})
    made = answer.json()["_embedded"]["data"]
    assert [{"visitorId": "v1"}, {"visitorId": "v2"}] == [one["data"] for one in made]
    assert {"collId", "id", "updated", "data", "_links"} == set(made[0])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"profile": [{"visitorId": "v1"}, {"visitorId": 5}]}, "visitorId must be"),
        ({"profile": [{"visitorId": "v1"}], "unknown": [{}]}, f"source {TRACKER} has no collection unknown"),
        ({"profile": [{"visitorId": "v1"}], "booking": [{"id": 1}]}, f"source {TRACKER} has no collection booking"),
        ({"profile": {"visitorId": "v1"}}, "profile must be an array"),
    ],
)
def test_one_mistake_refuses_all(intempt: Intempt, body: Any, said: str) -> None:
    answer = intempt.ask("POST", f"sources/{TRACKER}/data", body)
    assert 400 == answer.status_code
    assert said in error(answer)[1]
    assert [] == data(intempt, PROFILE)


def test_mistakes_may_be_suppressed(intempt: Intempt) -> None:
    body = {"profile": [{"visitorId": "v1"}, {"visitorId": 5}], "unknown": [{}]}
    assert 201 == intempt.ask("POST", f"/sources/{TRACKER}/data?suppressErrors=true", body).status_code
    assert [{"visitorId": "v1"}] == data(intempt, PROFILE)


# ── CSV ───────────────────────────────────────────────────────────────────────────────────────


def where(intempt: Intempt, collection: str) -> str:
    answer = intempt.ask("POST", f"collections/{collection}/data", headers=KEY | {"content-type": "text/csv"})
    assert (307, b"") == (answer.status_code, answer.content)
    return answer.headers["Location"]


def put(url: str, body: bytes = b"", method: str = "PUT", **headers: str) -> requests.Response:
    return requests.request(method, url, data=body, headers=headers, timeout=10)


def test_a_csv_file_is_put_where_the_answer_says(intempt: Intempt) -> None:
    fields = {"fieldName1": "string", "fieldName2": "double", "fieldName3": "boolean"}
    id = intempt.order("collections", {"name": "csv", "fields": fields, "primary": "fieldName1"})["id"]
    url = where(intempt, id)
    assert url.startswith(f"http://localhost:{intempt.client.sandbox.port}/")
    assert 200 == put(url, (FIXTURES / "rows.csv").read_bytes()).status_code
    assert [
        {"fieldName1": "value2", "fieldName2": 1.16, "fieldName3": False},
        {"fieldName1": "value1", "fieldName2": 3.1415, "fieldName3": True},
    ] == data(intempt, id)


def test_the_place_takes_neither_a_key_nor_a_post(intempt: Intempt, rooms: str) -> None:
    url = where(intempt, rooms)
    keyed, posted = put(url, b"id\n1\n", **KEY), put(url, b"id\n1\n", "POST")
    assert (400, 405) == (keyed.status_code, posted.status_code)
    assert "Only one auth mechanism allowed" in keyed.text
    assert [] == data(intempt, rooms)


def test_the_place_is_good_for_a_quarter_of_an_hour(intempt: Intempt, rooms: str) -> None:
    url = where(intempt, rooms)
    intempt.client.clock.now += 900_001
    assert [403, 403, 403] == [
        put(one).status_code for one in (url, url.partition("?")[0], url.replace(".csv", "0.csv"))
    ]


def test_rows_that_do_not_fit_are_left_out_in_silence(intempt: Intempt) -> None:
    fields = {"id": "long", "x": ["null", "long", "string"]}
    id = intempt.order("collections", {"name": "csv", "fields": fields, "primary": "id"})["id"]
    rows = '\ufeffid,x,colour\r\n1,,blue\r\n2,5,\r\nno,5,\r\n3,"a, b",\r\n,7,\r\n'
    put(where(intempt, id), rows.encode())
    assert [{"id": 3, "x": "a, b"}, {"id": 2, "x": 5}, {"id": 1, "x": None}] == data(intempt, id)


def test_a_redirect_elsewhere_is_a_fault(intempt: Intempt, rooms: str) -> None:
    intempt.client.fault("redirect", only="intempt.items", location="http://169.254.169.254/latest")
    assert "http://169.254.169.254/latest" == where(intempt, rooms)


# ── setting up through the API ────────────────────────────────────────────────────────────────


def create(intempt: Intempt) -> str:
    schema = {
        "type": "record",
        "name": "character",
        "namespace": "films",
        "fields": [
            {"name": "id", "type": "long", "identifier": {"primary": True}},
            {"name": "name", "type": "string"},
        ],
    }
    body = {"sourceId": TRACKER, "name": "character", "schema": schema}
    answer = intempt.ask("POST", "collections", body)
    assert 201 == answer.status_code, answer.text
    return str(answer.json()["id"])


def test_a_collection_is_created_read_found_and_deleted(intempt: Intempt) -> None:
    id = create(intempt)
    made = intempt.get(f"collections/{id}")
    assert {"id", "sourceId", "name", "profile", "event", "schema", "_links"} == set(made)
    assert [made] == intempt.get("collections", name="character")["_embedded"]["collections"]
    assert made in intempt.get(f"sources/{TRACKER}/collections")["_embedded"]["collections"]
    assert made == intempt.ask("DELETE", f"collections/{id}").json()
    assert 404 == intempt.ask("GET", f"collections/{id}").status_code


def test_a_schema_may_say_its_primary_key(intempt: Intempt) -> None:
    id = create(intempt)
    assert 201 == intempt.ask("POST", f"collections/{id}/data", {"id": 1, "name": "Batman"}).status_code


def test_an_identifier_makes_the_primary_key(intempt: Intempt) -> None:
    id = intempt.order("collections", {"name": "demo", "fields": {"id": "long", "room": "long"}})["id"]
    schema = {"type": "record", "name": "demo.id", "namespace": "demo", "fields": [{"name": "id", "type": "long"}]}
    body = {"collId": id, "type": "primary", "name": "demo.id", "schema": schema}
    answer = intempt.ask("POST", "identifiers", body)
    assert (201, body) == (answer.status_code, answer.json())
    assert 201 == intempt.ask("POST", f"collections/{id}/data", {"id": 1}).status_code
    second = {**body, "schema": {"fields": [{"name": "room"}]}}
    assert (400, "demo has a primary key already") == error(intempt.ask("POST", "identifiers", second))


def test_an_identifier_of_the_same_name_refers_to_it(intempt: Intempt) -> None:
    rooms, stays = (
        intempt.order("collections", {"name": name, "fields": fields, **more})["id"]
        for name, fields, more in (
            ("rooms", {"id": "long", "price": "double"}, {}),
            ("stays", {"id": "long", "who": "string", "room": "long"}, {"primary": "id", "profile": "who"}),
        )
    )
    one = {"collId": rooms, "type": "primary", "name": "room", "schema": {"fields": [{"name": "id"}]}}
    other = {"collId": stays, "type": "referenced", "name": "room", "schema": {"fields": [{"name": "room"}]}}
    assert [201, 201] == [intempt.ask("POST", "identifiers", body).status_code for body in (one, other)]
    chosen = [[{"field": "room.price", "operator": "greater", "value": 100}]]
    intempt.order("events", {"name": "splendid", "collection": "stays", "filter": chosen})
    intempt.order("items", {"collection": "rooms", "items": [{"id": 1, "price": 200.0}]})
    assert 201 == intempt.ask("POST", f"collections/{stays}/data", {"id": 1, "who": "v1", "room": 1}).status_code
    [stay] = intempt.get(f"collections/{stays}/data")["_embedded"]["dataItemList"]
    assert ["splendid"] == stay["matches"]


def test_a_relation_may_stand_in_the_schema(intempt: Intempt) -> None:
    relation = {"name": "film", "identifier": {"collection": "films", "name": "id"}}
    fields = [
        {"name": "id", "type": "long", "identifier": {"primary": True}},
        {"name": "movieId", "type": "long", "identifier": {"relation": relation}},
    ]
    body = {"name": "roles", "sourceId": TRACKER, "schema": {"type": "record", "name": "roles", "fields": fields}}
    assert 201 == intempt.ask("POST", "collections", body).status_code
    made = intempt.client.sandbox.organization("acme").collection_named("roles")
    assert {"film": ("movieId", "films")} == made.keys.relations


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("collections", {"name": "x", "sourceId": TRACKER}, "schema must be an Avro record"),
        ("collections", {"name": "x", "sourceId": 7, "schema": {"fields": []}}, "sourceId must be the id of a source"),
        ("collections", {"name": "", "sourceId": TRACKER, "schema": {"fields": []}}, "name must not be empty"),
        ("collections", {"name": "booking", "sourceId": TRACKER, "schema": {"fields": []}}, "booking already"),
        ("collections", {"name": "x", "sourceId": TRACKER, "schema": {"fields": [{}]}}, "must have a name and a type"),
        ("identifiers", {"collId": BOOKING, "schema": {"fields": [{"name": "nope"}]}}, "booking has no field nope"),
        ("identifiers", {"collId": BOOKING, "schema": {"fields": [{"name": "id"}]}}, "type must be primary, or"),
        ("identifiers", {"collId": BOOKING}, "schema must have one field"),
        ("sources", {}, "title must not be empty"),
        ("/consents", {"regulation": "DSGVO", "purpose": "x"}, "regulation must be GDPR or CCPA"),
    ],
)
def test_what_cannot_be_set_up_is_told(intempt: Intempt, path: str, body: Any, said: str) -> None:
    answer = intempt.ask("POST", path, body)
    assert 400 == answer.status_code
    assert said in error(answer)[1]


def test_a_source_is_created_changed_and_deleted(intempt: Intempt) -> None:
    made = intempt.ask("POST", "/sources", {"title": "Point of Sale", "type": "api"}).json()
    assert ("point-of-sale", "Point of Sale", "api") == (made["name"], made["title"], made["type"])
    path = f"/sources/{made['id']}"
    assert "Till" == intempt.ask("PUT", path, {"title": "Till"}).json()["title"]
    assert "till.sandbox" == intempt.get(f"{path}/api-keys/current")["apiKey"]
    assert made["id"] in [one["id"] for one in intempt.get("sources")["_embedded"]["sources"]]
    assert made["id"] == intempt.ask("DELETE", path).json()["id"]
    assert 404 == intempt.ask("GET", path).status_code


def test_a_source_has_properties(intempt: Intempt) -> None:
    path = f"/sources/{TRACKER}/properties"
    made = intempt.ask("POST", path, {"propertyName": "domain", "propertyValue": "larder.example"})
    shown = {"sourceId": str(TRACKER), "propertyName": "domain", "propertyValue": "larder.example"}
    assert (201, shown) == (made.status_code, made.json())
    assert [shown] == intempt.get(path)["_embedded"]["propertyList"]
    assert "x" == intempt.ask("PUT", f"{path}/domain", {"propertyValue": "x"}).json()["propertyValue"]
    assert "x" == intempt.get(f"{path}/domain")["propertyValue"]
    assert 200 == intempt.ask("DELETE", f"{path}/domain").status_code
    assert [404, 404] == [intempt.ask(method, f"{path}/domain").status_code for method in ("GET", "DELETE")]


def test_purposes_of_consent_are_kept_by_regulation(intempt: Intempt) -> None:
    made = intempt.ask("POST", "/consents", {"regulation": "GDPR", "purpose": "marketing"}).json()
    assert [made] == intempt.get("/consents", regulation="GDPR")["_embedded"]["consentList"]
    assert [] == intempt.get("/consents", regulation="CCPA")["_embedded"]["consentList"]
    assert made == intempt.get(f"/consents/{made['id']}") == intempt.ask("DELETE", f"/consents/{made['id']}").json()
    assert 404 == intempt.ask("GET", f"/consents/{made['id']}").status_code
