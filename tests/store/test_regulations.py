"""An event proposes, people dispose: no way to a decision but through a named person."""

import pytest

from connector.model import DAY, HOUR, Rate, State, instant
from connector.store import audit, regulations
from connector.store.database import Store, Tx
from connector.store.regulations import NotAllowed, Rules

MANUAL = Rules(mode="manual")
NOW = 1_800_000_000_000


def propose(
    tx: Tx, n: int = 1, *, rules: Rules = MANUAL, type: str = "suppress", user: str | None = None
) -> tuple[State, str]:
    delivery = f"dlv_{n}"
    state, reason = regulations.propose(
        tx,
        rules,
        delivery=delivery,
        account=1,
        type=type,
        user_id=user or f"u{n}",
        reason="asked",
        recipe="r",
        now=NOW + n,
    )
    columns = (
        "seq,id,account,run,event,recipe,version,action,kind,destination,refire,state,reason,attempts,created,due,"
        "awaited,needs,method,path,headers,meta,answer,response"
    )
    tx.run(
        f"INSERT INTO deliveries ({columns}) VALUES "
        "(?,?,1,1,1,'r','v','regulation','regulation','',0,?,?,0,1,1,0,'','','','','','','')",
        (n, delivery, state, reason),
    )
    return state, reason


def standing(store: Store, n: int = 1) -> tuple[str, str]:
    with store.read() as tx:
        row = tx.one("SELECT state, reason FROM deliveries WHERE id = ?", (f"dlv_{n}",))
        return row[0], row[1]


def test_a_dry_run_only_records(store: Store) -> None:
    with store.write() as tx:
        assert (State.SKIPPED, "dry_run") == propose(tx, rules=Rules())
        with pytest.raises(NotAllowed, match="dry_run"):
            regulations.approve(tx, Rules(), "dlv_1", "ada", NOW)


def test_a_proposal_waits_for_a_named_person_who_then_does_it(store: Store) -> None:
    with store.write() as tx:
        assert (State.HELD, "approval") == propose(tx)
        regulations.approve(tx, MANUAL, "dlv_1", "ada", NOW)
    assert ("pending", "work item") == standing(store)
    with store.write() as tx:
        regulations.done(tx, "dlv_1", "ada", NOW)
    assert ("delivered", "done by ada") == standing(store)


def test_unfinished_work_cannot_be_done_without_approval(store: Store) -> None:
    with store.write() as tx:
        propose(tx)
        with pytest.raises(NotAllowed, match="only an approved one can be done"):
            regulations.done(tx, "dlv_1", "ada", NOW)


def test_a_user_has_one_active_request_of_a_type(store: Store) -> None:
    with store.write() as tx:
        propose(tx, 1, user="u1")
        assert (State.DISCARDED, "already asked for by dlv_1") == propose(tx, 2, user="u1")
        assert (State.HELD, "approval") == propose(tx, 3, user="u1", type="access")


def test_past_the_cap_the_whole_batch_is_held(store: Store) -> None:
    rules = Rules(mode="manual", cap=Rate(2, DAY))
    with store.write() as tx:
        propose(tx, 1, rules=rules)
        regulations.approve(tx, rules, "dlv_1", "ada", NOW)
        propose(tx, 2, rules=rules)
        assert (State.HELD, "cap") == propose(tx, 3, rules=rules)
        with pytest.raises(NotAllowed, match="more than 2/1d were proposed"):
            regulations.approve(tx, rules, "dlv_2", "ada", NOW)
    assert [("held", "cap")] * 3 == [standing(store, n) for n in (1, 2, 3)]
    with store.write() as tx:
        regulations.reject(tx, "dlv_3", "ada", NOW)
        regulations.approve(tx, rules, "dlv_2", "ada", NOW)
    assert ("pending", "work item") == standing(store, 2)
    assert ("discarded", "rejected by ada") == standing(store, 3)


def test_the_kill_switch_holds_everything_until_it_is_lifted(store: Store) -> None:
    with store.write() as tx:
        propose(tx, 1)
        propose(tx, 2)
        regulations.approve(tx, MANUAL, "dlv_1", "ada", NOW)
        regulations.stop(tx, "eve", NOW)
        assert (State.HELD, "kill_switch") == propose(tx, 3)
        with pytest.raises(NotAllowed, match="regulations are stopped"):
            regulations.approve(tx, MANUAL, "dlv_2", "ada", NOW)
        with pytest.raises(NotAllowed, match="regulations are stopped"):
            regulations.done(tx, "dlv_1", "ada", NOW)
    assert [("held", "kill_switch")] * 3 == [standing(store, n) for n in (1, 2, 3)]
    with store.write() as tx:
        regulations.resume(tx, MANUAL, "ada", NOW)
    assert [("pending", "work item"), ("held", "approval"), ("held", "approval")] == [
        standing(store, n) for n in (1, 2, 3)
    ]


