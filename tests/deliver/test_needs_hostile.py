"""What a receiver answers never keeps other answers from being recorded."""

import pytest

from connector.deliver.needs import _parsed


@pytest.mark.parametrize("text", ["[" * 60_000, '{"a":' * 30_000, "", "not json", "\ud800"])
def test_any_answer_of_a_needed_action_is_json_or_nothing(text: str) -> None:
    assert _parsed(text) is None
