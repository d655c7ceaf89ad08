"""From the platform's object to an event: whatever its fields hold, it enters, and never stops the others."""

import contextlib
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import FeedUnavailable
from connector.model import HOUR, Answer, Event, event_name, instant, instant_text
from connector.platforms.intilery import parse_events, to_event
from tests.feeds.fake import NOON

FIXTURES = Path(__file__).parent.parent / "fixtures" / "intilery"


def read(body: bytes) -> list[Event]:
    return [
        to_event(item, "intilery:acme/acme/ACME", "intilery.events", NOON, notes, text)
        for item, notes, text in parse_events(Answer(200, {}, body))
    ]


def one(**fields: Any) -> Event:
    """An event of the platform with some fields changed; `...` takes one away."""
    whole = {
        "eventId": "e1",
        "eventTime": "2026-11-01T11:59:58.100Z",
        "receivedTime": "2026-11-01T11:59:58.700Z",
        "eventAction": "email_opened",
        "userId": "u1",
        "rawData": {"event": "Email Opened"},
    }
    body = {key: value for key, value in (whole | fields).items() if value is not ...}
    (event,) = read(json.dumps({"data": [body]}).encode())
    return event


def with_raw(text: str) -> Event:
    """An event whose rawData is this JSON, between two ordinary ones that must come through."""
    texts = [
        f'{{"eventId":"{id}","userId":"u","rawData":{raw}}}' for id, raw in (("a", "{}"), ("b", text), ("c", "{}"))
    ]
    events = read(f'{{"data":[{",".join(texts)}]}}'.encode("utf-8", "surrogatepass"))
    assert ["a", "b", "c"] == [event.id for event in events]
    assert () == events[0].notes == events[2].notes
    return events[1]


# ── the documents' own example ────────────────────────────────────────────────────────────────


def test_the_printed_example_is_read_as_it_stands() -> None:
    body = (FIXTURES / "profile-events.json").read_bytes()
    events = read(body)
    assert json.loads(body)["data"] == [event.body for event in events]
    assert ("ec717144-924c-4826-981b-848459c39176", "email_opened") == (events[0].id, events[0].name)
    assert instant("2020-11-19T13:39:17.912Z") == events[0].at
    assert instant("2020-11-19T13:39:17.380Z") == events[0].time
    assert () == events[0].notes


# ── ids ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "odd", [..., None, 7, 1.5, True, "", " ", ["a"], {"a": 1}, "x" * 129, "x" * 20_000, "a\x00b", "a\nb", "\x7f"]
)
def test_an_event_without_a_usable_id_gets_the_hash_of_its_content(odd: object) -> None:
    event, again, other = one(eventId=odd), one(eventId=odd), one(eventId=odd, userId="u2")
    assert event.id.startswith("hash_")
    assert ("made_up_id",) == event.notes
    assert event.id == again.id != other.id


def test_the_hash_does_not_depend_on_the_order_of_keys() -> None:
    first, second = read(b'{"data":[{"userId":"u","rawData":{"a":1,"b":2}},{"rawData":{"b":2,"a":1},"userId":"u"}]}')
    assert first.id == second.id


@pytest.mark.parametrize("id", ["e1", "x" * 128, "\u00e9", "e\u0301", "A", "a", "a "])
def test_a_usable_id_is_kept_exactly(id: str) -> None:
    assert id == one(eventId=id).id


def test_integers_stay_exact() -> None:
    digits = "182233618306719715", "182233618306719744", "9" * 300, "-" + "8" * 299
    event = with_raw(f'{{"n":[{",".join(digits)}]}}')
    assert [int(number) for number in digits] == event.body["rawData"]["n"]


# ── times ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("time", "read_as", "bad"),
    [
        ("2026-11-01T11:59:58.100Z", NOON - 1_900, False),
        ("2015-2-02T00:30:08.276Z", instant("2015-02-02T00:30:08.276Z"), False),
        ("2012-01-01T00:00:00.000Z", instant("2012-01-01T00:00:00Z"), False),
        ("2026-11-01T13:00:00.000+01:00", NOON, False),
        ("2026-11-01T12:00:00", NOON, False),
        ("2026-11-01T12:00:00.123456Z", NOON + 123, False),
        ("2099-01-01T00:00:00.000Z", instant("2099-01-01T00:00:00Z"), True),
        ("9999-12-31T23:59:59.999999Z", instant("9999-12-31T23:59:59.999Z"), True),
        ("0001-01-01T00:00:00.000Z", None, True),
        ("2026-11-01T23:59:60.000Z", None, True),
        ("tomorrow", None, True),
        ("", None, True),
        (1714631904000, None, True),
        ([], None, True),
        (None, None, False),
        (..., None, False),
    ],
)
def test_a_time_is_read_or_said_to_be_bad(time: object, read_as: int | None, bad: bool) -> None:  # noqa: FBT001
    event = one(eventTime=time)
    assert read_as == event.time
    assert (("bad_time",) if bad else ()) == event.notes
    assert NOON - 1_300 == event.at


