"""What is checked before it is sent: bodies are JSON, and no larger than the documents allow."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias, TypeVar
from urllib.parse import quote

from connector.errors import RequestRefused
from connector.model import Json, instant

Body: TypeAlias = Mapping[str, Json]
T = TypeVar("T")

LARGEST: Final = (
    1_000_000  # bytes of a request: "the maximum size of any request is 1mb", whichever way that is counted
)
LARGEST_ITEM: Final = 32_000  # bytes of one call in a batch: "32KB per call"


def encode(value: Json, *, largest: int = LARGEST) -> bytes:
    """Compact JSON in UTF-8, keys in their order. Raises RequestRefused for what is none, or is too large."""
    body = _encoded(value)
    if len(body) > largest:
        raise refused(f"the body has {len(body):,} bytes, and at most {largest:,} are taken: send less at a time")
    return body


def _encoded(value: Json) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (ValueError, TypeError, RecursionError) as error:
        raise refused(f"the body cannot be written as JSON: {error}") from None


def refused(what: str) -> RequestRefused:
    """The error of a call that cannot be made as it stands."""
    return RequestRefused(f"{what}. Nothing was sent")


def a_mapping(value: Json, what: str) -> Body:
    """The value, found to be a JSON object. Raises RequestRefused."""
    if not isinstance(value, Mapping):
        raise refused(f"{what} must be a JSON object")
    return value


def a_list(value: Json, what: str) -> Sequence[Json]:
    """The value, found to be a JSON array with something in it. Raises RequestRefused."""
    if not isinstance(value, list | tuple) or not value:
        raise refused(f"{what} must be a list with at least one item")
    return value


def has_text(body: Body, name: str) -> bool:
    """Whether a text stands there, blanks not counted. Raises RequestRefused for anything else but nothing."""
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise refused(f"{name} must be text, ids too: write quotes around it")
    return bool(value and value.strip())


def checked_time(body: Body, name: str = "timestamp") -> None:
    """Refuse a time that is no ISO 8601 text. Raises RequestRefused."""
    if body.get(name) is not None and instant(body[name]) is None:
        raise refused(f"{name} must be a time such as 2026-11-01T12:00:00.000Z")


def checked_objects(body: Body, *names: str) -> None:
    """Refuse anything but objects, or nothing, under these names. Raises RequestRefused."""
    for name in names:
        if body.get(name) is not None:
            a_mapping(body[name], name)


def part(text: str, what: str, *, safe: str = "", twice: bool = False) -> str:
    """One part of a path, percent-encoded. Raises RequestRefused for none, and for what is no text."""
    if not text.strip() or text in {".", ".."}:
        raise refused(f"{what} must not be empty")
    try:
        encoded = quote(text, safe=safe)
    except UnicodeEncodeError:
        raise refused(f"{what} holds what are no characters") from None
    return quote(encoded, safe=safe) if twice else encoded


def compact(**fields: Any) -> dict[str, Json]:
    """The fields that are given: neither None nor empty."""
    return {name: value for name, value in fields.items() if value is not None and value not in ("", (), [])}


def portions(items: Iterable[T], size: Callable[[T], int], *, most: int, largest: int) -> Iterator[list[T]]:
    """The items in their order, as many at a time as may go together; one that is too large goes alone.

    most: items at a time; largest: of their sizes together, a byte for the comma counted with each.
    """
    together: list[T] = []
    room = largest
    for item in items:
        needed = size(item) + 1
        if together and (len(together) == most or needed > room):
            yield together
            together, room = [], largest
        together.append(item)
        room -= needed
    if together:
        yield together


def size_of(value: Json) -> int:
    """Bytes of a value in a body. Raises RequestRefused."""
    return len(_encoded(value))
