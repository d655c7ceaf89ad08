"""More than can be paged through: one millisecond with ten thousand events, answers that are too large, whole days."""

import pytest

from connector.errors import AnswerTooLarge
from connector.model import DAY, HOUR, MINUTE, SECOND, Answer
from tests.feeds.conftest import Start
from tests.feeds.fake import NOON, Entry, refused

FLOOD = NOON + 5_000


def flood(count: int, actions: int = 1) -> list[Entry]:
    return [Entry(f"f{n}", FLOOD, FLOOD, NOON, f"action_{n % actions}") for n in range(count)]


@pytest.mark.parametrize("numbering", ["hits", "pages"])
@pytest.mark.parametrize("beyond", ["400", "empty"])
def test_both_ends_of_a_crowd_are_read_and_the_rest_is_reported(start: Start, numbering: str, beyond: str) -> None:
    poller = start(numbering=numbering, beyond=beyond, pace=1)
    poller.poll()
    poller.platform.add(
        *flood(25_000), Entry("before", FLOOD - 1, FLOOD - 1, NOON), Entry("after", FLOOD + 1, FLOOD + 1, NOON)
    )
    poller.platform.now = NOON + 20 * SECOND
    poller.read()
    assert {"before", "after"} <= set(poller.inbox)
    assert 20_000 <= len(poller.inbox)
    assert [(FLOOD, FLOOD + 1)] == [(gap.start, gap.end) for gap in poller.gaps]
    assert poller.gaps[0].seen == len(poller.inbox) - 2
    assert "more events within 1ms" in poller.gaps[0].reason


def test_the_feed_goes_on_after_a_crowd(start: Start) -> None:
    poller = start(pace=1)
    poller.poll()
    poller.platform.add(*flood(25_000), Entry("later", NOON + 25 * SECOND, NOON + 25 * SECOND, NOON))
    poller.run(until=NOON + 40 * SECOND)
    assert "later" in poller.inbox
    assert NOON + 25 * SECOND < (poller.feed.read_to(poller.cursors) or 0)


def test_a_crowd_of_several_actions_is_read_action_by_action(start: Start) -> None:
    poller = start(pace=1)
    poller.poll()
    poller.platform.add(*flood(24_000, actions=30))
    poller.platform.now = NOON + 20 * SECOND
    poller.read()
    assert 24_000 == len(poller.inbox)
    assert [] == poller.gaps


def test_a_shuffled_crowd_that_cannot_be_proved_whole_is_reported(start: Start) -> None:
    poller = start(ties="random", pace=1)
    poller.poll()
    poller.platform.add(*flood(10_050))
    poller.platform.now = NOON + 20 * SECOND
    poller.read()
    assert [(FLOOD, FLOOD + 1)] == [(gap.start, gap.end) for gap in poller.gaps]


def test_events_that_are_too_large_together_are_read_a_few_at_a_time(start: Start) -> None:
    for answer in (AnswerTooLarge("the body passed 8 MiB"), refused(413)):
        poller = start(pace=1)
        poller.poll()
        poller.platform.add(*(Entry(f"e{n}", NOON + 1_000 + n, NOON + 1_000 + n, NOON) for n in range(300)))

        def refuse_many(query: dict[str, str], answer: Answer | AnswerTooLarge = answer) -> Answer | None:
            if int(query["size"]) <= 20:
                return None
            if isinstance(answer, Answer):
                return answer
            raise answer

        poller.platform.before.append(refuse_many)
        poller.platform.now = NOON + 10 * SECOND
        poller.read()
        assert 300 == len(poller.inbox)


def test_one_event_that_no_answer_can_hold_is_reported_and_passed(start: Start) -> None:
    poller = start(pace=1)
    poller.poll()
    poller.platform.add(*(Entry(f"e{n}", NOON + 1_000 + n, NOON + 1_000 + n, NOON) for n in range(300)))

    def refuse_one(query: dict[str, str]) -> Answer | None:
        answer = poller.platform.answer(query)
        return refused(413) if b'"e150"' in answer.body else None

    poller.platform.before.append(refuse_one)
    poller.platform.now = NOON + 10 * SECOND
    poller.read()
    assert {"e150"} == {f"e{n}" for n in range(300)} - set(poller.inbox)
    assert [(NOON + 1_150, NOON + 1_151)] == [(gap.start, gap.end) for gap in poller.gaps]


