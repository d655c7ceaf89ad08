"""What both platforms' answers have in common: the errors they carry, when to come back, what time they think it is."""

from email.utils import parsedate_to_datetime
from typing import Final

import msgspec

from connector.errors import FeedError, FeedRefused, FeedUnavailable
from connector.model import HOUR, SECOND, Answer, Instant, instant

LONGEST_WAIT: Final = HOUR
_LONGEST_TEXT: Final = 200  # characters of a refusal that are worth repeating
_CLUES: Final = {
    400: "the platform refuses the request: see `dialect` in the configuration",
    401: "the platform does not know the token: mend it in the configuration or the secrets",
    403: "the token may not read this account: mend it, or client, account and brand, in the configuration",
    404: "nothing is at this address: mend base_url, client, account and brand in the configuration",
    413: "the answer would be too large",
    429: "the platform's rate limit was met",
}


def refusal(answer: Answer) -> FeedError | None:
    """The error that an answer's status means, with the platform's own words; None for 200.

    401 and 403 are FeedRefused (the documents differ on which of them a bad token gets), all else is FeedUnavailable.
    """
    if answer.status == 200:
        return None
    if 300 <= answer.status < 400:
        clue = "the platform redirects, which is not followed since it would take the token along: mend base_url"
    else:
        clue = _CLUES.get(answer.status, "the platform has trouble")
    words = spoken(answer.body)
    kind = FeedRefused if answer.status in (401, 403) else FeedUnavailable
    return kind(
        f"{clue}; it says: {words}" if words else clue,
        answer.status,
        request_id(answer),
        retry_after_ms=retry_after(answer),
    )


def spoken(body: bytes) -> str:
    """The message in an error's body: either platform's envelopes, a gateway's, or the beginning of any other text.

    >>> spoken(b'{"error":{"code":"not_found","message":"Profile was not found."}}')
    'Profile was not found.'
    """
    try:
        said = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _short(body[: 4 * _LONGEST_TEXT].decode("utf-8", "replace"))
    for key in ("error", "errors", "message"):
        while isinstance(said, list) and said:
            said = said[0]
        if isinstance(said, dict):
            said = said.get(key, said)
    return _short(said) if isinstance(said, str) else ""


def _short(text: str) -> str:
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(printable.split())[:_LONGEST_TEXT]


def request_id(answer: Answer) -> str:
    """`x-amzn-RequestId` (Profiles API document, *Request IDs*): what the platform's support asks for."""
    return _short(answer.headers.get("x-amzn-requestid", ""))


def retry_after(answer: Answer) -> int | None:
    """Milliseconds that `Retry-After` asks for (seconds, or a date by the answer's own clock), 0 to an hour.

    None where it is missing or cannot be read.
    """
    asked = answer.headers.get("retry-after", "").strip()
    if asked.isascii() and asked.isdigit():
        return LONGEST_WAIT if len(asked) > 9 else min(int(asked) * SECOND, LONGEST_WAIT)
    until, at = _http_date(asked), date(answer)
    return None if until is None or at is None else max(0, min(until - at, LONGEST_WAIT))


def date(answer: Answer) -> Instant | None:
    """The platform's clock when it answered, cut to the second; None where the header is missing or cannot be read."""
    return _http_date(answer.headers.get("date", ""))


def _http_date(text: str) -> Instant | None:
    try:
        return instant(parsedate_to_datetime(text[:64]).isoformat())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
