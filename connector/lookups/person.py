"""What the lookups of one Intempt profile or user share: whom they ask about."""

from typing import ClassVar, Final, Literal

from pydantic import model_validator

from connector.lookups import Lookup, Scope, one_written, rendered_id
from connector.model import Asked, Instant
from connector.template.field import Text

_IDS: Final = {"profile_id": "profile", "master_id": "master"}  # our keys, and what the request calls them


class OfPerson(Lookup):
    """A lookup that names one profile, or the user whose profiles were merged."""

    platform: ClassVar[Literal["intilery", "intempt"]] = "intempt"

    profile_id: Text | None = None
    master_id: Text | None = None

    @model_validator(mode="after")
    def _one_id(self) -> "OfPerson":
        one_written(self, _IDS, 'write profile_id: "{{ traits.intemptProfileId }}"')
        return self

    def ask(self, scope: Scope, now: Instant) -> Asked | None:  # noqa: ARG002  the id is all
        """The id, by the name that the request has for it."""
        name = one_written(self, _IDS)
        found = rendered_id(name, getattr(self, name), scope)
        return None if found is None else {_IDS[name]: found}
