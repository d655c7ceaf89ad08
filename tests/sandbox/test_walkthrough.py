"""Intempt's documents, line by line, with curl: only the host, the organisation, ids and the key are filled in."""

import json
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.sandbox.intempt import Intempt

FIXTURES = Path(__file__).parent.parent / "fixtures" / "intempt"
TRACKER, PROFILE, BOOKING, ITEM = 23525541210886144, 63065212245184512, 19554189106348032, 24663674875432960
AUTHORIZATION = ("-H", "Authorization: ApiKey pfx.secret")


class Curl:
    """Runs it as the documents print it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __call__(self, url: str, *options: str) -> tuple[int, dict[str, str], str]:
        """Status, headers and body."""
        command = ["curl", "--silent", "--noproxy", "*", "--include", url.replace("https://api.intempt.com", self.url)]
        done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=20, check=True)
        head, _, body = done.stdout.replace("\r\n", "\n").partition("\n\n")
        first, *lines = head.splitlines()
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        return int(first.split()[1]), headers, body

    def json(self, url: str, *options: str) -> Any:
        """What a request that works says."""
        status, _, body = self(url, *AUTHORIZATION, *options)
        assert 200 == status, body
        return json.loads(body)


@pytest.fixture
def curl(intempt: Intempt) -> Curl:
    return Curl(intempt.client.url)


def keys(value: Any) -> Any:
    """The names in a JSON value, and the kinds of its values."""
    if isinstance(value, dict):
        return {name: keys(one) for name, one in value.items()}
    return [keys(one) for one in value] if isinstance(value, list) else type(value)


def fixture(name: str) -> Any:
    return json.loads((FIXTURES / f"{name}.json").read_text())


def test_introduction(curl: Curl) -> None:
    status, _, body = curl("https://api.intempt.com/")
    shown = {name: value for name, value in json.loads(body).items() if name != "sandbox"}  # ours says more
    assert (200, keys(fixture("service-root"))) == (status, keys(shown))


@pytest.mark.parametrize(
    ("url", "printed"),
    [
        (f"https://api.intempt.com/v1/your-org/collections/{BOOKING}/data/{ITEM}", "data-item"),
        (f"https://api.intempt.com/v1/your-org/collections/{BOOKING}/data", "data-items"),
        ("https://api.intempt.com/v1/org-name/events/matches?profileId=182233618306719744", "matches-by-profile"),
        ("https://api.intempt.com/v1/org-name/segmentations/latest?profileId=200382140415606784", "segmentations"),
    ],
)
def test_retrieving(curl: Curl, url: str, printed: str) -> None:
    assert keys(fixture(printed)) == keys(curl.json(url, "-X", "GET"))


def test_deleting_a_data_item(curl: Curl) -> None:
    url = f"https://api.intempt.com/v1/your-org/collections/{BOOKING}/data/{ITEM}"
    assert ITEM == curl.json(url, "-X", "DELETE")["id"]
    assert 404 == curl(url, *AUTHORIZATION)[0]


def test_from_a_collection_to_a_match_and_a_segment(curl: Curl, intempt: Intempt) -> None:
    intempt.order("events", {"name": "seen", "collection": "profile", "filter": [[{"field": "identifier"}]]})
    intempt.order("segments", {"name": "known", "filter": [[{"event": "seen"}]]})
    one, many = ((FIXTURES / f"post-{name}.json").read_text() for name in ("item", "source-data"))
    below = "https://api.intempt.com/v1/acme"
    for path, body in ((f"collections/{PROFILE}/data", one), (f"sources/{TRACKER}/data", many)):
        assert 201 == curl(f"{below}/{path}", "-X", "POST", *AUTHORIZATION, "--data-raw", body)[0]
    [item] = curl.json(f"{below}/collections/{PROFILE}/data")["_embedded"]["dataItemList"]
    assert (fixture("post-item"), ["seen"]) == (item["data"], item["matches"])
    profile = quote(json.dumps({"visitorId": "194jso4nfja-fanjs-1584"}))
    found = curl.json(f"{below}/segmentations/latest?sourceId={TRACKER}&profile={profile}")
    [segmentation] = found["_embedded"]["segmentations"]
    matches = curl.json(f"{below}/events/matches?masterId={segmentation['masterId']}", "-X", "GET")
    assert (["seen"], segmentation["profileIds"]) == (
        matches["matchedEvents"],
        [str(id) for id in matches["profileIds"]],
    )


def test_using_a_csv_file(curl: Curl, intempt: Intempt) -> None:
    fields = {"fieldName1": "string", "fieldName2": "double", "fieldName3": "boolean"}
    id = intempt.order("collections", {"name": "csv", "fields": fields, "primary": "fieldName1"})["id"]
    url = f"https://api.intempt.com/v1/acme/collections/{id}/data"
    status, headers, _ = curl(url, "-X", "POST", *AUTHORIZATION, "-H", "Content-Type: text/csv")
    assert 307 == status
    assert 200 == curl(headers["location"], "--upload-file", str(FIXTURES / "rows.csv"))[0]
    assert 2 == len(curl.json(url)["_embedded"]["dataItemList"])


def test_track_data(curl: Curl) -> None:
    url = "https://api.intempt.com/v1/acme/projects/shop/sources/0/track?apiKey=pfx.secret"
    body = (FIXTURES / "track.json").read_text()
    content = ("--header", "Content-Type: application/json")
    answer = curl(url, "--location", "--request", "POST", *content, "--data-raw", body)
    assert (201, "") == (answer[0], answer[2])
