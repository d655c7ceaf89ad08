"""`intempt_source`: put items into collections of a source (API reference of 2021, *Sources data API call*)."""

from collections.abc import Mapping

from pydantic import Field

from connector.actions import Scope
from connector.actions.writing import Body, IntemptWrite, LiteralId, ObjectTree, object_of
from connector.errors import RenderError
from connector.model import Event, Json, Request
from connector.platforms.intempt import collections
from connector.settings import Connection


class IntemptSource(IntemptWrite):
    """Put items into several collections of a source at once.

    source: its id. data: collection names with lists of items. suppressErrors: let the good items in where others are
    refused.
    """

    kind = "intempt_source"
    example = """
intempt_source: {source: "23525541210886144", data: {profile: [{visitorId: "{{ event.userId }}", tier: gold}]}}
"""

    source: LiteralId
    data: ObjectTree
    suppress_errors: bool = Field(default=False, alias="suppressErrors")

    def fields(self, scope: Scope, event: Event) -> Body:  # noqa: ARG002  the scope holds all of it
        """The source and the items."""
        return {"source": self.source, "data": object_of("data", self.data, scope)}

    def body(self, fields: Body) -> Body:
        """The items by collection."""
        data: Body = fields["data"]
        for name, items in data.items():
            if not isinstance(items, list) or not items or not all(isinstance(item, dict) for item in items):
                raise RenderError(f"data.{name[:40]} must give a list of mappings, with at least one in it")
        if not data:
            raise RenderError("data must hold a collection with its items")
        return data

    def told(self) -> Mapping[str, str]:
        """The source, and whether errors are suppressed."""
        return {"source": self.source, **({"suppress": "yes"} if self.suppress_errors else {})}

    @classmethod
    def request(cls, connection: Connection, body: Body, id: str, meta: Mapping[str, Json]) -> Request:  # noqa: ARG003
        """POST …/sources/{source}/data."""
        return collections.add_data(connection, meta["source"], body, suppress_errors="suppress" in meta)
