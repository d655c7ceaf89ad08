"""What is written to the platforms, over real HTTP: each call, every answer, batches, loops."""

import asyncio
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from connector.model import DAY, HOUR, MINUTE, SECOND
from connector.sandbox.replies import json_reply
from tests.deliver.office import CONFIGURATION, INTEMPT, INTILERY, SOURCE, START, Office

TRACK = '- intilery_track: {event: Basket Rated, properties: {name: "{{ properties.name }}"}}'
INTEMPT_TRACK = (
    f'- intempt_track: {{name: Basket rated, source: {SOURCE}, data: {{name: "{{{{ properties.name }}}}"}}}}'
)
AT = "2026-11-01T12:00:00.000Z"


def marks(office: Office) -> list[tuple[str, int]]:
    """Whose delivery each entry of Intilery's feed is, and its hops."""
    found = [entry["context"]["connector"] for entry in office.feed]
    return [(mark["delivery"], mark["hops"]) for mark in found]


def refuse(office: Office, word: str) -> None:
    """Have the platform refuse every request with this word in it."""
    answer = office.sandbox.intilery.answer

    def strict(asked: Any) -> Any:
        if word.encode() in asked.body:
            return json_reply({"success": False, "message": f"no {word}"}, 400)
        return answer(asked)

    office.sandbox.intilery.answer = strict  # type: ignore[method-assign]  a platform that is pickier than it says


# ── each call ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("action", "operation", "expected"),
    [
        ("intilery_identify: {traits: {tier: gold}}", "identify", {"event": "identify", "traits": {"tier": "gold"}}),
        ("intilery_track: {event: Basket Rated}", "track", {"event": "Basket Rated"}),
        ("intilery_page: {properties: {path: /}}", "page", {"event": "page", "properties": {"path": "/"}}),
        ("intilery_screen: {name: Home}", "screen", {"event": "screen", "name": "Home"}),
    ],
)
async def test_each_intilery_call_arrives_with_its_user_its_time_and_our_mark(
    tmp_path: Path, action: str, operation: str, expected: dict[str, Any]
) -> None:
    async with Office(tmp_path, f"- {action}") as office:
        await office.happen(office.event(anonymousId="a1"))
        ((id, state, to),) = office.rows("id, state, destination")
        assert ("delivered", f"@{INTILERY}") == (state, to)
        assert [200] == office.asked(operation)
        (entry,) = office.feed
        own = {
            "userId": "u1",
            "anonymousId": "a1",
            "timestamp": AT,
            "context": {"connector": {"delivery": id, "hops": 1}},
        }
        assert {**own, **expected} == {key: entry[key] for key in (*own, *expected)}


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (
            'intilery_command: {event: send_email, assetId: hello, merge: {name: "{{ properties.name }}"}}',
            {"event": "send_email", "assetId": "hello", "name": "Wine"},
        ),
        (
            "intilery_command: {event: start_journey, properties: {journeyIdToTrigger: j1}}",
            {"event": "start_journey", "properties": {"journeyIdToTrigger": "j1"}},
        ),
    ],
)
async def test_a_command_is_obeyed(tmp_path: Path, action: str, expected: dict[str, Any]) -> None:
    async with Office(tmp_path, f"- {action}", switches={"command_names": "lower"}) as office:
        await office.happen(office.event(properties={"name": "Wine"}))
        (found,) = office.sandbox.account().commands
        assert {"userId": "u1", **expected} == {key: found["call"][key] for key in ("userId", *expected)}
        assert "timestamp" not in found["call"]


async def test_the_spelling_of_commands_is_the_accounts(tmp_path: Path) -> None:
    dialect = CONFIGURATION.replace("base_url: {url},\n", "base_url: {url}, dialect: {{command_names: upper}},\n")
    action = "- intilery_command: {event: send_sms, assetId: hello}"
    async with Office(tmp_path, action, configuration=dialect, switches={"command_names": "upper"}) as office:
        await office.happen(office.event())
        (found,) = office.sandbox.account().commands
        assert "SEND_SMS" == found["call"]["event"]


async def test_an_intempt_event_has_an_id_made_of_its_deliverys(tmp_path: Path) -> None:
    async with Office(tmp_path, INTEMPT_TRACK) as office:
        await office.happen(office.event(properties={"name": "Wine"}))
        ((id, state, to),) = office.rows("id, state, destination")
        assert ("delivered", f"@{INTEMPT}") == (state, to)
        expected = {"eventId": str(uuid.UUID(id[4:])), "timestamp": START, "userId": "u1", "data": {"name": "Wine"}}
        assert [{"sourceId": SOURCE, "name": "Basket rated", **expected}] == office.tracked


