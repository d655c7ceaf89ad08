"""Answers that are not what was asked for: an error with the platform's words, and the cursor stays."""

import gzip
import json

import pytest

from connector.errors import DeadlineExceeded, FeedRefused, FeedUnavailable, Unreachable
from connector.model import HOUR, MINUTE, SECOND, Answer
from tests.feeds.conftest import Start
from tests.feeds.fake import NOON, Entry, http_date, refused

BROKEN = {
    "html": b"<html><body>Bad Gateway</body></html>",
    "empty": b"",
    "truncated": b'{"data":[{"eventId":"a"},{"eventId":"b","rawDa',
    "a list": b"[]",
    "a text": b'"no events"',
    "null": b"null",
    "data is an object": b'{"data":{}}',
    "data is a number": b'{"data":7}',
    "data is NaN": b'{"data":NaN}',
    "data holds numbers": b'{"data":[1,2]}',
    "data holds null": b'{"data":[null]}',
    "NaN": b"NaN",
    "depth": b"[" * 100_000,
    "closed depth": b'{"data":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "error with 200": b'{"error":{"code":"internal_server_error","message":"sorry"}}',
    "error beside data": b'{"data":[],"error":"sorry"}',
    "refusal with 200": b'{"success":false,"message":"sorry"}',
    "gateway message": b'{"message":"Endpoint request timed out"}',
    "wrong charset": '{"data":[]}'.encode("utf-16"),
    "gzip": gzip.compress(b'{"data":[]}'),
    "scroll id only, with an error": b'{"scrollId":"x","errors":[{"message":"sorry"}]}',
    "trailing": b'{"data":[]}{"data":[]}',
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_an_answer_that_is_no_list_of_events_is_an_error(start: Start, body: bytes) -> None:
    poller = start()
    poller.run(until=NOON + MINUTE)
    before = dict(poller.cursors)
    poller.platform.before.append(lambda _: Answer(200, {"x-amzn-requestid": "11-22"}, body))
    with pytest.raises(FeedUnavailable) as caught:
        poller.read()
    assert "11-22" == caught.value.request_id
    assert before == poller.cursors


@pytest.mark.parametrize(
    "body", [b"{}", b'{"data":null}', b'{"scrollId":"x"}', b' {"data" : [ ] } ', b'{"data":[],"x":[{}]}']
)
def test_no_events_may_be_said_in_several_ways(start: Start, body: bytes) -> None:
    poller = start()
    poller.run(until=NOON + MINUTE)
    poller.platform.before.append(lambda _: Answer(200, {}, body))
    poller.read()
    assert poller.platform.now - SECOND < (poller.feed.read_to(poller.cursors) or 0)


@pytest.mark.parametrize(
    ("status", "kind", "clue"),
    [
        (400, FeedUnavailable, "the platform refuses the request"),
        (401, FeedRefused, "does not know the token"),
        (403, FeedRefused, "may not read this account"),
        (404, FeedUnavailable, "nothing is at this address"),
        (429, FeedUnavailable, "rate limit"),
        (204, FeedUnavailable, "has trouble"),
        (301, FeedUnavailable, "not followed"),
        (307, FeedUnavailable, "not followed"),
        (500, FeedUnavailable, "has trouble"),
        (503, FeedUnavailable, "has trouble"),
    ],
)
def test_a_refusal_says_what_to_do(start: Start, status: int, kind: type[Exception], clue: str) -> None:
    poller = start()
    poller.platform.before.append(lambda _: refused(status, "because"))
    with pytest.raises(kind, match=clue) as caught:
        poller.read()
    assert "it says: because" in str(caught.value)
    assert {} == poller.cursors


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"error":{"code":"authentication_error","message":"Bad key"}}', "Bad key"),
        (b'{"success":false,"message":"userId must not be empty"}', "userId must not be empty"),
        (b'{"message":"Forbidden"}', "Forbidden"),
        (b'{"errors":[{"message":"Identification is required"}]}', "Identification is required"),
        (b'{"error":"plain"}', "plain"),
        (b"<html>\n<b>502 Bad Gateway</b>\x00</html>", "<html> <b>502 Bad Gateway</b> </html>"),
        (b"x" * 5_000, "x" * 200 + "…"),
    ],
)
def test_a_refusal_repeats_the_platforms_words(start: Start, body: bytes, words: str) -> None:
    poller = start()
    poller.platform.before.append(lambda _: Answer(502, {}, body))
    with pytest.raises(FeedUnavailable) as caught:
        poller.read()
    assert caught.value.message.endswith(f"it says: {words}")


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("2", 2 * SECOND),
        ("0", 0),
        ("99999999999999999999", HOUR),
        ("-5", None),
        ("soon\x80", None),
        ("", None),
        (http_date(NOON + 30 * SECOND), 30 * SECOND),
        (http_date(NOON + 1_000 * HOUR), HOUR),
        (http_date(NOON - HOUR), 0),
        ("Thu, 99 Foo 2099 00:00:00 GMT", None),
    ],
)
def test_retry_after_is_read_and_bounded(start: Start, header: str, wait: int | None) -> None:
    poller = start()
    poller.platform.before.append(lambda _: Answer(429, {"retry-after": header, "date": http_date(NOON)}, b""))
    with pytest.raises(FeedUnavailable) as caught:
        poller.read()
    assert wait == caught.value.retry_after_ms


def test_trouble_on_the_way_is_trouble_of_the_feed(start: Start) -> None:
    for trouble in (Unreachable("connection refused"), DeadlineExceeded("no answer within 30s")):
        poller = start()

        def fail(_: object, trouble: Exception = trouble) -> None:
            raise trouble

        poller.platform.before.append(fail)
        with pytest.raises(FeedUnavailable, match=str(trouble)):
            poller.read()


def test_a_transient_400_in_the_middle_costs_nothing(start: Start) -> None:
    poller = start(pace=1)
    poller.poll()
    poller.platform.add(*(Entry(f"e{n}", NOON + 1_000 + n, NOON + 1_000 + n, NOON) for n in range(500)))
    poller.platform.now = NOON + 10 * SECOND
    poller.platform.before.append(
        lambda query: refused(400) if query["from"] != "0" and len(poller.platform.requests) % 3 == 0 else None
    )
    poller.read()
    assert 500 == len(poller.inbox)


def test_short_and_empty_answers_are_not_the_end(start: Start) -> None:
    poller = start(pace=1)
    poller.poll()
    poller.platform.add(*(Entry(f"e{n}", NOON + 1_000 + n, NOON + 1_000 + n, NOON) for n in range(500)))
    poller.platform.now = NOON + 10 * SECOND

    def shorten(query: dict[str, str]) -> Answer | None:
        if query["from"] == "0" or query["size"] == "1":
            return None
        kept = json.loads(poller.platform.answer(query).body)["data"][: len(poller.platform.requests) * 7 % 60]
        return Answer(200, {}, json.dumps({"data": kept}).encode())

    poller.platform.before.append(shorten)
    poller.read()
    assert 500 == len(poller.inbox)


def test_the_token_travels_as_a_header_and_shows_nowhere(start: Start) -> None:
    poller = start()
    requests = []

    async def send(request: object) -> Answer:
        requests.append(request)
        return refused(401, "no")

    poller.platform.send = send  # type: ignore[assignment,method-assign]
    with pytest.raises(FeedRefused) as caught:
        poller.read()
    headers = dict(requests[0].headers)  # type: ignore[attr-defined]
    assert "t0p" == headers["auth-token"].reveal()
    assert "application/json" == headers["content-type"]
    assert "t0p" not in f"{caught.value!r} {requests} {poller.feed!r}"
