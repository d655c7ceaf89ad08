"""A burst of more than can be paged through, live: shifting pages, erased customers, late events, a kill in between."""

from connector.sandbox import Sandbox
from tests.acceptance.books import balance, event_id, firsts, repeats
from tests.acceptance.conftest import Make
from tests.acceptance.world import World

BURST = 12_000
GONE = [f"user-{n}" for n in range(0, 600, 60)]


def test_more_events_than_can_be_paged_through_all_come_once(world: Make) -> None:
    here = world().begin()
    here.until(lambda: here.asked(200) > 3, "some polls")
    here.do(burst)
    here.until(lambda: len(here.came()) > BURST // 4, "a quarter", 60)
    here.kill()
    here.begin()
    late = here.do(lambda sandbox: sandbox.account().inject([{"event": "Late"}] * 50, visible=sandbox.now() + 4_000))
    must = (here.do(lambda sandbox: set(sandbox.account().visible_since())) | set(late)) - erased(here)
    here.until(lambda: must <= {event_id(one) for one in here.came()}, f"{len(must)} events", 90)
    balance([one for one in here.came() if event_id(one) not in erased(here)], must)
    repeats(here.came())
    here.until(lambda: here.status()["deliveries"]["pending"] == 0, "all recorded")
    status = here.status()
    assert [] == status["gaps"]
    assert len(firsts(here.came())) == status["deliveries"]["delivered"]
    assert 0 == here.stop()[0]
    assert 0 == here.cli("db", "verify").returncode


def burst(sandbox: Sandbox) -> None:
    """Five a millisecond; while it is read more come, others go, and some are told late."""
    account = sandbox.account()
    account.generate(BURST // 2, every=0, at=sandbox.now() - 3_000, users=600)
    for n in range(BURST // 10):
        account.generate(5, every=0, at=sandbox.now() - 2_500 + n, users=5)
    for n, person in enumerate(GONE):
        sandbox.after_requests(3 + 9 * n, account, lambda one=person: account.erase(one))
        sandbox.after_requests(5 + 9 * n, account, lambda: account.generate(10, every=1, event="Product Viewed"))
    account.inject([{"event": "Late"}] * 100, at=sandbox.now() - 2_000, visible=sandbox.now() + 3_000)


def erased(here: World) -> set[str]:
    return set(here.do(lambda sandbox: sandbox.account().feed.erased))
