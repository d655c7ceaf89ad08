"""The indexed feed against the plainest reading of the same rules."""

from hypothesis import given
from hypothesis import strategies as st

from connector.sandbox.intilery.events import Event
from connector.sandbox.intilery.feed import Feed, Query

TIMES = st.integers(0, 8)
EVENTS = st.lists(st.builds(
    Event, id=st.uuids().map(str), text=st.just(b"{}"), action=st.sampled_from(["a", "b", "c"]), time=TIMES,
    received=TIMES, visible=TIMES, share=st.floats(0, 1), people=st.sampled_from([(), ("u1",), ("u1", "u2")]),
), max_size=30)  # fmt: skip
QUERIES = st.builds(
    Query,
    clock=st.sampled_from(["eventTime", "receivedTime"]),
    start=st.none() | TIMES,
    end=st.none() | TIMES,
    edges=st.sampled_from(["inclusive", "exclusive", "half_open"]),
    includes=st.none() | st.lists(st.sampled_from(["a", "b", "none"]), max_size=2),
    excludes=st.frozensets(st.sampled_from(["a", "b"])),
    descending=st.booleans(),
    skip=st.integers(0, 10),
    size=st.integers(1, 10),
    ties=st.sampled_from(["stable", "arrival"]),
    lag=st.sampled_from([0, 4]),
    since=st.none() | TIMES,
)


def plainly(events: list[Event], query: Query, now: int) -> list[Event]:
    def time(event: Event) -> int:
        return event.time if query.clock == "eventTime" else event.received

    def wanted(event: Event) -> bool:
        low, high = query.start, query.end
        return (
            (low is None or time(event) > low or (time(event) == low and query.edges != "exclusive"))
            and (high is None or time(event) < high or (time(event) == high and query.edges == "inclusive"))
            and (query.includes is None or event.action in query.includes)
            and event.action not in query.excludes
            and event.visible + query.lag * event.share <= now
            and (query.since is None or event.received >= query.since)
        )

    hits = sorted(filter(wanted, events), key=time)
    if query.descending:
        hits = hits[::-1] if query.ties == "stable" else sorted(hits, key=lambda event: -time(event))
    return hits[query.skip : query.skip + query.size]


def same(query: Query) -> bool:
    """Whether several included actions keep arrival order among equal times: a merge of two lists need not."""
    return query.includes is None or len(set(query.includes)) <= 1


@given(events=EVENTS, query=QUERIES, now=TIMES, at_once=st.booleans())
def test_a_page_is_what_the_rules_say(events: list[Event], query: Query, now: int, *, at_once: bool) -> None:
    feed = Feed()
    if at_once:
        feed.add_many(events)
    else:
        for event in events:
            feed.add(event)
    found, expected = feed.page(query, now), plainly(events, query, now)
    if same(query):
        assert expected == found
    else:
        assert len(expected) == len(found)


@given(EVENTS, QUERIES, TIMES)
def test_pages_of_hits_cover_the_window_once(events: list[Event], query: Query, now: int) -> None:
    feed = Feed()
    feed.add_many(events)
    whole = plainly(events, query_with(query, skip=0, size=1_000), now)
    paged: list[Event] = []
    while page := feed.page(query_with(query, skip=len(paged)), now):
        paged += page
    assert sorted(e.id or "" for e in whole) == sorted(e.id or "" for e in paged)


def query_with(query: Query, **changes: int) -> Query:
    return Query(**{name: getattr(query, name) for name in Query.__slots__} | changes)


@given(EVENTS, st.sampled_from(["u1", "u2", "nobody"]))
def test_erasing_leaves_the_others_where_they_were(events: list[Event], person: str) -> None:
    feed = Feed()
    feed.add_many(events)
    gone = feed.erase(person)
    kept = [event for event in events if person not in event.people]
    assert len(events) - len(kept) == gone == len(feed.erased)
    query = Query(descending=False, size=100)
    assert plainly(kept, query, 99) == feed.page(query, 99)
