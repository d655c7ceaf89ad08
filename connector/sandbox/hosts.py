"""What the server needs of an emulated platform, and what it keeps of the requests to all of them."""

import re
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from connector.sandbox.replies import Reply
from connector.sandbox.request import Request
from connector.sandbox.times import print_time

_KEY: Final = re.compile(r"(api_?key|X-Amz-Signature)=[^&]*", re.IGNORECASE)


class Platform(Protocol):
    """One emulated platform, without the HTTP around it."""

    def operation(self, path: str) -> str:
        """What faults and counts call a path: `events`, `intempt.track` …; empty for none."""

    def limit(self, path: str) -> int:
        """Bytes of the largest request to this path."""

    def headers(self) -> Mapping[str, str]:
        """What every answer carries."""

    def answer(self, asked: Request) -> Reply:
        """What the platform answers."""

    def refusal(self, asked: Request, status: int) -> Reply:
        """An error of this status, in the platform's shape."""


@dataclass
class Requests:
    """What the platforms were asked: counts by operation and status (0: no answer), and the latest requests."""

    counts: Counter[tuple[str, int]] = field(default_factory=Counter)
    latest: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=20_000))

    def note(self, asked: Request, operation: str, status: int, at: int) -> None:
        """One more; keys in its query are left out."""
        query = _KEY.sub(r"\1=***", asked.query)
        path = f"{asked.path}?{query}" if query else asked.path
        self.counts[operation, status] += 1
        self.latest.append({"at": print_time(at), "method": asked.method, "path": path, "status": status})

    def as_dict(self) -> dict[str, Any]:
        """For the control route."""
        counts: dict[str, dict[str, int]] = {}
        for (operation, status), count in sorted(self.counts.items()):
            counts.setdefault(operation, {})[str(status)] = count
        return {"counts": counts, "latest": list(self.latest)}
