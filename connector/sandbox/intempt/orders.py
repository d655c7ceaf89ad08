"""The control routes of Intempt: what is set up in its console, and what only a sandbox can tell.

`organization` (default acme) stands in the body or the query. Ids may be text; moments as in the other routes. A person
is named by `profileId`, `masterId` or `userId` (a value of a user identifier).

| route | body | does |
|---|---|---|
| GET /sandbox/intempt | | people, sources, collections, events, segments, feeds, choices |
| GET /sandbox/intempt/tracked | ?name | what was tracked, oldest first, with sourceId and name |
| GET /sandbox/intempt/consents | | what consents came |
| POST /sandbox/intempt/people | `{profileIds, masterId, users, attributes, matches, segments, updated}` | sets one up |
| POST /sandbox/intempt/match | a person, `{add, remove, touch}` | what matches; touch: lastUpdated alone moves |
| POST /sandbox/intempt/segment | a person, `{add, remove}` | joins and leaves segments |
| POST /sandbox/intempt/merge | `{masterId, into}` | makes one user of two |
| POST /sandbox/intempt/forget | a person | nobody has these ids any more |
| POST /sandbox/intempt/sources | `{id, name, type}` | a source |
| POST /sandbox/intempt/collections | `{id, name, sourceId, fields}` and keys | a collection |
| POST /sandbox/intempt/items | `{collection, items}` | puts items in, as data that comes in |
| POST /sandbox/intempt/events | `{name, collection, filter}` | an event (see `filters`) |
| POST /sandbox/intempt/segments | `{name, filter}` | a segment |
| POST /sandbox/intempt/attributes | `{name, strategy}` | first, recent, frequent or all |
| POST /sandbox/intempt/choices | `{choices: [{name, group, body}]}` | what choose-api chooses from |
| POST /sandbox/intempt/feeds | `{id, name, feedInput, products}` | a recommendation feed |

Of a person `matches` and `segments` replace what there was. `fields` is `{name: Avro type}`; keys are `primary`,
`profile` and `users` (fields), `attributes` `{field: attribute}`, `relations` `{name: [field, collection]}`.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from connector.sandbox.intempt.attributes import STRATEGIES
from connector.sandbox.intempt.collections import Collection, Keys, Source
from connector.sandbox.intempt.organization import TRACKER, Organization
from connector.sandbox.intempt.people import Master
from connector.sandbox.intempt.refused import Refused
from connector.sandbox.times import print_time

if TYPE_CHECKING:
    from connector.sandbox.control import Order

_WHO: Final = ("organization", "profileId", "masterId", "userId")


def show(order: "Order") -> Any:
    """Everything, or the subject that the path names."""
    made = order.organization
    match order.name:
        case []:
            return _state(made)
        case ["tracked"]:
            name = order.query.get("name")
            return [one for one in made.tracked if name in {None, one["name"]}]
        case ["consents"]:
            return made.consents
    raise ValueError("there are GET /sandbox/intempt, /sandbox/intempt/tracked and /sandbox/intempt/consents")


def do(order: "Order") -> Any:
    """What the path names."""
    if len(order.name) != 1 or order.name[0] not in _ORDERS:
        raise ValueError(f"there are POST /sandbox/intempt/{', '.join(_ORDERS)}")
    try:
        return _ORDERS[order.name[0]](order, order.organization)
    except Refused as refused:
        raise ValueError(refused.message or "there is no such thing") from refused


def _state(made: Organization) -> dict[str, Any]:
    return {
        "people": [_person(made, master) for master in made.people.masters.values()],
        "sources": {str(one.id): one.name for one in made.sources.values()},
        "collections": {one.name: {"id": str(one.id), "items": len(one.items)} for one in made.collections.values()},
        "events": {one.name: {"on": one.collection, "filter": one.filter} for one in made.matching.events.values()},
        "segments": made.matching.segments,
        "choices": made.choices,
        "feeds": {id: one.get("name") for id, one in made.feeds.items()},
    }


def _person(made: Organization, master: Master) -> dict[str, Any]:
    return {
        "masterId": str(master.id),
        "profileIds": [str(profile.id) for profile in master.profiles],
        "users": sorted(master.users),
        "attributes": made.matching.attributes(master),
        "matches": made.matching.matched(master),
        "segments": list(master.segmentations),
        "updated": print_time(master.updated),
    }


def _named(order: "Order", made: Organization) -> Master:
    given = order.body
    if given.get("profileId"):
        found = made.people.of_profile(str(given["profileId"]))
    elif given.get("masterId"):
        found = made.people.of_master(str(given["masterId"]), survivors=True)
    else:
        found = made.people.of_user(str(given.get("userId")))
    if found is None:
        raise ValueError("nobody has this profileId, masterId or userId")
    return found


def _people(order: "Order", made: Organization) -> Any:
    known = ("profileIds", "masterId", "users", "attributes", "matches", "segments", "updated")
    given = order.fields("organization", *known)
    master = made.person(
        [int(id) for id in given.get("profileIds", ())],
        master_id=int(given["masterId"]) if "masterId" in given else None,
        users=given.get("users", ()),
        attributes=given.get("attributes"),
        matches=given.get("matches"),
        segments=given.get("segments"),
    )
    master.updated = order.moment("updated") or master.updated
    return _person(made, master)


def _match(order: "Order", made: Organization) -> Any:
    given, master = order.fields(*_WHO, "add", "remove", "touch"), _named(order, made)
    for name in given.get("add", ()):
        made.matching.match(master, name, order.sandbox.now())
    for name in given.get("remove", ()):
        master.matched.pop(name, None)
    if given.get("touch"):
        master.updated = order.sandbox.now()
    made.matching.segment(master)
    return _person(made, master)


def _segment(order: "Order", made: Organization) -> Any:
    given, master = order.fields(*_WHO, "add", "remove"), _named(order, made)
    for name in given.get("add", ()):
        made.matching.join(master, name)
    for name in given.get("remove", ()):
        master.segmentations.pop(name, None)
    return _person(made, master)


def _merge(order: "Order", made: Organization) -> Any:
    given = order.fields("organization", "masterId", "into")
    found = [made.people.of_master(str(given.get(name)), survivors=False) for name in ("masterId", "into")]
    gone, into = found
    if gone is None or into is None or gone is into:
        raise ValueError("masterId and into must be two users")
    made.people.merge(gone, into)
    return _person(made, into)


def _forget(order: "Order", made: Organization) -> Any:
    order.fields(*_WHO)
    made.people.forget(_named(order, made))
    return {}


def _sources(order: "Order", made: Organization) -> Any:
    given = order.fields("organization", "id", "name", "type")
    id = int(given.get("id") or made.ids.next())
    made.sources[id] = Source(id, str(given.get("name", f"source-{id}")), str(given.get("type", "api")))
    return {"id": str(id)}


def _collections(order: "Order", made: Organization) -> Any:
    keys = ("primary", "profile", "users", "attributes", "relations")
    given = order.fields("organization", "id", "name", "sourceId", "fields", *keys)
    source = made.source(int(given.get("sourceId", TRACKER)))
    shown = [{"name": field, "type": kind} for field, kind in given.get("fields", {}).items()]
    schema = {"type": "record", "name": given.get("name"), "namespace": "sandbox", "fields": shown}
    id = int(given.get("id") or made.ids.next())
    collection = Collection(id, source.id, str(given.get("name")), schema)
    collection.keys = Keys(
        given.get("primary"),
        given.get("profile"),
        given.get("users", []),
        given.get("attributes", {}),
        {name: (field, other) for name, (field, other) in given.get("relations", {}).items()},
    )
    used = (given.get("primary"), given.get("profile"), *collection.keys.users, *collection.keys.attributes)
    for field in used:
        if field is not None:
            collection.check_field(field)
    return {"id": str(made.add_collection(collection).id)}


def _items(order: "Order", made: Organization) -> Any:
    given = order.fields("organization", "collection", "items")
    collection = made.collection_named(str(given.get("collection")))
    if collection is None:
        raise ValueError(f"there is no collection {given.get('collection')!r}")
    return {"ids": [str(made.store(collection, one).id) for one in given.get("items", ())]}


def _events(order: "Order", made: Organization) -> Any:
    given = order.fields("organization", "name", "collection", "filter")
    made.define_event(str(given.get("name")), str(given.get("collection")), given.get("filter", []))
    return {}


def _segments(order: "Order", made: Organization) -> Any:
    given = order.fields("organization", "name", "filter")
    made.define_segment(str(given.get("name")), given.get("filter", []))
    return {}


def _attributes(order: "Order", made: Organization) -> Any:
    given = order.fields("organization", "name", "strategy")
    if given.get("strategy") not in STRATEGIES:
        raise ValueError(f"a strategy is one of {', '.join(STRATEGIES)}")
    made.matching.strategies[str(given.get("name"))] = given["strategy"]
    return {}


def _choices(order: "Order", made: Organization) -> Any:
    chosen = order.fields("organization", "choices").get("choices", [])
    made.choices = [{"name": str(one["name"]), "group": one.get("group"), "body": one.get("body")} for one in chosen]
    return {}


def _feeds(order: "Order", made: Organization) -> Any:
    given = order.fields("organization", "id", "name", "feedInput", "products")
    given.pop("organization", None)
    made.feeds[str(given.get("id"))] = {"feedInput": "NO_INPUT", "products": [], **given}
    return {}


_ORDERS: Final[Mapping[str, Callable[["Order", Organization], Any]]] = {
    "people": _people,
    "match": _match,
    "segment": _segment,
    "merge": _merge,
    "forget": _forget,
    "sources": _sources,
    "collections": _collections,
    "items": _items,
    "events": _events,
    "segments": _segments,
    "attributes": _attributes,
    "choices": _choices,
    "feeds": _feeds,
}
