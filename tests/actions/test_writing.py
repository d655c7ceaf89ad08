"""What is written to the platforms: whose it is, when, and what an event cannot make of it."""

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connector.actions import Action, findings, load_all
from connector.actions.writing import Account, Write, accounts, hops_of
from connector.errors import RenderError
from connector.model import Event, Message, Request
from connector.settings import load
from tests.actions.samples import NOON, action, event, scope

load_all()
WRITES = sorted(name for name, kind in Action.kinds.items() if issubclass(kind, Write))
AT = "2026-11-01T12:00:00.000Z"
ID = "dlv_" + "0123456789abcdef" * 2
UUID = str(uuid.UUID(ID[4:]))
CONFIGURATION = """
connections:
  intilery: {client_id: acme, account_id: acme, brand_id: ACME, auth_token: canary}
  intempt: {organization: acme, project: shop, api_key: canary.secret}
"""


@pytest.fixture
def account(tmp_path: Path) -> Callable[[str], Account]:
    """A connection as a receiver, by its platform."""
    file = tmp_path / "connector.yaml"
    file.write_text(CONFIGURATION)
    known = {name.partition(":")[0]: each for name, each in accounts(load(file, {}).connections).items()}
    return lambda platform: known[f"@{platform}"]


def rendered(text: str, happened: Event | None = None, **parts: Any) -> dict[str, Any]:
    happened = happened or event()
    body: dict[str, Any] = json.loads(action(text).render(scope(happened, **parts), happened).body)
    return body


def body(request: Request) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(request.body)
    return found


def own(mark: Any) -> Event:
    raw = {"rawData": {"context": {"connector": mark}}}
    return Event("intilery:a/a/A", "intilery.events", "e1", "x", NOON, NOON, {"userId": "u1", **raw}, own=True)


# ── every kind ────────────────────────────────────────────────────────────────────────────────


def told(kind: str) -> Message:
    properties = {"name": "Wine"}
    return action(Action.kinds[kind].example).render(scope(properties=properties), event())


@pytest.mark.parametrize("kind", WRITES)
def test_two_attempts_are_the_same_request(account: Callable[[str], Account], kind: str) -> None:
    to, message = account(str(Action.kinds[kind].platform)), told(kind)
    first, second = (to.request(message, id=ID, at=at) for at in (1, 2))
    assert (first.method, first.url, first.body) == (second.method, second.url, second.body)
    assert "POST" == first.method


@pytest.mark.parametrize("kind", WRITES)
def test_no_key_is_shown(account: Callable[[str], Account], kind: str) -> None:
    to = account(str(Action.kinds[kind].platform))
    assert "canary" in to.secrets()[0].reveal()
    for shown in (repr(to), str(to), repr(to.request(told(kind), id=ID, at=1))):
        assert "canary" not in shown


@pytest.mark.parametrize("kind", WRITES)
def test_what_an_intilery_call_carries_says_that_it_is_ours(account: Callable[[str], Account], kind: str) -> None:
    platform = str(Action.kinds[kind].platform)
    sent = account(platform).request(told(kind), id=ID, at=1).body
    assert (platform == "intilery") == (b'"connector":{"delivery":"' + ID.encode() + b'","hops":1}' in sent)


@pytest.mark.parametrize("kind", WRITES)
def test_what_goes_together_is_what_goes_alone(account: Callable[[str], Account], kind: str) -> None:
    to, message = account(str(Action.kinds[kind].platform)), told(kind)
    if not to.lot(message):
        return
    alone, (first, second) = body(to.request(message, id=ID, at=1)), _entries(to.together([(message, ID)] * 2))
    if kind == "intempt_track":
        alone = alone["track"][0]
    assert first == second == alone | ({"event": "screen"} if kind == "intilery_screen" else {})


def _entries(request: Request) -> list[Any]:
    (entries,) = body(request).values()
    return list(entries)