@pytest.mark.parametrize(
    ("received", "at"),
    [
        ("2026-11-01T11:00:00.000Z", NOON - HOUR),
        ("2012-01-01T00:00:00.000Z", instant("2012-01-01T00:00:00Z")),
        ("2099-01-01T00:00:00.000Z", NOON),
        ("0001-01-01T00:00:00.000Z", NOON),
        ("soon", NOON),
        (None, NOON),
        (..., NOON),
        (7, NOON),
    ],
)
def test_an_event_is_received_when_the_platform_says_but_never_after_we_saw_it(received: object, at: int) -> None:
    assert at == one(receivedTime=received).at


# ── names and marks ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("action", "raw", "name"),
    [
        ("email_opened", {"event": "Something Else"}, "email_opened"),
        (None, {"event": "Product Added"}, "product_added"),
        (7, {"event": "Product Added"}, "product_added"),
        ("", {"event": "Product Added"}, "product_added"),
        ("\u65e5\u672c", {"event": "Product Added"}, "product_added"),
        (..., {}, ""),
        (..., None, ""),
        (..., [], ""),
        (..., "text", ""),
        ([], {"event": []}, ""),
        ("x" * 20_000, {}, "x" * 200),
    ],
)
def test_the_name_comes_from_the_action_or_the_raw_event(action: object, raw: object, name: str) -> None:
    assert name == one(eventAction=action, rawData=raw).name


def test_what_we_wrote_ourselves_is_known_by_its_mark() -> None:
    assert one(rawData={"context": {"connector": "dlv_1"}}).own
    for raw in (
        {},
        {"context": {}},
        {"context": None},
        {"context": []},
        {"connector": "x"},
        {"context": {"connector": ""}},
    ):
        assert not one(rawData=raw).own


@pytest.mark.parametrize("user", ["e\u0301", "\u00e9", "a\u200b", "A", "a ", "\u202ea"])
def test_look_alikes_stay_what_they_are(user: str) -> None:
    assert user == one(userId=user).body["userId"]


# ── odd JSON ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("raw", "mended", "note"),
    [
        (r'{"a":"x\ud800y"}', {"a": "x\ufffdy"}, "mended: characters that are none"),
        ('{"a":"x\ud800y"}', {"a": "x\ufffd\ufffd\ufffdy"}, "mended: characters that are none"),
        (r'{"\udc00":1}', {"\ufffd": 1}, "mended: characters that are none"),
        ('{"a":NaN,"b":[-Infinity]}', {"a": None, "b": [None]}, "mended: -Infinity became null"),
        (f'{{"a":{"9" * 5_000}}}', {"a": "9" * 5_000}, "mended: a number kept as text"),
        ('{"a":1e400}', {"a": "1e400"}, "mended: a number kept as text"),
        ('{"a":"line\nbreak"}', {"a": "line\nbreak"}, ""),
    ],
)
def test_what_our_store_cannot_hold_is_mended(raw: str, mended: object, note: str) -> None:
    event = with_raw(raw)
    assert mended == event.body["rawData"]
    assert note in (*event.notes, "")
    msgspec.json.encode(event.body)


def test_pairs_of_surrogates_and_nul_are_ordinary_text() -> None:
    event = with_raw(r'{"a":"\ud83d\ude00\u0000"}')
    assert {"a": "\U0001f600\x00"} == event.body["rawData"]
    assert () == event.notes


