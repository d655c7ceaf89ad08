"""`intilery_identify`: tie a user to traits (Tracking API document, *Identify Action*)."""

from connector.actions import Scope
from connector.actions.tracked import Tracked
from connector.actions.writing import Body, ObjectTree, object_of
from connector.model import Event


class IntileryIdentify(Tracked):
    """Write traits of a customer.

    traits: any JSON object. userId, anonymousId: the event's own where neither is written. context, timestamp: as
    documented; the timestamp is the run's time unless it is written.
    """

    kind = "intilery_identify"
    call = "identify"
    example = """
intilery_identify: {traits: {lastProduct: "{{ properties.name }}", tier: gold}}
"""

    traits: ObjectTree

    def fields(self, scope: Scope, event: Event) -> Body:
        """Who, when, and the traits."""
        return {**super().fields(scope, event), "traits": object_of("traits", self.traits, scope)}
