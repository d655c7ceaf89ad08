"""What both platforms' answers have in common: the errors they carry, when to come back, what time they think it is."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Final, TypeAlias

import msgspec

from connector.errors import FeedError, FeedRefused, FeedUnavailable, NothingThere
from connector.model import HOUR, SECOND, Answer, Instant, Json, instant
from connector.platforms import rescue
from connector.secrets import CUT

Clues: TypeAlias = Mapping[int, str]

LONGEST_WAIT: Final = HOUR
_LONGEST_TEXT: Final = 200  # characters of a refusal that are worth repeating
_REQUEST_IDS: Final = ("x-amzn-requestid", "x-amz-request-id", "x-request-id")
CLUES: Final = {
    400: "the platform refuses the request: see `dialect` in the configuration",
    401: "the platform does not know the token: mend it in the configuration or the secrets",
    403: "the token may not read this account: mend it, or client, account and brand, in the configuration",
    404: "nothing is at this address: mend base_url, client, account and brand in the configuration",
    413: "the answer would be too large",
    429: "the platform's rate limit was met",
}


def refusal(answer: Answer, clues: Clues = CLUES, *, created: bool = False) -> FeedError | None:
    """The error that an answer's status means, with the platform's own words; None for 200, with `created` for any 2xx.

    401 and 403 are FeedRefused (the documents differ on which of them a bad token gets), 404 is NothingThere, all else
    is FeedUnavailable.
    """
    if answer.status == 200 or (created and 200 <= answer.status < 300):
        return None
    if 300 <= answer.status < 400:
        clue = "the platform redirects, which is not followed since it would take the token along: mend base_url"
    else:
        clue = clues.get(answer.status, "the platform has trouble")
    words = spoken(answer.body)
    kinds = {401: FeedRefused, 403: FeedRefused, 404: NothingThere}
    return kinds.get(answer.status, FeedUnavailable)(
        f"{clue}; it says: {words}" if words else clue,
        answer.status,
        request_id(answer),
        retry_after_ms=wait(answer),
    )


def accepted(answer: Answer, what: str, clues: Clues = CLUES) -> Json:
    """What stands in the body of a success, integers exact; None where there is no body.

    what: is expected, for the message. Raises FeedRefused and FeedUnavailable, also for a body that is no JSON, or
    says `success: false` or an error.
    """
    refused = refusal(answer, clues, created=True)
    if refused:
        raise refused
    if not answer.body.strip():
        return None
    try:
        found = msgspec.json.decode(answer.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise unexpected(answer, what, why) from None
    if isinstance(found, dict) and (found.get("success") is False or found.get("errors") or found.get("error")):
        raise FeedUnavailable(
            f"the platform says no; it says: {spoken(answer.body)}", answer.status, request_id(answer)
        )
    return found


def unexpected(answer: Answer, what: str, why: str) -> FeedUnavailable:
    """The error of an answer that is not what is expected."""
    words = spoken(answer.body)
    begins = f"; it begins: {words}" if words else ""
    return FeedUnavailable(f"the platform's answer is not {what}: {why}{begins}", answer.status, request_id(answer))


def an_object(answer: Answer, what: str, clues: Clues = CLUES) -> dict[str, Json]:
    """The JSON object of a success. Raises as `accepted` does, and FeedUnavailable for anything else."""
    found = accepted(answer, what, clues)
    if not isinstance(found, dict):
        raise unexpected(answer, what, "it is no JSON object" if answer.body.strip() else "it is empty")
    return found


def a_list_of_objects(
    answer: Answer, what: str, clues: Clues = CLUES, *, path: tuple[str, ...], kept: Collection[str]
) -> tuple[dict[str, Json], list[dict[str, Json]]]:
    """The JSON object of a success, and of its list, where that holds what the decoder refuses, the elements mended.

    path: the names that lead to the list. kept: what survives of an element that cannot be mended (see
    `rescue.is_reduced`). Anyone can send such data, and it must not cost the rest. Raises as `an_object` does.
    """
    try:
        return an_object(answer, what, clues), []
    except FeedUnavailable:
        parts = rescue.split(answer.body, *path) if answer.status == 200 else None
        if parts is None:
            raise
        body = an_object(replace(answer, body=parts[0]), what, clues)
        return body, [rescue.element(text, kept)[0] for text in parts[1] if text[:1] == b"{"]


def objects(answer: Answer, value: Json, what: str) -> list[dict[str, Json]]:
    """A list of JSON objects inside an answer; none where it is missing. Raises FeedUnavailable for anything else."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise unexpected(answer, what, "it holds something that is no JSON object")
    return value


def text_id(value: Json) -> str:
    """An id as text, digit by digit: it may have 64 bits. Empty for what is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""


def spoken(body: bytes) -> str:
    """The message in an error's body: either platform's envelopes, a gateway's, or the beginning of any other text.

    >>> spoken(b'{"error":{"code":"not_found","message":"Profile was not found."}}')
    'Profile was not found.'
    """
    try:
        said = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _short(body[: 4 * _LONGEST_TEXT].decode("utf-8", "replace"), cut=len(body) > 4 * _LONGEST_TEXT)
    for key in ("error", "errors", "message"):
        while isinstance(said, list) and said:
            said = said[0]
        if isinstance(said, dict):
            said = said.get(key, said)
    return _short(said) if isinstance(said, str) else ""


def _short(text: str, *, cut: bool = False) -> str:
    """One line of the text's beginning. cut: more of it was there; then `CUT` tells so to whoever redacts it."""
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    line = " ".join(printable.split())
    if not cut and len(line) <= _LONGEST_TEXT:
        return line
    return line[:_LONGEST_TEXT].rstrip("\ufffd") + CUT  # half a character is no beginning of a value


def request_id(answer: Answer) -> str:
    """`x-amzn-RequestId` (Profiles API document, *Request IDs*) or its like: what the platform's support asks for."""
    return next((_short(answer.headers[name]) for name in _REQUEST_IDS if name in answer.headers), "")


@dataclass(frozen=True, slots=True)
class Limits:
    """What `X-RateLimit-*` says of a token bucket. rate: tokens a second; requested: what the request cost."""

    remaining: int | None
    rate: int
    burst: int
    requested: int


def limits(answer: Answer) -> Limits | None:
    """The limits that an answer tells; None where it tells none that can be read."""
    names = ("remaining", "replenish-rate", "burst-capacity", "requested-tokens")
    remaining, rate, burst, requested = (_count(answer, name) for name in names)
    if not rate:
        return None
    return Limits(remaining, rate, burst or rate, requested or 1)


def _count(answer: Answer, name: str) -> int | None:
    text = answer.headers.get(f"x-ratelimit-{name}", "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def wait(answer: Answer) -> int | None:
    """Milliseconds to wait before asking again: what `Retry-After` says, else of a 429 what its limits mean."""
    said = retry_after(answer)
    if said is None and answer.status == 429 and (told := limits(answer)):
        missing = max(1, told.requested - (told.remaining or 0))
        return min(math.ceil(missing * SECOND / told.rate), LONGEST_WAIT)
    return said


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


@lru_cache(maxsize=64)  # the pages of a second bear the same
def _http_date(text: str) -> Instant | None:
    try:
        return instant(parsedate_to_datetime(text[:64]).isoformat())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
