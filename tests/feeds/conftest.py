"""A poller on a scripted platform."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.feeds.fake import Platform, Poller, feed

Start = Callable[..., Poller]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Makes pollers: options and dialect in YAML, everything else a switch of the platform."""

    def make(options: str = "{}", dialect: str = "{}", **switches: Any) -> Poller:
        return Poller(feed(tmp_path, options, dialect), Platform(**switches))

    return make
