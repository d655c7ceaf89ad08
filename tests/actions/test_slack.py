"""The `slack` action: what is posted, and what event data cannot do in it."""

import json
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from connector.actions import Action, Destination, findings, load_all
from connector.errors import ConfigurationError, RenderError
from connector.model import DAY, MINUTE, Answer, Rate, Verdict
from tests.actions.samples import action, event, scope

load_all()
Slack = Action.kinds["slack"]


def posted(text: str, **properties: Any) -> str:
    """The text that is posted for these properties."""
    made = action(json.dumps({"slack": {"to": "sales", "text": text}}))
    posted_text: str = json.loads(made.render(scope(properties=properties), event()).body)["text"]
    return posted_text


@pytest.mark.parametrize(
    "value",
    [
        "<!channel>",
        "<!here>",
        "<!subteam^S1>",
        "<@U123>",
        "<https://evil.test|https://bank.test>",
        "<!date^1^x|y>",
        "a&b",
    ],
)
def test_event_data_mentions_nobody_and_hides_no_link(value: str) -> None:
    text = posted("<!here> {{ properties.a }} & {{ [properties.a] | join }} {{ properties.a | tojson }}", a=value)
    escaped = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert f'<!here> {escaped} & {escaped} "{escaped}"' == text


def test_escaped_text_is_escaped_once() -> None:
    assert "&amp;lt;" == posted("{{ properties.a }}", a="&lt;")


def test_a_whole_expression_is_text_too() -> None:
    assert "5" == posted("{{ properties.a }}", a=5)


def test_names_and_links_are_not_guessed_and_nothing_is_unfurled() -> None:
    body = json.loads(action("slack: {text: Hi}").render(scope(), event()).body)
    expected = {"text": "Hi", "link_names": False, "parse": "none", "unfurl_links": False, "unfurl_media": False}
    assert expected == body


@pytest.mark.parametrize("key", ["channel", "username", "icon_emoji", "attachments", "link_names", "parse"])
def test_only_the_recipes_own_keys_exist(key: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Slack.model_validate({"text": "Hi", key: "x"})
    assert [f"unknown key {key!r}"] == [finding.message for finding in findings(caught.value, Slack)]


@pytest.mark.parametrize("text", ["{{ properties.a }}", " {{ properties.a }} "])
def test_an_empty_text_is_not_posted(text: str) -> None:
    with pytest.raises(RenderError, match="the text is empty"):
        posted(text, a=" ")


@given(lead=st.integers(3850, 3910), value=st.text(alphabet="<>&a", max_size=60))
def test_a_long_text_is_cut_but_never_within_an_entity(lead: int, value: str) -> None:
    whole = "x" * lead + value
    text = posted("{{ properties.a }}", a=whole)
    assert 3900 >= len(text)
    assert whole.startswith(unescape(text).removesuffix("…"))
    assert text.endswith("…") or unescape(text) == whole


def test_a_long_text_is_cut_before_a_link_that_would_break() -> None:
    assert "x" * 3890 + "…" == posted("x" * 3890 + "<https://example.com|here>" + "y" * 100)


def test_half_a_surrogate_pair_is_replaced() -> None:
    assert "?" == posted("{{ properties.a }}", a="\ud800")


def test_its_own_gates() -> None:
    assert (Rate(100, 10 * MINUTE), DAY) == (Slack.guard, Slack.expires)


def test_the_preview_is_not_escaped() -> None:
    made = action("slack: {text: 'Hi {{ properties.a }}'}")
    assert {"text": "Hi <b>"} == made.preview(scope(properties={"a": "<b>"}), event())


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, b"ok", "delivered"),
        (200, b"{}", "delivered"),
        (200, b'{"ok":true}', "delivered"),
        (200, b"<html>", "delivered"),
        (200, b"received", "delivered"),
        (200, b'{"ok":false,"error":"ratelimited"}', "throttled"),
        (200, b'{"ok":false,"error":"invalid_payload"}', "dead"),
        (200, b'{"ok":false,"error":"rollup_error"}', "retry"),
        (200, b'{"ok":false,"error":"channel_not_found"}', "refused"),
        (200, b'{"ok":false}', "dead"),
        (400, b"invalid_payload", "dead"),
        (400, b"no_text", "dead"),
        (400, b"user_not_found", "dead"),
        (403, b"action_prohibited", "refused"),
        (403, b"invalid_token", "refused"),
        (404, b"channel_not_found", "refused"),
        (404, b"no_service", "refused"),
        (404, b"<html>", "refused"),
        (410, b"channel_is_archived", "refused"),
        (429, b"", "throttled"),
        (500, b"rollup_error", "retry"),
        (503, b"", "retry"),
        (302, b"", "dead"),
        (200, b"[" * 4000, "delivered"),
    ],
)
def test_verdicts(status: int, body: bytes, outcome: str) -> None:
    assert outcome == Slack.judge(Answer(status, {}, body)).outcome


