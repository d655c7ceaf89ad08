"""The token bucket: what it lets through, how long the others wait, and who goes first."""

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.http import Bucket
from connector.model import Rate


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, milliseconds: float) -> None:
        self.now += milliseconds / 1000


def test_the_burst_goes_at_once_and_the_rest_at_the_rate() -> None:
    clock = Clock()
    bucket = Bucket(Rate(100, 1000), 5, clock)
    assert [0, 0, 0, 0, 0, 10] == [bucket.take() for _ in range(6)]
    clock.sleep(10)
    assert [0, 10] == [bucket.take() for _ in range(2)]


def test_no_more_than_the_burst_is_saved_up() -> None:
    clock = Clock()
    bucket = Bucket(Rate(100, 1000), 5, clock)
    clock.sleep(3_600_000)
    assert 5 == [bucket.take() for _ in range(9)].count(0)


def test_several_are_taken_together_or_not_at_all() -> None:
    clock = Clock()
    bucket = Bucket(Rate(100, 1000), 5, clock)
    assert 0 == bucket.take(3)
    assert 10 == bucket.take(3)
    assert 0 == bucket.take(2)


def test_more_than_the_burst_is_taken_from_a_full_bucket_and_paid_back() -> None:
    clock = Clock()
    bucket = Bucket(Rate(100, 1000), 5, clock)
    assert 0 == bucket.take(20)
    assert 160 == bucket.take()


@pytest.mark.parametrize("rate", [None, Rate(0, 1000)])
def test_without_a_rate_everything_passes(rate: Rate | None) -> None:
    bucket = Bucket(rate, 1, Clock())
    assert {0} == {bucket.take(10) for _ in range(1000)}


def test_a_rate_per_ever_cannot_pace() -> None:
    with pytest.raises(ValueError, match="1/ever cannot pace requests; write a rate such as 100/1s"):
        Bucket(Rate(1, None), 1, Clock())


@pytest.mark.parametrize("rate", [None, Rate(100, 1000)])
def test_after_a_429_nothing_passes_for_so_long_and_then_no_burst(rate: Rate | None) -> None:
    clock = Clock()
    bucket = Bucket(rate, 50, clock)
    bucket.slow_down(2000)
    bucket.slow_down(500)
    assert 2000 == bucket.take()
    clock.sleep(1999)
    assert 1 == bucket.take()
    clock.sleep(1)
    assert 0 == bucket.take()
    if rate:
        assert 10 == bucket.take()


@given(
    count=st.integers(1, 1000),
    per=st.integers(1, 3_600_000),
    burst=st.integers(1, 100),
    steps=st.lists(st.tuples(st.integers(1, 5), st.integers(0, 10_000)), max_size=50),
)
def test_over_any_time_no_more_passes_than_burst_and_rate_allow_and_the_wait_is_true(
    count: int, per: int, burst: int, steps: list[tuple[int, int]]
) -> None:
    clock = Clock()
    bucket = Bucket(Rate(count, per), burst, clock)
    taken, started = 0, clock.now
    for n, pause in steps:
        n = min(n, burst)  # noqa: PLW2901  more than the burst may be borrowed
        delay = bucket.take(n)
        if delay:
            clock.sleep(delay + 1e-6)
            assert 0 == bucket.take(n)
        taken += n
        assert taken <= burst + (clock.now - started) * 1000 * count / per + 0.001
        clock.sleep(pause)


def test_who_waits_is_served_in_order_and_higher_priority_first() -> None:
    async def main() -> list[str]:
        bucket = Bucket(Rate(100, 1000), 1, time.monotonic)
        served: list[str] = []

        async def wait(name: str, priority: int) -> None:
            await bucket.wait(priority=priority)
            served.append(name)

        await wait("first", 0)
        names = [("a", 0), ("b", 0), ("poll 1", 1), ("c", 0), ("poll 2", 1)]
        await asyncio.gather(*(wait(name, priority) for name, priority in names))
        return served

    assert ["first", "poll 1", "poll 2", "a", "b", "c"] == asyncio.run(main())


def test_waiting_keeps_to_the_rate() -> None:
    async def main() -> float:
        bucket = Bucket(Rate(100, 1000), 1, time.monotonic)
        started = time.monotonic()
        await asyncio.gather(*(bucket.wait() for _ in range(31)))
        return time.monotonic() - started

    assert 0.29 < asyncio.run(main()) < 1


def test_take_does_not_overtake_those_who_wait() -> None:
    async def main() -> None:
        clock = Clock()
        bucket = Bucket(Rate(100, 1000), 1, clock)
        bucket.take()
        waiting = [asyncio.create_task(bucket.wait()) for _ in range(3)]
        await asyncio.sleep(0)
        clock.sleep(10)  # one token is there, and it is promised
        assert 30 == bucket.take()
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert 0 == bucket.take()

    asyncio.run(main())


def test_who_gives_up_costs_nothing_and_lets_the_next_go() -> None:
    async def main() -> None:
        bucket = Bucket(Rate(1, 100), 5, time.monotonic)
        bucket.take(5)
        large = asyncio.create_task(bucket.wait(5))
        small = asyncio.create_task(bucket.wait(1))
        await asyncio.sleep(0)
        large.cancel()
        started = time.monotonic()
        await small
        assert time.monotonic() - started < 0.3

    asyncio.run(main())


def test_a_token_that_comes_too_late_for_its_waiter_is_given_back() -> None:
    async def main() -> int:
        clock = Clock()
        bucket = Bucket(Rate(1, 1000), 1, clock)
        bucket.take()
        waiter = asyncio.create_task(bucket.wait())
        await asyncio.sleep(0)
        clock.sleep(1000)
        bucket._serve()  # the timer's call
        waiter.cancel()
        await asyncio.gather(waiter, return_exceptions=True)
        return bucket.take()

    assert 0 == asyncio.run(main())
