"""Every endpoint over real HTTP against the sandbox, with what the documents leave open turned this way and that."""

from typing import Any

import pytest

from connector.errors import AnswerTooLarge, FeedError, FeedRefused, FeedUnavailable, NothingThere
from connector.model import Answer
from connector.platforms.endpoint import ENDPOINTS
from connector.platforms.hidden import Veiled
from connector.platforms.intempt import collections, project, tracking
from connector.platforms.intilery import profiles
from tests.platforms.documented import COMMANDS
from tests.platforms.samples import World

ADA = {"firstName": "Ada", "email": "ada@example.com"}
BOOKING, PROFILE_SOURCE = "19554189106348032", "23525541210886144"  # the documents' own ids
PROFILE, MASTER, SEGMENTED = "182233618306719744", "182233620328374272", "200382140847620096"


@pytest.fixture
def ada(world: World) -> World:
    """A customer, ABC/123, is known."""
    world.ask("intilery", "identify", {"userId": "ABC/123", "traits": ADA})
    return world


# ── Intilery ──────────────────────────────────────────────────────────────────────────────────


def test_what_is_written_is_read_again(ada: World) -> None:
    accepted = ada.ask(
        "intilery", "track", {"userId": "ABC/123", "event": "Product Added", "properties": {"price": "1"}}
    )
    ada.ask("intilery", "page", {"userId": "ABC/123"})
    ada.ask("intilery", "screen", {"userId": "ABC/123", "name": "Home"})
    events = [item[0] for item in ada.ask("intilery", "events", sort="asc")]
    assert ["identify", "product_added", "page", "screen"] == [event["eventAction"] for event in events]
    assert accepted.event_id == events[1]["eventId"]
    assert events[1:2] == [item[0] for item in ada.ask("intilery", "events", include="product_added")]
    own = [item[0]["eventId"] for item in ada.ask("intilery", "profile-events", "userId:ABC/123", sort="asc")]
    assert [event["eventId"] for event in events] == own


@pytest.mark.parametrize("who", ["userId:ABC/123", "email:ada@example.com"])
@pytest.mark.parametrize("word", ["meta", "metadata"])
def test_a_profile_is_found_wherever_its_metadata_is(ada: World, who: str, word: str) -> None:
    ada.switch(meta_path=word)
    [traits] = ada.ask("intilery", "traits", who)
    [meta] = ada.ask("intilery", "meta", who)
    assert ("ABC/123", "ada@example.com", "Ada") == (traits.user_id, traits.email, traits.body["firstName"])
    assert (traits.id, True) == (meta.id, "_subscriptionId" in meta.body)
    assert traits.id == ada.ask("intilery", "traits", f"id:{traits.id}")[0].id


def test_nobody_is_nobody_however_that_is_answered(world: World) -> None:
    for name in ("traits", "meta", "profile-events"):
        with pytest.raises(NothingThere, match="nobody has this id"):
            world.ask("intilery", name, "userId:nobody")
    world.switch(email_unknown="empty")
    assert () == world.ask("intilery", "traits", "email:nobody@example.com")


@pytest.mark.parametrize("name", ["scrollId", "scrollid"])
def test_the_whole_list_is_scrolled_whatever_the_parameter_is_called(world: World, name: str) -> None:
    world.switch(scroll_name=name)
    calls = [{"event": "identify", "userId": f"u{n}", "traits": {"n": n}} for n in range(250)]
    world.ask("intilery", "batch", calls)
    page, known, found = world.ask("intilery", "profiles"), "", list[str]()
    while page.profiles:
        found += [one.user_id for one in page.profiles]
        scroll_id, first = page.scroll_id, page.profiles[0].id

        async def go_on(http: Any, scroll_id: str = scroll_id, first: str = first, known: str = known) -> Any:
            talk = profiles.following(world.connections["intilery"], scroll_id, first, known)
            return await World._hold(http, talk)

        page, known = world.run(go_on)
    assert {f"u{n}" for n in range(250)} == set(found)
    assert 250 == len(found)
    assert name == known


@pytest.mark.parametrize("name", COMMANDS)
def test_commands_are_taken(world: World, name: str) -> None:
    body = {"userId": "u1", "assetId": "a1", "properties": {"journeyIdToTrigger": "j1"}}
    assert world.ask("intilery", "command", name, body).event_id


def test_regulations_run_and_are_listed(world: World) -> None:
    with pytest.raises(NothingThere, match="or no such endpoint"):
        world.ask("intilery", "regulate", "suppress", ["u1"])
    world.switch(regulations="historical")
    ids = [world.ask("intilery", "regulate", "suppress", [f"u{n}"]) for n in range(120)]
    assert "initialized" == world.ask("intilery", "regulation", ids[0]).state
    world.ask("intilery", "cancel-regulation", ids[0])
    first = world.ask("intilery", "regulations", kinds=["suppress"])
    second = world.ask("intilery", "regulations", kinds=["suppress"], page_token=first.next)
    assert set(ids[1:]) == {one.id for one in (*first.regulations, *second.regulations)}
    assert () == world.ask("intilery", "regulations", status="failed").regulations


