"""Intilery's endpoints.

| module | holds |
|---|---|
| account | requests with the account's token |
| events | the account's feed, and what an event is |
| profiles | the list of profiles, and what one profile holds |
| tracking | identify, track, page, screen, batch, and commands |
| regulations | the regulations API of 2021 |
| second | the second host: Segment's messages, marketing preferences |

The names of the feed are found here, too.
"""

from connector.platforms import dialect as _dialect
from connector.platforms.intilery.events import (
    LARGEST_SIZE,
    MARK,
    MOST_RESULTS,
    Body,
    Item,
    events_request,
    parse_events,
    to_event,
)
from connector.settings import Section

__all__ = [
    "LARGEST_SIZE",
    "MARK",
    "MOST_RESULTS",
    "Body",
    "Item",
    "check_dialect",
    "dialect",
    "events_request",
    "parse_events",
    "to_event",
]

dialect = _dialect.of


def check_dialect(section: Section) -> None:
    """Refuse unknown keys and values under `dialect`. Raises ConfigurationError with every mistake."""
    _dialect.check("intilery", section)
