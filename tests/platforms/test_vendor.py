"""Our requests to Intempt are those of the vendor's own client, field by field: as recorded, and as installed."""

from collections.abc import Callable
from typing import Any

import pytest

from connector.model import Request
from connector.platforms.intempt import decisions, tracking
from connector.settings import Connection
from tests.platforms import vendor
from tests.platforms.samples import sent
from tests.platforms.vendor import SOURCE, Recorded


def _line(recorded: Recorded, entry: int = 0, line: int = 0) -> dict[str, Any]:
    payload: dict[str, Any] = recorded.body["track"][entry]["payload"][line]
    return payload


def _ours(recorded: Recorded, entry: int = 0, line: int = 0) -> dict[str, Any]:
    """A line made by our own maker of the values that the recording has."""
    given = _line(recorded, entry, line)
    return tracking.payload(
        event_id=given["eventId"], timestamp=given["timestamp"], user_id=given["userId"], data=given.get("data")
    )


def _track(connection: Connection) -> Request:
    entries = [tracking.entry("purchase", _ours(vendor.TRACK))]
    return tracking.track(connection, entries, source=SOURCE)


def _order(connection: Connection) -> Request:
    entries = [tracking.entry(tracking.PRODUCT_ORDERED, *(_ours(vendor.ORDER, 0, n) for n in (0, 1)))]
    return tracking.track(connection, entries, source=SOURCE)


def _consent(connection: Connection) -> Request:
    made = tracking.consent(
        connection,
        action="reject",
        timestamp=1795225081123,
        user_id="u1",
        reason="user request",
        source="Python tracker",
    )
    return tracking.consents(connection, made)


def _feed(connection: Connection) -> Request:
    return decisions.feed(connection, "5292", user="u1", fields=("id", "title"), limit=3, source=SOURCE)


def _no_source(connection: Connection) -> Request:
    return tracking.track(connection, [tracking.entry("no_source", _ours(vendor.NO_SOURCE))])


def _batch(connection: Connection) -> Request:
    entries = [tracking.entry("buffered", _ours(vendor.BATCH, n)) for n in range(3)]
    [together] = tracking.requests(entries)
    return tracking.track(connection, together, source="1")


def _flags(connection: Connection) -> Request:
    return decisions.choose(connection, user="u1", source=SOURCE, names=("checkout_v2",), session="s1")


CASES = [
    (vendor.TRACK, _track),
    (vendor.ORDER, _order),
    (vendor.CONSENT, _consent),
    (vendor.FEED, _feed),
    (vendor.NO_SOURCE, _no_source),
    (vendor.BATCH, _batch),
    (vendor.FLAGS, _flags),
]


@pytest.mark.parametrize(("recorded", "build"), CASES, ids=[recorded.name for recorded, _ in CASES])
def test_our_request_is_the_recorded_one(
    recorded: Recorded, build: Callable[[Connection], Request], intempt: Connection
) -> None:
    ours = sent(build(intempt))
    assert ("POST", recorded.path, []) == (ours.method, ours.path, ours.query)
    assert (vendor.BASIC, "application/json") == (ours.headers["authorization"], ours.headers["content-type"])
    assert recorded.body == ours.json


# ── the installed client ──────────────────────────────────────────────────────────────────────


class Recorder:
    """The vendor's client, whose requests go nowhere."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import intempt
        from intempt import _client as module

        self.calls: list[tuple[str, Any]] = []
        monkeypatch.setattr(module.Transport, "post", lambda _, path, body: self.calls.append((path, body)))
        self.client = intempt.Intempt(org="my-org", project="my-project", api_key="pfx.secret", source_id=SOURCE)

    def last(self) -> tuple[str, Any]:
        [call] = self.calls
        self.calls.clear()
        return call


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    return Recorder(monkeypatch)


def _made(body: Any) -> dict[str, Any]:
    """What the client made up for its only line."""
    line = body["track"][0]["payload"][0]
    return {"event_id": line["eventId"], "timestamp": line["timestamp"]}


def test_identify_is_an_event_with_attributes_of_the_user(recorder: Recorder, intempt: Connection) -> None:
    recorder.client.identify(user_id="u1", traits={"plan": "plus"})
    path, theirs = recorder.last()
    line = tracking.payload(**_made(theirs), user_id="u1", user_attributes={"plan": "plus"})
    ours = sent(tracking.track(intempt, [tracking.entry(tracking.IDENTIFY, line)], source=SOURCE))
    assert (path, theirs) == (ours.path, ours.json)


def test_group_is_an_event_with_attributes_of_the_account(recorder: Recorder, intempt: Connection) -> None:
    recorder.client.group(account_id="acme", attributes={"founded": 2000})
    path, theirs = recorder.last()
    line = tracking.payload(**_made(theirs), account_id="acme", account_attributes={"founded": 2000})
    ours = sent(tracking.track(intempt, [tracking.entry(tracking.IDENTIFY, line)], source=SOURCE))
    assert (path, theirs) == (ours.path, ours.json)


def test_the_reserved_events_have_their_names(recorder: Recorder, intempt: Connection) -> None:
    recorder.client.ecommerce.product_viewed(product_id="sku-1", user_id="u1")
    _, viewed = recorder.last()
    recorder.client.ecommerce.added_to_cart(product_id="sku-1", quantity=2, profile_id="p1")
    _, added = recorder.last()
    lines = [
        tracking.payload(**_made(viewed), user_id="u1", data={"productId": "sku-1"}),
        tracking.payload(**_made(added), profile_id="p1", data={"productId": "sku-1", "quantity": 2}),
    ]
    for theirs, name, line in zip(
        (viewed, added), (tracking.PRODUCT_VIEWED, tracking.ADDED_TO_CART), lines, strict=True
    ):
        assert theirs == sent(tracking.track(intempt, [tracking.entry(name, line)], source=SOURCE)).json


def test_a_consent_of_a_profile_names_its_source(recorder: Recorder, intempt: Connection) -> None:
    recorder.client.consent.grant(profile_id="p1", category="ads", timestamp=1795225081040)
    path, theirs = recorder.last()
    made = tracking.consent(
        intempt,
        action="accept",
        timestamp=1795225081040,
        profile_id="p1",
        source_id=SOURCE,
        category="ads",
        source="Python tracker",
    )
    ours = sent(tracking.consents(intempt, made))
    assert (path, theirs) == (ours.path, ours.json)


def test_a_feed_for_an_account_and_a_choice_by_profile(recorder: Recorder, intempt: Connection) -> None:
    from intempt import FlagContext

    recorder.client.recommend(feed_id="5293", fields=["id"], account_id="a1", product_id="sku-1")
    path, theirs = recorder.last()
    ours = sent(decisions.feed(intempt, "5293", account="a1", fields=("id",), product="sku-1", source=SOURCE))
    assert (path, theirs) == (ours.path, ours.json)
    recorder.client.all_flags(FlagContext(profile_id="p1"))
    path, theirs = recorder.last()
    ours = sent(decisions.choose(intempt, profile="p1", source=SOURCE))
    assert (path, theirs) == (ours.path, ours.json)
