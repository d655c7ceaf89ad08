"""`intempt.matches` and `intempt.segmentations` on the sandbox: what changes between two looks becomes events, once."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.model import DAY, HOUR, MINUTE, Answer
from tests.feeds.watching_desk import INTEMPT, NOON, Office

ADA, BOB = 9_007_199_254_740_993, 9_007_199_254_740_995  # past 2**53
Open = Callable[..., Office]
LISTED = f"{{matches: {{poll: 30s, watch: {{profile_ids: [{ADA}]}}}}}}"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Open]:
    opened: list[Office] = []

    def make(feeds: str = LISTED, **options: Any) -> Office:
        opened.append(Office(folder=tmp_path, feeds=feeds, **options))
        return opened[-1]

    yield make
    for one in opened:
        one.end()


def test_what_the_first_look_finds_is_silent(office: Open) -> None:
    here = office()
    here.person(ADA, matches=["large_order"])
    here.turn()
    assert [] == here.told()
    assert ["large_order"] == here.state(f"profile_id:{ADA}")["state"]["names"]


def test_with_baseline_fire_it_fires(office: Open) -> None:
    here = office(LISTED.replace("poll: 30s", "baseline: fire"))
    here.person(ADA, matches=["large_order"])
    here.turn()
    assert [("match_appeared", "large_order")] == here.told()


def test_a_name_that_comes_goes_and_comes_again_is_three_events(office: Open) -> None:
    here = office()
    here.person(ADA, matches=["visit"])
    here.turn()
    for matches in (["visit", "order"], ["visit"], ["visit", "order"]):
        here.person(ADA, matches=matches)
        here.turn()
        here.turn()
    assert [("match_appeared", "order"), ("match_gone", "order"), ("match_appeared", "order")] == here.told()
    assert 3 == len({event.id for event in here.events()})


def test_an_event_says_whose_it_is_in_text(office: Open) -> None:
    here = office()
    here.person(ADA, master_id=BOB, matches=[])
    here.turn()
    here.person(ADA, matches=["order"])
    here.turn()
    event = here.events()[0]
    assert (INTEMPT, "intempt.matches", here.now) == (event.account, event.feed, event.at)
    assert (str(BOB), [str(ADA)]) == (event.body["masterId"], [str(id) for id in event.body["profileIds"]])
    assert {"name": "order", "names": ["order"], "lastUpdated": "2026-11-01T12:01:00.000Z"} == event.body["rawData"][
        "properties"
    ]


def test_a_match_that_moves_without_a_new_name_is_one_update(office: Open) -> None:
    here = office()
    here.person(ADA, matches=["order"])
    here.turn()
    here.person(ADA, matches=["order"])
    here.turn()
    here.turn()
    assert [("match_updated", ["order"])] == here.told()


def test_after_a_restart_nothing_is_told_again(office: Open) -> None:
    here = office()
    here.person(ADA, matches=[])
    here.turn()
    here.person(ADA, matches=["order"])
    here.turn()
    here.store.close()
    here.start()
    here.turn()
    assert [("match_appeared", "order")] == here.told()


def test_a_turn_that_is_cut_short_before_its_commit_tells_the_same_event_once(office: Open) -> None:
    here = office()
    here.person(ADA, matches=[])
    here.turn()
    here.person(ADA, matches=["order"])
    polling = here.polling["intempt.matches"]
    here.now += MINUTE

    async def look() -> list[str]:
        pages = polling.feed.read("fresh", polling._cursors(), polling.line, polling.desk.now, polling._rows())
        return [event.id async for page in pages for event in page.events]

    first = here.run(look())
    here.turn()
    assert first == [event.id for event in here.events()]


def test_nobody_there_is_never_gone(office: Open) -> None:
    here = office(f"{{matches: {{watch: {{profile_ids: [{ADA}, {BOB}]}}}}}}")
    here.person(ADA, matches=["order"])
    here.person(BOB, matches=[])
    here.turn()
    here.answers = {str(ADA): Answer(404, {}, b"")}
    here.turn()
    here.answers = {str(ADA): Answer(200, {}, b'{"masterId":null,"profileIds":[],"matchedEvents":[],"_links":{}}')}
    here.turn()
    here.answers = {}
    here.turn()
    assert ([], "") == (here.told(), here.error())


def test_where_nobody_at_all_is_found_the_feed_fails_and_says_what_to_look_at(office: Open) -> None:
    here = office(f"{{matches: {{watch: {{profile_ids: [{ADA}, {BOB}]}}}}}}", switches={"intempt_reads": "project"})
    here.turn()
    assert "2 watched ids" in here.error()
    assert "`reads` under `dialect`" in here.error()
    assert [] == here.told()


@pytest.mark.parametrize("status", ["404", "410"])
def test_an_endpoint_that_is_gone_fails_the_feed_and_keeps_what_is_known(office: Open, status: str) -> None:
    here = office()
    here.person(ADA, matches=["order"])
    here.turn()
    here.sandbox.switches.set({"intempt_reads": status})
    here.turn()
    assert "reads" in here.error()
    here.sandbox.switches.set({"intempt_reads": "organization"})
    here.turn(later=HOUR)
    assert ("", []) == (here.error(), here.told())


def test_an_id_that_cannot_be_read_holds_up_no_other(office: Open) -> None:
    here = office(f"{{matches: {{watch: {{profile_ids: [{ADA}, {BOB}]}}}}}}")
    for id in (ADA, BOB):
        here.person(id, matches=[])
    here.turn()
    here.answers = {str(ADA): Answer(500, {}, b"")}
    here.person(BOB, matches=["order"])
    here.turn()
    assert [("match_appeared", "order")] == here.told()
    assert "1 watched ids could not be read" in here.notes()[0]
    here.answers = {}
    here.person(ADA, matches=["visit"])
    here.turn(later=10 * MINUTE)
    assert [("match_appeared", "order"), ("match_appeared", "visit")] == here.told()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'"x"',
        b'{"matchedEvents":{}}',
        b'{"masterId":"1","profileIds":7,"matchedEvents":["a"]}',
        b'{"masterId":"1","profileIds":[],"matchedEvents":[{"a":1}]}',
        b"<html>",
        b'{"matchedEvents":' + b"[" * 5_000,
    ],
)
def test_an_answer_of_another_shape_is_an_error_and_nothing_is_gone(office: Open, body: bytes) -> None:
    here = office()
    here.person(ADA, matches=["order"])
    here.turn()
    here.answers = {str(ADA): Answer(200, {}, body)}
    here.turn()
    assert here.error()
    here.answers = {}
    here.turn(later=HOUR)
    assert ([], "") == (here.told(), here.error())


def test_a_refused_key_slows_the_feed_and_its_looks_are_made_later(office: Open) -> None:
    here = office()
    here.person(ADA, matches=[])
    here.turn()
    here.person(ADA, matches=["order"])
    here.answers = {str(ADA): Answer(401, {}, b"")}
    here.turn()
    assert "api_key" in here.error()
    asked = len(here.asked)
    here.turn()
    assert asked == len(here.asked)
    here.answers = {}
    here.turn(later=6 * MINUTE)
    assert [("match_appeared", "order")] == here.told()


def test_users_that_are_merged_tell_one_update_and_not_each_old_match(office: Open) -> None:
    here = office()
    here.person(ADA, master_id=101, matches=["visit"])
    here.person(BOB, master_id=99, matches=["order", "review"])
    here.turn()
    organization = here.sandbox.organization("acme")
    organization.people.merge(organization.people.masters[101], organization.people.masters[99])
    here.turn()
    here.turn()
    (event,) = here.events()
    properties = event.body["rawData"]["properties"]
    assert ("match_updated", "101", ["order", "review"]) == (event.name, properties["mergedFrom"], properties["added"])
    here.person(ADA, matches=["visit", "order", "review", "return"])
    here.turn()
    assert ("match_appeared", "return") == here.told()[-1]


# ── the watch list ────────────────────────────────────────────────────────────────────────────

FROM = (
    "{matches: {watch: {from: [{feed: intilery.events, path: context.traits.intemptProfileId,"
    " keep: {userId: event.userId, mail: context.traits.email}}]}}}"
)


def shown(id: object, n: int = 1) -> dict[str, Any]:
    traits = {"intemptProfileId": id, "email": "ada@example.com"}
    return {"eventId": f"e{n}", "userId": "u1", "rawData": {"context": {"traits": traits}}}


def test_an_id_that_an_event_of_another_feed_shows_is_watched_and_what_is_kept_comes_along(office: Open) -> None:
    here = office(FROM)
    here.person(ADA, matches=[])
    here.show(shown(str(ADA)))
    here.turn()
    here.person(ADA, matches=["order"])
    here.turn()
    assert {"userId": "u1", "mail": "ada@example.com"} == here.events()[0].body["watched"]


@pytest.mark.parametrize("id", [None, "", " ", "a b", "x" * 129, [], {}, True, 1.5, "a\nb"])
def test_what_cannot_be_an_id_is_not_watched(office: Open, id: object) -> None:
    here = office(FROM)
    here.show(shown(id))
    assert set() == here.known()


def test_an_id_that_is_a_number_is_watched_digit_by_digit(office: Open) -> None:
    here = office(FROM)
    here.show(shown(ADA))
    assert {f"profile_id:{ADA}"} == here.known()


def test_the_ids_of_events_are_kept_with_them_in_one_transaction(office: Open) -> None:
    here = office(FROM)
    with pytest.raises(RuntimeError), here.store.write() as tx:
        from connector.model import Event, Page
        from connector.poll import take

        event = Event("intilery:acme/acme/ACME", "intilery.events", "e1", "identify", NOON, NOON, shown(ADA))
        take(here.desk, tx, [Page("24h", None, events=[event])], event.account, "intilery.events")
        raise RuntimeError
    assert set() == here.known()


def test_ids_that_events_made_up_are_dropped_after_a_few_looks(office: Open) -> None:
    here = office(FROM)
    here.person(ADA, matches=[])
    here.show(shown(str(ADA), 1))
    for n in range(2, 6):
        here.show(shown(f"made-up-{n}", n))
    for _ in range(3):
        here.turn()
    assert {f"profile_id:{ADA}"} == here.known()


def test_ids_that_left_the_configuration_are_not_watched_any_more(office: Open) -> None:
    here = office(f"{{matches: {{watch: {{profile_ids: [{ADA}, {BOB}]}}}}}}")
    here.person(ADA, matches=[])
    here.person(BOB, matches=[])
    here.turn()
    here.store.close()
    here.feeds = LISTED
    here.start()
    here.turn()
    assert {f"profile_id:{ADA}"} == here.known()


def test_ids_of_a_source_that_left_the_configuration_are_not_watched_any_more(office: Open) -> None:
    here = office(FROM)
    here.show(shown(str(ADA)))
    here.store.close()
    here.feeds = FROM.replace("context.traits.intemptProfileId", "properties.intemptProfileId")
    here.start()
    here.turn()
    assert set() == here.known()


def test_a_file_names_ids_and_is_read_again_when_it_changes(office: Open, tmp_path: Path) -> None:
    (tmp_path / "watched.txt").write_text(f"# people\n{ADA}\nmaster_id:{BOB}  # Bob\n\n")
    here = office("{matches: {watch: {file: watched.txt}}}")
    here.turn()
    assert {f"profile_id:{ADA}", f"master_id:{BOB}"} == here.known()
    (tmp_path / "watched.txt").write_text(f"{BOB}\n")
    here.turn(later=HOUR)
    assert {f"profile_id:{BOB}"} == here.known()


def test_a_file_that_is_not_there_is_told(office: Open) -> None:
    here = office("{matches: {watch: {file: nowhere.txt}}}")
    here.turn()
    assert "nowhere.txt" in here.error()


def test_a_line_that_is_no_id_is_told_with_its_number_and_nothing_is_dropped(office: Open, tmp_path: Path) -> None:
    (tmp_path / "watched.txt").write_text(f"{ADA}\n")
    here = office("{matches: {watch: {file: watched.txt}}}")
    here.person(ADA, matches=[])
    here.turn()
    (tmp_path / "watched.txt").write_text(f"{ADA}\nno id\n")
    here.turn()
    assert "watched.txt:2" in here.error()
    assert {f"profile_id:{ADA}"} == here.known()


# ── segments ──────────────────────────────────────────────────────────────────────────────────

SEGMENTS = f"{{segmentations: {{poll: 1m, watch: {{profile_ids: [{ADA}]}}}}}}"


def test_segments_that_are_joined_and_left_are_events_with_ids_of_their_own(office: Open) -> None:
    here = office(SEGMENTS)
    name = "intempt.segmentations"
    here.person(ADA, segments=["gold"])
    here.turn(name)
    assert [] == here.events()
    for segments in (["gold", "silver"], ["silver"], ["silver", "gold"]):
        here.person(ADA, segments=segments)
        here.turn(name)
        here.turn(name)
    assert ["segment_joined", "segment_left", "segment_joined"] == [event.name for event in here.events()]
    joined, left, _ = here.events()
    assert {"id", "masterId", "profileIds", "created"} == joined.body["rawData"]["properties"].keys()
    assert joined.body["rawData"]["properties"]["id"] != left.body["rawData"]["properties"]["id"]
    assert 3 == len({event.id for event in here.events()})


def test_nobody_there_means_that_no_segment_was_left(office: Open) -> None:
    here = office(SEGMENTS)
    here.person(ADA, segments=["gold"])
    here.turn("intempt.segmentations")
    here.answers = {str(ADA): Answer(404, {}, b"")}
    here.turn("intempt.segmentations")
    here.answers = {}
    here.turn("intempt.segmentations", later=DAY)
    assert [] == here.events()


def test_ids_that_events_make_up_do_not_keep_active_ones_waiting(office: Open) -> None:
    here = office(
        f"{{matches: {{poll: 30s, watch: {{profile_ids: [{ADA}], from: [{{feed: intilery.events, path: event.userId}}]}}}}}}",
        rate="5/1s",
    )
    here.person(ADA, matches=["visit"])
    here.turn()
    here.person(ADA, matches=["visit", "order"])
    here.turn()
    for n in range(500):
        here.show({"eventId": f"e{n}", "userId": f"made-up-{n}"})
    here.person(ADA, matches=["visit", "order", "review"])
    here.turn()
    assert [("match_appeared", "order"), ("match_appeared", "review")] == here.told()


def test_a_long_value_is_not_kept_for_an_id(office: Open) -> None:
    here = office(FROM)
    here.person(ADA, matches=[])
    here.show({**shown(str(ADA)), "userId": "u" * 2_000})
    here.turn()
    here.person(ADA, matches=["order"])
    here.turn()
    assert {"mail": "ada@example.com"} == here.events()[0].body["watched"]


def test_listed_ids_whose_first_commit_failed_are_watched_at_the_next_turn(office: Open) -> None:
    here = office()
    here.person(ADA, matches=[])
    polling = here.polling["intempt.matches"]

    async def never_committed() -> None:
        async for _ in polling.feed.read("fresh", {}, polling.line, polling.desk.now, polling._rows()):
            break

    here.run(never_committed())
    here.turn()
    assert {f"profile_id:{ADA}"} == here.known()


def test_a_full_watch_list_learns_again_once_made_up_ids_were_dropped(
    office: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connector.poll.MOST_WATCHED", 3)
    here = office(FROM)
    here.person(ADA, matches=[])
    for n in range(4):
        here.show(shown(f"made-up-{n}", n))
    assert 3 == len(here.known())
    for _ in range(3):
        here.turn(later=HOUR)
    here.show(shown(str(ADA), 9))
    assert {f"profile_id:{ADA}"} == here.known()


def test_users_that_are_merged_do_not_join_each_others_old_segments_again(office: Open) -> None:
    here = office(SEGMENTS)
    name = "intempt.segmentations"
    here.person(ADA, master_id=101, segments=["gold"])
    here.person(BOB, master_id=99, segments=["silver"])
    here.turn(name)
    people = here.sandbox.organization("acme").people
    people.merge(people.masters[101], people.masters[99])
    here.turn(name)
    assert [] == here.events()
    here.person(ADA, segments=["gold", "silver", "bronze"])
    here.turn(name)
    assert ["segment_joined"] == [event.name for event in here.events()]
