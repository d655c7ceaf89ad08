"""Every setting of every switch of the sandbox: whatever the platform's documents mean, nothing is lost or doubled."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connector.sandbox.switches import DURATION, SWITCHES
from tests.acceptance.books import balance, repeats
from tests.acceptance.conftest import Make
from tests.acceptance.world import World

SPANS = {"lag": ("2s",), "retention": ("20s",), "skew": ("5s", "-5s", "10m", "-10m")}
SETTINGS = [
    (switch.name, value)
    for switch in SWITCHES
    for written in switch.values
    for value in (SPANS[switch.name] if written == DURATION else (written,))
]


@pytest.mark.parametrize(("switch", "value"), SETTINGS, ids=[f"{name}={value}" for name, value in SETTINGS])
def test_whichever_way_it_is_everything_comes_once(world: Make, switch: str, value: str) -> None:
    here = world(switches={switch: value}, feed="{poll: 1s, start: 1m}")
    here.begin()
    here.until(lambda: here.status()["feeds"][0]["cursor"], "the first cursor")
    happened, gone = storm(here)
    here.until(lambda: set(happened) <= shown(here), f"all of {len(happened)} events", 20)
    time.sleep(1.2)  # another poll: nothing comes again
    received = [one for one in here.came() if one.json["id"] not in gone]
    balance(received, happened)
    repeats(here.came())
    assert (0, "") == (here.stop()[0], "\n".join(line for line in here.log().splitlines() if " ERROR " in line))


def shown(here: World) -> set[str]:
    return {one.json["id"] for one in here.came()}


def storm(here: World) -> tuple[list[str], set[str]]:
    """Ties, pages that shift, customers erased while pages are read, and times that are far away.

    Gives the ids that must come, and those of erased customers, which may.
    """

    def begin(sandbox: Any) -> tuple[list[str], set[str]]:
        account = sandbox.account()
        account.erase("nobody")
        ids = account.generate(150, every=0, at=sandbox.now() - 150, users=10)
        ids += account.generate(150, every=1, users=150)
        doomed = account.generate(40, every=1, users=40)
        sandbox.after_requests(1, account, lambda: [account.erase(f"user-{n}") for n in range(0, 40, 4)])
        erased_users = {f"user-{n}" for n in range(0, 40, 4)}
        by_id = {event.id: event for event in account.feed.all()}
        gone = {id for id, event in by_id.items() if erased_users & set(event.people)}
        inserted: list[str] = []
        sandbox.after_requests(2, account, lambda: inserted.extend(account.generate(30, every=1)))
        return [id for id in (*ids, *doomed) if id not in gone], gone

    kept, gone = here.do(begin)
    reads_received = here.do(lambda sandbox: sandbox.switches["time_field"] == "receivedTime")
    day = datetime.now(UTC)
    for year in (2012, 2099):
        far = here.happen(
            {"event": "Order Completed", "userId": "u1", "eventTime": stamp(day.replace(year=year, day=1))}
        )
        kept += far if reads_received else []
    kept += here.happen({"event": "Order Completed", "userId": "u1", "eventTime": stamp(day - timedelta(seconds=1))})
    return kept, gone


def stamp(day: datetime) -> str:
    return day.isoformat(timespec="milliseconds").replace("+00:00", "Z")
