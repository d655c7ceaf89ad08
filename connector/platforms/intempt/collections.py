"""Data of collections: items one by one, a source's data, and CSV files (first generation, documents of 2021).

A primary key that is there already is overwritten. `_links` are never followed as they stand: only the query of a
`next` on the same host and path is used, on the configured base.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, TypeAlias
from urllib.parse import parse_qsl, urljoin, urlsplit

from connector.errors import FeedUnavailable
from connector.model import MINUTE, Answer, Hidden, Json, Request
from connector.platforms import answers, dialect, rescue
from connector.platforms.bodies import a_list, a_mapping, encode, part, refused
from connector.platforms.endpoint import About, Data, endpoint
from connector.platforms.hidden import Veiled
from connector.platforms.intempt.people import embedded
from connector.platforms.intempt.project import CLUES, parse_taken, request, url
from connector.settings import Connection

LIST_CAP: Final = 64 * 1024 * 1024  # bytes of a list: no way to ask for a part of it is documented
_SLOWEST: Final = 50  # bytes a millisecond that an upload is given time for

CollectionId: TypeAlias = Annotated[str, About("The id of the collection.")]
ItemId: TypeAlias = Annotated[str, About("The id of the item.")]


@dataclass(frozen=True, slots=True)
class Item:
    """One data item. Both ids are text, digit by digit. matches: the events it matched."""

    id: str
    collection: str
    data: Mapping[str, Json]
    matches: tuple[Json, ...]


@dataclass(frozen=True, slots=True)
class Items:
    """A collection's items, or a part of them. next: the link to the next part as it was answered, empty at the end.

    broken: items that hold what cannot be read, and are left out.
    """

    items: tuple[Item, ...]
    next: str
    broken: int = 0


# ── answers ───────────────────────────────────────────────────────────────────────────────────


def item_of(answer: Answer, body: Mapping[str, Json]) -> Item:
    """The item that a platform's object stands for. Raises FeedUnavailable."""
    data, matches = body.get("data"), body.get("matches") or []
    if not isinstance(data, dict) or not isinstance(matches, list):
        raise answers.unexpected(answer, "a data item", "data must be an object, matches a list")
    return Item(answers.text_id(body.get("id")), answers.text_id(body.get("collId")), data, tuple(matches))


def parse_item(answer: Answer) -> Item:
    """One item. Raises NothingThere, FeedRefused and FeedUnavailable."""
    return item_of(answer, answers.an_object(answer, "a data item", CLUES))


def parse_items(answer: Answer) -> Items:
    """A collection's items. Raises as `parse_item` does."""
    what = "a list of data items"
    path = ("_embedded", "dataItemList")
    body, mended = answers.a_list_of_objects(answer, what, CLUES, path=path, kept=("id",))
    sound = [one for one in mended if not rescue.is_reduced(one)]
    items = tuple(item_of(answer, one) for one in sound or embedded(answer, body, "dataItemList", what))
    links = body.get("_links")
    following = links.get("next") if isinstance(links, dict) else None
    href = following.get("href") if isinstance(following, dict) else None
    return Items(items, href if isinstance(href, str) else "", len(mended) - len(sound))


def parse_removed(answer: Answer) -> Item | None:
    """The item that is gone, where the answer shows it. Raises as `parse_item` does."""
    body = answers.accepted(answer, "a data item", CLUES)
    return item_of(answer, body) if isinstance(body, dict) and "data" in body else None


# ── items ─────────────────────────────────────────────────────────────────────────────────────


@endpoint(
    "items",
    "GET",
    "/v1/{org}/collections/{collection}/data",
    source="API reference of 2021",
    parse=parse_items,
    example={"collection": "19554189106348032"},
)
def items(
    connection: Connection,
    collection: CollectionId,
    *,
    after: Annotated[str, About("Go on with the part that this link leads to.")] = "",
) -> Request:
    """The items of a collection.

    GET /v1/{org}/collections/{id}/data (API reference of 2021, which knows no parameters). after: `Items.next`.
    """
    path = f"collections/{part(collection, 'the id of the collection')}/data"
    own = url(connection, "organization", path)
    return request(connection, "GET", "organization", path, query=_query_of(after, own), cap=LIST_CAP)


def _query_of(link: str, own: str) -> Sequence[tuple[str, Json]]:
    """The query of a link that leads to the same host and path. The scheme is ours: documented links have http."""
    if not link:
        return ()
    ours, theirs = urlsplit(own), urlsplit(urljoin(own, link))
    if (theirs.netloc.lower(), theirs.path) != (ours.netloc.lower(), ours.path):
        raise refused(f"the list goes on at another address (at {theirs.netloc!r}), where the key must not be sent")
    return parse_qsl(theirs.query, keep_blank_values=True)


@endpoint(
    "item",
    "GET",
    "/v1/{org}/collections/{collection}/data/{id}",
    source="API reference of 2021",
    parse=parse_item,
    example={"collection": "19554189106348032", "id": "24663674875432960"},
)
def item(connection: Connection, collection: CollectionId, id: ItemId) -> Request:
    """One item of a collection.

    GET /v1/{org}/collections/{id}/data/{id} (API reference of 2021).
    """
    return request(connection, "GET", "organization", _item_path(collection, id))


