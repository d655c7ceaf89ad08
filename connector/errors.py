"""Every error the connector raises on purpose.

ConnectorError
├── ConfigurationError      the user must edit something; carries one Mistake a finding
├── SecretMissing           a `${NAME}` that is set nowhere
├── HttpError               a request that got no usable answer
│   ├── Unreachable         network, TLS or DNS; the request may or may not have arrived
│   ├── DeadlineExceeded    no whole answer within the request's deadline; may have arrived
│   ├── AnswerTooLarge      the body passed the request's cap; arrived
│   ├── AnswerUnreadable    what came back is not HTTP/1.1, or compressed unasked; arrived
│   ├── AddressRefused      the guard refused the address: nothing was sent
│   └── RequestRefused      a header, the path or the body cannot be sent: nothing was
│       └── SigningRefused  the destination's signing secret is malformed: nothing was sent
├── FeedError               a feed, or another endpoint of a platform, could not be read
│   ├── FeedUnavailable     try later (429, 5xx, network, an answer that is not the expected JSON)
│   │   └── NothingThere    404: nobody has the id, or nothing is at the address
│   ├── FeedRefused         401 or 403: slow down until the secret changes
│   └── NoMoments           the feed knows no moments that it could go back to
├── RenderError             a template could not be rendered with this event
└── DatabaseBusy            another daemon holds the database

Every message says what happened and, where a person can mend it, what to edit. No message holds a secret value.
"""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One finding in a file. Lines and columns count from 1; line 0 means the whole file.

    str() gives the line that `connector check` prints: `file:line:col: message - hint`.
    """

    file: str
    line: int
    column: int
    message: str
    hint: str = ""
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        warning = "warning: " if self.severity == "warning" else ""
        return f"{place}: {warning}{self.message}" + (f" - {self.hint}" if self.hint else "")


class ConnectorError(Exception):
    """The root: whatever is raised on purpose is one of these."""


class ConfigurationError(ConnectorError):
    """A file or variable the user must edit; `mistakes` holds every finding, sorted by place."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        self.mistakes = sorted(mistakes)
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


class SecretMissing(ConnectorError):
    """A `${NAME}` that is set neither in the environment, nor in `.env`, nor in the secrets folder, or not readable."""

    def __init__(
        self, name: str, why: str = "is not set: export it, or write it to .env or the secrets folder"
    ) -> None:
        self.name = name
        super().__init__(f"{name} {why}")


class HttpError(ConnectorError):
    """A request that got no usable answer. `arrived` is False only when it surely never left."""

    arrived: bool | None = None


class Unreachable(HttpError):
    """Network, TLS or DNS trouble."""


class DeadlineExceeded(HttpError):
    """The whole answer did not come within the request's deadline."""


class AnswerTooLarge(HttpError):
    """The body passed the request's cap."""

    arrived = True


class AnswerUnreadable(HttpError):
    """What came back is not HTTP/1.1, has headers without end, or is compressed although that was not asked for."""

    arrived = True


class AddressRefused(HttpError):
    """The address guard refused the host; nothing was sent."""

    arrived = False


class RequestRefused(HttpError):
    """A header, the path, the body or the signing secret cannot be sent as it stands; nothing was sent."""

    arrived = False


class SigningRefused(RequestRefused):
    """The destination's signing secret is malformed; nothing was sent."""


@dataclass
class FeedError(ConnectorError):
    """A feed could not be read; its cursor stays. `request_id` is the platform's, to quote to its support."""

    message: str
    status: int | None = None
    request_id: str = ""
    retry_after_ms: int | None = field(default=None, kw_only=True)

    def __str__(self) -> str:
        status = f" (HTTP {self.status})" if self.status else ""
        request = f" [x-amzn-RequestId {self.request_id}]" if self.request_id else ""
        return f"{self.message}{status}{request}"


class FeedUnavailable(FeedError):
    """Try later: 429, 5xx, network, or an answer that is not the expected JSON."""


class NothingThere(FeedUnavailable):
    """404: nobody has the id that was asked for, or nothing is at the address."""


class FeedRefused(FeedError):
    """401 or 403: asking again soon will not help."""


class NoMoments(FeedError):
    """The feed compares what it sees with what it saw: there is no moment it could go back to."""


class RenderError(ConnectorError):
    """A template could not be rendered with this event; the text says which value and why."""


class DatabaseBusy(ConnectorError):
    """Another daemon holds the database."""
