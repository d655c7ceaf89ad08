"""The `webhook` action: what is sent, and what cannot be."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from connector.actions import Action, Destination, Finding, findings, load_all
from connector.errors import ConfigurationError, RenderError
from connector.model import HOUR, Answer, Message, Rate, Verdict
from tests.actions.samples import action, event, scope

load_all()
Webhook = Action.kinds["webhook"]


def render(text: str, **parts: Any) -> Message:
    return action(text).render(scope(**parts), event())


def mistakes(**keys: Any) -> list[Finding]:
    with pytest.raises(ValidationError) as caught:
        Webhook.model_validate(keys)
    return findings(caught.value, Webhook)


# ── body ──────────────────────────────────────────────────────────────────────────────────────


def test_a_json_body_is_compact_and_keeps_types_and_integers() -> None:
    text = """
webhook:
  json:
    id: "{{ properties.id }}"
    n: 1
    list: ["{{ properties.price|number }}", two, true]
    whole: "{{ properties.products }}"
    name: "É {{ properties.name }}"
"""
    properties = {"id": 182233618306719715, "price": "1.50", "products": [{"sku": None}], "name": "漢"}
    message = render(text, properties=properties)
    assert (
        '{"id":182233618306719715,"n":1,"list":[1.5,"two",true],"whole":[{"sku":null}],"name":"É 漢"}'.encode()
        == message.body
    )
    assert (("Content-Type", "application/json"),) == message.headers
    assert "POST" == message.method


def test_default_omit_drops_keys_and_items() -> None:
    text = "webhook: {json: {a: '{{ traits.a | default(omit) }}', b: ['{{ traits.b | default(omit) }}', 1], c: {d: 1}}}"
    assert {"b": [1], "c": {"d": 1}} == json.loads(render(text).body)


def test_a_whole_body_cannot_be_omitted() -> None:
    with pytest.raises(RenderError, match="the whole body is omitted"):
        render("webhook: {json: '{{ traits.a | default(omit) }}'}")


def test_an_absent_value_sends_nothing() -> None:
    with pytest.raises(RenderError, match=r"properties\.sku is absent"):
        render("webhook: {json: {sku: '{{ properties.sku }}'}}")


def test_a_text_body_is_plain_text_unless_a_header_says_otherwise() -> None:
    plain = render("webhook: {text: 'Hi {{ event.userId }}'}")
    assert (b"Hi u1", (("Content-Type", "text/plain; charset=utf-8"),)) == (plain.body, plain.headers)
    other = render("webhook: {text: '<a/>', headers: {content-type: application/xml}}")
    assert (("content-type", "application/xml"),) == other.headers


def test_without_json_and_text_there_is_no_body() -> None:
    assert Message("DELETE", "/u/u1") == render("webhook: {method: DELETE, path: '/u/{{ event.userId }}'}")


def test_half_a_surrogate_pair_breaks_nothing() -> None:
    assert b'{"a":"?"}' == render("webhook: {json: {a: '{{ properties.a }}'}}", properties={"a": "\ud800"}).body
    assert b"?" == render("webhook: {text: '{{ properties.a }}'}", properties={"a": "\ud800"}).body


def test_a_body_has_at_most_256_kib() -> None:
    with pytest.raises(RenderError, match="too large"):
        render("webhook: {json: ['{{ properties.a }}', '{{ properties.a }}']}", properties={"a": "x" * 200_000})


# ── path and headers ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a b", "/c/a%20b/notes?x=1"),
        ("a/b?c#d", "/c/a%2Fb%3Fc%23d/notes?x=1"),
        ("a/b/./..c/d..", "/c/a%2Fb%2F.%2F..c%2Fd../notes?x=1"),
        ("100%2", "/c/100%252/notes?x=1"),
        ("a%2Fb", "/c/a%252Fb/notes?x=1"),
        ("é@", "/c/%C3%A9%40/notes?x=1"),
        (12, "/c/12/notes?x=1"),
    ],
)
def test_values_in_a_path_stay_one_segment(value: Any, expected: str) -> None:
    message = render("webhook: {path: '/c/{{ properties.id }}/notes?x=1'}", properties={"id": value})
    assert expected == message.path


@pytest.mark.parametrize(
    "value",
    [
        *(".", "..", "a/../../x", "../admin", "a/..", "..\\admin", "a\\..", "..;/admin", "a/..;x=1/b"),
        *("%2e%2e", "..%2Fadmin", "%2E%2E%5Cadmin", "%252e%252e%252fadmin", "%25252e%2e/x", "%" + "25" * 9 + "2e"),
    ],
)
def test_values_in_a_path_cannot_climb(value: str) -> None:
    with pytest.raises(RenderError, match="would climb"):
        render("webhook: {path: '/c/{{ properties.id }}/notes'}", properties={"id": value})
    with pytest.raises(RenderError, match="would climb"):
        render("webhook: {path: '/c/.{{ properties.id }}'}", properties={"id": "."})


def test_an_empty_value_in_a_path_is_refused() -> None:
    with pytest.raises(RenderError, match="a value in the path is empty"):
        render("webhook: {path: '/c/{{ properties.id }}'}", properties={"id": ""})


@pytest.mark.parametrize("value", ["a\r\nHost: evil", "a\nb", "\0", "\x7f", "漢", "\u2028", "x" * 8193])
def test_a_header_carries_no_line_breaks_and_nothing_beyond_latin_1(value: str) -> None:
    with pytest.raises(RenderError, match="the header X-Name cannot carry this value"):
        render("webhook: {headers: {X-Name: '{{ properties.name }}'}}", properties={"name": value})


def test_headers_are_rendered() -> None:
    message = render(
        "webhook: {headers: {X-Name: '{{ properties.name }}', X-N: '{{ 5 }}'}}", properties={"name": "é b"}
    )
    assert (("X-Name", "é b"), ("X-N", "5")) == message.headers


@given(value=st.text(max_size=40))
def test_whatever_a_value_is_the_path_keeps_its_shape(value: str) -> None:
    try:
        path = render("webhook: {path: '/c/{{ properties.id }}/notes'}", properties={"id": value}).path
    except RenderError:
        return
    assert ["", "c", "notes"] == [path.split("/")[n] for n in (0, 1, 3)]
    assert 4 == len(path.split("/"))
    assert path.isascii()


# ── mistakes ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("keys", "where", "message"),
    [
        ({"jsn": {}}, ("jsn",), "unknown key 'jsn'"),
        ({"method": "FETCH"}, ("method",), "must be 'GET', 'POST', 'PUT', 'PATCH' or 'DELETE'"),
        ({"method": "{{ 'GET' }}"}, ("method",), "must be 'GET', 'POST', 'PUT', 'PATCH' or 'DELETE'"),
        ({"json": {}, "text": "x"}, ("text",), "a webhook has `json` or `text`, not both"),
        ({"json": {}, "method": "GET"}, ("method",), "a GET carries no body"),
        ({"text": 5}, ("text",), "must be text"),
        ({"text": "event.userId"}, ("text",), "event.userId is sent as this very text"),
        ({"json": {"a": [1, "{{ propertis.x }}"]}}, ("json", "a", 1), "unknown name 'propertis'"),
        ({"json": {"{{ event.userId }}": 1}}, ("json", "{{ event.userId }}"), "a key cannot be a template"),
        ({"path": "notes"}, ("path",), "a path starts with /"),
        ({"path": "{{ event.userId }}"}, ("path",), "a path starts with /"),
        ({"path": "/a b"}, ("path",), "a path holds no spaces"),
        ({"path": "/a#b"}, ("path",), "a path holds no spaces"),
        ({"path": "/a/../b"}, ("path",), "a path has no . or .. segments"),
        ({"path": "/a/%2e%2e/b"}, ("path",), "a path has no . or .. segments"),
        ({"headers": "X"}, ("headers",), "headers are a mapping"),
        ({"headers": {"X A": "b"}}, ("headers", "X A"), "'X A' is no header name"),
        ({"headers": {"{{ event.userId }}": "b"}}, ("headers", "{{ event.userId }}"), "is no header name"),
        ({"headers": {"A": "b", "a": "b"}}, ("headers", "a"), "the header a stands there twice"),
        ({"headers": {"A": "${TOKEN}"}}, ("headers", "A"), "secrets are not read in recipes"),
        ({"headers": {"A": "{{ x }}"}}, ("headers", "A"), "unknown name 'x'"),
        *(
            ({"headers": {name: "b"}}, ("headers", name), f"the header {name} is set by the connector itself")
            for name in (
                "Host",
                "host",
                "webhook-id",
                "Webhook-X",
                "Idempotency-Key",
                "Content-Length",
                "Transfer-Encoding",
            )
        ),
    ],
)
def test_mistakes_have_their_place(keys: dict[str, Any], where: tuple[str | int, ...], message: str) -> None:
    (finding,) = mistakes(**keys)
    assert where == finding.where
    assert message in finding.message


def test_all_mistakes_are_found_at_once() -> None:
    found = mistakes(jsn=1, path="x", json={"a": "{{ x }}", "b": "{{ y }}"}, headers={"Host": "a", "X": "{{ z }}"})
    expected = [("path",), ("headers", "Host"), ("headers", "X"), ("json", "a"), ("json", "b"), ("jsn",)]
    assert expected == [finding.where for finding in found]


def test_mistakes_have_hints_and_places_within_the_text() -> None:
    assert [("did you mean 'json'?", True)] == [(each.hint, each.key) for each in mistakes(jsn={})]
    assert [(2, 3)] == [(each.line, each.column) for each in mistakes(text="a\n{{propertis.x}}")]


# ── answers ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        *((status, "delivered") for status in (200, 201, 202, 204, 299)),
        *((status, "retry") for status in (100, 408, 425, 500, 502, 503, 504, 599)),
        (429, "throttled"),
        *((status, "refused") for status in (401, 403, 410)),
        *((status, "dead") for status in (300, 301, 302, 304, 307, 308, 400, 404, 405, 409, 413, 415, 422, 451)),
    ],
)
def test_verdicts(status: int, outcome: str) -> None:
    assert outcome == Webhook.judge(Answer(status)).outcome


DATE = "Sun, 01 Nov 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("value", "date", "expected"),
    [
        ("2", "", 2_000),
        ("0", "", 0),
        (" 120 ", "", 120_000),
        ("3601", "", HOUR),
        ("99999999999999999999", "", HOUR),
        ("9" * 5000, "", HOUR),
        ("-5", "", None),
        ("soon\x80", "", None),
        ("1.5", "", None),
        ("٣", "", None),
        ("", "", None),
        ("Sun, 01 Nov 2026 12:00:30 GMT", DATE, 30_000),
        ("Sun, 01 Nov 2026 11:00:00 GMT", DATE, 0),
        ("Thu, 01 Jan 2099 00:00:00 GMT", DATE, HOUR),
        ("Sun, 01 Nov 2026 12:00:30 GMT", "", None),
        ("Sun, 01 Nov 2026 12:00:30", DATE, 30_000),
        ("Sun, 99 Nov 2026 12:00:30 GMT", DATE, None),
    ],
)
def test_retry_after_is_obeyed_within_an_hour_and_junk_is_ignored(value: str, date: str, expected: int | None) -> None:
    answer = Answer(429, {"retry-after": value, "date": date})
    assert Verdict("throttled", "HTTP 429", expected) == Webhook.judge(answer)


def test_retry_after_counts_for_503_too() -> None:
    assert 7_000 == Webhook.judge(Answer(503, {"retry-after": "7"})).after


# ── destination ───────────────────────────────────────────────────────────────────────────────

Make = Callable[..., Destination]


def test_the_address_headers_and_signature_come_from_the_destination(destination: Make) -> None:
    made = destination(
        '{webhook: "https://crm.example.com/hooks", sign: "${S}", headers: {x-source: "${H}"}, deadline: 5s}',
        S="s",
        H="h",
    )
    message = Message("PUT", "/notes", (("X-Source", "recipe"), ("Content-Type", "application/json")), b"{}")
    request = made.request(message, id="dlv_1", at=7)
    assert "https://crm.example.com/hooks" == request.url
    assert ["Content-Type", "x-source", "Idempotency-Key"] == [name for name, _ in request.headers]
    assert ("dlv_1", "/notes", 5_000, 7) == (request.headers[-1][1], request.path, request.deadline, request.at)
    assert request.sign is not None
    assert "s" == request.sign.reveal()


def test_a_secret_in_the_address_is_read_at_use(destination: Make) -> None:
    made = destination('{webhook: "https://crm.example.com/${KEY}?a=1"}', KEY="abc")
    assert "https://crm.example.com/abc?a=1" == made.secrets()[0].reveal()


def test_settings_of_a_destination(destination: Make) -> None:
    made = destination(
        '{webhook: "https://a.example/", rate: "${RATE:20/1s}", retry: {attempts: 10}, order_by: event.userId,'
        " guard: 5/1h, expires: 12h}"
    )
    assert (Rate(20, 1000), 10, "event.userId", Rate(5, HOUR), 12 * HOUR, 15_000) == (
        made.rate, made.attempts, made.order_by, made.guard, made.expires, made.deadline,
    )  # fmt: skip
    plain = destination('{webhook: "https://a.example/"}')
    assert (None, None, None, None, None) == (plain.rate, plain.attempts, plain.order_by, plain.guard, plain.expires)


@pytest.mark.parametrize(
    ("line", "column", "message"),
    [
        ('{webhok: "https://a.example/"}', 9, "here needs one kind of destination - did you mean 'webhook'?"),
        ('{webhook: "https://a.example/", slack: "https://b.example/"}', 9, "here needs one kind of destination"),
        ("{rate: 5/1s}", 9, "here needs one kind of destination"),
        ('{webhook: "crm.example.com"}', 19, "a webhook needs an absolute address"),
        ('{webhook: "ftp://a.example/"}', 19, "a webhook needs an absolute address"),
        ('{webhook: "https://a.example/a b"}', 19, "a webhook needs an absolute address"),
        ('{webhook: "https://u:p@a.example/"}', 19, "no user or password in an address"),
        ('{webhook: "https://a.example/#x"}', 19, "an address has no #fragment"),
        ('{webhook: "${URL}"}', 19, "scheme and host of a webhook are literal"),
        ('{webhook: "https://${HOST}.example/"}', 19, "scheme and host of a webhook are literal"),
        ('{webhook: "https://a.example${X}/"}', 19, "scheme and host of a webhook are literal"),
        ('{webhook: "https://a.example/", sgn: x}', 41, "unknown key 'sgn' - did you mean 'sign'?"),
        ('{webhook: "https://a.example/", sign: abc}', 47, "a signing secret is whsec_"),
        ('{webhook: "https://a.example/", rate: 5}', 47, "expected a rate such as"),
        ('{webhook: "https://a.example/", retry: {attempts: 0}}', 59, "greater than or equal to 1"),
        ('{webhook: "https://a.example/", deadline: 5m}', 51, "a deadline is 1s to 60s"),
        ('{webhook: "https://a.example/", order_by: userId}', 51, "expected a path such as"),
        ('{webhook: "https://a.example/", headers: {Host: x}}', 57, "the header Host is set by the connector itself"),
    ],
)
def test_mistakes_of_a_destination_have_their_place(destination: Make, line: str, column: int, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        destination(line, URL="u", HOST="h", X="x")
    (mistake,) = caught.value.mistakes
    assert message in f"{mistake.message} - {mistake.hint}"
    assert (2, column) == (mistake.line, mistake.column)
