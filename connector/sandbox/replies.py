"""What the emulated platform answers, before it goes over HTTP, and the errors in each shape they may come in."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connector.sandbox.switches import Switches

# The codes of the Profiles API page by status; what stands in front of the platform has no codes.
_CODES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "authentication_error",
    404: "not_found",
    413: "invalid_request_error",
    429: "rate_limit_error",
}
# Its words for each status, of the Tracking API page's table.
MESSAGES = {
    400: "Client Error",
    401: "No valid Access Secret provided.",
    403: "Token Not Authorised",
    404: "The requested resource doesn't exist.",
    413: "Request too large",
    429: "Rate limit exceeded",
    500: "Something went wrong internal to Intilery",
    502: "API returned an invalid response",
    503: "API Unavailable",
    504: "API timed out",
}


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer: status, body and what headers it needs beside those that every answer has."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


def json_reply(value: Any, status: int = 200) -> Reply:
    """An answer of JSON."""
    return Reply(status, json.dumps(value, separators=(",", ":")).encode())


@dataclass
class Refusal(Exception):
    """A request that gets an error. message and code: the platform's usual ones for the status unless given."""

    status: int
    message: str = ""
    code: str = ""

    def reply(self, switches: Switches, *, writing: bool) -> Reply:
        """The error in the shape that the switch `envelope` says; by the documents it depends on the endpoint."""
        message = self.message or MESSAGES.get(self.status, "Error")
        code = self.code or _CODES.get(self.status, "internal_server_error")
        shape = switches["envelope"]
        if shape == "documented":
            shape = "success" if writing else "error"
        match shape:
            case "error":
                return json_reply({"error": {"code": code, "message": message}}, self.status)
            case "success":
                return json_reply({"success": False, "message": message}, self.status)
            case "gateway":
                return json_reply({"message": message}, self.status)
        return Reply(self.status, html_page(f"{self.status} {message}"), "text/html")


def html_page(title: str) -> bytes:
    """What a proxy on the way answers."""
    return f"<html>\r\n<head><title>{title}</title></head>\r\n<body><h1>{title}</h1></body>\r\n</html>\r\n".encode()


def request_id() -> str:
    """An `x-amzn-RequestId`."""
    return str(uuid.uuid4())
