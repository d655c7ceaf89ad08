"""`intempt_item`: one data item of a collection (API reference of 2021, *Get a specific data item*)."""

from typing import ClassVar, Literal

from connector.lookups import Lookup, Scope, rendered_id
from connector.model import Asked, Instant, Json
from connector.platforms.endpoint import Conversation
from connector.platforms.intempt import collections
from connector.settings import Connection
from connector.template.field import Text


class IntemptItem(Lookup):
    """One item of a collection: `data` as it was stored, `matches`, `id` and `collId`; ids are text.

    collection: its id. id: the item's.
    """

    kind = "intempt_item"
    platform: ClassVar[Literal["intilery", "intempt"]] = "intempt"
    example = """
room: {intempt_item: {collection: "19554189106348032", id: "{{ properties.room_id }}"}, cache: 1h}
"""

    collection: Text
    id: Text

    def ask(self, scope: Scope, now: Instant) -> Asked | None:  # noqa: ARG002  the ids are all
        """Both ids."""
        collection, id = rendered_id("collection", self.collection, scope), rendered_id("id", self.id, scope)
        return None if collection is None or id is None else {"collection": collection, "id": id}

    @classmethod
    def talk(cls, connection: Connection, asked: Asked) -> Conversation[Json]:
        """One request. See Lookup."""
        found = collections.parse_item((yield collections.item(connection, asked["collection"], asked["id"])))
        return {"id": found.id, "collId": found.collection, "data": found.data, "matches": list(found.matches)}
