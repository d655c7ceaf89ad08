"""A poller on a scripted platform; feeds that keep rows, on the sandbox."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.feeds.fake import Platform, Poller, feed
from tests.feeds.kept import House

Start = Callable[..., Poller]
Open = Callable[..., House]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Makes pollers: options and dialect in YAML, everything else a switch of the platform."""

    def make(options: str = "{}", dialect: str = "{}", **switches: Any) -> Poller:
        return Poller(feed(tmp_path, options, dialect), Platform(**switches))

    return make


@pytest.fixture
def houses(tmp_path: Path) -> Iterator[Open]:
    """Starts a sandbox, and a feed on it: its name and its options; everything else as House has it."""
    opened: list[House] = []

    def begin(name: str, options: str, **more: Any) -> House:
        folder = tmp_path / str(len(opened))
        folder.mkdir()
        opened.append(House(folder=folder, name=name, options=options, **more))
        return opened[-1]

    yield begin
    for one in opened:
        one.end()