def test_segment_s_messages_and_preferences_need_no_token(ada: World) -> None:
    message = {"type": "track", "event": "Song Played", "userId": "ABC/123"}
    ada.ask("intilery", "segment", message)
    ada.ask("intilery", "segment-batch", [message])
    assert 2 == len(ada.ask("intilery", "events", include="song_played"))
    [meta] = ada.ask("intilery", "meta", "userId:ABC/123")
    subscription = Veiled(meta.body["_subscriptionId"])
    channels = [{"channel": "email", "subscribed": False}, {"channel": "sms", "subscribed": True}]
    ada.ask("intilery", "set-preferences", subscription, {"channels": channels})
    found = ada.ask("intilery", "preferences", subscription)
    assert (meta.id, False, True) == (found.customer_id, found.channels["email"], found.channels["sms"])


@pytest.mark.parametrize("envelope", ["documented", "error", "success", "gateway", "html"])
@pytest.mark.parametrize("status", ["401", "403"])
def test_a_bad_token_is_refused_in_every_shape(world: World, envelope: str, status: str) -> None:
    world.switch(envelope=envelope, auth_status=status)
    bad = World(world.sandbox, dict(world.connections))
    token = world.connections["intilery"].token
    bad.connections["intilery"] = world.connections["intilery"].model_copy(
        update={"token": type(token)("invalid", token.vault)}
    )
    for name, arguments in (("profiles", ()), ("track", ({"userId": "u1", "event": "X"},))):
        with pytest.raises(FeedRefused) as caught:
            bad.ask("intilery", name, *arguments)
        assert caught.value.request_id


# ── Intempt ───────────────────────────────────────────────────────────────────────────────────


def test_the_service_is_there(world: World) -> None:
    assert "ok" == world.ask("intempt", "service").status


@pytest.mark.parametrize("ids", ["documented", "text", "number"])
def test_ids_stay_exact_in_every_form(world: World, ids: str) -> None:
    world.switch(intempt_ids=ids)
    found = world.ask("intempt", "matches", profile=PROFILE)
    assert (MASTER, True, ("newtestevent",)) == (found.master_id, PROFILE in found.profile_ids, found.names)
    assert found == world.ask("intempt", "matches", master=MASTER)
    [one] = world.ask("intempt", "segmentations", master=SEGMENTED)
    assert ("200382528132874240", SEGMENTED) == (one.id, one.master_id)
    assert one == world.ask("intempt", "segmentation", one.id)
    assert one in world.ask("intempt", "all-segmentations")


def test_an_unknown_id_is_404_or_nothing(world: World) -> None:
    with pytest.raises(NothingThere):
        world.ask("intempt", "matches", profile="1")
    world.switch(intempt_unknown="empty")
    assert () == world.ask("intempt", "matches", profile="1").names
    assert () == world.ask("intempt", "segmentations", profile="1")


@pytest.mark.parametrize(("setting", "kind"), [("404", NothingThere), ("410", FeedUnavailable)])
def test_reads_that_are_gone_are_told(world: World, setting: str, kind: type[FeedError]) -> None:
    world.switch(intempt_reads=setting)
    with pytest.raises(kind, match="see `reads` under `dialect`") as caught:
        world.ask("intempt", "matches", profile=PROFILE)
    assert int(setting) == caught.value.status


@pytest.mark.parametrize("created", ["empty", "item"])
def test_the_documents_walk_through(world: World, created: str) -> None:
    world.switch(intempt_created=created)
    world.ask("intempt", "add-item", BOOKING, {"id": 7, "roomId": 3})
    [seven] = [one for one in world.ask("intempt", "items", BOOKING).items if one.data["id"] == 7]
    assert seven == world.ask("intempt", "item", BOOKING, seven.id)
    assert world.ask("intempt", "delete-item", BOOKING, seven.id).id == seven.id
    with pytest.raises(NothingThere):
        world.ask("intempt", "item", BOOKING, seven.id)
    body = {"profile": [{"visitorId": "v1", "identifier": "ada@example.com"}]}
    world.ask("intempt", "add-data", PROFILE_SOURCE, body)
    with pytest.raises(FeedUnavailable, match="identifier"):
        world.ask("intempt", "add-data", PROFILE_SOURCE, {"profile": [{"visitorId": "v2", "identifier": 7}]})
    world.ask("intempt", "add-data", PROFILE_SOURCE, {"profile": [{"visitorId": "v2", "identifier": 7}]},
              suppress_errors=True)  # fmt: skip


@pytest.mark.parametrize("links", ["documented", "http", "https"])
def test_a_long_list_is_read_to_its_end(world: World, links: str) -> None:
    world.switch(intempt_pages="next", intempt_links=links, intempt_rate="off")
    body = {"booking": [{"id": n} for n in range(1000, 1248)]}
    world.ask("intempt", "add-data", "347816547721216", body)
    page, found = world.ask("intempt", "items", BOOKING), list[Any]()
    while True:
        found += page.items
        if not page.next:
            break
        page = world.ask("intempt", "items", BOOKING, after=page.next)
    assert 250 == len({one.id for one in found}) == len(found)


