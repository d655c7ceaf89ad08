"""Collections' items one by one, a source's data all at once, and CSV files.

First generation: collections/{id}/data[/{id}], sources/{id}/data; the latter also below a project, with suppressErrors.
"""

import csv
import io
import uuid
from typing import Any, Final
from urllib.parse import urlsplit

from connector.sandbox.intempt.asking import Asking, Json, Route
from connector.sandbox.intempt.collections import Collection, Item
from connector.sandbox.intempt.ids import read_id
from connector.sandbox.intempt.organization import Organization
from connector.sandbox.intempt.refused import Refused
from connector.sandbox.intempt.schema import from_text
from connector.sandbox.replies import Reply, json_reply
from connector.sandbox.request import Request

_PAGE: Final = 100
_UPLOAD_SPAN: Final = 900_000  # milliseconds that a link to upload to is good for


def items(asking: Asking) -> Reply:
    """GET: all of a collection."""
    collection = asking.organization.collection(asking.id("collection"))
    found, own = list(collection.listed()), f"collections/{collection.id}/data"
    links = {"self": asking.link(own)}
    if asking.switches["intempt_pages"] == "next":
        page = read_id(asking.request.parameters.get("page", "0")) or 0
        if len(found) > (page + 1) * _PAGE:
            links["next"] = asking.link(f"{own}?page={page + 1}")
        found = found[page * _PAGE : (page + 1) * _PAGE]
    return json_reply(asking.embedded("dataItemList", [asking.item(collection, one) for one in found], links))


def item(asking: Asking) -> Reply:
    """GET: one item."""
    collection = asking.organization.collection(asking.id("collection"))
    return json_reply(asking.item(collection, collection.item(asking.id("data item", 1))))


def delete(asking: Asking) -> Reply:
    """DELETE: the item that is gone."""
    collection = asking.organization.collection(asking.id("collection"))
    return json_reply(asking.item(collection, collection.remove(asking.id("data item", 1))))


def post(asking: Asking) -> Reply:
    """POST: one item; of type text/csv, without a body: where a file may be put."""
    collection = asking.organization.collection(asking.id("collection"))
    if asking.request.content_type == "text/csv":
        return _where_to_upload(asking, collection)
    stored = asking.organization.store(collection, asking.body())
    if asking.switches["intempt_created"] == "empty":
        return Reply(201)
    return json_reply(asking.item(collection, stored), 201)


def post_source(asking: Asking) -> Reply:
    """POST: items for several collections of a source; with suppressErrors the good ones, else all or none."""
    source = asking.organization.source(asking.id("source"))
    lenient = asking.request.parameters.get("suppressErrors") == "true"
    checked: list[tuple[Collection, dict[str, Any]]] = []
    for name, given in asking.object().items():
        for one in _listed(name, given):
            try:
                collection = _of_source(asking.organization, source.id, name)
                checked.append((collection, collection.conform(one)))
            except Refused:
                if not lenient:
                    raise
    stored = [(collection, asking.organization.keep(collection, data)) for collection, data in checked]
    if asking.switches["intempt_created"] == "empty":
        return Reply(201)
    links = {"self": asking.link(f"sources/{source.id}/data")}
    return json_reply(asking.embedded("data", [_saved(asking, *one) for one in stored], links), 201)


def _listed(name: str, given: Any) -> list[Any]:
    if not isinstance(given, list):
        raise Refused(400, f"{name} must be an array")
    return given


def _of_source(organization: Organization, source_id: int, name: str) -> Collection:
    collection = organization.collection_named(name)
    if collection is None or collection.source_id != source_id:
        raise Refused(400, f"source {source_id} has no collection {name}")
    return collection


def _saved(asking: Asking, collection: Collection, one: Item) -> Json:
    """As the documents of 2019 print what a source's data made."""
    shown = asking.item(collection, one)
    del shown["matches"]
    links = {"collection": asking.link(f"collections/{collection.id}"), **shown.pop("_links")}
    return {**shown, "updated": one.updated, "_links": links}


# ── CSV ───────────────────────────────────────────────────────────────────────────────────────


def _where_to_upload(asking: Asking, collection: Collection) -> Reply:
    """A 307 to another host, with a key of its own in the query: what repeats the POST there is refused."""
    token = uuid.uuid4().hex
    asking.organization.uploads[token] = (collection.id, asking.now)
    here = urlsplit(f"//{asking.request.headers.get('host', 'localhost')}")
    host = f"localhost:{here.port or 80}" if here.hostname != "localhost" else f"127.0.0.1:{here.port or 80}"
    path = f"upload/{asking.organization.name}/{token}.csv"
    return Reply(
        307, headers={"Location": f"http://{host}/{path}?X-Amz-Expires=900&X-Amz-Signature={uuid.uuid4().hex}"}
    )


def upload(organization: Organization, token: str, asked: Request, now: int) -> Reply:
    """What the storage answers: it takes a PUT, and no key but the one in the query."""
    if asked.method != "PUT":
        return _storage_error(405, "MethodNotAllowed")
    if asked.headers.get("authorization"):
        return _storage_error(400, "InvalidArgument", "Only one auth mechanism allowed")
    collection_id, given = organization.uploads.get(token, (0, 0))
    if "X-Amz-Signature" not in asked.parameters or now - given > _UPLOAD_SPAN:
        return _storage_error(403, "AccessDenied")
    _read_rows(organization, organization.collection(collection_id), asked.body)
    return Reply()


def _storage_error(status: int, code: str, message: str = "") -> Reply:
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Reply(status, text.encode(), "application/xml")


def _read_rows(organization: Organization, collection: Collection, body: bytes) -> None:
    """Store the rows; nobody hears of those that do not fit."""
    for row in csv.DictReader(io.StringIO(body.decode("utf-8-sig", "replace"), newline="")):
        told = {name: text for name, text in row.items() if name in collection.fields and text is not None}
        try:
            data = {name: from_text(collection.fields[name], text) for name, text in told.items()}
            organization.keep(collection, collection.check_key(data))
        except (Refused, ValueError):
            continue


ROUTES: Final = (
    Route("GET", "collections/{}/data", "intempt.items", items),
    Route("POST", "collections/{}/data", "intempt.items", post),
    Route("GET", "collections/{}/data/{}", "intempt.item", item),
    Route("DELETE", "collections/{}/data/{}", "intempt.item", delete),
    Route("POST", "sources/{}/data", "intempt.source_data", post_source, "both"),
)