@endpoint(
    "delete-item",
    "DELETE",
    "/v1/{org}/collections/{collection}/data/{id}",
    source="API reference of 2021",
    parse=parse_removed,
    example={"collection": "194123921", "id": "24663674875432960"},
    confirm="the item is deleted for good",
)
def delete_item(connection: Connection, collection: CollectionId, id: ItemId) -> Request:
    """Delete one item of a collection.

    DELETE /v1/{org}/collections/{id}/data/{id} (API reference of 2021): answers what is gone.
    """
    return request(connection, "DELETE", "organization", _item_path(collection, id))


def _item_path(collection: str, id: str) -> str:
    return f"collections/{part(collection, 'the id of the collection')}/data/{part(id, 'the id of the item')}"


@endpoint(
    "add-item",
    "POST",
    "/v1/{org}/collections/{collection}/data",
    source="API reference of 2021",
    parse=parse_taken,
    example={"collection": "19554189106348032", "body": {"visitorId": "194jso4nfja-fanjs-1584"}},
)
def add_item(connection: Connection, collection: CollectionId, body: Data) -> Request:
    """Put one item into a collection.

    POST /v1/{org}/collections/{id}/data: a JSON object → 201 (API reference of 2021). A value of a field that may have
    several types says its own: `{"field": {"double": 3.14}}`.
    """
    path = f"collections/{part(collection, 'the id of the collection')}/data"
    return request(connection, "POST", "organization", path, body=encode(a_mapping(body, "the item")))


@endpoint(
    "add-data",
    "POST",
    "/v1/{org}/sources/{source}/data",
    source="API reference of 2021; with suppressErrors the client of 2023",
    parse=parse_taken,
    example={"source": "23525541210886144", "body": {"profile": [{"visitorId": "194jso4nfja-fanjs-1584"}]}},
    also={
        "/v1/{org}/projects/{project}/sources/{source}/data?suppressErrors=true": {
            "source": "23525541210886144",
            "body": {"profile": [{"visitorId": "194jso4nfja-fanjs-1584"}]},
            "suppress_errors": True,
        }
    },
)
def add_data(
    connection: Connection,
    source: Annotated[str, About("The id of the source.")],
    body: Data,
    *,
    suppress_errors: Annotated[bool, About("Let the good items in where others are refused.")] = False,
) -> Request:
    """Put items into several collections of a source.

    POST /v1/{org}/sources/{id}/data: `{"collection": [item, …], …}` → 201 (API reference of 2021). suppress_errors: as
    the client of 2023 has it, below the project.
    """
    found = a_mapping(body, "the body")
    for name, given in found.items():
        for one in a_list(given, name):
            a_mapping(one, f"each item of {name}")
    if not found:
        raise refused("the body must have a collection with its items")
    path, sent = f"sources/{part(source, 'the id of the source')}/data", encode(found)
    if suppress_errors:
        return request(connection, "POST", "project", path, query={"suppressErrors": "true"}, body=sent)
    return request(connection, "POST", "organization", path, body=sent)


# ── CSV files ─────────────────────────────────────────────────────────────────────────────────


def parse_upload_place(answer: Answer) -> Hidden:
    """The signed address that a file is to be put at: whoever knows it can write there, so it is hidden.

    Raises NothingThere, FeedRefused and FeedUnavailable.
    """
    if answer.status != 307:
        refusal = answers.refusal(answer, CLUES, created=True)
        raise refusal or answers.unexpected(answer, "a place to upload to", "it is no redirection")
    place = answer.headers.get("location", "").strip()
    if not place.lower().startswith(("https://", "http://")):
        raise answers.unexpected(answer, "a place to upload to", "its Location is no address")
    return Veiled(place)


@endpoint(
    "upload",
    "POST",
    "/v1/{org}/collections/{collection}/data",
    source="API reference of 2021, *Using CSV file*",
    parse=parse_upload_place,
    example={"collection": "19554189106348032"},
)
def upload_place(connection: Connection, collection: CollectionId) -> Request:
    """Upload a CSV file into a collection; its first line names the fields.

    POST /v1/{org}/collections/{id}/data with Content-Type text/csv and no body → 307 with Location (API reference of
    2021). The file is then put there: see `put_file`. The POST itself is never repeated there.
    """
    path = f"collections/{part(collection, 'the id of the collection')}/data"
    return request(connection, "POST", "organization", path, content="text/csv")


def put_file(connection: Connection, place: Hidden, size: int) -> Request:
    """PUT of a file of so many bytes at the place that `parse_upload_place` gave. It has no key: the address is one.

    The door takes https only, and no private host, unless egress.allow names the host.
    """
    typed = dialect.of(connection, "csv_type")
    return Request(
        method="PUT",
        url=place,
        headers=() if typed == "none" else (("Content-Type", typed),),
        deadline=MINUTE + size // _SLOWEST,
    )


def parse_put(answer: Answer) -> None:
    """That the file was taken. The storage's own words are left out: they repeat the signature.

    Raises FeedUnavailable.
    """
    if not 200 <= answer.status < 300:
        hint = "its address is good for a while only: upload again" if answer.status == 403 else "upload again"
        if 300 <= answer.status < 400:
            hint = "it redirects, which is not followed"
        raise FeedUnavailable(f"the storage did not take the file: {hint}", answer.status, answers.request_id(answer))
