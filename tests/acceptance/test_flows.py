"""Whole recipes through the real daemon: what each asks for comes once, signed, and stands so in the database."""

from typing import Any

from standardwebhooks.webhooks import Webhook

from connector.sandbox.receiver import Received
from tests.acceptance.books import repeats
from tests.acceptance.conftest import Make
from tests.acceptance.world import SIGNING, World

DESTINATIONS = """
  crm: {{webhook: "{url}/receiver/crm/hooks", sign: "${{CRM_SECRET}}"}}
  ledger: {{webhook: "{url}/receiver/ledger", sign: "${{CRM_SECRET}}", order_by: event.userId, headers: {{X-Kept: ours}}}}
  refusing: {{webhook: "{url}/receiver/refusing"}}
  away: {{webhook: "{url}/receiver/away", expires: 3s}}
  team: {{slack: "{url}/slack/team", rate: 50/1s}}
"""
MANUAL = "regulations: {{mode: manual, cap: 5/1d}}\n"
RECIPES = {
    "order.yaml": """
id: order
description: Each line of an order to the ledger, the order to the CRM; then, and only then, the team is told
trigger: {feed: intilery.events, event: Order Completed}
if:
  - properties.total: {gt: 10}
actions:
  - id: lines
    for_each: properties.products
    if: {item.quantity: {gt: 0}}
    webhook:
      to: ledger
      path: "/orders/{{ properties.order_id }}/{{ item.sku }}"
      headers: {X-Kept: theirs, X-Recipe: "{{ recipe.id }}"}
      json: {id: "{{ event.eventId }}", sku: "{{ item.sku }}", n: "{{ item.quantity }}", total: "{{ properties.total }}"}
  - id: order
    webhook: {to: crm, method: PUT, path: "/orders/{{ properties.order_id }}", json: {id: "{{ event.eventId }}"}}
  - id: told
    needs: order
    slack: {to: team, text: "order {{ properties.order_id }} of {{ event.userId }} is {{ actions.order.json.number }}"}
  - id: missed
    needs: {order: dead}
    slack: {to: team, text: "never"}
tests: []
""",
    "refused.yaml": """
id: refused
trigger: {feed: intilery.events, event: Order Refunded}
actions:
  - webhook: {to: refusing, json: {id: "{{ event.eventId }}"}}
  - id: after
    needs: webhook
    webhook: {to: crm, path: /never, json: {id: "{{ event.eventId }}"}}
  - id: instead
    needs: {webhook: dead}
    webhook: {to: crm, path: /instead, json: {id: "{{ event.eventId }}"}}
tests: []
""",
    "late.yaml": """
id: late
trigger: {feed: intilery.events, event: Trial Started}
actions:
  - webhook: {to: away, json: {id: "{{ event.eventId }}"}}
tests: []
""",
    "guarded.yaml": """
id: guarded
trigger: {feed: intilery.events, event: Payment Failed}
limit: {max: 2/1h, key: event.userId}
actions:
  - {guard: 3/10m, slack: {to: team, text: "payment {{ event.userId }} & <{{ properties.reason }}>"}}
tests: []
""",
    "privacy.yaml": """
id: privacy
trigger: {feed: intilery.events, event: Privacy Request Submitted}
if:
  - properties.requestType: erasure
actions:
  - regulation: {type: suppress, reason: "asked for in {{ properties.reference }}"}
tests: []
""",
}


def rows(here: World, recipe: str) -> list[tuple[Any, ...]]:
    """Action, item, state and reason of each delivery of a recipe."""
    with here.database() as tx:
        question = "SELECT action, item, state, reason FROM deliveries WHERE recipe = ? ORDER BY action, item, seq"
        return [tuple(row) for row in tx.rows(question, (recipe,))]


def states(here: World, recipe: str) -> list[str]:
    return sorted(row[2] for row in rows(here, recipe))


def assert_signed(received: list[Received]) -> None:
    """By the library of those who wrote the standard; one changed byte is noticed."""
    for one in received:
        Webhook(SIGNING).verify(one.body, one.headers)
        assert one.headers["webhook-id"] == one.headers["idempotency-key"]
        assert one.headers["webhook-id"].startswith("dlv_")


def order(n: int, **more: Any) -> dict[str, Any]:
    products = [{"sku": "a/b c", "quantity": 1}, {"sku": "none", "quantity": 0}, {"sku": "é", "quantity": n + 1}]
    properties = {"order_id": f"O-{n}", "total": 9_007_199_254_740_993, "products": products}
    return {"event": "Order Completed", "userId": f"u{n % 2}", "properties": properties, **more}


def test_lines_order_and_needs_each_come_once_signed_and_in_order(world: Make) -> None:
    here = world(destinations=DESTINATIONS, more=MANUAL, recipes=RECIPES).begin()
    here.behave("crm", body='{"number": 7}')
    here.happen(*[order(n) for n in range(6)], {"event": "Order Completed", "userId": "u0", "properties": {"total": 5}})
    here.until(lambda: len(here.came("team", slack=True)) == 6, "six messages")
    here.until(lambda: states(here, "order").count("delivered") == 24, "all recorded")
    ledger, crm = here.came("ledger"), here.came("crm")
    assert [f"/receiver/crm/hooks/orders/O-{n}" for n in range(6)] == sorted(one.path for one in crm)
    expected = [f"/receiver/ledger/orders/O-{n}/{sku}" for n in range(0, 6, 2) for sku in ("a%2Fb%20c", "%C3%A9")]
    assert expected == [one.path for one in ledger if int(one.path.split("/")[4][2:]) % 2 == 0], "not in order"
    assert {("PUT",)} == {(one.method,) for one in crm}
    assert {("ours", "order")} == {(one.headers["x-kept"], one.headers["x-recipe"]) for one in ledger}
    assert {9_007_199_254_740_993} == {one.json["total"] for one in ledger}
    told = sorted(one.json["text"] for one in here.came("team", slack=True))
    assert [f"order O-{n} of u{n % 2} is 7" for n in range(6)] == told
    assert_signed([*ledger, *crm])
    assert 0 == repeats([*ledger, *crm])
    assert ["delivered"] * 24 + ["discarded"] * 6 == states(here, "order")
    assert {"needs: what it needs can no longer come true"} == {row[3] for row in rows(here, "order") if row[3]}


