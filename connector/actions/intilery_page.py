"""`intilery_page`: record a page that a customer saw (Tracking API document, *Page Action*)."""

from connector.actions import Scope
from connector.actions.tracked import Tracked
from connector.actions.writing import Body, ObjectTree, object_of
from connector.model import Event
from connector.platforms.bodies import compact


class IntileryPage(Tracked):
    """Record a page view of a customer.

    properties: any JSON object. userId, anonymousId: the event's own where neither is written. context, timestamp: as
    documented; the timestamp is the run's time unless it is written.
    """

    kind = "intilery_page"
    call = "page"
    example = """
intilery_page: {properties: {path: /offers, title: "{{ properties.name }}"}}
"""

    properties: ObjectTree | None = None

    def fields(self, scope: Scope, event: Event) -> Body:
        """Who, when, and the properties."""
        properties = object_of("properties", self.properties, scope)
        return {**super().fields(scope, event), **compact(properties=properties)}
