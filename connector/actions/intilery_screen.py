"""`intilery_screen`: record a screen of an app that a customer saw (Tracking API document, *Screen Action*)."""

from connector.actions import Scope
from connector.actions.tracked import Tracked
from connector.actions.writing import Body, ObjectTree, object_of, text_of
from connector.model import Event
from connector.platforms.bodies import compact
from connector.template.field import Text


class IntileryScreen(Tracked):
    """Record a screen of an app.

    name: of the screen. properties: any JSON object. userId, anonymousId: the event's own where neither is written.
    context, timestamp: as documented; the timestamp is the run's time unless it is written.
    """

    kind = "intilery_screen"
    call = "screen"
    example = """
intilery_screen: {name: Offer, properties: {product: "{{ properties.name }}"}}
"""

    name: Text | None = None
    properties: ObjectTree | None = None

    def fields(self, scope: Scope, event: Event) -> Body:
        """Who, when, the name and the properties."""
        properties = object_of("properties", self.properties, scope)
        named = compact(name=text_of("name", self.name, scope), properties=properties)
        return {**super().fields(scope, event), **named}
