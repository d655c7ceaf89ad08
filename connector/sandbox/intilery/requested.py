"""The regulations that were requested of one account, in the shape of 2021, and what becomes of them in time."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from connector.sandbox.times import print_time

KINDS: Final = ("Suppress_With_Delete", "Delete", "Unsuppress", "Suppress", "Delete_Internal")
STATES: Final = ("initialized", "running", "finished", "failed")
_NOT_YET: Final = "0001-01-01T00:00:00Z"


@dataclass(slots=True)
class Regulation:
    """One request. users: their userIds. created and ended: milliseconds; ended is None while it is not.

    state: initialized for one pace, running for another, then finished or failed.
    """

    kind: str
    users: list[str]
    created: int
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    state: str = "initialized"
    ended: int | None = None

    def entry(self) -> dict[str, Any]:
        """As the list prints it."""
        ended = {} if self.ended is None else {"finished_at": print_time(self.ended)}
        attributes = {"name": "userId", "values": self.users}
        shown = {"regulate_id": self.id, "attributes": attributes, "status": self.state}
        return {**shown, "created_at": print_time(self.created), **ended}

    def status(self, workspace: str) -> dict[str, Any]:
        """As its own path prints it."""
        finished = _NOT_YET if self.ended is None else print_time(self.ended)
        failure = "could not be carried out" if self.state == "failed" else ""
        place = {"name": "Intilery", "id": "intilery", "status": self.state, "err_string": failure}
        return {
            "workspace_id": workspace,
            "overall_status": self.state,
            "stream_status": [{"id": workspace, "destination_status": [{**place, "finished_at": finished}]}],
            "created_at": print_time(self.created),
            "finished_at": finished,
        }


class Regulations:
    """All of an account, oldest first."""

    def __init__(self) -> None:
        self.all: dict[str, Regulation] = {}
        self.suppressed: set[str] = set()

    def request(self, kind: str, users: list[str], now: int) -> Regulation:
        """Take one in; no two have the same moment, since the list is paged by it."""
        latest = max((one.created for one in self.all.values()), default=0)
        made = Regulation(kind, users, max(now, latest + 1))
        self.all[made.id] = made
        return made

    def settle(self, now: int, pace: int, end: str) -> Iterable[str]:
        """Move each to where it is at this moment; gives the users whose data is to be deleted now."""
        for one in self.all.values():
            if one.ended is not None:
                continue
            age = now - one.created
            if age >= 2 * pace:
                one.state, one.ended = end, one.created + 2 * pace
                if end == "finished":
                    yield from self._carry_out(one)
            elif age >= pace:
                one.state = "running"

    def _carry_out(self, one: Regulation) -> list[str]:
        if one.kind in {"Suppress", "Suppress_With_Delete"}:
            self.suppressed.update(one.users)
        if one.kind == "Unsuppress":
            self.suppressed.difference_update(one.users)
        return one.users if "Delete" in one.kind else []
