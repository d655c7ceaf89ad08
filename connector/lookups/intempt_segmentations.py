"""`intempt_segmentations`: the segments of a profile or user (API reference of 2021, *Get segmentation*)."""

from connector.lookups.person import OfPerson
from connector.model import Asked, Json
from connector.platforms.endpoint import Conversation
from connector.platforms.intempt import people
from connector.settings import Connection


class IntemptSegmentations(OfPerson):
    """The latest segmentations of one profile or user: a list, perhaps empty, each with `id`, `masterId`, `profileIds`
    and `created`; ids are text.

    profile_id or master_id: whose, one of them.
    """  # noqa: D205  what is found needs two lines

    kind = "intempt_segmentations"
    example = """
segments: {intempt_segmentations: {master_id: "{{ event.masterId }}"}}
"""

    @classmethod
    def talk(cls, connection: Connection, asked: Asked) -> Conversation[Json]:
        """One request. See Lookup."""
        found = people.parse_segmentations((yield people.segmentations(connection, **asked)))
        return [
            {
                "id": one.id,
                "masterId": one.master_id,
                "profileIds": list(one.profile_ids),
                "created": one.body.get("created"),
            }
            for one in found
        ]
