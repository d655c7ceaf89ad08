"""What every organisation begins with.

The documents' examples, under their own ids, so that their curl lines answer: the booking collection with its two
items, the profile collection, the user who matched `newtestevent`, the segmentation. And what the made-up shop has set
up in the console for what the live traffic tracks: events with filters, segments, feeds, choices.
"""

from typing import Any, Final

from connector.sandbox.catalog import PRODUCTS
from connector.sandbox.intempt.collections import Collection, Keys, Source
from connector.sandbox.intempt.organization import TRACKER, Organization
from connector.sandbox.times import read_time

API_SOURCE: Final = 347816547721216
BOOKING: Final = 19554189106348032
PROFILE: Final = 63065212245184512

_BOOKINGS: Final[dict[int, dict[str, Any]]] = {
    24665844119130112: {
        "id": 2,
        "dateFrom": "2019-10-25",
        "dateTo": "2019-12-25",
        "guestId": 123123213,
        "roomId": 312312312,
    },
    24663674875432960: {"id": 4, "bookingDate": -1, "guestId": 2, "roomId": 10},
}
_PEOPLE: Final = (182233618306719744, 182233618306719715, 182233618306771518)

EVENTS: Final = (
    ("large_order", "Order Completed", [[{"field": "total", "operator": "greater_or_equal", "value": 100}]]),
    ("poor_review", "Review Submitted", [[{"field": "rating", "operator": "less_or_equal", "value": 2}]]),
    (
        "hamper_in_basket",
        "Product Added",
        [
            [{"field": "category", "operator": "equals", "value": "Hampers"}],
            [
                {"field": "category", "operator": "equals", "value": "Meat"},
                {"field": "price", "operator": "greater", "value": 80},
            ],
        ],
    ),
)
SEGMENTS: Final = (
    ("buyers", [[{"event": "Order Completed"}]]),
    ("trialists", [[{"event": "Trial Started"}, {"event": "Order Completed", "operator": "not_exists"}]]),
    ("at_risk", [[{"event": "Subscription Cancelled"}], [{"event": "poor_review"}]]),
    ("families", [[{"segment": "buyers"}, {"attribute": "plan", "operator": "equals", "value": "family"}]]),
)
FEEDS: Final = (
    {"id": 5292, "name": "Popular products", "feedInput": "NO_INPUT"},
    {"id": 5258, "name": "For you", "feedInput": "USER"},
    {"id": 5293, "name": "Similar products", "feedInput": "PRODUCT"},
)
CHOICES: Final = (
    {"name": "checkout_v2", "group": "checkout", "body": True},
    {"name": "banner", "group": "home", "body": {"title": "Ten per cent off everything for a picnic"}},
)


def begin(made: Organization) -> None:
    """Fill a new organisation."""
    _sources(made)
    _examples(made)
    for name, collection, chosen in EVENTS:
        made.define_event(name, collection, chosen)
    for name, segment in SEGMENTS:
        made.define_segment(name, segment)
    made.choices.extend({**one} for one in CHOICES)
    for feed in FEEDS:
        made.feeds[str(feed["id"])] = {**feed, "products": [one.properties() for one in PRODUCTS]}


def _sources(made: Organization) -> None:
    about = "Automatically created tracker for organization's domain"
    made.sources[TRACKER] = Source(TRACKER, "tracker", "js", "Tracker", about)
    made.sources[API_SOURCE] = Source(API_SOURCE, "custom-source", "api", "Custom source")


def _examples(made: Organization) -> None:
    days = {"type": "string", "logicalType": "date"}
    fields = {
        "id": "long",
        "bookingDate": "long",
        "dateFrom": days,
        "dateTo": days,
        "guestId": "long",
        "roomId": "long",
    }
    booking = Collection(BOOKING, API_SOURCE, "booking", _record("booking", fields), Keys(primary="id"))
    made.add_collection(booking)
    for id, data in _BOOKINGS.items():
        booking.put(data, id, read_time("2019-11-04T09:00:00Z"))
    keys = Keys(primary="visitorId", profile="visitorId", users=["identifier"])
    who = {"visitorId": "string", "identifier": ["null", "string"]}
    made.add_collection(Collection(PROFILE, TRACKER, "profile", _record("profile", who), keys, profile=True))
    matched = read_time("2021-01-13T09:09:52.207Z")
    made.person(_PEOPLE, master_id=182233620328374272, matches=["newtestevent"]).updated = matched
    segmented = made.person([200382140415606784], master_id=200382140847620096, segments=["newtestsegment"])
    one = segmented.segmentations["newtestsegment"]
    one.id, one.created = 200382528132874240, read_time("2021-03-03T12:52:03.723Z")


def _record(name: str, fields: dict[str, Any]) -> dict[str, Any]:
    shown = [{"name": field, "type": kind} for field, kind in fields.items()]
    return {"type": "record", "name": name, "namespace": "customSource", "fields": shown}
