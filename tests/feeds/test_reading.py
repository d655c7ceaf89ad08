"""How the readers of a feed move: the fresh one with the clock, the others behind it at their ages."""

import pytest

from connector.feeds.cursor import AGES, FRESH
from connector.model import DAY, HOUR, MINUTE, SECOND, instant, instant_text
from tests.feeds.conftest import Start
from tests.feeds.fake import NOON, Entry, Poller


def entry(id: str, at: int, visible: int | None = None) -> Entry:
    return Entry(id, at, at, at if visible is None else visible)


def windows(poller: Poller) -> list[tuple[int, int]]:
    """What was asked for, from its start to its end, each once and without the millisecond on either side."""
    asked = dict.fromkeys((query["start"], query["end"]) for query in poller.platform.requests)
    return [((instant(start) or 0) + 1, (instant(end) or 0) - 1) for start, end in asked]


def reader_at(poller: Poller, reader: str) -> int:
    """How far a reader has got, as `behind` tells."""
    age = AGES.get(reader, 0)
    return poller.platform.now - age - poller.feed.behind(poller.cursors, poller.platform.now)[reader]


# ── the first run ─────────────────────────────────────────────────────────────────────────────


def test_the_first_run_begins_now(start: Start) -> None:
    poller = start()
    poller.platform.add(entry("before", NOON - MINUTE), entry("after", NOON + SECOND))
    poller.run(until=NOON + MINUTE)
    assert ["after"] == list(poller.inbox)


def test_the_first_run_can_begin_in_the_past(start: Start) -> None:
    poller = start("{start: 7d}")
    poller.platform.add(entry("too old", NOON - 8 * DAY), entry("old", NOON - 6 * DAY), entry("recent", NOON - HOUR))
    poller.poll()
    assert ["old", "recent"] == list(poller.inbox)


def test_the_first_run_can_begin_at_a_given_moment(start: Start) -> None:
    poller = start(f"{{start: {instant_text(NOON + MINUTE)}}}")
    poller.platform.add(entry("before", NOON + 30 * SECOND), entry("after", NOON + 90 * SECOND))
    poller.run(until=NOON + 3 * MINUTE)
    assert ["after"] == list(poller.inbox)


def test_nothing_is_read_behind_the_start(start: Start) -> None:
    poller = start(f"{{start: {instant_text(NOON - MINUTE)}}}")
    poller.poll()
    poller.platform.requests.clear()
    poller.run_to_the_end()
    narrow = [window for window in windows(poller) if window[1] - window[0] < 7 * DAY]
    assert NOON - MINUTE <= min(begin for begin, _ in narrow)


# ── the fresh reader ──────────────────────────────────────────────────────────────────────────


def test_a_fresh_window_reaches_back_by_the_lag(start: Start) -> None:
    poller = start("{lag: 25s}")
    poller.run(until=NOON + 2 * MINUTE)
    cursor = poller.feed.read_to(poller.cursors) or 0
    poller.platform.requests.clear()
    poller.read()
    assert cursor - 25 * SECOND == windows(poller)[0][0]


def test_an_event_shown_late_but_within_the_lag_needs_no_second_reader(start: Start) -> None:
    poller = start()
    poller.poll()
    poller.platform.add(entry("late", NOON + 9 * SECOND, visible=NOON + 12 * SECOND))
    for at in (10, 20):
        poller.platform.now = NOON + at * SECOND
        poller.read()
    assert ["late"] == list(poller.inbox)


def test_the_cursor_moves_only_when_the_window_is_drained(start: Start) -> None:
    poller = start()
    poller.poll()
    poller.platform.add(*(entry(f"e{n:03}", NOON + 1_000 + n) for n in range(500)))
    poller.platform.now = NOON + 10 * SECOND
    before = poller.cursors[FRESH]

    def fail_late(query: dict[str, str]) -> None:
        if len(poller.platform.requests) > 4:
            raise ConnectionResetError

    poller.platform.before.append(fail_late)
    with pytest.raises(ConnectionResetError):
        poller.read()
    assert before == poller.cursors[FRESH]
    assert 200 < len(poller.inbox) < 500
    poller.platform.before.clear()
    poller.read()
    assert 500 == len(poller.inbox)


