"""Runs that wait for lookups: YAML and events in, questions over real HTTP, outcomes and deliveries out."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from connector.model import DAY, MINUTE, SECOND, Answer, Request
from connector.store import verify, waiting
from tests.deliver.bench import START, Bench

TELL = """
id: tell
trigger: {feed: intilery.events, event: Product Added}
IF
lookups:
  profile: {intilery_traits: {user_id: "{{ event.userId }}"}}
LIMIT
actions:
  - webhook: {to: crm, text: "{{ event.eventId }} {{ lookups.profile.firstName }}"}
tests: []
"""

Use = Callable[[Bench], Awaitable[None]]


def recipe(text: str = TELL, *, condition: str = "", limit: str = "", cache: str = "", optional: bool = False) -> str:
    more = (f", cache: {cache}" if cache else "") + (", optional: true" if optional else "")
    lines = text.replace("IF", f"if: {condition}" if condition else "").replace(
        "LIMIT", f"limit: {limit}" if limit else ""
    )
    return lines.replace('userId }}"}}', f'userId }}}}"}}{more}}}')


def on(folder: Path, use: Use, *recipes: str, **options: Any) -> None:
    """Use a bench; afterwards its database must be sound."""

    async def main() -> None:
        async with Bench(folder, *recipes, **options) as bench:
            await use(bench)
            with bench.store.read() as tx:
                assert [] == [check for check in verify.verify(tx) if check.fault]

    asyncio.run(main())


# ── found ─────────────────────────────────────────────────────────────────────────────────────


def test_what_is_found_decides_and_is_sent(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        bench.account.identify("u1", {"firstName": "Ada", "tier": "gold"})
        bench.account.identify("u2", {"firstName": "Bob", "tier": "none"})
        await bench.happen(bench.event(userId="u1"), bench.event(userId="u2"))
        assert ["e1 Ada"] == bench.sent
        assert [("fired", ""), ("if", "")] == bench.outcomes
        assert ([], ["crm"]) == (bench.waiting, bench.kicked)

    on(tmp_path, use, recipe(condition="[lookups.profile.tier: gold]"))


def test_nothing_is_asked_for_what_the_cheap_conditions_pass_over(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        await bench.happen(bench.event(userId="u1", properties={"price": 5}))
        assert (0, []) == (bench.asked(), bench.outcomes)

    on(tmp_path, use, recipe(condition="[properties.price: {gt: 50}, lookups.profile.tier: gold]"))


def test_a_run_waits_before_anything_is_asked(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        receipt = await bench.take(bench.event(userId="u1"))
        (run,) = bench.waiting
        assert (1, 0, 0) == (receipt.waiting, receipt.fired, bench.asked())
        assert ({"profile": {"who": "userId:u1"}}, START, "tell") == (run.asked, run.due, run.recipe)
        assert [] == bench.rows("recipe", "outcomes")

    on(tmp_path, use, recipe())


def test_what_was_found_is_kept_with_the_run(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        bench.account.identify("u1", {"firstName": "Ada"}, id="p1")
        await bench.happen(bench.event(userId="u1"))
        with bench.store.read() as tx:
            found = waiting.answers_of(tx, 1)
        assert {"profile": {"firstName": "Ada", "externalId": "u1", "id": "p1"}} == found

    on(tmp_path, use, recipe())


def test_the_delivery_id_is_the_same_whatever_is_found(tmp_path: Path) -> None:
    ids = []

    async def use(bench: Bench) -> None:
        bench.account.identify("u1", {"firstName": f"Ada {len(ids)}"})
        await bench.happen(bench.event(userId="u1"))
        ids.append(bench.rows("id", "deliveries"))

    for n in range(2):
        (tmp_path / str(n)).mkdir()
        on(tmp_path / str(n), use, recipe())
    assert ids[0] == ids[1]


# ── not found, several, nobody ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("switches", [{}, {"envelope": "success"}, {"envelope": "gateway"}])
def test_nobody_found_ends_the_run(tmp_path: Path, switches: dict[str, str]) -> None:
    async def use(bench: Bench) -> None:
        await bench.happen(bench.event(userId="u1"))
        assert ([("lookup", "profile: not found")], []) == (bench.outcomes, bench.sent)

    on(tmp_path, use, recipe(), switches=switches)


def test_nobody_found_is_absent_where_the_lookup_is_optional(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        await bench.happen(bench.event(userId="u1"))
        assert ["e1 Someone"] == bench.sent

    text = recipe(optional=True).replace("firstName }}", "firstName | default('Someone') }}")
    on(tmp_path, use, text)


def test_a_404_of_something_else_is_not_taken_for_nobody(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        bench.account.identify("u1", {"firstName": "Ada"})
        bench.sandbox.faults.add(
            "body", status=404, body="<h1>404 Not Found</h1>", content_type="text/html", only="traits"
        )
        await bench.happen(bench.event(userId="u1"))
        (run,) = bench.waiting
        assert "nobody has this id, or nothing is at this address" in run.reason
        await bench.look(2 * SECOND)
        assert ["e1 Ada"] == bench.sent

    on(tmp_path, use, recipe())


EMAIL = recipe().replace('user_id: "{{ event.userId }}"', 'email: "{{ traits.email }}"')


@pytest.mark.parametrize("unknown", ["404", "empty"])
@pytest.mark.parametrize("kind", ["intilery_traits", "intilery_meta"])
def test_a_lookup_by_email_finds_one_profile_or_none(tmp_path: Path, kind: str, unknown: str) -> None:
    async def use(bench: Bench) -> None:
        bench.account.identify("u1", {"firstName": "Ada", "email": "ada@example.com"})
        known = bench.event(traits={"email": "ada@example.com"})
        await bench.happen(known, bench.event(traits={"email": "nobody@example.com"}))
        assert ["e1 Ada"] == bench.sent
        assert [("fired", ""), ("lookup", "profile: not found")] == bench.outcomes

    on(tmp_path, use, EMAIL.replace("intilery_traits", kind), switches={"email_unknown": unknown})


@pytest.mark.parametrize("kind", ["intilery_traits", "intilery_meta"])
def test_an_email_that_several_have_is_an_error_that_says_so(tmp_path: Path, kind: str) -> None:
    async def use(bench: Bench) -> None:
        for user in ("u1", "u2"):
            bench.account.identify(user, {"firstName": "Ada", "email": "both@example.com"})
        await bench.happen(bench.event(traits={"email": "both@example.com"}))
        ((reason, detail),) = bench.outcomes
        assert "error" == reason
        told = "lookups.profile: 2 profiles have this email, and only one can be meant: look it up by user_id or id"
        assert told == detail

    on(tmp_path, use, EMAIL.replace("intilery_traits", kind))


def test_nobody_to_ask_about_is_nobody_found(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        await bench.happen(bench.event())
        assert ([("lookup", "profile: not found")], 0) == (bench.outcomes, bench.asked())

    on(tmp_path, use, recipe().replace("event.userId }}", "event.userId | default('') }}"))


# ── failures ──────────────────────────────────────────────────────────────────────────────────

FAULTS: dict[str, dict[str, Any]] = {
    "500": {"kind": "status", "status": 500},
    "503": {"kind": "status", "status": 503},
    "429": {"kind": "status", "status": 429},
    "402": {"kind": "status", "status": 402},
    "401": {"kind": "status", "status": 401},
    "403": {"kind": "status", "status": 403},
    "redirect": {"kind": "redirect"},
    "no JSON": {"kind": "html"},
    "half an answer": {"kind": "truncated"},
    "nothing": {"kind": "empty"},
    "a list": {"kind": "body", "body": "[1]"},
    "an error with status 200": {"kind": "body", "body": '{"success":false,"message":"busy"}'},
    "a broken connection": {"kind": "cut"},
    "an answer cut short": {"kind": "cut_body"},
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_failure_holds_the_run_and_the_next_answer_frees_it(tmp_path: Path, name: str) -> None:
    async def use(bench: Bench) -> None:
        bench.account.identify("u1", {"firstName": "Ada"})
        bench.sandbox.faults.add(only="traits", times=2, **FAULTS[name])
        await bench.happen(bench.event(userId="u1"))
        (run,) = bench.waiting
        assert (1, START, []) == (run.attempts, run.failing, bench.outcomes)
        assert run.reason.startswith("lookups.profile: ")
        await bench.look()
        assert 1 == bench.waiting[0].attempts
        await bench.look(6 * MINUTE)
        assert 2 == bench.waiting[0].attempts
        await bench.look(6 * MINUTE)
        assert (["e1 Ada"], []) == (bench.sent, bench.waiting)

    on(tmp_path, use, recipe())


def test_a_run_is_tried_again_after_1s_5s_20s_1m_and_then_every_5m(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        bench.sandbox.faults.add("status", status=503, lasts="7d", only="traits")
        await bench.happen(bench.event(userId="u1"))
        waits = []
        for _ in range(7):
            (run,) = bench.waiting
            assert run.due is not None
            waits.append(run.due - bench.now)
            await bench.look(run.due - bench.now)
        assert [SECOND, 5 * SECOND, 20 * SECOND, MINUTE, 5 * MINUTE, 5 * MINUTE, 5 * MINUTE] == waits
        assert 8 == bench.asked()

    on(tmp_path, use, recipe())


def test_retry_after_is_obeyed(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        bench.sandbox.faults.add("status", status=429, headers={"Retry-After": "90"}, only="traits")
        await bench.happen(bench.event(userId="u1"))
        (run,) = bench.waiting
        assert START + 90 * SECOND == run.due

    on(tmp_path, use, recipe())


def test_a_platform_that_is_down_is_tried_with_one_question_at_a_time(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        for n in range(100):
            bench.account.identify(f"u{n}", {"firstName": "Ada"})
        bench.sandbox.faults.add("status", status=503, lasts="7d", only="traits")
        await bench.happen(*(bench.event(userId=f"u{n}") for n in range(100)))
        first = bench.asked()
        assert first <= 16  # those that were under way together
        for _ in range(8):
            await bench.look(6 * MINUTE)
        assert first + 8 == bench.asked()
        assert {True} == {"503" in run.reason for run in bench.waiting}
        bench.sandbox.faults.waiting.clear()
        await bench.look(6 * MINUTE)
        assert (100, []) == (len(bench.sent), bench.waiting)

    on(tmp_path, use, recipe())


class Poisoned:
    """A line on which every question about somebody called bad is answered with 500."""

    def __init__(self, line: Any) -> None:
        self.line, self.bad = line, 0

    async def after_polling(self, request: Request) -> Answer:
        if "bad" not in str(request.url):
            answer: Answer = await self.line.after_polling(request)
            return answer
        self.bad += 1
        return Answer(500)

    def slow_down(self, milliseconds: int) -> None:
        self.line.slow_down(milliseconds)


def test_a_customer_whom_the_platform_cannot_answer_about_holds_up_no_other(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        platform = bench.lookups.asking.platforms["intilery"]
        platform.line = poisoned = Poisoned(platform.line)
        await bench.happen(bench.event(userId="bad"))
        for n in range(50):
            bench.account.identify(f"u{n}", {"firstName": "Ada"})
            await bench.happen(bench.event(userId=f"u{n}"))
            await bench.look(2 * SECOND)
            assert n + 1 == len(bench.sent)
        assert 3 < poisoned.bad < 10  # at once for a while, then every five minutes

    on(tmp_path, use, recipe())


def test_a_refused_key_is_not_tried_for_five_minutes_but_at_once_when_it_is_replaced(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        for n in range(3):
            bench.account.identify(f"u{n}", {"firstName": "Ada"})
            await bench.happen(bench.event(userId=f"u{n}"))
        assert 1 == bench.asked()
        await bench.look(4 * MINUTE - 30 * SECOND)
        assert 1 == bench.asked()
        (tmp_path / ".env").write_text("TOKEN=the-right-one\n")
        bench.now += SECOND
        await bench.look()
        await bench.look()
        assert (3, []) == (len(bench.sent), bench.waiting)

    (tmp_path / ".env").write_text("TOKEN=invalid\n")
    on(tmp_path, use, recipe(), environ={"KEY": "a.b"})


def test_what_the_platform_refuses_three_times_is_an_error(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        bench.sandbox.faults.add("status", status=400, times=3, only="traits")
        await bench.happen(bench.event(userId="u1"))
        for _ in range(2):
            assert [] == bench.outcomes
            await bench.look(MINUTE)
        ((reason, detail),) = bench.outcomes
        assert "error" == reason
        assert detail.startswith("lookups.profile: the platform refuses the request")

    on(tmp_path, use, recipe())


def test_a_refusal_that_does_not_come_again_is_forgotten(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        bench.account.identify("u1", {"firstName": "Ada"})
        bench.sandbox.faults.add("status", status=400, times=2, only="traits")
        await bench.happen(bench.event(userId="u1"))
        await bench.look(MINUTE)
        await bench.look(MINUTE)
        assert ["e1 Ada"] == bench.sent

    on(tmp_path, use, recipe())


def test_an_answer_that_is_too_large_is_an_error(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        bench.account.identify("u1", {"firstName": "A" * 1_200_000})
        await bench.happen(bench.event(userId="u1"))
        ((reason, detail),) = bench.outcomes
        assert ("error", True) == (reason, "larger than 1048576 bytes" in detail)

    on(tmp_path, use, recipe())


def test_a_run_that_failed_for_a_day_ends_in_an_error_that_says_why(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        bench.sandbox.faults.add("status", status=503, lasts="7d", only="traits")
        await bench.happen(bench.event(userId="u1"))
        await bench.look(DAY - MINUTE)
        assert [] == bench.outcomes
        await bench.look(6 * MINUTE)
        ((reason, detail),) = bench.outcomes
        assert "error" == reason
        assert detail.startswith("lookups.profile: the platform has trouble")
        assert detail.endswith("given up after 24h")

    on(tmp_path, use, recipe())


def test_after_a_long_stop_nothing_is_given_up_before_it_was_tried_for_an_hour(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        bench.account.identify("u1", {"firstName": "Ada"})
        bench.sandbox.faults.add("status", status=503, lasts="7d", only="traits")
        await bench.happen(bench.event(userId="u1"))
        await bench.stop()
        bench.now += 3 * DAY
        bench.start()
        await bench.rest()
        assert [] == bench.outcomes
        bench.sandbox.faults.waiting.clear()
        await bench.look(6 * MINUTE)
        assert ["e1 Ada"] == bench.sent

    on(tmp_path, use, recipe())


def test_a_missing_secret_holds_the_run_and_names_it(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        bench.account.identify("u1", {"firstName": "Ada"})
        (tmp_path / ".env").unlink()
        await bench.happen(bench.event(userId="u1"))
        assert "TOKEN is not set" in bench.waiting[0].reason
        (tmp_path / ".env").write_text("TOKEN=there-again\n")
        await bench.look(SECOND)
        await bench.look()
        assert ["e1 Ada"] == bench.sent

    (tmp_path / ".env").write_text("TOKEN=there\n")
    on(tmp_path, use, recipe(), environ={"KEY": "a.b"})


def test_no_secret_stands_in_a_reason(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        bench.sandbox.faults.add("body", status=500, body='{"message":"token canary-7 is bad"}', only="traits")
        await bench.happen(bench.event(userId="u1"))
        assert "canary-7" not in bench.waiting[0].reason

    on(tmp_path, use, recipe(), environ={"TOKEN": "canary-7", "KEY": "a.b"})
