"""What answers of either platform have in common: limits, waiting, ids, words that are worth repeating."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import FeedUnavailable
from connector.model import HOUR
from connector.platforms import answers
from connector.platforms.hidden import Around, Veiled
from tests.platforms.samples import says

RATE = {
    "x_ratelimit_replenish_rate": "5",
    "x_ratelimit_burst_capacity": "10",
    "x_ratelimit_requested_tokens": "1",
}


def test_the_limits_of_an_answer_are_read() -> None:
    told = answers.limits(says(None, 429, **RATE, x_ratelimit_remaining="0"))
    assert answers.Limits(remaining=0, rate=5, burst=10, requested=1) == told
    assert answers.Limits(None, 5, 5, 1) == answers.limits(says(None, 201, x_ratelimit_replenish_rate="5"))


@pytest.mark.parametrize("text", ["", "0", "-1", "five", "1e9", "9" * 12, "\u0665"])
def test_limits_that_cannot_be_read_are_none(text: str) -> None:
    assert None is answers.limits(says(None, 429, x_ratelimit_replenish_rate=text))


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        (RATE, 200),
        ({**RATE, "x_ratelimit_requested_tokens": "7", "x_ratelimit_remaining": "2"}, 1000),
        ({**RATE, "retry_after": "3"}, 3000),
        ({"retry_after": "0"}, 0),
        ({"retry_after": "99999999999"}, HOUR),
        ({**RATE, "x_ratelimit_requested_tokens": "99999999"}, HOUR),
    ],
)
def test_how_long_to_wait_is_what_is_said_else_what_the_limits_mean(headers: dict[str, str], wait: int | None) -> None:
    assert wait == answers.wait(says(None, 429, **headers))


def test_limits_alone_are_no_reason_to_wait() -> None:
    assert None is answers.wait(says(None, 503, **RATE))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("x1", "x1"), (182233618306719744, "182233618306719744"), (0, "0"), (2**70, str(2**70)),
        (True, ""), (False, ""), (1.5, ""), (None, ""), ([], ""), ({}, ""),
    ],
)  # fmt: skip
def test_an_id_is_text_digit_by_digit(value: object, text: str) -> None:
    assert text == answers.text_id(value)


@pytest.mark.parametrize("name", ["x_amzn_requestid", "x_amz_request_id", "x_request_id"])
def test_the_request_id_is_named_in_errors(name: str) -> None:
    refused = answers.refusal(says(b"", 500, **{name: "abc-1"}))
    assert refused
    assert "[x-amzn-RequestId abc-1]" in str(refused)


@given(body=st.binary(max_size=300))
def test_no_body_breaks_the_reading(body: bytes) -> None:
    told = ""
    try:
        answers.an_object(says(body), "anything")
    except FeedUnavailable as error:
        told = str(error)
    assert told.isprintable()


def test_a_body_without_end_of_brackets_is_told() -> None:
    with pytest.raises(FeedUnavailable, match="nested too deeply"):
        answers.an_object(says(b"[" * 100_000), "anything")


def test_hidden_texts_show_nothing_and_reveal_all() -> None:
    around = Around("https://x/?k=", Veiled("a b&c"), "&z", quoted=True)
    assert "https://x/?k=a%20b%26c&z" == around.reveal()
    assert ("https://x/?k=***&z", "***") == (str(around), repr(Veiled("a")))