def test_what_a_refusal_starts_and_what_it_ends(world: Make) -> None:
    here = world(destinations=DESTINATIONS, more=MANUAL, recipes=RECIPES).begin()
    here.behave("refusing", status=422)
    happened = here.happen(*({"event": "Order Refunded", "userId": f"u{n}"} for n in range(3)))
    here.until(lambda: len(here.came("crm")) == 3, "what comes instead")
    assert {"/receiver/crm/hooks/instead"} == {one.path for one in here.came("crm")}
    assert set(happened) == {one.json["id"] for one in here.came("crm")}
    assert 3 == len(here.came("refusing")), "an answer that nothing will change was asked for again"
    here.until(lambda: states(here, "refused").count("delivered") == 3, "all recorded")
    found = rows(here, "refused")
    assert ["after", "instead", "webhook"] == sorted({row[0] for row in found})
    assert {("after", "discarded"), ("instead", "delivered"), ("webhook", "dead")} == {
        (row[0], row[2]) for row in found
    }


def test_what_is_not_sent_in_time_is_discarded_and_counted(world: Make) -> None:
    here = world(destinations=DESTINATIONS, more=MANUAL, recipes=RECIPES).begin()
    here.behave("away", status=503)
    here.happen(*({"event": "Trial Started", "userId": f"u{n}"} for n in range(8)))
    here.until(lambda: len(here.came("away")) > 0, "a try")
    here.until(lambda: states(here, "late") == ["discarded"] * 8, "all expired", 25)
    tried = len(here.came("away"))
    here.behave("away")
    fresh = here.happen({"event": "Trial Started", "userId": "u9"})
    here.until(lambda: len(here.taken("away")) == 1, "one in time")
    assert fresh[0] == here.taken("away")[0].json["id"]
    assert tried + 1 == len(here.came("away"))
    assert {"expired", ""} == {row[3] for row in rows(here, "late")}
    assert 8 == here.status()["deliveries"]["discarded"]


def test_limits_guards_and_a_person_who_releases(world: Make) -> None:
    here = world(destinations=DESTINATIONS, more=MANUAL, recipes=RECIPES).begin()
    failed = [
        {"event": "Payment Failed", "userId": f"u{n % 4}", "properties": {"reason": "<!channel>"}} for n in range(16)
    ]
    here.happen(*failed)
    here.until(lambda: states(here, "guarded") == ["delivered"] * 3 + ["held"] * 5, "three of eight")
    assert 3 == len(here.came("team", slack=True))
    assert {"guard", ""} == {row[3] for row in rows(here, "guarded")}
    released = here.cli("deliveries", "release", "--all", "--recipe", "guarded", "--by", "ann")
    assert 0 == released.returncode, released.stderr
    here.until(lambda: states(here, "guarded") == ["delivered"] * 8, "all")
    told = sorted(one.json["text"] for one in here.came("team", slack=True))
    assert sorted(f"payment u{n % 4} & <&lt;!channel&gt;>" for n in range(8)) == told
    with here.database() as tx:
        counts = dict(tx.rows("SELECT reason, sum(n) FROM outcome_counts WHERE recipe = 'guarded' GROUP BY reason"))
    assert {"fired": 8, "limited": 8} == counts


def test_a_regulation_waits_for_a_person_and_is_never_sent(world: Make) -> None:
    here = world(destinations=DESTINATIONS, more=MANUAL, recipes=RECIPES).begin()

    def ask(n: int, kind: str = "erasure") -> None:
        about = {"requestType": kind, "reference": f"PR-{n}"}
        here.happen({"event": "Privacy Request Submitted", "userId": f"u{n}", "properties": about})

    for n in (1, 2, 1, 3):
        ask(n)
    ask(4, "access")
    here.until(lambda: len(rows(here, "privacy")) == 4, "four proposals")
    held = [row for row in rows(here, "privacy") if row[2] == "held"]
    assert [("held", "approval")] * 3 == [row[2:] for row in held]
    assert ["discarded"] == [row[2] for row in rows(here, "privacy") if row not in held], "asked for twice"
    here.kill()
    here.begin()
    with here.database() as tx:
        ids = dict(tx.rows("SELECT user_id, delivery FROM regulations"))
    assert {"u1", "u2", "u3"} == set(ids)
    assert 0 == here.cli("approvals", "approve", ids["u1"], "--by", "ann").returncode
    assert 0 == here.cli("approvals", "reject", ids["u2"], "--by", "ann").returncode
    assert 0 != here.cli("deliveries", "release", ids["u3"], "--by", "ann").returncode
    assert 0 == here.cli("regulations", "done", ids["u1"], "--by", "bo").returncode
    assert ["delivered", "discarded", "discarded", "held"] == states(here, "privacy")
    with here.database() as tx:
        found = dict(tx.rows("SELECT user_id, state FROM regulations"))
    assert {"u1": "done", "u2": "rejected", "u3": "proposed"} == found
    asked = here.do(lambda sandbox: {operation for operation, _ in sandbox.requests.counts})
    assert {"events"} == asked, "something was sent to the platform"
    verified = here.cli("db", "verify")
    assert 0 == verified.returncode, verified.stdout
