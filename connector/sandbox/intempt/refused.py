"""A request that Intempt refuses, and the shape of its errors."""

from dataclasses import dataclass
from typing import Final

from connector.sandbox.replies import Reply, json_reply

_MESSAGES: Final = {
    400: "Can't create a collection for auto-event",  # seen for bytes that were taken a moment later
    401: "Your API key is wrong.",
    402: "analytics_limit_reached",
    403: "Your API key is correct but access is forbidden.",
    404: "The specified data could not be found.",
    405: "You tried to access data with an invalid method.",
    406: "You requested a format that isn't json.",
    410: "The data requested has been removed from our servers.",
    413: "Request too large",
    500: "We had a problem with our server. Please try again later.",
    503: "We're temporarily offline for maintenance. Please try again later.",
}


@dataclass
class Refused(Exception):
    """A request that gets an error. message: the usual one for the status unless given."""

    status: int
    message: str = ""

    def reply(self) -> Reply:
        """`{"errors":[{"message":…}]}`; of a 429 nothing."""
        if self.status == 429:
            return Reply(429)
        message = self.message or _MESSAGES.get(self.status, "Error")
        return json_reply({"errors": [{"message": message}]}, self.status)
