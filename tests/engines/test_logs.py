"""The daemon's log: one line for each thing that happened."""

import asyncio
import logging
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES

from connector.engines import logs
from connector.engines.local import scheduler


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """Other tests get their handlers back."""
    root, ours = logging.getLogger(), logging.getLogger("connector")
    handlers, levels = root.handlers[:], (root.level, ours.level)
    yield
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    ours.setLevel(levels[1])


async def _wake(*, fails: bool) -> None:
    """Wake one job until it has failed, or is woken while it is still at work."""
    told, stop = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        if fails:
            raise ValueError("a defect")
        await stop.wait()

    wakes = scheduler()
    wakes.add_listener(lambda _event: told.set(), EVENT_JOB_ERROR | EVENT_JOB_MAX_INSTANCES)
    wakes.add_job(work, "interval", seconds=0.05, id="look", next_run_time=datetime.now(UTC))
    wakes.start()
    await asyncio.wait_for(told.wait(), 5)
    wakes.pause()
    stop.set()
    await asyncio.sleep(0.05)  # so that nothing is cancelled
    wakes.shutdown(wait=False)


def _lines(capsys: pytest.CaptureFixture[str], *, fails: bool) -> list[str]:
    """What the log says of it, without the times."""
    logs.set_up(lambda text: text)
    asyncio.run(_wake(fails=fails))
    return [line.partition(" ")[2] for line in capsys.readouterr().err.splitlines()]


def test_an_overrun_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert ["INFO wakeup.overrun: the one before is still at work job=look"] == _lines(capsys, fails=False)


def test_a_failed_wake_up_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert ['ERROR wakeup.failed job=look error="ValueError: a defect"'] == _lines(capsys, fails=True)


def test_what_a_library_says_otherwise_is_heard(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(lambda text: text)
    logging.getLogger("apscheduler.scheduler").warning("Error getting due jobs from job store %r", "default")
    assert capsys.readouterr().err.endswith("WARNING Error getting due jobs from job store 'default'\n")
