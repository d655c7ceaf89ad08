"""`intempt_collection`: put one item into a collection (API reference of 2021, *Collections data API call*)."""

from collections.abc import Mapping

from connector.actions import Scope
from connector.actions.writing import Body, IntemptWrite, LiteralId, ObjectTree, object_of
from connector.model import Event, Json, Request
from connector.platforms.intempt import collections
from connector.settings import Connection


class IntemptCollection(IntemptWrite):
    """Put an item into a collection. Sent twice, it is stored once if it holds the collection's primary key.

    collection: its id. item: the item, a JSON object; a field that may have several types says its own:
    `price: {double: 9.5}`.
    """

    kind = "intempt_collection"
    example = """
intempt_collection: {collection: "19554189106348032", item: {id: "{{ event.eventId }}", name: "{{ properties.name }}"}}
"""

    collection: LiteralId
    item: ObjectTree

    def fields(self, scope: Scope, event: Event) -> Body:  # noqa: ARG002  the scope holds all of it
        """The collection and the item."""
        return {"collection": self.collection, "item": object_of("item", self.item, scope)}

    def body(self, fields: Body) -> Body:
        """The item itself."""
        item: Body = fields["item"]
        return item

    def told(self) -> Mapping[str, str]:
        """The collection."""
        return {"collection": self.collection}

    @classmethod
    def request(cls, connection: Connection, body: Body, id: str, meta: Mapping[str, Json]) -> Request:  # noqa: ARG003
        """POST …/collections/{collection}/data."""
        return collections.add_item(connection, meta["collection"], body)
