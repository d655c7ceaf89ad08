"""Runs that wait: answers that serve again, the order within a limit's key, recipes that go off, processes that die."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.deliver.needs import Needs
from connector.model import DAY, HOUR, MINUTE, SECOND, Answer, Request, Waits
from connector.recipe.evaluate import evaluate, go_on
from connector.recipe.memory import DictMemory
from connector.store import retention, waiting
from tests.deliver.bench import Bench
from tests.deliver.test_lookups import on, recipe


class Scripted:
    """A line whose answers come when, and in the order that, a test says. asked: who, by question."""

    def __init__(self) -> None:
        self.asked: dict[str, asyncio.Future[Answer]] = {}

    async def after_polling(self, request: Request) -> Answer:
        who = str(request.url).split("/profiles/")[1].split("/")[0].partition(":")[2]
        return await self.asked.setdefault(who, asyncio.get_running_loop().create_future())

    def slow_down(self, milliseconds: int) -> None:
        raise AssertionError(milliseconds)

    async def say(self, who: str, body: bytes = b'{"id":"1","firstName":"Ada"}', status: int = 200) -> None:
        while who not in self.asked:  # noqa: ASYNC110  it is asked for sooner or later
            await asyncio.sleep(0)
        self.asked.pop(who).set_result(Answer(status, body=body))


SHARED = "{{max: {}, key: event.anonymousId}}"  # so that one key has several people's questions


def scripted(bench: Bench) -> Scripted:
    line = bench.lookups.asking.platforms["intilery"].line = Scripted()
    return line


# ── answers that serve again ──────────────────────────────────────────────────────────────────


def test_one_answer_serves_many_runs(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        bench.account.identify("u1", {"firstName": "Ada"})
        await bench.happen(*(bench.event(userId="u1") for _ in range(50)))
        await bench.look(30 * SECOND)
        await bench.happen(*(bench.event(userId="u1") for _ in range(50)))
        assert (100, 1) == (len(bench.sent), bench.asked())
        await bench.look(31 * SECOND)
        await bench.happen(bench.event(userId="u1"))
        assert 2 == bench.asked()

    on(tmp_path, use, recipe(cache="1m"))


def test_without_a_cache_each_run_asks(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        bench.account.identify("u1", {"firstName": "Ada"})
        await bench.happen(*(bench.event(userId="u1") for _ in range(5)))
        assert (5, 5) == (len(bench.sent), bench.asked())

    on(tmp_path, use, recipe())


def test_an_answer_serves_every_recipe_as_long_as_each_says(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        bench.account.identify("u1", {"firstName": "Ada"})
        await bench.happen(bench.event(userId="u1"))
        assert 1 == bench.asked()
        bench.now += 2 * MINUTE
        await bench.happen(bench.event(userId="u1"))
        assert 2 == bench.asked()  # asked for the one, it serves the other
        assert 4 == len(bench.sent)

    on(tmp_path, use, recipe(cache="1m"), recipe(cache="1h").replace("id: tell", "id: other"))


def test_that_nobody_was_found_is_not_kept(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        await bench.happen(bench.event(userId="u1"))
        bench.account.identify("u1", {"firstName": "Ada"})
        await bench.happen(bench.event(userId="u1"))
        assert ["e2 Ada"] == bench.sent

    on(tmp_path, use, recipe(cache="1m"))


def test_only_so_many_questions_are_under_way_together(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        line = scripted(bench)
        await bench.take(*(bench.event(userId=f"u{n}") for n in range(300)))
        bench.lookups.look()
        await asyncio.sleep(0.05)
        assert 16 == len(line.asked)
        for n in range(300):
            await line.say(f"u{n}")
        await bench.rest()
        assert 300 == len(bench.sent)

    on(tmp_path, use, recipe())


# ── order ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("late", [False, True])
def test_a_limit_is_judged_in_the_order_the_events_came_in(tmp_path: Path, *, late: bool) -> None:
    """One a day: it goes to the first event, however late its answer comes."""

    async def use(bench: Bench) -> None:
        line = scripted(bench)
        await bench.take(bench.event(userId="u1", anonymousId="a1"))
        await bench.take(bench.event(userId="u2", anonymousId="a1"))
        bench.lookups.look()
        for who in ("u2", "u1") if late else ("u1", "u2"):
            await line.say(who)
            await asyncio.sleep(0.02)
            assert [] == bench.sent or who == "u1" or not late
        await bench.rest()
        assert (["e1 Ada"], ["fired", "limited"]) == (bench.sent, [reason for reason, _ in bench.outcomes])

    on(tmp_path, use, recipe(limit=SHARED.format("1/24h")))


def test_a_run_that_fails_keeps_those_of_its_key_waiting_and_no_others(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        line = scripted(bench)
        for user, anonymous in (("u1", "a1"), ("u2", "a1"), ("u3", "a3")):
            await bench.take(bench.event(userId=user, anonymousId=anonymous))
        bench.lookups.look()
        await line.say("u2")
        await line.say("u3")
        await asyncio.sleep(0.02)
        await line.say("u1", status=400, body=b"{}")
        await bench.rest()
        assert ["e3 Ada"] == bench.sent
        assert [1, 2] == [run.event for run in bench.waiting]
        await asyncio.gather(bench.look(SECOND), line.say("u1"))
        assert ["e3 Ada", "e1 Ada"] == bench.sent

    on(tmp_path, use, recipe(limit=SHARED.format("1/24h")))


def test_a_run_that_ends_in_an_error_lets_the_next_one_have_the_turn(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        line = scripted(bench)
        await bench.take(bench.event(userId="u1", anonymousId="a1"), bench.event(userId="u2", anonymousId="a1"))
        bench.lookups.look()
        await line.say("u2")
        await line.say("u1", status=404, body=b'{"error":{"code":"not_found"}}')
        await bench.rest()
        assert ["e2 Ada"] == bench.sent

    on(tmp_path, use, recipe(limit=SHARED.format("1/24h")))


def test_ids_that_came_together_long_ago_are_one_customer(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        line = scripted(bench)
        text = {"traits": {"who": "first"}}
        await bench.take(bench.event(userId="u1", anonymousId="a1", **text))
        await asyncio.gather(bench.look(), line.say("first"))
        bench.now += 2 * DAY
        await bench.take(
            bench.event(userId="u1", traits={"who": "x"}), bench.event(anonymousId="a1", traits={"who": "y"})
        )
        bench.lookups.look()
        await line.say("y")
        await asyncio.sleep(0.02)
        await line.say("x")
        await bench.rest()
        assert ["e1 Ada", "e2 Ada"] == bench.sent

    on(tmp_path, use, recipe(limit="1/24h").replace("event.userId", "traits.who"))


def test_without_a_limit_nobody_waits_for_another(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        line = scripted(bench)
        await bench.take(bench.event(userId="u1", anonymousId="a1"), bench.event(userId="u2", anonymousId="a1"))
        bench.lookups.look()
        await line.say("u2")
        await bench.until(lambda: ["e2 Ada"] == bench.sent)
        await line.say("u1")
        await bench.rest()
        assert ["e2 Ada", "e1 Ada"] == bench.sent

    on(tmp_path, use, recipe())


IDS = st.sampled_from(["1", "2", "3"])
PEOPLE = st.lists(st.tuples(st.none() | IDS, st.none() | IDS).filter(any), min_size=1, max_size=9)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people=PEOPLE, data=st.data())
def test_whatever_order_answers_come_in_limits_are_spent_as_if_they_came_at_once(
    tmp_path_factory: pytest.TempPathFactory, people: list[tuple[str | None, str | None]], data: st.DataObject
) -> None:
    order = data.draw(st.permutations(range(len(people))))
    text = recipe(limit="2/1h").replace("event.userId", "traits.who")

    async def use(bench: Bench) -> None:
        line = scripted(bench)
        events = [
            bench.event(at=bench.now + n, userId=user, anonymousId=anonymous, traits={"who": f"q{n}"})
            for n, (user, anonymous) in enumerate(people)
        ]
        cut = data.draw(st.integers(0, len(events)))
        await bench.take(*events[:cut])
        await bench.take(*events[cut:])
        bench.lookups.look()
        for n in order:
            await line.say(f"q{n}")
            await asyncio.sleep(data.draw(st.sampled_from([0, 0.002])))
        await bench.rest()
        memory, (made,), expected = DictMemory(), bench.shelf.versions.values(), []
        for event in events:
            assert "waiting" == evaluate(made, event, memory, live_from=0).reason
            outcome = go_on(made, event, memory, {"profile": {"id": "1", "firstName": "Ada"}})
            if outcome.spent is not None:
                memory.keep(made.memory_id, event.account, outcome.spent)
            expected.append(outcome.reason)
        assert expected == [row[0] for row in bench.rows("reason", "(SELECT event AS seq, reason FROM outcomes) o")]

    on(tmp_path_factory.mktemp("bench"), use, text)


# ── recipes that change ───────────────────────────────────────────────────────────────────────


def test_a_run_ends_under_the_version_that_began_it(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        bench.account.identify("u1", {"firstName": "Ada", "lastName": "Lovelace"})
        await bench.take(bench.event(userId="u1"))
        bench.shelf.put(recipe().replace("firstName", "lastName"))
        await bench.look()
        await bench.happen(bench.event(userId="u1"))
        assert ["e1 Ada", "e2 Lovelace"] == bench.sent

    on(tmp_path, use, recipe())


@pytest.mark.parametrize("change", ["removed", "disabled", "renamed"])
def test_a_run_of_a_recipe_that_is_off_is_held_until_it_is_on_again(tmp_path: Path, change: str) -> None:
    async def use(bench: Bench) -> None:
        bench.account.identify("u1", {"firstName": "Ada"})
        await bench.take(bench.event(userId="u1"))
        changed = {"disabled": [f"mode: disabled{recipe()}"], "renamed": [recipe().replace("id: tell", "id: other")]}
        bench.shelf.put(*changed.get(change, []))
        await bench.look()
        await bench.look(HOUR)
        (run,) = bench.waiting
        assert ("recipe_off", None, 0) == (run.reason, run.due, bench.asked())
        bench.shelf.put(recipe())
        await bench.lookups.recipes_changed()
        await bench.rest()
        assert ["e1 Ada"] == bench.sent

    on(tmp_path, use, recipe())


def test_an_answered_run_whose_turn_comes_while_its_recipe_is_off_is_held_too(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        line = scripted(bench)
        await bench.take(bench.event(userId="u1", anonymousId="a1"), bench.event(userId="u2", anonymousId="a1"))
        bench.lookups.look()
        await line.say("u2")
        await asyncio.sleep(0.02)
        bench.shelf.put()
        await line.say("u1")
        await bench.rest()
        assert (["recipe_off"] * 2, []) == ([run.reason for run in bench.waiting], bench.outcomes)
        bench.shelf.put(recipe(limit=SHARED.format("1/24h")))
        await bench.lookups.recipes_changed()
        await bench.rest()
        assert (["e1 Ada"], []) == (bench.sent, bench.waiting)

    on(tmp_path, use, recipe(limit=SHARED.format("1/24h")))


def test_a_version_that_cannot_be_read_any_more_is_an_error(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        await bench.take(bench.event(userId="u1"))
        bench.shelf.versions.clear()
        await bench.look()
        assert [("error", "its version of the recipe cannot be read any more")] == bench.outcomes

    on(tmp_path, use, recipe())


def test_a_recipe_in_shadow_asks_and_sends_nothing(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        bench.account.identify("u1", {"firstName": "Ada"})
        await bench.happen(bench.event(userId="u1"))
        assert [("skipped", "shadow")] == bench.rows("state, reason", "deliveries")

    on(tmp_path, use, f"mode: shadow{recipe()}")


# ── processes that die ────────────────────────────────────────────────────────────────────────

TWO = (
    recipe()
    .replace("LIMIT", "")
    .replace("lookups:\n", 'lookups:\n  matched: {intempt_matches: {profile_id: "{{ properties.intempt }}"}}\n')
)


def test_what_was_being_asked_when_the_process_died_is_asked_again(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        bench.account.identify("u1", {"firstName": "Ada"})
        scripted(bench)
        await bench.happen_without_rest(bench.event(userId="u1"))
        await bench.stop()
        assert 1 == len(bench.waiting)
        bench.start()
        await bench.rest()
        assert (["e1 Ada"], []) == (bench.sent, bench.waiting)

    on(tmp_path, use, recipe())


def test_answers_that_came_before_a_failure_are_not_asked_again(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        bench.account.identify("u1", {"firstName": "Ada"})
        bench.sandbox.organization().person([182233618306719744], matches=["Order Completed"])
        bench.sandbox.faults.add("status", status=503, only="intempt.matches")
        await bench.happen(bench.event(userId="u1", properties={"intempt": 182233618306719744}))
        assert {"profile"} == set(bench.waiting[0].answers)
        assert bench.waiting[0].reason.startswith("lookups.matched: ")
        await bench.stop()
        bench.now += SECOND
        bench.start()
        await bench.rest()
        assert (["e1 Ada"], 1, 2) == (bench.sent, bench.asked(), bench.asked("intempt.matches"))

    on(tmp_path, use, TWO)


def test_runs_whose_turn_had_come_when_the_process_died_end_at_the_next_start(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        await bench.take(bench.event(userId="u1"))
        with bench.store.write() as tx:
            waiting.answer(tx, 1, {"profile": {"firstName": "Ada"}})
        await bench.stop()
        bench.start()
        await bench.rest()
        assert (["e1 Ada"], []) == (bench.sent, bench.waiting)

    on(tmp_path, use, recipe(limit="1/24h"))


def test_a_long_lane_is_judged_some_at_a_time_and_to_its_end(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        line = scripted(bench)
        await bench.take(bench.event(userId="first", anonymousId="a"))
        await bench.take(*(bench.event(userId="u", anonymousId="a") for _ in range(500)))
        with bench.store.write() as tx:
            for seq in range(2, 502):
                waiting.answer(tx, seq, {"profile": {"firstName": "Ada"}})
        bench.lookups.look()
        await line.say("first")
        await bench.rest()
        assert ["fired"] * 450 + ["limited"] * 51 == [reason for reason, _ in bench.outcomes]

    on(tmp_path, use, recipe(limit=SHARED.format("450/1h")))


@pytest.mark.parametrize(("user", "reason"), [("u1", "fired"), ("u2", "limited")])
def test_what_a_person_runs_again_does_not_stand_in_its_own_way(tmp_path: Path, user: str, reason: str) -> None:
    async def use(bench: Bench) -> None:
        for each in ("u1", "u2"):
            bench.account.identify(each, {"firstName": "Ada"})
        first = bench.event(userId="u1", anonymousId="a1")
        await bench.happen(first)
        await bench.happen(bench.event(userId="u2", anonymousId="a1", at=bench.now + 1))
        (made,) = bench.shelf.versions.values()
        seq = 1 if user == "u1" else 2
        waits = Waits({"profile": {"who": f"userId:{user}"}}, "tell", ('key=["a1"]',))
        with bench.store.write() as tx:
            waiting.begin(tx, 1, [waiting.Begun(seq, "tell", made.version, 1, bench.now + seq - 1, waits)], bench.now)
        await bench.look()
        assert ["fired", "limited", reason] == [row[0] for row in bench.outcomes]

    on(tmp_path, use, recipe(limit=SHARED.format("1/ever")))


# ── around it ─────────────────────────────────────────────────────────────────────────────────


def test_an_action_that_waited_for_another_still_knows_what_was_found(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        bench.account.identify("u1", {"firstName": "Ada"})
        await bench.happen(bench.event(userId="u1"))
        needs = Needs(bench.shelf.version, bench.ledger, lambda: bench.now)
        with bench.store.write() as tx:
            tx.run("UPDATE deliveries SET state = 'delivered', settled = 1, status = 201 WHERE action = 'webhook'")
            assert {"crm"} == needs.resolve_all(tx)
        assert ["then Ada 201"] == bench.sent

    said = "then {{ lookups.profile.firstName }} {{ actions.webhook.status }}"
    then = f'  - {{id: then, needs: webhook, webhook: {{to: crm, text: "{said}"}}}}'
    on(tmp_path, use, recipe().replace("tests: []", f"{then}\ntests: []"))


def test_the_event_of_a_waiting_run_is_not_let_go(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        bench.account.identify("u1", {"firstName": "Ada"})
        bench.sandbox.faults.add("status", status=503, only="traits")
        await bench.happen(bench.event(userId="u1"))
        bench.now += 40 * DAY
        with bench.store.write() as tx:
            for _ in range(3):
                retention.forget(tx, retention.Keep(30 * DAY, 37 * DAY, 30 * DAY), bench.now)
        await bench.look()
        assert ["e1 Ada"] == bench.sent

    on(tmp_path, use, recipe())


def test_what_was_found_goes_with_the_events_payload(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        bench.account.identify("u1", {"firstName": "Ada"})
        await bench.happen(bench.event(userId="u1"))
        assert 1 == len(bench.rows("seq", "(SELECT run AS seq FROM answers) a"))
        with bench.store.write() as tx:
            tx.run("UPDATE deliveries SET state = 'delivered', settled = 1")
            retention.forget(tx, retention.Keep(30 * DAY, 37 * DAY, 90 * DAY), bench.now + 31 * DAY)
            assert 0 == tx.one("SELECT count(*) FROM answers")[0]
            assert 1 == tx.one("SELECT count(*) FROM outcomes")[0]

    on(tmp_path, use, recipe())


def test_a_clock_put_right_while_nothing_ran_makes_nobody_wait_longer(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        bench.account.identify("u1", {"firstName": "Ada"})
        bench.sandbox.faults.add("status", status=503, only="traits", times=1)
        await bench.happen(bench.event(userId="u1"))
        await bench.stop()
        bench.now -= 400 * DAY
        bench.start()
        await bench.rest()
        assert ["e1 Ada"] == bench.sent

    on(tmp_path, use, recipe())


def test_a_clock_that_was_set_back_makes_nobody_wait_longer(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        bench.account.identify("u1", {"firstName": "Ada"})
        bench.sandbox.faults.add("status", status=503, only="traits")
        await bench.happen(bench.event(userId="u1"))
        bench.now -= DAY
        with bench.store.write() as tx:
            bench.lookups.clock_set_back(tx, DAY)
        await bench.look(2 * SECOND)
        assert ["e1 Ada"] == bench.sent

    on(tmp_path, use, recipe())


def test_a_connection_that_is_gone_holds_the_run_and_says_so(tmp_path: Path) -> None:
    async def use(bench: Bench) -> None:
        await bench.happen(bench.event(userId="u1"))
        assert "the configuration has no connection for intilery_traits" in bench.waiting[0].reason

    brands = """
connections:
  one: {{platform: intilery, client_id: a, account_id: a, brand_id: A, auth_token: t, base_url: {url}}}
  two: {{platform: intilery, client_id: b, account_id: b, brand_id: B, auth_token: t, base_url: {url}}}
"""
    on(tmp_path, use, recipe(), configuration=brands)
