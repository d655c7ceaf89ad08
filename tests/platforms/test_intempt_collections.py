"""Data items and CSV files: the documents' walk-through, pages that lead elsewhere, addresses that are secrets."""

from typing import Any

import pytest

from connector.errors import FeedUnavailable, NothingThere, RequestRefused
from connector.platforms.intempt import collections
from connector.settings import Connection
from tests.platforms.conftest import Make
from tests.platforms.samples import KEY, answer, fixture, says, sent

COLLECTION, ITEM = "19554189106348032", "24663674875432960"
OWN = f"/v1/my-org/collections/{COLLECTION}/data"


def test_an_item_is_asked_for_and_deleted_by_its_ids(intempt: Connection) -> None:
    one, gone = (sent(build(intempt, COLLECTION, ITEM)) for build in (collections.item, collections.delete_item))
    assert (("GET", f"{OWN}/{ITEM}"), ("DELETE", f"{OWN}/{ITEM}")) == ((one.method, one.path), (gone.method, gone.path))
    odd = sent(collections.item(intempt, "a/b", "c d"))
    assert ["collections", "a/b", "data", "c d"] == odd.parts[-4:]


@pytest.mark.parametrize("ids", [("", "1"), ("1", " "), ("..", "1")])
def test_without_an_id_nothing_is_deleted(intempt: Connection, ids: tuple[str, str]) -> None:
    with pytest.raises(RequestRefused, match="must not be empty"):
        collections.delete_item(intempt, *ids)


def test_the_documented_item_is_read_digit_by_digit() -> None:
    found = collections.parse_item(answer("intempt/data-item"))
    assert (ITEM, COLLECTION, ()) == (found.id, found.collection, found.matches)
    assert {"id": 4, "bookingDate": -1, "guestId": 2, "roomId": 10} == found.data
    assert found == collections.parse_removed(answer("intempt/data-item"))
    assert None is collections.parse_removed(says(None, 204))


def test_the_documented_list_is_read() -> None:
    found = collections.parse_items(answer("intempt/data-items"))
    assert (["24665844119130112", ITEM], "") == ([one.id for one in found.items], found.next)
    assert () == collections.parse_items(says({"_links": {}})).items


@pytest.mark.parametrize(
    "body", [{}, [], {"_embedded": {"dataItemList": [{"id": 1}]}}, {"_embedded": {"dataItemList": 1}}]
)
def test_what_is_no_list_of_items_is_no_empty_one(body: Any) -> None:
    with pytest.raises(FeedUnavailable):
        collections.parse_items(says(body))


def test_an_item_that_is_not_there_is_told() -> None:
    with pytest.raises(NothingThere):
        collections.parse_item(says({"errors": [{"message": "no"}]}, 404))


# ── pages ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_list_goes_on_on_the_configured_base(intempt: Connection, scheme: str) -> None:
    body = {"_links": {"next": {"href": f"{scheme}://API.intempt.com{OWN}?page=2&size=100"}}}
    after = collections.parse_items(says(body)).next
    asked = sent(collections.items(intempt, COLLECTION, after=after))
    assert ("https://api.intempt.com", OWN) == (asked.host, asked.path)
    assert [("page", "2"), ("size", "100")] == asked.query
    assert [("page", "3")] == sent(collections.items(intempt, COLLECTION, after="?page=3")).query


@pytest.mark.parametrize(
    "link",
    [
        f"https://evil.example{OWN}?page=2",
        f"https://api.intempt.com:8443{OWN}?page=2",
        f"https://api.intempt.com@evil.example{OWN}",
        f"//evil.example{OWN}",
        "https://api.intempt.com/v1/other-org/collections/1/data?page=2",
        f"ftp://other{OWN}",
    ],
)
def test_a_list_that_goes_on_elsewhere_is_not_followed(intempt: Connection, link: str) -> None:
    with pytest.raises(RequestRefused, match="where the key must not be sent"):
        collections.items(intempt, COLLECTION, after=link)


# ── writing ───────────────────────────────────────────────────────────────────────────────────


