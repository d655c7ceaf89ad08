"""What every kind of action and destination promises, whatever it is: a new one is held to it by being there."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.actions import Action, Destination
from connector.errors import RenderError
from connector.model import Answer, Message
from connector.secrets import Secret
from tests.actions.samples import action, event, scope

KINDS = sorted(Action.kinds)
CANARY = "canary-8f3a61c2"
HOSTILE = [
    "{{ 7*7 }}", "{% raw %}", "a/../b", "..", "%2e%2e", "a?b=c#d", "@evil.test/", "x\r\nHost: evil.test", "\0",
    "é", "漢字",
    "<!channel>", "&amp;", "\ud800", "\u202e", '","admin":true,"x":"', "x" * 5000, "//evil.test", "\\", " ", "${HOME}",
]  # fmt: skip


def filled(value: Any) -> dict[str, Any]:
    """A scope that gives this value wherever an example looks."""
    happened = event(userId=value, eventId=value)
    return scope(happened, traits={"firstName": value, "phone": value}, properties={"price": value, "name": value})


@pytest.fixture(params=KINDS)
def example(request: pytest.FixtureRequest) -> Action:
    return action(Action.kinds[request.param].example)


def test_every_kind_is_there() -> None:
    written = ["intempt_collection", "intempt_consent", "intempt_source", "intempt_track"]
    written += ["intilery_command", "intilery_identify", "intilery_page", "intilery_screen", "intilery_track"]
    assert [*written, "regulation", "slack", "webhook"] == KINDS
    assert ["slack", "webhook"] == sorted(Destination.kinds)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_says_what_it_is(kind: str) -> None:
    known = Action.kinds[kind]
    assert known.__doc__
    assert known.example.strip().startswith(f"{kind}:")
    assert known.needs_destination in {None, *Destination.kinds}
    assert "object" == known.model_json_schema()["type"]


def test_the_example_renders_the_same_each_time(example: Action) -> None:
    assert example.render(filled("a"), event(userId="a")) == example.render(filled("a"), event(userId="a"))


def test_the_example_can_be_previewed(example: Action) -> None:
    assert set(example.preview(filled("a"), event(userId="a"))) >= {where[0] for where, _ in example.templates()}


def test_every_template_has_its_place(example: Action) -> None:
    found = list(example.templates())
    assert found
    assert all(isinstance(where, tuple) and template.source for where, template in found)


def test_an_action_cannot_be_changed(example: Action) -> None:
    (where, template), *_ = example.templates()
    with pytest.raises(ValueError, match="frozen"):
        setattr(example, "tree" if where[0] == "json" else str(where[0]), template)


@pytest.mark.parametrize("kind", KINDS)
def test_every_status_gives_a_verdict_that_names_it(kind: str) -> None:
    for status in (*range(100, 600), 0, 999):
        verdict = Action.kinds[kind].judge(Answer(status))
        assert ("delivered" == verdict.outcome) is (200 <= status < 300)
        assert str(status) in verdict.reason


@pytest.mark.parametrize("kind", KINDS)
@given(status=st.integers(100, 599), body=st.binary(max_size=200), retry=st.text(max_size=30))
def test_no_answer_upsets_a_judge(kind: str, status: int, body: bytes, retry: str) -> None:
    verdict = Action.kinds[kind].judge(Answer(status, {"retry-after": retry, "date": retry}, body))
    assert verdict.after is None or 0 <= verdict.after <= 3_600_000


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_data_changes_no_method_no_path_and_no_header(example: Action, value: str) -> None:
    tame = example.render(filled("tame"), event(userId="tame"))
    try:
        wild = example.render(filled(value), event(userId=value))
    except RenderError:
        return
    assert (tame.method, tame.headers) == (wild.method, wild.headers)
    assert tame.path.count("/") == wild.path.count("/")
    assert not set(wild.path) & set("?#\\ \r\n")
    assert wild.body.count(b"{{") == value.count("{{") * tame.body.count(b"tame")


@given(value=st.text(max_size=50))
def test_a_json_body_has_the_keys_of_the_recipe_and_no_others(value: str) -> None:
    for kind in KINDS:
        made = action(Action.kinds[kind].example)
        try:
            wild = made.render(filled(value), event(userId=value)).body
        except RenderError:
            continue
        tame = made.render(filled("tame"), event(userId="tame")).body
        if tame:
            assert list(json.loads(tame)) == list(json.loads(wild))


# ── destinations ──────────────────────────────────────────────────────────────────────────────

LINES = {
    "slack": '{slack: "https://hooks.slack.com/${CANARY}"}',
    "webhook": (
        '{webhook: "https://crm.example.com/${CANARY}", sign: "${CANARY}", headers: {X-Key: "Bearer ${CANARY}"}}'
    ),
}


@pytest.mark.parametrize("kind", sorted(Destination.kinds))
def test_the_example_of_a_destination_is_read(kind: str, destination: Callable[..., Destination]) -> None:
    line = " ".join(Destination.kinds[kind].example.split()).partition(": ")[2]
    assert kind == destination(line, CRM_SECRET="x", CRM_KEY="x", SLACK_SALES="x").kind


@pytest.mark.parametrize("kind", sorted(Destination.kinds))
def test_no_secret_is_shown_anywhere(kind: str, destination: Callable[..., Destination]) -> None:
    made = destination(LINES[kind], CANARY=CANARY)
    request = made.request(Message(), id="dlv_1", at=0)
    assert [True] * len(made.secrets()) == [CANARY in secret.reveal() for secret in made.secrets()]
    for text in (repr(made), str(made), repr(request), repr(made.secrets())):
        assert CANARY not in text


@pytest.mark.parametrize("kind", sorted(Destination.kinds))
def test_a_request_carries_the_message_as_it_is(kind: str, destination: Callable[..., Destination]) -> None:
    made = destination(LINES[kind], CANARY=CANARY)
    message = action(Action.kinds[kind].example).render(filled("a"), event())
    first, second = (made.request(message, id="dlv_1", at=at) for at in (1, 2))
    assert ("dlv_1", 1, message.body, message.method) == (first.id, first.at, first.body, first.method)
    assert (first.headers, first.path) == (second.headers, message.path)


@pytest.mark.parametrize("kind", sorted(Destination.kinds))
def test_every_hidden_value_of_a_request_is_known_as_a_secret(
    kind: str, destination: Callable[..., Destination]
) -> None:
    made = destination(LINES[kind], CANARY=CANARY)
    request = made.request(Message(), id="dlv_1", at=0)
    assert set(hidden(request)) == set(made.secrets())


def hidden(request: Any) -> Iterator[Secret]:
    for value in (request.url, request.sign, *(value for _, value in request.headers)):
        if isinstance(value, Secret):
            yield value
