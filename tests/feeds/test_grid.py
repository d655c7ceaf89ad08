"""No event within the horizon is lost, whichever way the documents' open points turn out."""

import itertools
import random
from collections.abc import Iterator

import pytest

from connector.model import DAY, HOUR, MINUTE, SECOND
from tests.feeds.conftest import Start
from tests.feeds.fake import NOON, Entry

GRID = list(
    itertools.product(
        ("hits", "pages"), ("eventTime", "receivedTime"), ("inclusive", "exclusive", "half_open"), ("stable", "random")
    )
)
switches = pytest.mark.parametrize(("numbering", "clock", "edges", "ties"), GRID)


def traffic(seed: int, count: int, span: int) -> Iterator[Entry]:
    """Events over a span of time, many of one millisecond; some late in either sense."""
    dice = random.Random(seed)
    for n in range(count):
        received = NOON + 100 + dice.randrange(span) // 50 * 50
        late = dice.choice([0, 0, 0, 0, 1, 5, 20, 90, 400])
        visible = received + dice.choice([0, 0, 200, 3 * SECOND, 25 * SECOND, 10 * MINUTE])
        yield Entry(f"e{n}", max(NOON + 60 + n, received - late * SECOND), received, visible, f"action_{n % 7}")


@switches
def test_late_and_back_dated_events_all_arrive(start: Start, numbering: str, clock: str, edges: str, ties: str) -> None:
    poller = start(numbering=numbering, clock=clock, edges=edges, ties=ties)
    poller.poll()
    entries = list(traffic(1, 700, 40 * SECOND))
    poller.platform.add(*entries)
    poller.run(until=NOON + MINUTE)
    poller.run_to_the_end()
    assert {entry.id for entry in entries} == set(poller.inbox)
    assert [] == poller.gaps
    assert [] == poller.errors


@switches
def test_customers_erased_while_pages_are_read_cost_nobody_else(
    start: Start, numbering: str, clock: str, edges: str, ties: str
) -> None:
    poller = start(numbering=numbering, clock=clock, edges=edges, ties=ties)
    poller.poll()
    entries = list(traffic(2, 600, 8 * SECOND))
    poller.platform.add(*entries)
    dice = random.Random(3)
    erased: set[str] = set()

    def erase_some(query: dict[str, str]) -> None:
        if query["from"] != "0":
            gone = {f"e{dice.randrange(600)}" for _ in range(dice.randrange(4))}
            erased.update(gone)
            poller.platform.erase(lambda entry: entry.id in gone)

    poller.platform.before.append(erase_some)
    poller.platform.now = NOON + 10 * SECOND
    poller.read()
    poller.platform.before.clear()
    shown_at_once = {entry.id for entry in entries if entry.visible <= NOON + 9 * SECOND} - erased
    assert set() == {id for id in shown_at_once if id not in poller.inbox}
    poller.run_to_the_end()
    assert set() == {entry.id for entry in entries} - erased - set(poller.inbox)


@pytest.mark.parametrize("beyond", ["400", "empty"])
@pytest.mark.parametrize(("numbering", "clock", "edges", "ties"), [one for one in GRID if one[2] != "half_open"])
def test_a_burst_of_more_than_ten_thousand_is_read_in_parts(
    start: Start, numbering: str, clock: str, edges: str, ties: str, beyond: str
) -> None:
    poller = start(numbering=numbering, clock=clock, edges=edges, ties=ties, beyond=beyond, pace=1)
    poller.poll()
    entries = [Entry(f"b{n}", NOON + 2_000 + n // 5, NOON + 2_000 + n // 5, NOON) for n in range(13_000)]
    poller.platform.add(*entries)
    poller.platform.now = NOON + 10 * SECOND
    poller.read()
    assert {entry.id for entry in entries} == set(poller.inbox)
    assert [] == poller.gaps
    assert len(poller.platform.requests) < 200


@switches
def test_a_millisecond_with_hundreds_of_events(start: Start, numbering: str, clock: str, edges: str, ties: str) -> None:
    poller = start(numbering=numbering, clock=clock, edges=edges, ties=ties, pace=1)
    poller.poll()
    crowd = [Entry(f"c{n}", NOON + 5_000, NOON + 5_000, NOON) for n in range(450)]
    others = [Entry(f"o{n}", NOON + 4_990 + n, NOON + 4_990 + n, NOON) for n in range(20)]
    poller.platform.add(*crowd, *others)
    poller.platform.now = NOON + 10 * SECOND
    for _ in range(3):
        poller.read()
    assert {entry.id for entry in (*crowd, *others)} == set(poller.inbox)


def test_events_dated_far_away_leave_the_cursor_alone(start: Start) -> None:
    for clock in ("eventTime", "receivedTime"):
        poller = start(clock=clock)
        poller.poll()
        far = [
            Entry(f"far{year}", NOON + (year - 2026) * 365 * DAY, NOON + 1_000, NOON + 1_000) for year in (2012, 2099)
        ]
        poller.platform.add(*far, Entry("near", NOON + 2_000, NOON + 2_000, NOON + 2_000))
        poller.run(until=NOON + MINUTE)
        assert NOON + 40 * SECOND < (poller.feed.read_to(poller.cursors) or 0) <= poller.platform.now
        shown = {"near"} | ({"far2012", "far2099"} if clock == "receivedTime" else set())
        assert shown == set(poller.inbox)


def test_an_event_seven_days_late_still_arrives(start: Start) -> None:
    for clock in ("eventTime", "receivedTime"):
        poller = start(clock=clock)
        poller.poll()
        shown = NOON + MINUTE + 7 * DAY - SECOND
        received = NOON + MINUTE if clock == "receivedTime" else shown
        poller.platform.add(Entry("late", NOON + MINUTE, received, shown))
        poller.run(until=NOON + 7 * DAY + 5 * HOUR, every=2 * HOUR)
        assert ["late"] == list(poller.inbox)
