"""Regulations through an API, over real HTTP: after approval only, never twice by guess, a person where in doubt."""

from pathlib import Path
from typing import Any

import pytest

from connector.actions.regulating import Api
from connector.deliver.regulator import Regulator
from connector.errors import ConfigurationError
from connector.model import MINUTE, SECOND
from connector.settings import load
from connector.store import regulations, verify
from tests.deliver.office import CONFIGURATION, INTILERY, Office

API = """
regulations:
  mode: api
  cap: 20/1d
  unattended: [access]
  connection: intilery
  path: /regulations
  body: {{regulation_type: "{{{{ item.type }}}}", attributes: {{name: userId, values: ["{{{{ item.user_id }}}}"]}}}}
  types: {{suppress_and_delete: Suppress_With_Delete, delete: Delete, unsuppress: Unsuppress, suppress: Suppress}}
  list:
    path: /regulations
    query: {{regulation_types: "{{{{ item.type }}}}"}}
    entries: entries
    users: attributes.values
    created: created_at
    next: next_page_token
"""


class Bureau(Office):
    """An office with a regulator."""

    def __init__(self, folder: Path, type: str = "suppress", *, settings: str = API, **options: Any) -> None:
        options.setdefault("switches", {"regulations": "historical"})
        action = f"- regulation: {{type: {type}, reason: asked}}"
        super().__init__(folder, action, configuration=CONFIGURATION + settings, **options)

    def begin(self) -> None:
        super().begin()
        api = Api.of(self.settings)
        assert api is not None
        bucket = self.courier.shared[f"@{INTILERY}"]
        self.regulator = Regulator(self.store, self.http, bucket, api, self.rules, lambda: self.now)

    async def end(self) -> None:
        await self.regulator.stop(5)
        await super().end()
        with self.store.read() as tx:
            assert [] == [check for check in verify.verify(tx) if check.fault]

    async def rest(self) -> None:
        self.regulator.look()
        while self.regulator.busy:
            await self.regulator._task  # type: ignore[misc]  it is busy
        await super().rest()

    async def decide(self, decision: Any, *given: Any) -> None:
        """What a person does, and what follows."""
        for (id,) in self.rows("id"):
            with self.store.write() as tx:
                decision(tx, *given, id, "ada", self.now)
        await self.rest()

    async def approve(self) -> None:
        await self.decide(regulations.approve, self.rules)

    @property
    def standing(self) -> tuple[str, str, str]:
        """State of the regulation, state and reason of its delivery."""
        ((state,),) = self.rows("state", "regulations")
        ((of_delivery, reason),) = self.rows("state, reason")
        return state, of_delivery, reason

    @property
    def asked_for(self) -> list[tuple[str, list[str]]]:
        """What the platform has, and for whom."""
        return [(one.kind, one.users) for one in self.sandbox.account().regulations.all.values()]


async def test_nothing_is_asked_for_before_a_person_approves(tmp_path: Path) -> None:
    async with Bureau(tmp_path) as bureau:
        await bureau.happen(bureau.event())
        assert ([], ("proposed", "held", "approval")) == (bureau.asked_for, bureau.standing)
        await bureau.approve()
        assert [("Suppress", ["u1"])] == bureau.asked_for
        assert ("sent", "delivered", "") == bureau.standing
        await bureau.decide(regulations.done)
        assert ("done", "delivered", "done by ada") == bureau.standing
        assert [200] == bureau.asked("regulations")


async def test_an_unattended_type_goes_at_once_and_one_without_a_name_is_a_work_item(tmp_path: Path) -> None:
    async with Bureau(tmp_path, "suppress", settings=API.replace("[access]", "[suppress]")) as bureau:
        await bureau.happen(bureau.event())
        assert ("sent", "delivered", "") == bureau.standing
    (tmp_path / "other").mkdir()
    async with Bureau(tmp_path / "other", "access") as bureau:
        await bureau.happen(bureau.event())
        assert ("approved", "pending", "work item") == bureau.standing


