"""`regulation`: a privacy request about the customer of the event. An event proposes, people dispose (design §9).

Nothing but the event's own top-level `userId` can be the subject: no template reaches it.
"""

import re
from typing import Final, Literal

from connector.actions import Action, Scope, judge_status
from connector.errors import RenderError
from connector.model import Answer, Event, Json, Message, Verdict
from connector.template.field import Text

LONGEST_REASON: Final = 1_000

# What client libraries send where there is no user, and what would mean everyone.
_NOBODY: Final = frozenset(
    {
        "", "null", "nil", "none", "undefined", "nan", "n/a", "na", "0", "-1", "*", "%", "_", "-", "anonymous", "guest",
        "test", "user", "unknown", "[object object]", "true", "false", "[]", "{}",
        "00000000-0000-0000-0000-000000000000",
    }
)  # fmt: skip
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def subject(user_id: Json) -> str:
    """The user id itself, compared exactly ever after. Raises RenderError for what cannot be one customer's."""
    if not isinstance(user_id, str):
        raise RenderError("a regulation needs the event's userId as text: this event has none")
    if not 1 <= len(user_id) <= 256 or user_id.strip() != user_id or _CONTROL.search(user_id):
        raise RenderError("userId is no id: 1 to 256 characters, no control characters, no spaces around it")
    if user_id.lower() in _NOBODY:
        raise RenderError(f"userId {user_id!r} stands for nobody in particular")
    return user_id


class Regulation(Action):
    """Propose a privacy request: held until a named person approves it.

    type: which one; literal. reason: why, for those who decide and for the audit.
    """

    kind = "regulation"
    example = """
regulation: {type: suppress, reason: "Asked for by {{ event.userId }} in the preference centre"}
"""

    type: Literal["suppress_and_delete", "delete", "unsuppress", "suppress", "no_track", "track", "access"]
    reason: Text

    def render(self, scope: Scope, event: Event) -> Message:
        """The proposal, in `meta`: {type, user_id, reason}. Raises RenderError when the subject is not one customer."""
        user_id = subject(event.body.get("userId"))
        reason = self.reason.text(scope).strip()
        if not 1 <= len(reason) <= LONGEST_REASON:
            raise RenderError(f"reason must be 1 to {LONGEST_REASON} characters")
        return Message(meta={"type": self.type, "user_id": user_id, "reason": reason})

    def preview(self, scope: Scope, event: Event) -> dict[str, Json]:
        """The fields, and the `user_id` they are about."""
        return {**super().preview(scope, event), "user_id": subject(event.body.get("userId"))}

    @classmethod
    def judge(cls, answer: Answer, refusals: int = 0) -> Verdict:  # noqa: ARG003  a refusal is for a person
        """As HTTP says, but nothing is repeated blindly: where the outcome is unknown, a person looks."""
        verdict = judge_status(answer)
        if verdict.outcome != "retry":
            return verdict
        return Verdict("dead", f"{verdict.reason}: it may have been taken; look before asking again")
