"""What the vendor's own client sends, request by request, as a recording server saw it.

`intempt` 2.0.0 for Python, with the key `pfx.secret`; times and event ids are those of the recording.
"""

from dataclasses import dataclass
from typing import Any

BASIC = "Basic cGZ4OnNlY3JldA=="
SOURCE = "1841503112918048768"


@dataclass(frozen=True)
class Recorded:
    """One request of the vendor's client."""

    name: str
    path: str
    body: dict[str, Any]


TRACK = Recorded(
    "track",
    f"/v1/my-org/projects/my-project/sources/{SOURCE}/track",
    {
        "track": [
            {
                "name": "purchase",
                "payload": [
                    {
                        "eventId": "75989d6e-9402-4744-b100-c4923ba74e9e",
                        "timestamp": 1795225081040,
                        "userId": "u1@example.com",
                        "data": {"total": 99.99},
                    }
                ],
            }
        ]
    },
)
ORDER = Recorded(
    "an order: two lines, one event id",
    f"/v1/my-org/projects/my-project/sources/{SOURCE}/track",
    {
        "track": [
            {
                "name": "Product ordered",
                "payload": [
                    {
                        "eventId": "182565a3-b424-40ee-b06c-2afb4f152021",
                        "timestamp": 1795225081065,
                        "userId": "u1",
                        "data": {"productId": "sku-1", "quantity": 2},
                    },
                    {
                        "eventId": "182565a3-b424-40ee-b06c-2afb4f152021",
                        "timestamp": 1795225081065,
                        "userId": "u1",
                        "data": {"productId": "sku-2"},
                    },
                ],
            }
        ]
    },
)
CONSENT = Recorded(
    "a consent, in seconds",
    "/v1/my-org/projects/my-project/consents/data",
    {
        "action": "reject",
        "timestamp": 1795225081,
        "userId": "u1",
        "validUntil": "unlimited",
        "reason": "user request",
        "source": "Python tracker",
    },
)
FEED = Recorded(
    "a feed",
    "/v1/my-org/projects/my-project/feeds/5292/data",
    {"id": "u1", "type": "user", "fields": ["id", "title"], "limit": 3, "sourceId": SOURCE},
)
NO_SOURCE = Recorded(
    "track without a source",
    "/v1/my-org/projects/my-project/track",
    {
        "track": [
            {
                "name": "no_source",
                "payload": [
                    {
                        "eventId": "1809087e-efcb-46f0-a664-d1b8a0f659aa",
                        "timestamp": 1795225081255,
                        "userId": "u1",
                    }
                ],
            }
        ]
    },
)
BATCH = Recorded(
    "a buffered batch",
    "/v1/my-org/projects/my-project/sources/1/track",
    {
        "track": [
            {
                "name": "buffered",
                "payload": [
                    {
                        "eventId": "9adc106c-df59-4f9a-972c-7c4fd4b93242",
                        "timestamp": 1795225081259,
                        "userId": "u1",
                        "data": {"i": 0},
                    }
                ],
            },
            {
                "name": "buffered",
                "payload": [
                    {
                        "eventId": "d5e2d153-d18d-49fe-bf95-d62a6d135488",
                        "timestamp": 1795225081266,
                        "userId": "u1",
                        "data": {"i": 1},
                    }
                ],
            },
            {
                "name": "buffered",
                "payload": [
                    {
                        "eventId": "42db1900-f8b4-4836-9a73-fdebcadb3e67",
                        "timestamp": 1795225081266,
                        "userId": "u1",
                        "data": {"i": 2},
                    }
                ],
            },
        ]
    },
)
FLAGS = Recorded(
    "flags",
    "/v1/my-org/projects/my-project/optimization/choose-api",
    {
        "identification": {"userId": "u1", "sourceId": SOURCE},
        "names": ["checkout_v2"],
        "device": "all",
        "sessionId": "s1",
    },
)