async def test_a_delete_waits_for_a_finished_suppress_even_where_it_is_unattended(tmp_path: Path) -> None:
    async with Bureau(tmp_path, "delete", settings=API.replace("[access]", "[delete]")) as bureau:
        await bureau.happen(bureau.event())
        assert ([], ("proposed", "held", "approval")) == (bureau.asked_for, bureau.standing)


async def test_the_kill_switch_is_read_right_before_each_request(tmp_path: Path) -> None:
    async with Bureau(tmp_path) as bureau:
        await bureau.happen(bureau.event())
        with bureau.store.write() as tx:
            regulations.approve(tx, bureau.rules, bureau.rows("id")[0][0], "ada", bureau.now)
            regulations.stop(tx, "eve", bureau.now)
        await bureau.rest()
        assert ([], ("approved", "held", "kill_switch")) == (bureau.asked_for, bureau.standing)
        with bureau.store.write() as tx:
            regulations.resume(tx, bureau.rules, "eve", bureau.now)
        await bureau.rest()
        assert ("sent", "delivered", "") == bureau.standing


async def test_past_the_cap_nothing_is_asked_for(tmp_path: Path) -> None:
    few = API.replace("20/1d", "2/1d").replace("[access]", "[suppress]")
    async with Bureau(tmp_path, settings=few) as bureau:
        await bureau.happen(*(bureau.event(userId=f"u{n}") for n in range(3)))
        assert [] == bureau.asked_for
        assert [("held", "cap")] * 3 == bureau.rows("state, reason")


async def test_what_was_sent_counts_for_the_cap(tmp_path: Path) -> None:
    few = API.replace("20/1d", "2/1d").replace("[access]", "[suppress]")
    async with Bureau(tmp_path, settings=few) as bureau:
        for n in range(4):
            await bureau.happen(bureau.event(userId=f"u{n}"))
        assert 2 == len(bureau.asked_for)
        assert [("delivered", "")] * 2 + [("held", "cap")] * 2 == bureau.rows("state, reason")


async def test_what_needs_a_regulation_goes_on_once_it_is_sent(tmp_path: Path) -> None:
    async with Bureau(tmp_path) as bureau:
        bureau.actions = (f"{bureau.actions[0]}\n- {{needs: regulation, webhook: {{to: crm, text: sent}}}}",)
        bureau.serve()
        resolved: list[set[int]] = []
        bureau.regulator.resolve = lambda _tx, runs: resolved.append(runs) or {"crm"}  # type: ignore[func-returns-value]
        bureau.regulator.kick = lambda names: resolved.append(names)  # type: ignore[assignment,arg-type]  both sets
        await bureau.happen(bureau.event())
        with bureau.store.write() as tx:
            regulations.approve(tx, bureau.rules, bureau.rows("id")[0][0], "ada", bureau.now)
        await bureau.rest()
        assert [{1}, {"crm"}] == resolved


# ── answers that are lost ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("type", ["suppress", "suppress_and_delete"])
@pytest.mark.parametrize("kind", ["lost", "cut_body", "html"])
async def test_what_the_list_shows_counts_as_sent(tmp_path: Path, type: str, kind: str) -> None:
    async with Bureau(tmp_path, type) as bureau:
        if kind == "html":  # taken, but what answers is a page from in between
            bureau.sandbox.account().regulations.request("Suppress", ["u1"], bureau.now)
            bureau.sandbox.account().regulations.request("Suppress_With_Delete", ["u1"], bureau.now)
        bureau.sandbox.faults.add(kind, only="regulations")
        await bureau.happen(bureau.event())
        await bureau.approve()
        before = len(bureau.asked_for)
        assert ("approved", "pending", "to send") == bureau.standing
        await bureau.later(10 * SECOND)
        assert ("sent", "delivered", "") == bureau.standing
        assert before == len(bureau.asked_for)


