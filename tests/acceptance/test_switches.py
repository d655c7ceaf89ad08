"""Every setting of every switch of the sandbox: whatever the platform's documents mean, nothing is lost or doubled."""

from datetime import UTC, datetime
from typing import Any

import pytest

from connector.sandbox import Sandbox
from connector.sandbox.switches import DURATION, SWITCHES
from tests.acceptance.books import balance, event_id, repeats
from tests.acceptance.conftest import Make
from tests.acceptance.world import World

SPANS = {"lag": ("2s",), "retention": ("20s",), "skew": ("5s", "-5s", "10m", "-10m")}
SETTINGS = [
    (switch.name, value)
    for switch in SWITCHES
    for written in switch.values[1:]
    for value in (SPANS[switch.name] if written == DURATION else (written,))
]
ERASED = [f"user-{n}" for n in range(0, 40, 4)]


@pytest.mark.parametrize(
    ("switch", "value"), [("from", "hits"), *SETTINGS], ids=lambda pair: pair if isinstance(pair, str) else None
)
def test_whichever_way_it_is_everything_comes_once(world: Make, switch: str, value: str) -> None:
    refused = switch in {"auth_status", "envelope"}  # they only show in refusals
    token = {"TOKEN": "invalid" if refused else "good"}
    here = world(switches={switch: value}, feed="{poll: 1s, start: 1m}", secrets=token)
    here.happen({"event": "Logged In"})
    here.begin()
    if refused:
        here.until(lambda: "feed.failed" in here.log(), "the refusal")
        assert "(HTTP 40" in here.log()
        here.write_secrets(TOKEN="good")
    here.do(storm)
    far = here.do(far_away)
    must = set(here.do(lambda sandbox: list(sandbox.account().visible_since())))
    if here.do(lambda sandbox: sandbox.switches["time_field"]) == "eventTime":
        must -= far
    here.until(
        lambda: len(inserted(here)) == 30 and must | inserted(here) <= shown(here) | erased(here), "all events", 20
    )
    polls = here.asked()
    here.until(lambda: here.asked() > polls + 2, "another poll")
    balance([one for one in here.came() if event_id(one) not in erased(here)], (must | inserted(here)) - erased(here))
    assert 0 == repeats(here.came())
    assert 0 == here.stop()[0]
    assert [] == [line for line in here.log().splitlines() if " ERROR " in line]


def storm(sandbox: Sandbox) -> None:
    """A hundred and fifty at one time; a busy second; customers erased and events added while pages are read."""
    account = sandbox.account()
    account.write({"event": "Never Seen Before", "userId": "u"})
    account.generate(150, every=0, at=sandbox.now() - 150, users=150)
    account.generate(150, every=1, users=150)
    sandbox.after_requests(1, account, lambda: [account.erase(person) for person in ERASED])
    sandbox.after_requests(2, account, lambda: account.generate(30, every=1, event="Product Viewed"))


def far_away(sandbox: Sandbox) -> set[str]:
    """Events that say they happened long ago, and long from now."""
    years = (datetime.now(UTC).replace(year=year, day=1).isoformat() for year in (2012, 2099))
    return set(sandbox.account().inject({"event": "Order Completed", "userId": "u", "eventTime": at} for at in years))


def erased(here: World) -> set[str]:
    return set(here.do(lambda sandbox: sandbox.account().feed.erased))


def inserted(here: World) -> set[str]:
    return here.do(lambda sandbox: {str(e.id) for e in sandbox.account().feed.all() if e.action == "product_viewed"})


def shown(here: World) -> set[Any]:
    return {event_id(one) for one in here.came()}