def test_a_verdict_says_what_slack_said() -> None:
    assert Verdict("dead", "HTTP 400: invalid_payload") == Slack.judge(Answer(400, {}, b"invalid_payload\n"))
    assert 30_000 == Slack.judge(Answer(429, {"retry-after": "30"})).after


@pytest.mark.parametrize(
    ("word", "outcome"),
    [
        ("invalid_auth", "refused"),
        ("token_revoked", "refused"),
        ("missing_scope", "refused"),
        ("not_in_channel", "refused"),
        ("is_archived", "refused"),
        ("rate_limited", "throttled"),
        ("service_unavailable", "retry"),
        ("msg_too_long", "dead"),
        ("no_text", "dead"),
    ],
)
def test_the_web_apis_errors_in_a_200(word: str, outcome: str) -> None:
    verdict = Slack.judge(Answer(200, {"retry-after": "7"}, json.dumps({"ok": False, "error": word}).encode()))
    assert (outcome, True) == (verdict.outcome, word in verdict.reason)
    assert verdict.after == (7_000 if outcome in {"throttled", "retry"} else None)


# ── destination ───────────────────────────────────────────────────────────────────────────────

Make = Callable[..., Destination]


def test_slack_takes_one_message_a_second(destination: Make) -> None:
    assert Rate(1, 1000) == destination('{slack: "${S}"}', S="s").rate
    assert Rate(5, 1000) == destination('{slack: "${S}", rate: 5/1s}', S="s").rate


def test_even_a_literal_address_is_a_secret(destination: Make) -> None:
    made = destination('{slack: "https://hooks.slack.com/services/T0/B0/secretpart"}')
    assert "secretpart" not in repr(made)
    assert "https://hooks.slack.com/services/T0/B0/secretpart" == made.secrets()[0].reveal()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{slack: {token: a}}", "the key 'channel' is missing"),
        ('{slack: {token: a, channel: ""}}', "needs a channel"),
        ("{slack: {token: a, channel: b, canal: c}}", "unknown key 'canal'"),
        ('{slack: {token: a, channel: b, api: "https://slack.evil.test"}}', "the token is sent to Slack only"),
        ('{slack: {token: a, channel: b, api: "https://slack.com.evil.test/api"}}', "the token is sent to Slack only"),
        ('{slack: "#sales"}', "needs the address of an incoming webhook"),
        ('{slack: "${my-name}"}', "${"),
        ('{slack: "${S}", sign: x}', "unknown key 'sign'"),
    ],
)
def test_mistakes_of_a_destination(destination: Make, line: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        destination(line, S="s")
    assert message in str(caught.value)
    assert 2 == caught.value.mistakes[0].line


def test_a_token_and_a_channel_post_through_the_web_api(destination: Make) -> None:
    made = destination('{slack: {token: "${T}", channel: "${C}"}}', T="xoxb-secret", C="#sales")
    request = made.request(action("slack: {text: Hi}").render(scope(), event()), id="dlv_1", at=5)
    assert "https://slack.com/api/chat.postMessage" == request.url
    assert "Bearer xoxb-secret" == dict(request.headers)["Authorization"].reveal()  # type: ignore[union-attr]  hidden
    body = json.loads(request.body)
    assert ("#sales", "Hi") == (body["channel"], body["text"])
    assert ["xoxb-secret"] == [secret.reveal() for secret in made.secrets()]
    assert "xoxb-secret" not in repr(made) + repr(request)
    assert Rate(1, 1000) == made.rate