async def test_what_can_be_undone_is_asked_for_again_once_the_list_does_not_show_it(tmp_path: Path) -> None:
    async with Bureau(tmp_path) as bureau:
        bureau.sandbox.faults.add("status", status=503, only="regulations")
        await bureau.happen(bureau.event())
        await bureau.approve()
        await bureau.later(10 * SECOND)
        assert ("sent", "delivered", "") == bureau.standing
        assert [("Suppress", ["u1"])] == bureau.asked_for
        assert [("retry", 503), ("delivered", 200)] == bureau.rows(
            "outcome, status", "attempts WHERE outcome <> 'approved'", "n"
        )


async def test_what_cannot_be_undone_waits_for_a_person_who_may_send_it_again(tmp_path: Path) -> None:
    async with Bureau(tmp_path, "suppress_and_delete") as bureau:
        bureau.sandbox.faults.add("cut", only="regulations")
        await bureau.happen(bureau.event())
        await bureau.approve()
        await bureau.later(10 * SECOND)
        state, of_delivery, reason = bureau.standing
        assert ("approved", "held", True) == (state, of_delivery, reason.startswith("needs_human: it cannot be undone"))
        await bureau.later(60 * MINUTE)
        assert [] == bureau.asked_for
        await bureau.approve()
        assert ("sent", "delivered", "") == bureau.standing
        assert [("Suppress_With_Delete", ["u1"])] == bureau.asked_for


async def test_an_older_request_in_the_list_is_not_taken_for_this_one(tmp_path: Path) -> None:
    async with Bureau(tmp_path) as bureau:
        bureau.sandbox.account().regulations.request("Suppress", ["u1"], bureau.now - 60 * MINUTE)
        bureau.sandbox.faults.add("cut", only="regulations")
        await bureau.happen(bureau.event())
        await bureau.approve()
        await bureau.later(10 * SECOND)
        assert 2 == len(bureau.asked_for)


async def test_the_list_is_read_to_its_end(tmp_path: Path) -> None:
    async with Bureau(tmp_path) as bureau:
        for n in range(250):
            bureau.sandbox.account().regulations.request("Suppress", [f"other-{n}"], bureau.now)
        bureau.sandbox.faults.add("lost", only="regulations")
        await bureau.happen(bureau.event())
        await bureau.approve()
        await bureau.later(10 * SECOND)
        assert ("sent", 251) == (bureau.standing[0], len(bureau.asked_for))


@pytest.mark.parametrize(
    ("kind", "options"),
    [("html", {}), ("body", {"body": '{"entries": 5}'}), ("body", {"body": "{}"}), ("status", {"status": 404})],
)
async def test_a_list_that_cannot_be_read_is_for_a_person(tmp_path: Path, kind: str, options: dict[str, Any]) -> None:
    async with Bureau(tmp_path) as bureau:
        bureau.sandbox.faults.add("lost", only="regulations")
        bureau.sandbox.faults.add(kind, only="regulations", **options)
        await bureau.happen(bureau.event())
        await bureau.approve()
        await bureau.later(10 * SECOND)
        assert "needs_human: an answer was lost, and the platform's list cannot be read" in bureau.standing[2]
        await bureau.later(60 * MINUTE)
        assert 1 == len(bureau.asked_for)
        await bureau.decide(regulations.done)
        assert "done" == bureau.standing[0]


async def test_a_list_that_fails_for_a_while_is_asked_again_and_then_a_person(tmp_path: Path) -> None:
    async with Bureau(tmp_path) as bureau:
        bureau.sandbox.faults.add("lost", only="regulations")
        bureau.sandbox.faults.add("status", status=503, only="regulations", times=5)
        await bureau.happen(bureau.event())
        await bureau.approve()
        for wait in (10, 10, 15, 60, 120):
            assert "to send" == bureau.standing[2]
            await bureau.later(wait * SECOND)
        assert "cannot be read" in bureau.standing[2]
        assert 1 == len(bureau.asked_for)


