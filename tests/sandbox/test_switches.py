"""The switches: each setting can be set, others are told what they may have meant."""

from typing import Any

import pytest

from connector.errors import ConfigurationError
from connector.sandbox import Sandbox
from connector.sandbox.switches import DURATION, EVERY, Switches, read_settings, table
from tests.sandbox.client import Start

SETTINGS = [(switch.name, "90s" if value == DURATION else value) for switch in EVERY for value in switch.values]


@pytest.mark.parametrize(("name", "value"), SETTINGS)
def test_every_setting_can_be_made_at_the_start(name: str, value: Any) -> None:
    assert value == Switches({name: value})[name]


@pytest.mark.parametrize(("name", "value"), SETTINGS)
def test_every_setting_leaves_the_feed_readable(start: Start, name: str, value: Any) -> None:
    sandbox = start(switches={name: value})
    sandbox.generate(1, at="-1h")
    sandbox.clock.now += 120_000
    assert sandbox.numbers() == ([] if name == "retention" and value == "90s" else [0])


def test_a_name_nobody_knows_is_told() -> None:
    with pytest.raises(ConfigurationError, match=r"^--set: there is no switch 'tie' - did you mean 'ties'\?$"):
        Switches({"tie": "random"})


def test_a_value_nobody_knows_is_told() -> None:
    with pytest.raises(ConfigurationError, match="switch lag is one of 0, <duration>, not 'long'"):
        Switches({"lag": "long"})


def test_every_mistake_is_told_at_once() -> None:
    with pytest.raises(ConfigurationError) as told:
        Switches({"a": "b", "from": "c"})
    assert 2 == len(told.value.mistakes)


def test_a_sandbox_with_a_wrong_switch_does_not_begin() -> None:
    with pytest.raises(ConfigurationError):
        Sandbox(switches={"from": "page"})


def test_settings_of_a_command_line_are_read() -> None:
    assert {"from": "pages", "lag": "10s"} == read_settings(["from=pages", "lag = 10s"])


def test_a_setting_without_a_value_is_told() -> None:
    with pytest.raises(ConfigurationError, match=r"expected NAME=VALUE, got 'from' - did you mean 'from'\?"):
        read_settings(["from"])


def test_the_table_shows_every_switch() -> None:
    assert [switch.name for switch in EVERY] == [line.split()[0] for line in table().splitlines()]
