"""What a route of Intempt is handed, and how answers are shaped."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from connector.sandbox.intempt.collections import Collection, Item, Source
from connector.sandbox.intempt.ids import read_id
from connector.sandbox.intempt.organization import Organization
from connector.sandbox.intempt.people import Master, Segmentation
from connector.sandbox.intempt.refused import Refused
from connector.sandbox.replies import Reply
from connector.sandbox.request import Request
from connector.sandbox.switches import Switches
from connector.sandbox.times import print_time

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asking:
    """A request to one organisation. ids: what stands in its path, decoded. now: milliseconds."""

    organization: Organization
    request: Request
    ids: tuple[str, ...]
    switches: Switches
    now: int

    def body(self) -> Any:
        """The body read as JSON. Raises Refused."""
        try:
            return self.request.json()
        except ValueError:
            raise Refused(400, "Malformed JSON") from None

    def object(self) -> Json:
        """The body read as a JSON object. Raises Refused."""
        body = self.body()
        if not isinstance(body, dict):
            raise Refused(400, "body must be a JSON object")
        return body

    def id(self, what: str, place: int = 0) -> int:
        """An id in the path. Raises Refused."""
        found = read_id(self.ids[place])
        if found is None:
            raise Refused(400, f"Invalid {what} id: {self.ids[place]}")
        return found

    # ── answers ───────────────────────────────────────────────────────────────────────────────

    def link(self, path: str, documented: str = "https", **more: Any) -> Json:
        """`{"href": …}` below the organisation, with the scheme that the documents print or the switch says."""
        chosen = self.switches["intempt_links"]
        scheme = documented if chosen == "documented" else chosen
        host = self.request.headers.get("host", "api.intempt.com")
        return {"href": f"{scheme}://{host}/v1/{self.organization.name}/{path}", **more}

    def embedded(self, name: str, shown: list[Json], links: Json) -> Json:
        """A list as HAL has it."""
        if not shown and self.switches["intempt_empty"] == "missing":
            return {"_links": links}
        return {"_embedded": {name: shown}, "_links": links}

    def person_id(self, id: int, documented: Callable[[int], int | str] = str) -> int | str:
        """An id of a profile or user as text or number."""
        kinds: Mapping[str, Callable[[int], int | str]] = {"text": str, "number": int}
        return kinds.get(self.switches["intempt_ids"], documented)(id)

    def source(self, one: Source) -> Json:
        """A source."""
        shown = {
            "id": one.id,
            "name": one.name,
            "title": one.title,
            "description": one.description,
            "type": one.type,
        }
        own = f"sources/{one.id}"
        return {**shown, "_links": {"self": self.link(own), "collections": self.link(f"{own}/collections")}}

    def collection(self, one: Collection) -> Json:
        """A collection."""
        own = f"collections/{one.id}"
        by_name = self.link("collections?{name}", templated=True)
        links = {"self": self.link(own), "data": self.link(f"{own}/data"), "byName": by_name}
        shown = {"id": one.id, "sourceId": one.source_id, "name": one.name, "profile": one.profile, "event": one.event}
        return {**shown, "schema": one.schema, "_links": links}

    def item(self, collection: Collection, one: Item) -> Json:
        """A data item."""
        links = {"self": self.link(f"collections/{collection.id}/data/{one.id}")}
        return {"collId": collection.id, "id": one.id, "data": one.data, "matches": one.matches, "_links": links}

    def matches(self, master: Master) -> Json:
        """What a user has matched."""
        return {
            "masterId": self.person_id(master.id),
            "profileIds": [self.person_id(one.id, int) for one in master.profiles],
            "matchedEvents": self.organization.matching.matched(master),
            "lastUpdated": print_instant(master.updated),
            "_links": {"self": self.link("events/matches", "http")},
        }

    def segmentation(self, master: Master, one: Segmentation) -> Json:
        """That a user belongs to a segment; which one, the documents' answer does not say."""
        return {
            "id": self.person_id(one.id),
            "masterId": self.person_id(master.id),
            "profileIds": [self.person_id(profile.id) for profile in master.profiles],
            "created": print_instant(one.created),
            "_links": {"self": self.link(f"segmentations/{one.id}")},
        }


@dataclass(frozen=True, slots=True)
class Route:
    """One route. path: below the organisation or project, `{}` for an id. below: organization, project or both."""

    method: str
    path: str
    operation: str
    serve: Callable[[Asking], Reply]
    below: str = "organization"


def print_instant(at: int) -> str:
    """`2021-01-13T09:09:52.207+00:00`, as the documents print instants."""
    return print_time(at).removesuffix("Z") + "+00:00"