def test_a_delete_needs_a_finished_suppress(store: Store) -> None:
    with store.write() as tx:
        propose(tx, 1, type="delete", user="u1")
        with pytest.raises(NotAllowed, match="needs a finished suppress"):
            regulations.approve(tx, MANUAL, "dlv_1", "ada", NOW)
        propose(tx, 2, type="suppress", user="u1")
        regulations.approve(tx, MANUAL, "dlv_2", "ada", NOW)
        with pytest.raises(NotAllowed, match="needs a finished suppress"):
            regulations.approve(tx, MANUAL, "dlv_1", "ada", NOW)
        regulations.done(tx, "dlv_2", "ada", NOW)
        regulations.approve(tx, MANUAL, "dlv_1", "ada", NOW)
    assert ("pending", "work item") == standing(store, 1)


def test_a_delete_is_refused_once_the_suppress_was_undone(store: Store) -> None:
    with store.write() as tx:
        for n, type in ((1, "suppress"), (2, "unsuppress")):
            propose(tx, n, type=type, user="u1")
            regulations.approve(tx, MANUAL, f"dlv_{n}", "ada", NOW + n)
            regulations.done(tx, f"dlv_{n}", "ada", NOW + n)
        propose(tx, 3, type="delete", user="u1")
        with pytest.raises(NotAllowed, match="needs a finished suppress"):
            regulations.approve(tx, MANUAL, "dlv_3", "ada", NOW)
        regulations.approve(tx, Rules(mode="manual", assume_suppressed=True), "dlv_3", "ada", NOW)


def test_an_unattended_type_becomes_a_work_item_at_once(store: Store) -> None:
    rules = Rules(mode="manual", unattended=frozenset({"suppress"}))
    with store.write() as tx:
        assert (State.PENDING, "work item") == propose(tx, 1, rules=rules)
        assert (State.HELD, "approval") == propose(tx, 2, rules=rules, type="delete")
        assert (State.SKIPPED, "dry_run") == propose(tx, 3, rules=Rules(unattended=frozenset({"suppress"})))


@pytest.mark.parametrize(
    ("received", "due"),
    [
        ("2026-01-31T10:00:00Z", "2026-02-28T10:00:00Z"),
        ("2028-01-31T10:00:00Z", "2028-02-29T10:00:00Z"),
        ("2026-12-15T00:00:00Z", "2027-01-15T00:00:00Z"),
    ],
)
def test_the_answer_is_due_one_month_after_receipt(received: str, due: str) -> None:
    at = instant(received)
    assert at is not None
    assert instant(due) == regulations.one_month_later(at)


def test_every_decision_leaves_a_row_in_the_chained_audit(store: Store) -> None:
    with store.write() as tx:
        propose(tx)
        regulations.approve(tx, MANUAL, "dlv_1", "ada", NOW)
        regulations.done(tx, "dlv_1", "bob", NOW + HOUR)
    with store.read() as tx:
        rows = [tuple(row) for row in tx.run("SELECT actor, action FROM audit ORDER BY seq")]
        assert audit.verify(tx) is None
    assert [("connector", "regulation.proposed"), ("ada", "regulation.approved"), ("bob", "regulation.done")] == rows


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE audit SET actor = 'eve' WHERE seq = 2",
        "DELETE FROM audit WHERE seq = 2",
        "UPDATE audit SET at = 1 WHERE seq = 2",
    ],
)
def test_a_changed_audit_shows(store: Store, tampering: str) -> None:
    with store.write() as tx:
        for n in range(3):
            audit.append(tx, NOW + n, "ada", "test", str(n), {})
        tx.run(tampering)
        assert 2 == audit.verify(tx)


def test_lifting_the_kill_switch_never_releases_what_the_cap_holds(store: Store) -> None:
    rules = Rules(mode="manual", cap=Rate(2, DAY), unattended=frozenset({"suppress"}))
    with store.write() as tx:
        for n in range(1, 6):
            propose(tx, n, rules=rules)
        regulations.stop(tx, "ada", NOW)
        regulations.resume(tx, rules, "ada", NOW + 2 * DAY)
    assert [("held", "cap")] * 5 == [standing(store, n) for n in range(1, 6)]


def test_what_the_cap_holds_cannot_be_closed_as_done(store: Store) -> None:
    rules = Rules(mode="manual", cap=Rate(1, DAY), unattended=frozenset({"suppress"}))
    with store.write() as tx:
        for n in (1, 2):
            propose(tx, n, rules=rules)
        with pytest.raises(NotAllowed, match="held by the cap"):
            regulations.done(tx, "dlv_1", "ada", NOW)


def test_the_same_request_proposed_again_keeps_what_was_decided(store: Store) -> None:
    with store.write() as tx:
        propose(tx)
        regulations.reject(tx, "dlv_1", "ada", NOW)
        again = regulations.propose(
            tx, MANUAL, delivery="dlv_1", account=1, type="suppress", user_id="u1", reason="x", recipe="r", now=NOW
        )
    assert (State.DISCARDED, "this very request was rejected before") == again