@pytest.mark.parametrize("kind", WRITES)
def test_the_preview_shows_whose_it_is(kind: str) -> None:
    made = action(Action.kinds[kind].example)
    shown = made.preview(scope(properties={"name": "Wine"}), event())
    assert kind in {"intempt_collection", "intempt_source"} or "u1" == shown["userId"]


# ── whose, and when ───────────────────────────────────────────────────────────────────────────


def test_both_ids_of_the_event_are_taken_where_neither_is_written() -> None:
    found = rendered("intilery_page: {}", event(anonymousId="a1"))
    assert ("u1", "a1", "page", AT) == (found["userId"], found["anonymousId"], found["event"], found["timestamp"])


def test_an_id_that_is_written_stands_alone() -> None:
    found = rendered(
        "intilery_page: {userId: '{{ properties.friend }}'}", event(anonymousId="a1"), properties={"friend": 7}
    )
    assert ("7", False) == (found["userId"], "anonymousId" in found)


def test_nobody_is_written_about() -> None:
    with pytest.raises(RenderError, match="userId or anonymousId is needed"):
        rendered("intilery_page: {}", event(userId=None))
    with pytest.raises(RenderError, match="needs a userId"):
        rendered("intilery_command: {event: send_sms, assetId: a}", event(userId=None, anonymousId="a1"))
    with pytest.raises(RenderError, match="needs one of userId"):
        rendered("intempt_track: {name: x}", event(userId=None))
    with pytest.raises(RenderError, match="userId is needed, or profileId with sourceId"):
        rendered("intempt_consent: {action: accept, profileId: p1}")


@pytest.mark.parametrize("user_id", [5, True, ["u1"], {"id": "u1"}])
def test_an_id_that_is_no_text_is_not_sent(user_id: Any) -> None:
    with pytest.raises(RenderError, match="must be text"):
        rendered("intilery_track: {event: x}", event(userId=user_id))


def test_the_runs_time_is_when_it_happened() -> None:
    found = rendered("intilery_track: {event: x}", now="2026-11-02T00:00:00.000Z")
    assert "2026-11-02T00:00:00.000Z" == found["timestamp"]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-11-01T13:00:00+01:00", AT),
        (str(NOON), None),
        ("{{ event.at }}", AT),
        ("soon", None),
        ("{{ event.no }}", None),
    ],
)
def test_a_time_that_is_written_must_be_one(written: str, expected: str | None) -> None:
    text = f"intilery_track: {{event: x, timestamp: '{written}'}}"
    if expected is None:
        with pytest.raises(RenderError, match="timestamp"):
            rendered(text)
    else:
        assert expected == rendered(text, event(at=NOON))["timestamp"]


@pytest.mark.parametrize("timestamp", [0, 1_200_000_000_000, 2_300_000_000_000])
def test_a_time_that_intempt_would_refuse_or_replace_is_refused_here(timestamp: int) -> None:
    with pytest.raises(RenderError, match="between 2010 and 2040"):
        rendered("intempt_track: {name: x, timestamp: '{{ properties.at }}'}", properties={"at": timestamp})


def test_a_consent_says_its_time_in_seconds(account: Callable[[str], Account]) -> None:
    made = action("intempt_consent: {action: accept, validUntil: '2027-11-01T12:00:00Z'}")
    sent = body(account("intempt").request(made.render(scope(), event()), id=ID, at=1))
    assert (NOON // 1000, NOON // 1000 + 365 * 86_400) == (sent["timestamp"], sent["validUntil"])


# ── what an event cannot do ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "name", ["send_email", "SEND_EMAIL", "Send Email", "start_journey", "identify", "page", "Group"]
)
def test_an_event_cannot_name_a_command_or_another_call(name: str) -> None:
    with pytest.raises(RenderError, match="use the action that is made for it"):
        rendered("intilery_track: {event: '{{ properties.name }}'}", properties={"name": name})