@pytest.mark.parametrize(
    "raw",
    [
        '{"a":' * 33 + "1" + "}" * 33,
        "[" * 900 + "]" * 900,
        "[" * 100_000 + "]" * 100_000,
        '{"a":[],"b":' * 40_000 + "1" + "}" * 40_000,
        '{"a":"' + "x" * 70_000 + '"}',
        "{" + ",".join(f'"k{n}":{n}' for n in range(9_000)) + "}",
        '{"a":01}',
        '{"a" 1}',
        "{1:2}",
        '{"a":tru}',
    ],
    ids=[
        "33 levels",
        "900 levels",
        "100000 levels",
        "mixed levels",
        "70 KB",
        "9000 keys",
        "01",
        "no colon",
        "key",
        "tru",
    ],
)
def test_what_is_too_large_too_deep_or_no_json_is_kept_in_a_reduced_form(raw: str) -> None:
    event = with_raw(raw)
    assert event.notes[0].startswith("quarantined: ")
    assert {"eventId": "b", "userId": "u"} == {key: event.body[key] for key in event.body if key != "quarantined"}
    assert len(raw) < event.body["quarantined"]["bytes"]


def test_thirty_two_levels_and_sixty_four_kilobytes_are_ordinary() -> None:
    # the event itself is the first level
    for raw in ('{"a":' * 31 + "1" + "}" * 31, '{"a":"' + "x" * 65_000 + '"}', '{"a":[' + "{}," * 500 + "{}]}"):
        assert () == with_raw(raw).notes


def test_the_reduced_form_keeps_short_documented_values_only() -> None:
    long, deep = "y" * 2_000, "[" * 99 + "]" * 99
    odd = f'"userId":"{long}","customerId":{{"a":1}},"other":1,"rawData":{deep}'
    body = f'{{"eventId":"e","eventTime":"2026-11-01T11:00:00Z",{odd}}}'
    (event,) = read(f'{{"data":[{body}]}}'.encode())
    assert {"eventId", "eventTime", "quarantined"} == set(event.body)
    assert NOON - HOUR == event.time


def test_two_reduced_events_without_ids_stay_two() -> None:
    deep = "[" * 99 + "]" * 99
    events = read(f'{{"data":[{{"a":1,"rawData":{deep}}},{{"a":2,"rawData":{deep}}}]}}'.encode())
    assert 2 == len({event.id for event in events})


def test_notes_hold_no_comma_since_they_are_kept_as_a_list() -> None:
    for raw in ('{"a":NaN}', "[" * 99 + "]" * 99, '{"a":"' + "x" * 70_000 + '"}', '{"a" 1}', r'{"a":"\ud800"}'):
        assert not [note for note in with_raw(raw).notes if "," in note]


def test_an_attack_of_brackets_is_cut_apart_quickly() -> None:
    import time

    raw = "[{" * 15_000 + '"a":1' + "}]" * 15_000
    body = f'{{"data":[{",".join([raw.join(["{" + chr(34) + "a" + chr(34) + ":", "}"])] * 100)}]}}'.encode()
    begun = time.perf_counter()
    assert 100 == len(read(body))
    assert time.perf_counter() - begun < 5


# ── anything at all ───────────────────────────────────────────────────────────────────────────

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=True)
    | st.text(st.characters(exclude_categories=[])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
bodies = st.dictionaries(
    st.sampled_from(["eventId", "eventTime", "receivedTime", "eventAction", "userId", "rawData", "x"]), json_values
)


@given(st.lists(bodies, max_size=5))
def test_any_objects_become_as_many_events_that_can_be_kept(data: list[dict[str, Any]]) -> None:
    events = read(json.dumps({"data": data}).encode())
    assert len(data) == len(events)
    for event in events:
        msgspec.json.encode(event.body)
        assert 0 < len(event.id) <= 128
        assert event.id.isprintable()
        assert 0 < event.at <= NOON


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes_are_events_or_an_error(garbage: bytes) -> None:
    for body in (garbage, b'{"data":[' + garbage + b"]}", b'{"data":[{"a":' + garbage + b"}]}"):
        with contextlib.suppress(FeedUnavailable):
            read(body)


@given(st.integers(1, 32_503_680_000_000), st.sampled_from(["", "0", "Z", "+00:00", "-05:30"]))
def test_the_quick_reading_of_times_agrees_with_the_thorough_one(at: int, end: str) -> None:
    text = instant_text(at)[:-1] + end
    expected = instant(text)
    assert (expected if expected is None or expected > 0 else None) == one(eventTime=text).time


@given(st.text(max_size=40))
def test_names_are_the_normalised_ones(text: str) -> None:
    assert event_name(text) == one(eventAction=text, rawData=None).name
