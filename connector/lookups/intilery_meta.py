"""`intilery_meta`: all that Intilery keeps of a customer (Profiles API, *Get a Customer's Metadata*)."""

from connector.lookups import Scope
from connector.lookups.profile import OfProfile, the_one
from connector.model import Asked, Instant, Json
from connector.platforms.endpoint import Conversation
from connector.platforms.intilery import profiles
from connector.settings import Connection


class IntileryMeta(OfProfile):
    """The traits of one customer, and where they come from: `createdBy`, `firstEvent` and `lastEvent` by event action,
    `audiencesStatic`, `lastActivityTime`, `marketingPreferences`.

    user_id, email or id: whose, one of them. Several customers with one e-mail address are an error.
    """  # noqa: D205  what is found needs two lines

    kind = "intilery_meta"
    example = """
known: {intilery_meta: {email: "{{ traits.email }}"}, optional: true}
"""

    def more(self, scope: Scope, now: Instant) -> Asked:  # noqa: ARG002  the id is all
        """Nothing."""
        return {}

    @classmethod
    def talk(cls, connection: Connection, asked: Asked) -> Conversation[Json]:
        """One request, a second one where the first finds nobody and the path may end otherwise. See Lookup."""
        found = yield from profiles.find_meta(connection, asked["who"])
        return the_one(found, asked).body
