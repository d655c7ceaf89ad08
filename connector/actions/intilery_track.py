"""`intilery_track`: record what a customer did (Tracking API document, *Track Action*)."""

from connector.actions import Scope
from connector.actions.tracked import Tracked, means_more
from connector.actions.writing import Body, ObjectTree, object_of, text_of
from connector.errors import RenderError
from connector.model import Event
from connector.platforms.bodies import compact
from connector.template.field import Text


class IntileryTrack(Tracked):
    """Record an event of a customer.

    event: its name. properties: any JSON object. userId, anonymousId: the event's own where neither is written.
    context, timestamp: as documented; the timestamp is the run's time unless it is written. Commands have a kind.
    """

    kind = "intilery_track"
    call = "track"
    example = """
intilery_track: {event: Basket Rated, properties: {product: "{{ properties.name }}", rating: high}}
"""

    event: Text
    properties: ObjectTree | None = None

    def fields(self, scope: Scope, event: Event) -> Body:
        """What, who, when, and the properties."""
        name = text_of("event", self.event, scope) or ""
        if means_more(name):
            raise RenderError(f"event {name[:40]!r} is a command or another call: use the action that is made for it")
        properties = object_of("properties", self.properties, scope)
        return {**super().fields(scope, event), **compact(event=name, properties=properties)}
