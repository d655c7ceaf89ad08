"""Any timeline, any platform: what is shown within the horizon arrives, and the cursor follows the clock alone."""

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.model import DAY, HOUR, MINUTE, SECOND
from tests.feeds.conftest import Start
from tests.feeds.fake import NOON, Entry

moments = st.integers(0, 5 * MINUTE) | st.integers(0, 60).map(lambda n: n * SECOND) | st.just(7_000)
lateness = st.sampled_from([0, 0, 0, 1, 999, 20 * SECOND, 14 * MINUTE, 3 * HOUR, 6 * DAY])
groups = st.tuples(moments, lateness, lateness, st.integers(1, 180))
"""(received, how late it is shown, how much earlier it happened, how many of them)"""


def entries(drawn: list[tuple[int, int, int, int]]) -> list[Entry]:
    return [
        Entry(f"g{n}-{m}", NOON + MINUTE + at - early, NOON + MINUTE + at, NOON + MINUTE + at + late, f"a{m % 3}")
        for n, (at, late, early, count) in enumerate(drawn)
        for m in range(count)
    ]


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    drawn=st.lists(groups, max_size=12),
    numbering=st.sampled_from(["hits", "pages"]),
    clock=st.sampled_from(["eventTime", "receivedTime"]),
    edges=st.sampled_from(["inclusive", "exclusive", "half_open"]),
    ties=st.sampled_from(["stable", "random"]),
    stops=st.lists(st.sampled_from([40 * SECOND, 10 * MINUTE, 5 * HOUR]), max_size=2),
    erasures=st.integers(0, 5),
)
def test_every_event_within_the_horizon_arrives(
    start: Start,
    drawn: list[tuple[int, int, int, int]],
    numbering: str,
    clock: str,
    edges: str,
    ties: str,
    stops: list[int],
    erasures: int,
) -> None:
    poller = start("{start: 7d}", numbering=numbering, clock=clock, edges=edges, ties=ties, pace=3)
    poller.poll()
    expected = entries(drawn)
    poller.platform.add(*expected)
    dice, left = random.Random(len(expected)), [erasures]
    erased: set[str] = set()

    def erase(query: dict[str, str]) -> None:
        if left[0] and query["from"] != "0" and dice.random() < 0.3:
            left[0] -= 1
            gone = {entry.id for entry in expected if dice.random() < 0.02}
            erased.update(gone)
            poller.platform.erase(lambda entry: entry.id in gone)

    poller.platform.before.append(erase)
    for stop in stops:
        poller.run(until=poller.platform.now + MINUTE)
        poller.platform.now += stop
    poller.run(until=poller.platform.now + MINUTE)
    assert (poller.feed.read_to(poller.cursors) or 0) <= poller.platform.now
    poller.run_to_the_end()
    # What happened more than seven days before it was shown is out of sight when the platform goes by eventTime.
    horizon = {entry.id for entry in expected if clock == "receivedTime" or entry.visible - entry.time < 7 * DAY - HOUR}
    assert set() == horizon - erased - set(poller.inbox)
    assert [] == poller.errors