def test_halved_windows_move_the_cursor_part_by_part(start: Start) -> None:
    poller = start(pace=1)
    poller.poll()
    poller.platform.add(*(entry(f"e{n}", NOON + 1_000 + n // 4) for n in range(24_000)))
    poller.platform.now = NOON + 10 * SECOND
    positions: list[int] = []
    poller.platform.before.append(lambda _: positions.append(poller.feed.read_to(poller.cursors) or 0))
    poller.read()
    assert 24_000 == len(poller.inbox)
    assert 4 <= len(set(positions))
    assert sorted(positions) == positions


def test_no_page_is_asked_for_beyond_ten_thousand(start: Start) -> None:
    for numbering in ("hits", "pages"):
        poller = start(numbering=numbering, pace=1)
        poller.poll()
        poller.platform.add(*(entry(f"e{n}", NOON + 1_000 + n // 40) for n in range(24_000)))
        poller.platform.now = NOON + 10 * SECOND
        poller.read()
        assert 24_000 == len(poller.inbox)
        scale = 100 if numbering == "pages" else 1
        assert 10_000 >= max(int(q["from"]) * min(int(q["size"]), scale) for q in poller.platform.requests)


def test_an_idle_feed_costs_one_request_a_poll(start: Start) -> None:
    poller = start()
    poller.run(until=NOON + MINUTE)
    poller.platform.requests.clear()
    poller.platform.now += 10 * SECOND
    poller.read()
    assert 1 == len(poller.platform.requests)


# ── the clock ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("skew", [-10 * MINUTE, -3 * SECOND, 3 * SECOND, 10 * MINUTE])
def test_a_clock_that_is_wrong_by_minutes_is_corrected_by_the_answers(start: Start, skew: int) -> None:
    poller = start(skew=skew)
    poller.poll()
    poller.platform.add(*(entry(f"e{n}", NOON + skew + n * SECOND) for n in range(10, 110)))
    for _ in range(12):
        poller.platform.now += 10 * SECOND
        poller.read()
    assert 100 == len(poller.inbox)
    assert abs((poller.feed.read_to(poller.cursors) or 0) - poller.platform.time) < 15 * SECOND


def test_a_clock_that_differs_by_days_is_not_believed(start: Start) -> None:
    poller = start(skew=2 * DAY)
    poller.poll()
    poller.platform.now += 10 * SECOND
    poller.read()
    assert "which is not believed" in poller.notes[0]
    assert NOON + 11 * SECOND > (poller.feed.read_to(poller.cursors) or 0)


def test_a_cursor_in_the_future_is_pulled_back(start: Start) -> None:
    poller = start()
    poller.run(until=NOON + MINUTE)
    poller.cursors[FRESH] = poller.feed.rewind(poller.cursors[FRESH], NOON + 10 * DAY)
    poller.platform.add(entry("meanwhile", NOON + 70 * SECOND))
    poller.platform.now = NOON + 2 * MINUTE
    poller.read()
    assert ["meanwhile"] == list(poller.inbox)
    assert "ahead: pulled back" in poller.notes[-1]
    assert 0 <= (poller.feed.read_to(poller.cursors) or 0) - (NOON + 2 * MINUTE) < SECOND


def test_after_a_clock_ten_days_ahead_every_reader_reads_again(start: Start) -> None:
    poller = start("{start: 1d}")
    poller.poll()
    poller.platform.skew = -10 * DAY
    poller.platform.now += 10 * DAY
    poller.run_to_the_end()
    poller.platform.now = NOON + HOUR
    poller.platform.skew = 0
    poller.platform.add(entry("late", NOON + 2 * HOUR, visible=NOON + 2 * HOUR + DAY))
    poller.run(until=NOON + 2 * DAY, every=10 * MINUTE)
    assert ["late"] == list(poller.inbox)


# ── reading again ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("late", [20 * SECOND, 100 * SECOND, 4 * MINUTE, 14 * MINUTE, 50 * MINUTE, 20 * HOUR, 6 * DAY])
def test_a_late_event_comes_with_the_next_age(start: Start, late: int) -> None:
    poller = start()
    poller.run(until=NOON + MINUTE)
    shown = NOON + MINUTE + late
    poller.platform.add(entry("late", NOON + MINUTE, visible=shown))
    age = min(age for age in poller.feed.ages.values() if age >= late)
    beat = max(10 * SECOND, age // 100)
    poller.run(until=NOON + MINUTE + age + max(30 * SECOND, age // 6), every=beat)
    assert ["late"] == list(poller.inbox)


def test_each_age_reads_the_data_about_once(start: Start) -> None:
    poller = start()
    poller.run(until=NOON + MINUTE)
    poller.platform.add(*(entry(f"e{n}", NOON + MINUTE + n * 100) for n in range(3_000)))
    poller.run(until=NOON + 2 * HOUR)
    times = sorted(poller.seen.values())
    # twice by the fresh reader (its lag is as long as its beat), once at each of the first five ages
    assert 7 <= times[len(times) // 2] <= 8


def test_reading_costs_about_four_requests_a_second_at_fifty_events_a_second(start: Start) -> None:
    poller = start(pace=5)
    poller.run(until=NOON + MINUTE)
    poller.platform.add(*(entry(f"e{n}", NOON + MINUTE + n * 20) for n in range(50 * 600)))
    poller.run(until=NOON + 6 * MINUTE)
    poller.platform.requests.clear()
    poller.run(until=NOON + 8 * MINUTE)
    assert len(poller.platform.requests) / 120 < 4.5


def test_what_was_first_read_after_a_stop_is_not_read_again_at_smaller_ages(start: Start) -> None:
    poller = start()
    poller.run(until=NOON + MINUTE)
    poller.platform.add(*(entry(f"e{n}", NOON + 2 * MINUTE + n * SECOND) for n in range(1_000)))
    poller.platform.now = NOON + 3 * HOUR
    poller.run(until=NOON + 3 * HOUR + 10 * MINUTE)
    assert {1} == set(poller.seen.values())
    assert 1_000 == len(poller.seen)


def test_but_it_is_read_again_at_greater_ages(start: Start) -> None:
    poller = start()
    poller.run(until=NOON + MINUTE)
    poller.platform.add(entry("late", NOON + 2 * MINUTE, visible=NOON + 4 * HOUR))
    poller.platform.now = NOON + 3 * HOUR
    poller.run(until=NOON + 26 * HOUR, every=10 * MINUTE)
    assert ["late"] == list(poller.inbox)


def test_nothing_is_due_before_the_first_run(start: Start) -> None:
    poller = start()
    assert [] == poller.feed.due({}, NOON)
    assert {} == poller.feed.behind({}, NOON)
    assert None is poller.feed.read_to({})


def test_the_most_urgent_reader_comes_first(start: Start) -> None:
    poller = start()
    poller.run(until=NOON + 2 * HOUR, every=MINUTE)
    now = poller.platform.now
    poller.cursors["5m"] = poller.feed.rewind(poller.cursors["5m"], now - 3 * HOUR)
    poller.cursors["30s"] = poller.feed.rewind(poller.cursors["30s"], now - HOUR)
    assert ["5m", "30s"] == poller.feed.due(poller.cursors, now)[:2]


def test_behind_tells_how_far_each_reader_has_got(start: Start) -> None:
    poller = start()
    poller.run(until=NOON + HOUR)
    poller.platform.now += 5 * MINUTE
    behind = poller.feed.behind(poller.cursors, poller.platform.now)
    assert {FRESH, *AGES} == set(behind)
    assert 5 * MINUTE <= behind[FRESH] < 6 * MINUTE
    assert all(0 <= late < 20 * MINUTE for late in behind.values())


def test_readers_that_read_again_never_overtake_the_fresh_one(start: Start) -> None:
    poller = start()
    poller.run(until=NOON + MINUTE)
    poller.platform.now += HOUR
    assert [] == [
        reader
        for reader in poller.feed.due(poller.cursors, poller.platform.now)
        if reader_at(poller, reader) > (poller.feed.read_to(poller.cursors) or 0)
    ]
    for reader in AGES:
        poller.read(reader)
        assert reader_at(poller, reader) <= (poller.feed.read_to(poller.cursors) or 0)


# ── by hand ───────────────────────────────────────────────────────────────────────────────────


def test_a_rewound_reader_reads_again(start: Start) -> None:
    poller = start()
    poller.platform.add(entry("early", NOON + 10 * SECOND), entry("before", NOON - HOUR))
    poller.run(until=NOON + 5 * MINUTE)
    poller.inbox.clear()
    poller.cursors[FRESH] = poller.feed.rewind(poller.cursors[FRESH], NOON - 2 * HOUR)
    poller.read()
    assert ["before", "early"] == list(poller.inbox)


def test_a_reader_can_be_set_before_it_ever_read(start: Start) -> None:
    poller = start()
    poller.cursors[FRESH] = poller.feed.rewind(None, NOON - 2 * HOUR)
    poller.platform.add(entry("before", NOON - HOUR))
    poller.read()
    assert ["before"] == list(poller.inbox)


def test_a_cursor_that_cannot_be_read_says_what_to_do(start: Start) -> None:
    poller = start()
    poller.cursors[FRESH] = "gone"
    poller.poll()
    assert "set it with `connector cursor set`" in str(poller.errors[0])
