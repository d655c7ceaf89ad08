"""`intempt_matches`: which events a profile or user has matched (API reference of 2021, *Get matched events*)."""

from connector.lookups.person import OfPerson
from connector.model import Asked, Json
from connector.platforms.endpoint import Conversation
from connector.platforms.intempt import people
from connector.settings import Connection


class IntemptMatches(OfPerson):
    """The events that one profile or user has matched: `matchedEvents` (names alone), `lastUpdated`, `masterId`,
    `profileIds`; ids are text.

    profile_id or master_id: whose, one of them.
    """  # noqa: D205  what is found needs two lines

    kind = "intempt_matches"
    example = """
matched: {intempt_matches: {profile_id: "{{ traits.intemptProfileId }}"}, cache: 5m}
"""

    @classmethod
    def talk(cls, connection: Connection, asked: Asked) -> Conversation[Json]:
        """One request. See Lookup."""
        found = people.parse_matches((yield people.matches(connection, **asked)))
        return {
            "masterId": found.master_id,
            "profileIds": list(found.profile_ids),
            "matchedEvents": list(found.names),
            "lastUpdated": found.body.get("lastUpdated"),
        }