@pytest.mark.parametrize("key", ["userId", "event", "assetId", "properties", "context", "timestamp"])
def test_what_is_merged_changes_no_key_of_the_command(key: str) -> None:
    text = "intilery_command: {event: send_sms, assetId: a, merge: '{{ properties.merge }}'}"
    with pytest.raises(RenderError, match=f"merge may not hold {key}"):
        rendered(text, properties={"merge": {"name": "Ada", key: "u2"}})


def test_what_is_merged_stands_beside_the_commands_own_keys() -> None:
    text = "intilery_command: {event: send_sms, assetId: a, merge: {name: Ada}}"
    assert {"userId": "u1", "event": "send_sms", "assetId": "a", "name": "Ada"} == rendered(text)


def test_the_mark_cannot_be_overwritten(account: Callable[[str], Account]) -> None:
    made = action("intilery_track: {event: x, context: '{{ context }}'}")
    context = {"ip": "1.2.3.4", "connector": {"hops": -9}}
    sent = body(account("intilery").request(made.render(scope(context=context), event()), id=ID, at=1))
    assert {"ip": "1.2.3.4", "connector": {"delivery": ID, "hops": 1}} == sent["context"]


@pytest.mark.parametrize("source", ["a/b", "..", "{{ properties.source }}", "", "a b", "x" * 101, True, 1.5, None])
def test_ids_of_sources_and_collections_are_literal(source: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        Action.kinds["intempt_source"].model_validate({"source": source, "data": {"a": [{}]}})
    assert "an id is literal" in findings(caught.value, Action.kinds["intempt_source"])[0].message


def test_an_id_of_64_bits_stays_exact(account: Callable[[str], Account]) -> None:
    made = action("intempt_track: {name: x, source: 1841503112918048769}")
    request = account("intempt").request(made.render(scope(), event()), id=ID, at=1)
    assert str(request.url).endswith("/v1/acme/projects/shop/sources/1841503112918048769/track")


def test_half_a_surrogate_pair_breaks_nothing() -> None:
    assert (
        "?"
        == rendered("intilery_track: {event: x, properties: {a: '{{ properties.a }}'}}", properties={"a": "\ud800"})[
            "properties"
        ]["a"]
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("intilery_track: {event: x, properties: '{{ properties.a }}'}", "properties must give a mapping"),
        ("intempt_track: {name: x, data: '{{ properties.a }}'}", "data must give a mapping, or a list of mappings"),
        ("intempt_source: {source: 1, data: {profile: '{{ properties.a }}'}}", "data.profile must give a list"),
        ("intempt_source: {source: 1, data: '{{ properties.b }}'}", "data must hold a collection"),
        ("intempt_collection: {collection: 1, item: '{{ properties.a }}'}", "item must give a mapping"),
        ("intempt_track: {name: '{{ properties.b }}'}", "name must give a text"),
    ],
)
def test_what_is_of_the_wrong_shape_is_not_sent(text: str, message: str) -> None:
    with pytest.raises(RenderError, match=message):
        rendered(text, properties={"a": "text", "b": {}})


# ── our mark ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("mark", "hops"),
    [
        ({"hops": 2}, 2),
        ({"hops": 0}, 1),
        ({"hops": -1}, 1),
        ({"hops": "2"}, 1),
        ({"hops": True}, 1),
        (True, 1),
        ("x", 1),
    ],
)
def test_hops_are_counted_whatever_the_mark_says(mark: Any, hops: int) -> None:
    assert hops == hops_of(own(mark))
    assert hops + 1 == action("intilery_page: {}").render(scope(), own(mark)).meta["hops"]


def test_what_others_did_is_no_hop() -> None:
    assert 0 == hops_of(event(rawData={"context": {"connector": {"hops": 5}}}))


def test_an_event_id_is_a_uuid_made_of_the_deliverys(account: Callable[[str], Account]) -> None:
    sent = body(account("intempt").request(told("intempt_track"), id=ID, at=1))
    assert [UUID] == [line["eventId"] for line in sent["track"][0]["payload"]]
