"""Each kind of lookup over real HTTP: what the sandbox holds of a customer reaches the delivery."""

from pathlib import Path
from typing import Any

import pytest

from connector.model import DAY, HOUR
from tests.deliver.bench import Bench
from tests.deliver.test_lookups import on

TELL = """
id: tell
trigger: {{feed: intilery.events, event: x}}
lookups: {{found: {lookup}}}
actions:
  - webhook: {{to: crm, json: {{it: "{{{{ {shown} }}}}"}}}}
tests: []
"""
PROFILE = 182233618306719744
BOOKING = 19554189106348032


async def populate(bench: Bench) -> None:
    bench.account.identify("ABC/1 2", {"firstName": "Ada", "email": "ada+1@example.com"}, audiences=["vip"])
    for n, name in enumerate(("Order Completed", "Email Opened", "Order Completed")):
        at = bench.sandbox.now() - n * DAY - HOUR
        bench.account.inject([{"event": name, "userId": "ABC/1 2", "properties": {"n": n}}], at=at)
    bench.now = bench.sandbox.now()


KINDS: list[tuple[str, str, str]] = [
    ('{intilery_traits: {user_id: "{{ event.userId }}"}}', "lookups.found.firstName", '"Ada"'),
    ('{intilery_traits: {email: "{{ traits.email }}"}}', "lookups.found.externalId", '"ABC/1 2"'),
    ('{intilery_meta: {user_id: "{{ event.userId }}"}}', "lookups.found.audiencesStatic", '["vip"]'),
    (
        '{intilery_events: {user_id: "{{ event.userId }}", include: Order Completed}}',
        "lookups.found | map(attribute='rawData.properties.n') | list",
        "[0,2]",
    ),
    (
        '{intilery_events: {email: "{{ traits.email }}", exclude: [email_opened], since: 36h}}',
        "lookups.found | length",
        "1",
    ),
    ('{intilery_events: {user_id: "{{ event.userId }}", include: never}}', "lookups.found", "[]"),
    ('{intempt_matches: {profile_id: "{{ properties.intempt }}"}}', "lookups.found.matchedEvents", '["newtestevent"]'),
    ('{intempt_matches: {master_id: "182233620328374272"}}', "lookups.found.masterId", '"182233620328374272"'),
    ('{intempt_segmentations: {master_id: "200382140847620096"}}', "lookups.found.0.id", '"200382528132874240"'),
    ('{intempt_item: {collection: "19554189106348032", id: "24663674875432960"}}', "lookups.found.data.roomId", "10"),
]


@pytest.mark.parametrize(("lookup", "shown", "expected"), KINDS)
def test_what_is_found_can_be_sent(tmp_path: Path, lookup: str, shown: str, expected: str) -> None:
    async def use(bench: Bench) -> None:
        await populate(bench)
        event = bench.event(
            "x", userId="ABC/1 2", traits={"email": "ada+1@example.com"}, properties={"intempt": PROFILE}
        )
        await bench.happen(event)
        assert ([f'{{"it":{expected}}}'], []) == (bench.sent, bench.waiting)

    on(tmp_path, use, TELL.format(lookup=lookup, shown=shown))


@pytest.mark.parametrize(
    ("lookup", "switches"),
    [
        ('{intilery_meta: {user_id: "{{ event.userId }}"}}', {"meta_path": "metadata"}),
        ('{intilery_events: {user_id: "{{ event.userId }}", since: 36h}}', {"datetime": "refused"}),
        ('{intempt_matches: {master_id: "182233620328374272"}}', {"intempt_ids": "number"}),
        ('{intempt_segmentations: {master_id: "200382140847620096"}}', {"intempt_auth": "generation"}),
    ],
)
def test_what_the_documents_leave_open_is_found_out(tmp_path: Path, lookup: str, switches: dict[str, Any]) -> None:
    async def use(bench: Bench) -> None:
        await populate(bench)
        await bench.happen(bench.event("x", userId="ABC/1 2"))
        assert [("fired", "")] == bench.outcomes

    on(tmp_path, use, TELL.format(lookup=lookup, shown="lookups.found | length > 0"), switches=switches)


@pytest.mark.parametrize(
    "lookup",
    [
        '{intempt_matches: {profile_id: "1"}}',
        '{intempt_segmentations: {master_id: "1"}}',
        '{intempt_item: {collection: "19554189106348032", id: "1"}}',
        "{intilery_events: {user_id: nobody}}",
        "{intilery_meta: {id: nobody}}",
    ],
)
def test_nobody_found_ends_the_run_whoever_is_asked(tmp_path: Path, lookup: str) -> None:
    async def use(bench: Bench) -> None:
        await bench.happen(bench.event("x", userId="u1"))
        assert [("lookup", "found: not found")] == bench.outcomes

    on(tmp_path, use, TELL.format(lookup=lookup, shown="lookups.found"))
