"""What answers mean: retries, parking, the doubtful 403, throttling. No network, no clock."""

from dataclasses import replace

from connector.deliver import policy
from connector.deliver.lane import Lane
from connector.model import HOUR, MINUTE, SECOND, Message, State, Verdict
from connector.store.outbox import Due, Result

FAILED = Verdict("retry", "503 Service Unavailable")
TAKEN = Verdict("delivered", "200")


def lane(attempts: int = 10) -> Lane:
    return Lane("crm", attempts, random=lambda: 0.5)


def due(n: int = 1, attempts: int = 0) -> Due:
    return Due(n, f"dlv_{n}", "crm", "webhook", attempts, 0, 0, None, 0, 1, Message())


def conclude(of: Lane, one: Due, verdict: Verdict, at: int = 0, status: int | None = None) -> Result:
    return of.conclude(one, verdict, at, 0, status)[0]


def parked(reason: Verdict = FAILED, status: int = 503) -> Lane:
    there = lane()
    for n in range(5):
        conclude(there, due(n), reason, status=status)
    assert there.parked is not None
    return there


def test_the_retry_schedule_grows_from_a_second_to_a_day() -> None:
    waits = [conclude(lane(20), due(n, attempts), FAILED).next_due for n, attempts in enumerate(range(13))]
    assert [
        *(1 * SECOND, 5 * SECOND, 20 * SECOND, 1 * MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR),
        *(14 * HOUR, 20 * HOUR, 24 * HOUR, 24 * HOUR),
    ] == waits


def test_jitter_stays_within_a_fifth() -> None:
    assert [800, 1200] == [policy.retry_delay(1, None, lambda: 0.0), policy.retry_delay(1, None, lambda: 1.0)]


def test_retry_after_is_obeyed_and_clamped_to_an_hour() -> None:
    assert 30 * SECOND == conclude(lane(), due(), Verdict("retry", "503", after=30 * SECOND)).next_due
    assert HOUR == conclude(lane(), due(), Verdict("retry", "503", after=10**15)).next_due


def test_the_last_attempt_gives_up_and_says_why() -> None:
    result = conclude(lane(10), due(attempts=9), FAILED)
    assert (State.DEAD, "gave up after 10 attempts: 503 Service Unavailable") == (result.state, result.reason)


def test_an_answer_that_nothing_will_change_is_dead_at_once() -> None:
    result = conclude(lane(), due(), Verdict("dead", "404"))
    assert (State.DEAD, "404", True) == (result.state, result.reason, result.spent)


def test_five_failures_over_three_deliveries_park() -> None:
    there = lane()
    for n in (1, 2, 3, 1):
        conclude(there, due(n), FAILED)
    assert there.parked is None
    conclude(there, due(2), FAILED)
    assert there.parked is not None


def test_one_delivery_alone_never_parks_its_destination() -> None:
    there = lane(100)
    for attempt in range(50):
        conclude(there, due(1, attempt), FAILED)
    assert there.parked is None


def test_a_success_between_failures_starts_the_count_anew() -> None:
    there = lane()
    for n in (1, 2, 3, 4):
        conclude(there, due(n), FAILED)
    conclude(there, due(5), TAKEN)
    conclude(there, due(6), FAILED)
    assert there.parked is None