def test_a_platform_that_ignores_from_is_read_by_time_alone(start: Start) -> None:
    poller = start(pace=1)
    poller.poll()
    poller.platform.add(*(Entry(f"e{n}", NOON + 1_000 + n, NOON + 1_000 + n, NOON) for n in range(1_000)))
    poller.platform.before.append(lambda query: poller.platform.answer(query | {"from": "0"}))
    poller.platform.now = NOON + 10 * SECOND
    poller.read()
    assert 1_000 == len(poller.inbox)
    assert [] == poller.gaps


def test_a_page_that_repeats_for_ever_ends(start: Start) -> None:
    poller = start(pace=1)
    poller.poll()
    poller.platform.add(*(Entry(f"e{n}", NOON + 1_000, NOON + 1_000, NOON) for n in range(100)))
    always = poller.platform.answer(
        {"start": "2026-11-01", "end": "2026-11-02", "sort": "asc", "from": "0", "size": "100"}
    )
    poller.platform.before.append(lambda _: always)
    poller.platform.now = NOON + 10 * SECOND
    poller.poll()
    assert 100 == len(poller.inbox)
    assert "the same events whatever time" in str(poller.errors[0])
    assert len(poller.platform.requests) < 600


def test_an_answer_that_is_always_too_large_leaves_the_cursor(start: Start) -> None:
    poller = start(pace=1)
    poller.poll()
    poller.platform.now = NOON + 10 * SECOND
    before = dict(poller.cursors)
    poller.platform.before.append(lambda _: refused(413))
    poller.poll()
    assert "too large" in str(poller.errors[0])
    assert before == poller.cursors
    assert len(poller.platform.requests) < 60


# ── the form of times ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("form", ["date", "refused"])
@pytest.mark.parametrize("clock", ["eventTime", "receivedTime"])
def test_a_platform_that_reads_whole_days_is_found_out(start: Start, form: str, clock: str) -> None:
    poller = start(form=form, clock=clock)
    poller.platform.add(Entry("old", NOON - HOUR, NOON - HOUR + 900, NOON - HOUR + 900))
    poller.poll()
    poller.platform.add(*(Entry(f"e{n}", NOON + n * 100, NOON + n * 100, NOON + n * 100) for n in range(10, 300)))
    poller.run(until=NOON + MINUTE)
    assert {f"e{n}" for n in range(10, 300)} == set(poller.inbox)
    assert "whole days" in poller.notes[0]


def test_a_platform_that_reads_whole_days_is_found_out_by_its_first_event(start: Start) -> None:
    poller = start(form="date")
    poller.run(until=NOON + 2 * MINUTE)
    poller.platform.add(*(Entry(f"e{n}", NOON + n * SECOND, NOON + n * SECOND + 300, NOON) for n in range(60, 200)))
    poller.run(until=NOON + 25 * MINUTE)
    assert 140 == len(poller.inbox)


def test_whole_days_are_read_again_too(start: Start) -> None:
    poller = start(dialect="{datetime: date}", form="date")
    poller.poll()
    late = NOON + 12 * HOUR + MINUTE  # the next day
    poller.platform.add(Entry("late", late, late, late + 5 * HOUR))
    poller.run(until=late + 2 * DAY, every=10 * MINUTE)
    assert ["late"] == list(poller.inbox)


def test_what_the_dialect_says_is_not_found_out(start: Start) -> None:
    poller = start(dialect="{datetime: datetime, from: pages}", numbering="pages")
    poller.poll()
    poller.platform.add(*(Entry(f"e{n}", NOON + 1_000 + n, NOON + 1_000 + n, NOON) for n in range(300)))
    poller.platform.now = NOON + 10 * SECOND
    poller.platform.requests.clear()
    poller.read()
    assert 300 == len(poller.inbox)
    assert ["0", "1", "2", "3"] == [query["from"] for query in poller.platform.requests][:4]
