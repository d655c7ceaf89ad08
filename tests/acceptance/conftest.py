"""Worlds to try the connector in; what is known of one that failed is printed."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.world import World

Make = Callable[..., World]

_failed = pytest.StashKey[bool]()
_LONG = "test_kill.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes minutes goes first, so that two workers end together."""
    items.sort(key=lambda item: item.path.name != _LONG)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    item.stash[_failed] = item.stash.get(_failed, False) or report.failed
    return report


@pytest.fixture
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Make]:
    """Makes worlds; they end with the test."""
    made: list[World] = []

    def make(**options: Any) -> World:
        made.append(World(tmp_path / f"world-{len(made)}", **options))
        return made[-1]

    yield make
    for each in made:
        if request.node.stash.get(_failed, False):
            print(each.story())  # noqa: T201  pytest shows it beside the failure
        each.end()