def test_probes_double_to_a_minute_and_spend_nothing() -> None:
    there = parked()
    assert there.parked is not None
    waits = [there.parked.probe_at]
    for _ in range(7):
        at = there.parked.probe_at
        result = conclude(there, due(9), FAILED, at=at)
        assert (False, State.PENDING) == (result.spent, result.state)
        waits.append(there.parked.probe_at - at)
    assert [1, 2, 4, 8, 16, 32, 60, 60] == [wait // SECOND for wait in waits]


def test_the_first_success_opens() -> None:
    there = parked()
    conclude(there, due(9), TAKEN)
    assert there.parked is None


def test_401_parks_at_once_and_is_probed_every_quarter_hour() -> None:
    there = lane()
    result = conclude(there, due(), Verdict("refused", "401"), status=401)
    assert there.parked is not None
    assert (15 * MINUTE, "refused: 401") == (there.parked.probe_at, there.parked.reason)
    assert (State.PENDING, False) == (result.state, result.spent)


def test_a_new_secret_has_a_refused_destination_tried_at_once() -> None:
    there = lane()
    conclude(there, due(), Verdict("refused", "401"), status=401)
    there.wake(now=1_234)
    assert there.may_probe(1_234)


def test_a_403_that_another_delivery_gets_too_parks() -> None:
    there = lane()
    refused = Verdict("refused", "403")
    conclude(there, due(1), refused, at=0, status=403)
    assert there.parked is None
    assert [False, True] == [there.may_probe(999), there.may_probe(1_000)]
    conclude(there, due(2), refused, at=1_000, status=403)
    assert there.parked is not None


def test_a_403_that_only_one_delivery_gets_is_that_deliverys_end() -> None:
    there = lane()
    conclude(there, due(1), Verdict("refused", "403"), at=0, status=403)
    taken, suspect = there.conclude(due(2), TAKEN, 1_000, 0, 200)
    assert (State.DELIVERED, State.DEAD) == (taken.state, suspect.state)
    assert "dlv_1" == suspect.due.id
    assert there.parked is None


def test_403s_already_under_way_are_no_second_opinion() -> None:
    there = lane()
    refused = Verdict("refused", "403")
    for n in range(1, 9):
        assert State.PENDING == conclude(there, due(n), refused, at=10 * n, status=403).state
    assert there.parked is None


def test_429_slows_the_destination_and_spends_nothing() -> None:
    there = lane()
    waits = []
    for n in range(3):
        at = there.pause_until
        result = conclude(there, due(n), Verdict("throttled", "429"), at=at)
        assert (False, State.PENDING) == (result.spent, result.state)
        waits.append(there.pause_until - at)
    assert [1 * SECOND, 2 * SECOND, 4 * SECOND] == waits
    conclude(there, due(9), Verdict("throttled", "429", after=20 * SECOND))
    assert 20 * SECOND == there.pause_until
    assert there.parked is None


def test_what_was_under_way_when_a_destination_was_parked_is_no_probe() -> None:
    there = parked()
    for n in range(20):
        conclude(there, due(n), FAILED, at=0)
    assert there.parked is not None
    assert (0, SECOND) == (there.parked.probes, there.parked.probe_at)


def test_429s_under_way_at_once_are_one() -> None:
    there = lane()
    for n in range(20):
        conclude(there, due(n), Verdict("throttled", "429"), at=n)
    assert SECOND + 19 == there.pause_until


def test_after_a_429_one_goes_first_whatever_was_under_way_is_answered() -> None:
    there = lane()
    conclude(there, due(1), Verdict("throttled", "429"), at=10)
    conclude(there, due(2), TAKEN, at=9)
    assert (True, False) == (there.one_at_a_time(), there.may_probe(there.pause_until - 1))
    assert there.may_probe(there.pause_until)
    conclude(there, due(3), TAKEN, at=there.pause_until)
    assert not there.one_at_a_time()


def test_what_went_out_with_the_old_secret_says_nothing_of_the_new_one() -> None:
    there = lane()
    there.wake(now=1_000)
    result = conclude(there, due(1), Verdict("refused", "401"), at=999, status=401)
    assert (None, State.PENDING, 999) == (there.parked, result.state, result.next_due)
    conclude(there, due(2), Verdict("refused", "401"), at=1_000, status=401)
    assert there.parked is not None


def test_after_a_doubtful_403_some_others_are_tried_soon_before_the_long_wait() -> None:
    there = lane()
    refused = Verdict("refused", "HTTP 403: access is refused")
    conclude(there, due(1), refused, at=0, status=403)
    conclude(there, due(2), refused, at=1_000, status=403)
    waits = []
    for n in range(3, 10):
        assert there.parked is not None
        at = there.parked.probe_at
        conclude(there, due(n), refused, at=at, status=403)
        waits.append(there.parked.probe_at - at)
    assert [2, 4, 8, 16, 32, 900, 900] == [wait // SECOND for wait in waits]


def test_only_a_person_opens_what_a_person_parked() -> None:
    there = parked()
    assert there.parked is not None
    there.parked = replace(there.parked, by="ada")
    conclude(there, due(9), TAKEN)
    there.wake(now=5)
    assert there.parked is not None
    assert not there.may_probe(10**15)
