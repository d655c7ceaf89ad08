"""What the lookups of one Intilery profile share: whom they ask about, and that they find exactly one."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Final, Literal, TypeVar

from pydantic import model_validator

from connector.lookups import Lookup, NotFound, NotOne, Scope, one_written, rendered_id
from connector.model import Asked, Instant
from connector.template.field import Text

T = TypeVar("T")

_IDS: Final = {"user_id": "userId", "email": "email", "id": "id"}  # our keys, and the platform's idTypes


class OfProfile(Lookup):
    """A lookup that names one customer."""

    platform: ClassVar[Literal["intilery", "intempt"]] = "intilery"

    user_id: Text | None = None
    email: Text | None = None
    id: Text | None = None

    @model_validator(mode="after")
    def _one_id(self) -> "OfProfile":
        one_written(self, _IDS, 'write user_id: "{{ event.userId }}"')
        return self

    def ask(self, scope: Scope, now: Instant) -> Asked | None:
        """`who` as the platform names it, and the rest of the question."""
        name = one_written(self, _IDS)
        found = rendered_id(name, getattr(self, name), scope)
        return None if found is None else {"who": f"{_IDS[name]}:{found}", **self.more(scope, now)}

    @abstractmethod
    def more(self, scope: Scope, now: Instant) -> Asked:
        """What else is asked. Raises RenderError."""


def the_one(found: Sequence[T], asked: Asked) -> T:
    """The only one of those found. Raises NotFound and NotOne."""
    if not found:
        raise NotFound("nobody was found")
    if len(found) > 1:
        kind = str(asked["who"]).partition(":")[0]
        raise NotOne(f"{len(found)} profiles have this {kind}, and only one can be meant: look it up by user_id or id")
    return found[0]