async def test_the_lines_of_an_order_share_one_event_id(tmp_path: Path) -> None:
    action = '- intempt_track: {name: Product ordered, data: "{{ properties.products }}"}'
    async with Office(tmp_path, action) as office:
        await office.happen(office.event(properties={"products": [{"productId": "1"}, {"productId": "2"}]}))
        assert [{"productId": "1"}, {"productId": "2"}] == [line["data"] for line in office.tracked]
        assert 1 == len({line["eventId"] for line in office.tracked})


async def test_the_other_intempt_calls(tmp_path: Path) -> None:
    actions = """
- intempt_collection: {collection: 19554189106348032, item: {id: 7, room: "{{ properties.name }}"}}
- intempt_source: {source: 23525541210886144, data: {profile: [{visitorId: "{{ event.userId }}"}]}}
- intempt_consent: {action: reject, category: marketing}
"""
    async with Office(tmp_path, actions) as office:
        await office.happen(office.event(properties={"name": "Wine"}))
        for call, status in (("intempt.items", 201), ("intempt.source_data", 201), ("intempt.consent", 200)):
            assert [status] == office.asked(call)
        consent = {"action": "reject", "userId": "u1", "category": "marketing", "validUntil": "unlimited"}
        own = {"source": "connector", "timestamp": START // SECOND}
        assert [consent | own] == office.sandbox.organization().consents
        assert ["delivered"] * 3 == office.states


# ── which connection ──────────────────────────────────────────────────────────────────────────

TWO = CONFIGURATION.replace(
    "connections:\n",
    "connections:\n  outlet: {{platform: intilery, client_id: acme, account_id: outlet, brand_id: OUTLET, "
    "auth_token: t, base_url: {url}}}\n",
)


async def test_a_write_goes_to_the_events_own_connection(tmp_path: Path) -> None:
    async with Office(tmp_path, TRACK, configuration=TWO) as office:
        await office.happen(office.event(properties={"name": "Wine"}))
        assert [(f"@{INTILERY}",)] == office.rows("destination")
        assert 1 == len(office.feed)


async def test_a_write_goes_to_the_connection_that_is_named(tmp_path: Path) -> None:
    async with Office(tmp_path, "- intilery_track: {connection: outlet, event: x}", configuration=TWO) as office:
        await office.happen(office.event())
        assert [("@intilery:acme/outlet/OUTLET", "delivered")] == office.rows("destination, state")
        assert 1 == len(office.sandbox.account("acme/outlet/OUTLET").feed.all())


async def test_a_connection_that_is_renamed_takes_what_waits_along(tmp_path: Path) -> None:
    async with Office(tmp_path, TRACK) as office:
        office.sandbox.faults.add("cut", only="track")
        await office.happen(office.event(properties={"name": "Wine"}))
        assert ["pending"] == office.states
    renamed = CONFIGURATION.replace("  intilery: {{", "  shop: {{platform: intilery, ")
    async with Office(tmp_path, configuration=renamed) as office:
        await office.later(MINUTE)
        assert ["delivered"] == office.states


# ── answers ───────────────────────────────────────────────────────────────────────────────────

NO = '{"success": false, "message": "userId must not be empty"}'


@pytest.mark.parametrize("status", [200, 400])
async def test_success_false_is_final_whatever_the_status(tmp_path: Path, status: int) -> None:
    async with Office(tmp_path, TRACK) as office:
        office.sandbox.faults.add("body", status=status, body=NO, only="track")
        await office.happen(office.event(properties={"name": "Wine"}))
        ((state, reason),) = office.rows("state, reason")
        assert ("dead", True) == (state, "userId must not be empty" in reason)


@pytest.mark.parametrize(("refusals", "state"), [(2, "delivered"), (3, "dead")])
async def test_intempt_must_refuse_three_times_in_a_row(tmp_path: Path, refusals: int, state: str) -> None:
    async with Office(tmp_path, INTEMPT_TRACK) as office:
        office.sandbox.faults.add("status", status=400, only="intempt.track", times=refusals)
        await office.happen(office.event(properties={"name": "Wine"}))
        for _ in range(3):
            await office.later(MINUTE)
        assert [state] == office.states
        assert 3 == len(office.asked("intempt.track"))


async def test_a_refusal_between_other_troubles_is_not_one_of_three_in_a_row(tmp_path: Path) -> None:
    async with Office(tmp_path, INTEMPT_TRACK) as office:
        for status in (400, 400, 503, 400, 400):
            office.sandbox.faults.add("status", status=status, only="intempt.track")
        await office.happen(office.event(properties={"name": "Wine"}))
        for _ in range(6):
            await office.later(60 * MINUTE)
        assert ["delivered"] == office.states


async def test_a_passing_refusal_parks_nothing(tmp_path: Path) -> None:
    async with Office(tmp_path, INTEMPT_TRACK) as office:
        for _ in range(6):
            office.sandbox.faults.add("status", status=400, only="intempt.track")
            await office.happen(office.event(properties={"name": "Wine"}))
        assert {} == office.parked
        await office.later(MINUTE)
        assert ["delivered"] * 6 == office.states


async def test_the_plans_limit_parks_the_account_and_spends_nothing(tmp_path: Path) -> None:
    async with Office(tmp_path, INTEMPT_TRACK) as office:
        office.sandbox.faults.add("status", status=402, only="intempt.track", times=2)
        await office.happen(office.event(properties={"name": "Wine"}))
        assert "402" in office.parked[f"@{INTEMPT}"].reason
        await office.later(16 * MINUTE)
        await office.later(16 * MINUTE)
        assert [("delivered", 1)] == office.rows("state, attempts")
        assert {} == office.parked


async def test_a_replaced_key_opens_the_account_at_once(tmp_path: Path) -> None:
    async with Office(tmp_path, INTEMPT_TRACK) as office:
        office.write_secrets(KEY="invalid.x")
        await office.happen(office.event(properties={"name": "Wine"}))
        assert [f"@{INTEMPT}"] == list(office.parked)
        office.write_secrets(KEY="a.b")
        office.courier.wake({f"@{INTEMPT}"})
        await office.rest()
        assert ["delivered"] == office.states


async def test_a_429_slows_polling_too_and_spends_nothing(tmp_path: Path) -> None:
    async with Office(tmp_path, INTEMPT_TRACK) as office:
        limits = {"X-RateLimit-Remaining": "0", "X-RateLimit-Replenish-Rate": "1", "X-RateLimit-Burst-Capacity": "1"}
        office.sandbox.faults.add("body", status=429, headers=limits, only="intempt.track")
        await office.happen(office.event(properties={"name": "Wine"}))
        assert [("pending", 0)] == office.rows("state, attempts")
        assert 900 < office.courier.shared[f"@{INTEMPT}"].take() <= 1000
        await asyncio.sleep(1)
        await office.later(10 * SECOND)
        assert ["delivered"] == office.states


@pytest.mark.parametrize("kind", ["lost", "cut"])
@pytest.mark.parametrize(("action", "operation"), [(TRACK, "track"), (INTEMPT_TRACK, "intempt.track")])
async def test_a_lost_answer_is_asked_for_again_under_the_same_id(
    tmp_path: Path, action: str, operation: str, kind: str
) -> None:
    async with Office(tmp_path, action) as office:
        office.sandbox.faults.add(kind, only=operation)
        await office.happen(office.event(properties={"name": "Wine"}))
        assert ["pending"] == office.states
        await office.later(10 * SECOND)
        assert ["delivered"] == office.states
        came = office.tracked if operation == "intempt.track" else office.feed
        assert (1 if kind == "cut" else 2) == len(came)
        assert all(one == came[0] for one in came)


async def test_a_502_is_tried_again_and_five_of_them_park(tmp_path: Path) -> None:
    async with Office(tmp_path, TRACK) as office:
        office.sandbox.faults.add("status", status=502, only="track", times=5)
        for _ in range(5):
            await office.happen(office.event(properties={"name": "Wine"}))
        assert [f"@{INTILERY}"] == list(office.parked)
        for _ in range(6):
            await office.later(10 * SECOND)
        assert ["delivered"] * 5 == office.states


async def test_commands_have_a_guard_and_expire(tmp_path: Path) -> None:
    async with Office(tmp_path, "- intilery_command: {event: send_push, assetId: a}") as office:
        await office.happen(*(office.event() for _ in range(101)))
        assert Counter(delivered=100, held=1) == Counter(office.states)
        assert [("guard",)] == office.rows("reason", "deliveries WHERE state = 'held'")
        assert [(START + 24 * 60 * MINUTE,)] * 101 == office.rows("expires_at")


# ── sizes ─────────────────────────────────────────────────────────────────────────────────────


async def test_a_call_that_is_too_large_is_not_sent(tmp_path: Path) -> None:
    async with Office(tmp_path, f"{TRACK}\n{INTEMPT_TRACK}") as office:
        await office.happen(office.event(properties={"name": "x" * 1_000_000}))
        for state, reason in office.rows("state, reason"):
            assert ("dead", True) == (state, "too large" in reason)
        assert [] == office.asked("track") + office.asked("intempt.track")


async def test_more_than_fifty_lines_in_one_event_are_all_sent_together(tmp_path: Path) -> None:
    action = '- intempt_track: {name: Product ordered, data: "{{ properties.products }}"}'
    async with Office(tmp_path, action, switches={"intempt_entries": "50"}) as office:
        await office.happen(office.event(properties={"products": [{"productId": str(n)} for n in range(60)]}))
        assert (60, [201]) == (len(office.tracked), office.asked("intempt.track"))


# ── several at once ───────────────────────────────────────────────────────────────────────────


async def test_what_waits_goes_fifty_at_a_time_and_each_is_a_delivery_of_its_own(tmp_path: Path) -> None:
    async with Office(tmp_path, INTEMPT_TRACK, switches={"intempt_entries": "50"}) as office:
        await office.happen(*(office.event(properties={"name": n}) for n in range(120)))
        assert [201] * 3 == office.asked("intempt.track")
        assert [("delivered", 1)] * 120 == office.rows("state, attempts")
        ids = {str(uuid.UUID(id[4:])): n for n, (id,) in enumerate(office.rows("id"))}
        assert list(range(120)) == sorted(line["data"]["name"] for line in office.tracked)
        assert all(line["data"]["name"] == ids[line["eventId"]] for line in office.tracked)


async def test_intilery_calls_of_all_kinds_go_together_but_commands_do_not(tmp_path: Path) -> None:
    actions = """
- intilery_identify: {traits: {tier: gold}}
- intilery_track: {event: Basket Rated}
- intilery_page: {}
- intilery_screen: {name: Home}
- intilery_command: {event: send_push, assetId: a}
"""
    async with Office(tmp_path, actions) as office:
        await office.happen(office.event(), office.event())
        assert ([200], [200, 200]) == (office.asked("batch"), office.asked("track"))
        assert Counter(identify=2, Basket_Rated=2, page=2, screen=2, send_push=2) == Counter(
            entry["event"].replace(" ", "_") for entry in office.feed
        )
        assert sorted(office.rows("id")) == sorted((id,) for id, _ in marks(office))


async def test_a_batch_that_is_refused_is_tried_in_parts_until_the_bad_one_stands_alone(tmp_path: Path) -> None:
    long = '- intilery_track: {event: "{{ properties.name }}", timestamp: "{{ properties.at | default(omit) }}"}'
    async with Office(tmp_path, long) as office:
        refuse(office, "seven")
        await office.happen(*(office.event(properties={"name": "seven" if n == 7 else f"n{n}"}) for n in range(20)))
        assert Counter(delivered=19, dead=1) == Counter(office.states)
        assert [(True, 1)] == [
            ("no seven" in reason, n)
            for reason, n in office.rows("reason, attempts", "deliveries WHERE state = 'dead'")
        ]
        assert 20 - 1 == len(marks(office)) == len(set(marks(office)))


async def test_a_passing_refusal_of_a_batch_costs_nobody_an_attempt(tmp_path: Path) -> None:
    async with Office(tmp_path, INTEMPT_TRACK) as office:
        office.sandbox.faults.add("status", status=400, only="intempt.track")
        await office.happen(*(office.event(properties={"name": n}) for n in range(10)))
        assert [("delivered", 1)] * 10 == office.rows("state, attempts")
        assert [201, 201, 400] == office.asked("intempt.track")


async def test_a_batch_whose_answer_is_lost_is_repeated_with_the_same_ids(tmp_path: Path) -> None:
    async with Office(tmp_path, INTEMPT_TRACK) as office:
        office.sandbox.faults.add("lost", only="intempt.track")
        await office.happen(*(office.event(properties={"name": n}) for n in range(10)))
        assert [("pending", 1)] * 10 == office.rows("state, attempts")
        await office.later(10 * SECOND)
        assert [("delivered", 2)] * 10 == office.rows("state, attempts")
        assert {2} == set(Counter(line["eventId"] for line in office.tracked).values())


async def test_batches_that_fail_park_like_single_calls(tmp_path: Path) -> None:
    async with Office(tmp_path, INTEMPT_TRACK) as office:
        office.sandbox.faults.add("status", status=503, only="intempt.track", times=5)
        await office.happen(*(office.event(properties={"name": n}) for n in range(10)))
        for wait in (10, 15, 60, 120):
            assert {} == office.parked
            await office.later(wait * SECOND)
        assert [f"@{INTEMPT}"] == list(office.parked)
        for _ in range(3):
            await office.later(MINUTE)
        assert ["delivered"] * 10 == office.states


async def test_a_clock_put_right_while_nothing_ran_holds_no_delivery_back(tmp_path: Path) -> None:
    async with Office(tmp_path, INTEMPT_TRACK) as office:
        office.sandbox.faults.add("status", status=503, only="intempt.track", times=1)
        await office.happen(office.event(properties={"name": "Wine"}))
        assert ["pending"] == office.states
        await office.end()
        office.now -= 400 * DAY
        office.begin()
        await office.later(0)
        assert ["delivered"] == office.states


async def test_a_retry_a_day_away_stays_there_at_a_start(tmp_path: Path) -> None:
    async with Office(tmp_path, INTEMPT_TRACK) as office:
        office.sandbox.faults.add("status", status=503, only="intempt.track", times=1)
        await office.happen(office.event(properties={"name": "Wine"}))
        await office.end()
        due = office.now + 28 * HOUR
        with office.store.write() as tx:
            tx.run("UPDATE deliveries SET due = ?", (due,))
        office.begin()
        assert [("pending", due)] == office.rows("state, due")


async def test_large_calls_go_alone(tmp_path: Path) -> None:
    async with Office(tmp_path, TRACK) as office:
        await office.happen(*(office.event(properties={"name": size * "x"}) for size in (40_000, 5, 50_000, 5)))
        assert ([200], [200, 200]) == (office.asked("batch"), office.asked("track"))


@pytest.mark.parametrize("before", [0, 180, 190])
async def test_no_part_of_a_secret_that_a_platform_repeats_is_kept(tmp_path: Path, before: int) -> None:
    office = Office(tmp_path, TRACK)
    office.secrets["TOKEN"] = "canary-token-of-the-platform"
    async with office:
        said = f'{{"message": "{"x" * before} {office.secrets["TOKEN"]} {"x" * 99}"}}'
        office.sandbox.faults.add("body", status=400, body=said, only="track")
        await office.happen(office.event(properties={"name": "Wine"}))
        kept = office.rows("answer, reason") + office.rows("answer, ''", "attempts", "n")
        assert ["dead"] == office.states
        assert "***" in str(kept)
        assert "canary" not in str(kept)


# ── loops ─────────────────────────────────────────────────────────────────────────────────────


async def written(office: Office) -> str:
    """The id of a delivery that was written to Intilery."""
    await office.happen(office.event(properties={"name": "Wine"}))
    return str(office.rows("id")[-1][0])


async def test_our_own_event_wakes_nobody_who_does_not_ask_for_it(tmp_path: Path) -> None:
    async with Office(tmp_path, TRACK) as office:
        mark = {"delivery": await written(office), "hops": 1}
        await office.happen(office.event(own=mark, properties={"name": "Wine"}))
        assert ["delivered"] == office.states
        assert [(0, ""), (1, "")] == office.rows("own, notes", "events")


@pytest.mark.parametrize("mark", [True, {"hops": 1}, {"delivery": "dlv_" + 32 * "0", "hops": 1}, {"delivery": [1]}])
async def test_an_event_that_only_says_it_is_ours_wakes_its_recipes(tmp_path: Path, mark: Any) -> None:
    async with Office(tmp_path, TRACK) as office:
        await office.happen(office.event(own=mark, properties={"name": "Wine"}))
        assert ["delivered"] == office.states
        assert [(0, "foreign_mark")] == office.rows("own, notes", "events")


async def test_a_mark_that_names_what_was_sent_elsewhere_is_foreign(tmp_path: Path) -> None:
    async with Office(tmp_path, "- webhook: {to: crm, text: x}") as office:
        mark = {"delivery": await written(office), "hops": 1}
        await office.happen(office.event(own=mark))
        assert ["delivered", "delivered"] == office.states


@pytest.mark.parametrize(("hops", "state", "reason"), [(1, "delivered", ""), (2, "delivered", ""), (3, "held", "loop")])
async def test_a_chain_of_more_than_three_is_held(tmp_path: Path, hops: int, state: str, reason: str) -> None:
    async with Office(tmp_path, TRACK, trigger=", own: true") as office:
        mark = {"delivery": await written(office), "hops": hops}
        await office.happen(office.event(own=mark, properties={"name": "Wine"}))
        assert [("delivered", ""), (state, reason)] == office.rows("state, reason")
        assert [1, *[hops + 1] * (state == "delivered")] == [n for _, n in marks(office)]


async def test_the_writes_of_another_connector_count_in_a_chain(tmp_path: Path) -> None:
    async with Office(tmp_path, TRACK) as office:
        mark = {"delivery": "dlv_" + 32 * "0", "hops": 3}
        await office.happen(office.event(own=mark, properties={"name": "Wine"}))
        assert [("held", "loop")] == office.rows("state, reason")


@pytest.mark.parametrize("mark", [True, "x", {"hops": "many"}, {"hops": -5}, {"hops": True}, {}])
async def test_a_mark_that_says_nothing_counts_as_one(tmp_path: Path, mark: Any) -> None:
    async with Office(tmp_path, TRACK, trigger=", own: true") as office:
        await office.happen(office.event(own=mark, properties={"name": "Wine"}))
        assert [2] == [n for _, n in marks(office)]


async def test_others_are_told_of_our_own_events_without_end(tmp_path: Path) -> None:
    async with Office(tmp_path, "- webhook: {to: crm, text: x}", trigger=", own: true") as office:
        await office.happen(office.event(own={"hops": 9}))
        assert ["delivered"] == office.states


# ── too many requests ─────────────────────────────────────────────────────────────────────────


async def test_after_each_pause_of_a_429_one_request_goes_first(tmp_path: Path) -> None:
    async with Office(tmp_path, "- webhook: {to: crm, text: x}") as office:
        crm = office.sandbox.receiver("crm")
        crm.behave(status=429)
        await office.happen(*(office.event() for _ in range(60)))
        came = [len(crm.received)]
        for seconds in (1, 2, 4):
            await office.later(2 * seconds * SECOND)
            came.append(len(crm.received))
        assert [came[0], came[0] + 1, came[0] + 2, came[0] + 3] == came
        crm.behave()
        await office.later(16 * SECOND)
        assert ["delivered"] * 60 == office.states
        assert 60 == crm.statuses[200]


async def test_a_retry_that_is_not_due_is_no_probe_after_a_429(tmp_path: Path) -> None:
    async with Office(tmp_path, "- webhook: {to: crm, text: x}") as office:
        crm = office.sandbox.receiver("crm")
        crm.behave(status=429, headers={"Retry-After": "2"})
        await office.happen(office.event())
        with office.store.write() as tx:
            tx.run("UPDATE deliveries SET due = due + ?", (HOUR,))
        await office.later(10 * SECOND)
        assert 1 == len(crm.received)


# ── Slack ─────────────────────────────────────────────────────────────────────────────────────

SLACK = CONFIGURATION.replace(
    "destinations:\n",
    'destinations:\n  sales: {{slack: {{token: "${{SLACK}}", channel: "#sales", api: "{url}/slack"}}, rate: 100/1s}}\n',
)


async def test_a_message_is_posted_with_a_token(tmp_path: Path) -> None:
    async with Office(tmp_path, "- slack: {to: sales, text: Hi}", configuration=SLACK) as office:
        await office.happen(office.event())
        (came,) = office.sandbox.slack("chat.postMessage").received
        assert ("#sales", "Hi") == (came.json["channel"], came.json["text"])
        assert "Bearer xoxb-1" == came.headers["authorization"]
        assert ["delivered"] == office.states


async def test_ok_false_in_a_200_parks_or_waits_as_its_word_says(tmp_path: Path) -> None:
    async with Office(tmp_path, "- slack: {to: sales, text: Hi}", configuration=SLACK) as office:
        there = office.sandbox.slack("chat.postMessage")
        there.behave(body='{"ok":false,"error":"ratelimited"}', headers={"Retry-After": "30"})
        await office.happen(office.event())
        assert [("pending", 0, START + 30 * SECOND)] == [
            (state, n, due // SECOND * SECOND) for state, n, due in office.rows("state, attempts, due")
        ]
        there.behave(body='{"ok":false,"error":"not_in_channel"}')
        await office.later(31 * SECOND)
        assert "invite the app" in office.parked["sales"].reason
        there.behave(body='{"ok":true,"ts":"1"}')
        await office.later(16 * MINUTE)
        assert ["delivered"] == office.states
