"""`intilery_traits`: who a customer is, as Intilery knows it now (Profiles API, *Get a Profile's Traits*)."""

from connector.lookups import Scope
from connector.lookups.profile import OfProfile, the_one
from connector.model import Asked, Instant, Json
from connector.platforms.endpoint import Conversation
from connector.platforms.intilery import profiles
from connector.settings import Connection


class IntileryTraits(OfProfile):
    """The traits of one customer: `firstName`, `email`, `marketingPreferences` … with `id` and `externalId`.

    user_id, email or id: whose, one of them. Several customers with one e-mail address are an error.
    """

    kind = "intilery_traits"
    example = """
profile: {intilery_traits: {user_id: "{{ event.userId }}"}, cache: 1m}
"""

    def more(self, scope: Scope, now: Instant) -> Asked:  # noqa: ARG002  the id is all
        """Nothing."""
        return {}

    @classmethod
    def talk(cls, connection: Connection, asked: Asked) -> Conversation[Json]:
        """One request. See Lookup."""
        found = profiles.parse_profiles((yield profiles.traits(connection, asked["who"])))
        return the_one(found, asked).body
