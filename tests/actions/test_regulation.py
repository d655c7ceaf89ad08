"""The `regulation` action: who can be its subject, and what cannot choose it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from connector.actions import Action, findings, load_all
from connector.errors import RenderError
from connector.model import Answer, Message
from tests.actions.samples import action, event, scope

load_all()
Regulation = Action.kinds["regulation"]
SUPPRESS = "regulation: {type: suppress, reason: 'Asked by {{ event.userId }}'}"


def proposed(user_id: Any) -> Message:
    happened = event(userId=user_id)
    return action("regulation: {type: suppress, reason: Asked}").render(scope(happened), happened)


def test_a_proposal_holds_type_subject_and_reason() -> None:
    message = action(SUPPRESS).render(scope(), event())
    assert {"type": "suppress", "user_id": "u1", "reason": "Asked by u1"} == message.meta
    assert b"" == message.body


@pytest.mark.parametrize(
    "user_id",
    [
        None, "", " ", "null", "NULL", "undefined", "None", "NaN", "0", "*", "%", "anonymous", "Guest", "test",
        "[object Object]", "true", "false", 5, 5.5, True, [], ["u1"], {}, {"id": "u1"}, " u1", "u1 ", "u1\n", "u\x001",
        "u\u20281", "\ud800", "x" * 257, "x" * 25_000,
    ],
)  # fmt: skip
def test_what_is_no_single_customer_is_refused(user_id: Any) -> None:
    with pytest.raises(RenderError, match="userId"):
        proposed(user_id)


def test_an_event_without_a_user_id_is_refused() -> None:
    happened = event()
    body = {name: value for name, value in happened.body.items() if name != "userId"}
    with pytest.raises(RenderError, match="this event has none"):
        action(SUPPRESS.replace("{{ event.userId }}", "x")).render(
            {"event": body}, type(happened)(*("a",) * 4, 0, 0, body)
        )


@pytest.mark.parametrize("user_id", ["u1", "x" * 256, "ABC/123", "a,b", "ada@example.com", "é", "e\u0301", "u\u202e1"])
def test_an_id_is_taken_exactly_as_it_is(user_id: str) -> None:
    assert user_id == proposed(user_id).meta["user_id"]


@given(other=st.text())
def test_nothing_but_the_top_level_user_id_is_the_subject(other: str) -> None:
    happened = event(
        properties={"userId": other}, traits={"userId": other, "type": "delete"}, rawData={"userId": other}
    )
    message = action(SUPPRESS).render(scope(happened, properties={"userId": other}), happened)
    assert ("u1", "suppress") == (message.meta["user_id"], message.meta["type"])


@pytest.mark.parametrize(
    ("keys", "where", "message"),
    [
        ({"type": "{{ properties.type }}", "reason": "x"}, ("type",), "must be 'suppress_and_delete'"),
        ({"type": "Delete", "reason": "x"}, ("type",), "must be 'suppress_and_delete'"),
        ({"type": "delete"}, (), "the key 'reason' is missing"),
        ({"type": "delete", "reason": "x", "user_id": "u2"}, ("user_id",), "unknown key 'user_id'"),
        ({"type": "delete", "reason": 5}, ("reason",), "must be text"),
    ],
)
def test_mistakes_have_their_place(keys: dict[str, Any], where: tuple[str, ...], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Regulation.model_validate(keys)
    (finding,) = findings(caught.value, Regulation)
    assert where == finding.where
    assert message in finding.message


@pytest.mark.parametrize("reason", ["", "  ", "x" * 1001])
def test_a_reason_says_something(reason: str) -> None:
    with pytest.raises(RenderError, match="reason must be 1 to 1000 characters"):
        action("regulation: {type: access, reason: '{{ properties.reason }}'}").render(
            scope(properties={"reason": reason}), event()
        )


def test_a_regulation_needs_no_destination() -> None:
    assert Regulation.needs_destination is None


def test_the_preview_names_the_subject() -> None:
    expected = {"type": "suppress", "reason": "Asked by u1", "user_id": "u1"}
    assert expected == action(SUPPRESS).preview(scope(), event())


@pytest.mark.parametrize("status", [408, 425, 500, 503])
def test_nothing_is_repeated_blindly(status: int) -> None:
    assert "dead" == Regulation.judge(Answer(status)).outcome