def test_a_list_without_an_end_is_not_read_into_memory(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collections, "LIST_CAP", 100)
    with pytest.raises(AnswerTooLarge):
        world.ask("intempt", "items", BOOKING)


def test_a_file_is_put_where_the_platform_says_without_the_key(world: World) -> None:
    place = world.ask("intempt", "upload", BOOKING)
    body = b"id,roomId\n77,5\n78,6\n"

    async def put(http: Any) -> Answer:
        async def pieces() -> Any:
            for at in range(0, len(body), 6):
                yield body[at : at + 6]

        request = collections.put_file(world.connections["intempt"], place, len(body))
        answer: Answer = await http.upload(request, pieces(), len(body))
        return answer

    collections.parse_put(world.run(put))
    assert {77, 78} <= {one.data["id"] for one in world.ask("intempt", "items", BOOKING).items}


@pytest.mark.parametrize("answered", ["201", "object", "echo"])
def test_events_are_tracked_whatever_is_answered(world: World, answered: str) -> None:
    world.switch(intempt_track=answered)
    line = tracking.payload(event_id="e1", user_id="u1", data={"total": 3})
    for source in (PROFILE_SOURCE, ""):
        world.ask("intempt", "track", [tracking.entry("Purchase", line)], source=source)
    assert ["e1", "e1"] == [one["eventId"] for one in world.sandbox.organization("my-org").tracked]


def test_an_unknown_source_is_told(world: World) -> None:
    world.switch(intempt_sources="known")
    with pytest.raises(NothingThere, match="Source 7 was not found"):
        world.ask("intempt", "track", [tracking.entry("X", {"userId": "u1"})], source="7")


def test_a_person_is_found_by_the_value_of_a_source_s_identifier(world: World) -> None:
    world.ask("intempt", "add-data", PROFILE_SOURCE, {"profile": [{"visitorId": "v 1/ü&", "identifier": "a@b.c"}]})
    assert () == world.ask("intempt", "segmentations", source=PROFILE_SOURCE, identity={"visitorId": "v 1/ü&"})
    with pytest.raises(NothingThere):
        world.ask("intempt", "segmentations", source=PROFILE_SOURCE, identity={"visitorId": "nobody"})


def test_bytes_that_were_refused_are_taken_a_moment_later(world: World) -> None:
    world.switch(intempt_new_event="400")
    request = ENDPOINTS["intempt", "track"].build(
        world.connections["intempt"], [tracking.entry("Never seen", tracking.payload(event_id="e1", user_id="u1"))]
    )
    verdicts = [project.judge(world.run(lambda http: http.send(request)), refusals=n) for n in (0, 1)]
    assert ["retry", "delivered"] == [one.outcome for one in verdicts]


def test_a_consent_keeps_the_moment_it_was_given(world: World) -> None:
    connection = world.connections["intempt"]
    made = tracking.consent(connection, action="reject", timestamp=1795225081999, user_id="u1")
    world.ask("intempt", "consents", made)
    assert 1795225081 == world.sandbox.organization("my-org").consents[0]["timestamp"]


def test_choices_and_recommendations_are_read(world: World) -> None:
    for name in ("choose", "choose-web"):
        [one] = world.ask("intempt", name, user="u1", names=["checkout_v2"])
        assert ("checkout_v2", "checkout", True) == (one.name, one.group, one.body)
    feeds = {one.name: one for one in world.ask("intempt", "feeds")}
    feed = feeds["Popular products"]
    products = world.ask("intempt", "feed", feed.id, user="u1", fields=["id", "title"], limit=2)
    assert [{"id", "title"}] * 2 == [set(one) for one in products]
    for unknown in ("000000000", "90000000"):
        with pytest.raises(FeedUnavailable, match="Invalid feed id"):
            world.ask("intempt", "feed", unknown, user="u1", fields=["id"])


@pytest.mark.parametrize("form", ["generation", "basic", "apikey", "query"])
def test_the_key_is_taken_in_the_form_of_the_dialect(world: World, tmp_path: Any, form: str) -> None:
    from tests.platforms.samples import connections

    world.switch(intempt_auth=form)
    more = {"base_url": world.sandbox.url, "dialect": {"auth": form}}
    ours = World(world.sandbox, connections(tmp_path, intempt=more))
    assert ours.ask("intempt", "matches", profile=PROFILE).names
    assert ours.ask("intempt", "feeds")
    noted = str(world.sandbox.requests.as_dict())
    assert "pfx.secret" not in noted


def test_an_empty_429_says_when_to_come_back(world: World) -> None:
    world.switch(intempt_rate="5")
    request = ENDPOINTS["intempt", "matches"].build(world.connections["intempt"], profile=PROFILE)

    async def hammer(http: Any) -> Answer:
        while (answer := await http.send(request)).status == 200:
            pass
        last: Answer = answer
        return last

    verdict = project.judge(world.run(hammer))
    assert ("throttled", 200) == (verdict.outcome, verdict.after)