def test_the_documented_item_and_data_go_out_as_they_stand(intempt: Connection) -> None:
    one = sent(collections.add_item(intempt, COLLECTION, fixture("intempt/post-item")))
    assert ("POST", OWN, fixture("intempt/post-item")) == (one.method, one.path, one.json)
    many = sent(collections.add_data(intempt, "7", fixture("intempt/post-source-data")))
    assert ("/v1/my-org/sources/7/data", fixture("intempt/post-source-data")) == (many.path, many.json)
    assert [] == many.query


def test_errors_are_suppressed_below_the_project(intempt: Connection) -> None:
    asked = sent(collections.add_data(intempt, "7", fixture("intempt/source-data"), suppress_errors=True))
    assert ("/v1/my-org/projects/my-project/sources/7/data", [("suppressErrors", "true")]) == (asked.path, asked.query)
    assert fixture("intempt/source-data") == asked.json


def test_a_value_that_says_its_type_goes_out_as_it_stands(intempt: Connection) -> None:
    body = fixture("intempt/union-value")
    assert body == sent(collections.add_item(intempt, COLLECTION, body)).json


@pytest.mark.parametrize("body", [{}, [], {"a": []}, {"a": {}}, {"a": [1]}, "x"])
def test_what_is_no_data_is_not_sent(intempt: Connection, body: Any) -> None:
    with pytest.raises(RequestRefused):
        collections.add_data(intempt, "7", body)


def test_an_item_of_two_megabytes_is_not_sent(intempt: Connection) -> None:
    with pytest.raises(RequestRefused, match="at most 1,000,000 are taken"):
        collections.add_item(intempt, COLLECTION, {"text": "x" * 2_000_000})


# ── CSV files ─────────────────────────────────────────────────────────────────────────────────

PLACE = "https://bucket.s3.example.com/f.csv?X-Amz-Signature=abc%2Fdef"


def test_where_to_upload_is_asked_with_a_type_and_no_body(intempt: Connection) -> None:
    asked = sent(collections.upload_place(intempt, COLLECTION))
    assert ("POST", OWN, "text/csv", b"") == (asked.method, asked.path, asked.headers["content-type"], asked.body)
    assert "0" == asked.headers["content-length"]


def test_the_place_is_a_secret_and_gets_no_key(intempt: Connection, make: Make) -> None:
    place = collections.parse_upload_place(says(None, 307, location=PLACE))
    request = collections.put_file(intempt, place, 10)
    assert "Signature" not in repr(place) + repr(request)
    asked = sent(request)
    assert ("PUT", [("X-Amz-Signature", "abc/def")]) == (asked.method, asked.query)
    assert "authorization" not in asked.headers
    assert "content-type" not in asked.headers
    assert KEY not in str(asked)
    typed = sent(collections.put_file(make("intempt", dialect={"csv_type": "text/csv"}), place, 10))
    assert "text/csv" == typed.headers["content-type"]


@pytest.mark.parametrize(
    ("answered", "words"),
    [
        (says(None, 201), "it is no redirection"),
        (says(None, 307), "its Location is no address"),
        (says(None, 307, location="/f.csv"), "its Location is no address"),
        (says(None, 307, location="javascript:alert(1)"), "its Location is no address"),
        (says(None, 302, location=PLACE), "redirects, which is not followed"),
        (says({"errors": [{"message": "no"}]}, 404), "nobody has this id"),
    ],
)
def test_what_is_no_place_is_told_without_the_address(answered: Any, words: str) -> None:
    with pytest.raises(FeedUnavailable, match=words) as caught:
        collections.parse_upload_place(answered)
    assert "Signature" not in str(caught.value)


def test_a_storage_s_refusal_is_told_without_its_words() -> None:
    collections.parse_put(says(None))
    body = b"<Error><Code>SignatureDoesNotMatch</Code><SignatureProvided>abc/def</SignatureProvided></Error>"
    with pytest.raises(FeedUnavailable, match="good for a while only: upload again") as caught:
        collections.parse_put(says(body, 403, x_amz_request_id="S3-1"))
    assert ("S3-1", 403) == (caught.value.request_id, caught.value.status)
    assert "abc/def" not in str(caught.value)
    with pytest.raises(FeedUnavailable, match="it redirects, which is not followed"):
        collections.parse_put(says(None, 301, location=PLACE))