@pytest.mark.parametrize("type", ["suppress", "suppress_and_delete"])
async def test_a_process_that_died_while_it_asked_looks_first(tmp_path: Path, type: str) -> None:
    async with Bureau(tmp_path, type) as bureau:
        bureau.sandbox.faults.add("slow", wait="30s", only="regulations")
        await bureau.happen(bureau.event())
        for (id,) in bureau.rows("id"):
            with bureau.store.write() as tx:
                regulations.approve(tx, bureau.rules, id, "ada", bureau.now)
        bureau.regulator.look()
        while not bureau.asked("regulations"):
            await bureau.pause()
        await bureau.regulator.stop(0)  # as if it was killed: nothing more is written
        assert [("asking",)] == bureau.rows("outcome", "attempts WHERE outcome <> 'approved'", "n")
        bureau.begin()
        await bureau.rest()
        assert ("sent", 1) == (bureau.standing[0], len(bureau.asked_for))


# ── answers that are clear ────────────────────────────────────────────────────────────────────


async def test_a_refusal_is_for_a_person(tmp_path: Path) -> None:
    async with Bureau(tmp_path, switches={"regulations": "404"}) as bureau:
        await bureau.happen(bureau.event())
        await bureau.approve()
        assert "needs_human: the platform refuses it: HTTP 404" in bureau.standing[2]
        await bureau.later(60 * MINUTE)
        assert [404] == bureau.asked("regulations")
        await bureau.decide(regulations.reject)
        assert ("rejected", "discarded", "rejected by ada") == bureau.standing


async def test_a_bad_token_waits_and_a_429_does_as_it_is_told(tmp_path: Path) -> None:
    async with Bureau(tmp_path, "suppress_and_delete") as bureau:
        bureau.sandbox.faults.add("status", status=401, only="regulations")
        bureau.sandbox.faults.add("body", status=429, headers={"Retry-After": "1"}, only="regulations")
        await bureau.happen(bureau.event())
        await bureau.approve()
        assert ("approved", "pending", "to send") == bureau.standing
        await bureau.later(16 * MINUTE)
        await bureau.pause(1.1)
        await bureau.later(MINUTE)
        assert ("sent", 1) == (bureau.standing[0], len(bureau.asked_for))


async def test_stopping_does_not_forget_that_an_answer_was_lost(tmp_path: Path) -> None:
    async with Bureau(tmp_path, "suppress_and_delete") as bureau:
        bureau.sandbox.faults.add("cut", only="regulations")
        await bureau.happen(bureau.event())
        await bureau.approve()
        await bureau.later(10 * SECOND)
        held = bureau.standing
        with bureau.store.write() as tx:
            regulations.stop(tx, "eve", bureau.now)
            regulations.resume(tx, bureau.rules, "eve", bureau.now)
        await bureau.later(MINUTE)
        assert held == bureau.standing


# ── the configuration ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("  path: /regulations\n  body", "  body", "mode api lacks path"),
        ("  connection: intilery\n", "", "mode api lacks connection"),
        ("connection: intilery", "connection: intilry", "needs the name of a connection of intilery - did you mean"),
        ("connection: intilery", "connection: intempt", "needs the name of a connection of intilery"),
        ("{{{{ item.user_id }}}}", "u1", "item.user_id is missing"),
        ("{{{{ item.user_id }}}}", "{{{{ item.user }}}}", "item.user is not there"),
        ("{{{{ item.user_id }}}}", "{{{{ item.user_id", "this {{ is never closed"),
        ("suppress: Suppress", "supress: Suppress", "supress"),
        ("    users: attributes.values\n", "", "the key 'users' is missing"),
        ("    users: attributes.values\n", "    user: attributes.values\n    users: x\n", "unknown key 'user'"),
        ("path: /regulations\n  body", "path: https://evil.test\n  body", "expected a path below the account"),
        ("path: /regulations\n  body", "path: /../x\n  body", "expected a path below the account"),
        ("  cap: 20/1d\n", "", "mode api needs a cap"),
    ],
)
def test_mistakes_of_the_configuration_have_a_place(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in API
    file = tmp_path / "connector.yaml"
    file.write_text((CONFIGURATION + API.replace(old, new)).format(url="http://127.0.0.1:1"))
    with pytest.raises(ConfigurationError) as caught:
        Api.of(load(file, {"TOKEN": "t", "KEY": "a.b"}))
    assert message in str(caught.value)
    assert all(mistake.line > 1 for mistake in caught.value.mistakes)
