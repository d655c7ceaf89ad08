"""The values that templates work with: how they read as text, how big they may be, and what their kinds are called."""

import json
from typing import Any, Final

from connector.errors import RenderError
from connector.model import Json

SIZE: Final = 256 * 1024  # characters of one rendered text, and of everything in one rendered value
DEPTH: Final = 64

_ENCODE: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


class _Omit:
    """What `default(omit)` gives: leave this key out."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "omit"


OMIT: Final = _Omit()


def text_of(value: Any) -> str:
    """A value as text: text as it is, everything else as JSON (`true`, `1.5`, `["a"]`).

    Raises RenderError for what is no value: absent, omitted, null, or larger than SIZE.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return ("false", "true")[value] if isinstance(value, bool) else str(value)
    if value is None:
        raise RenderError("null cannot be printed")
    return to_json(value)


def to_json(value: Any) -> str:
    """The value as compact JSON text, integers exact. Raises RenderError as `settled` does."""
    return _ENCODE(settled(value))


def settled(value: Any) -> Json:
    """A copy of a value that is plain JSON: omitted keys and items left out, tuples as lists.

    Raises RenderError for an absent value in it, and when it is larger than SIZE or deeper than DEPTH.
    """
    return _settle(value, [SIZE], 0)


def _settle(value: Any, room: list[int], depth: int) -> Json:
    room[0] -= 1 + (len(value) if isinstance(value, str) else 0)
    if room[0] < 0:
        raise RenderError(f"the value is too large: at most {SIZE} characters are sent")
    if depth > DEPTH:
        raise RenderError(f"the value is nested deeper than {DEPTH} levels")
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, dict):
        keys = [_settle_key(key, room) for key in value]
        pairs = zip(keys, value.values(), strict=True)
        return {key: _settle(item, room, depth + 1) for key, item in pairs if item is not OMIT}
    if isinstance(value, list | tuple):
        return [_settle(item, room, depth + 1) for item in value if item is not OMIT]
    if value is OMIT:
        raise RenderError("omit leaves out a whole value: it cannot be a part of a text")
    str(value)  # absent says which path
    raise RenderError(f"a {type(value).__name__} is no value that can be sent")


def _settle_key(key: object, room: list[int]) -> str:
    if isinstance(key, str):
        room[0] -= len(key)
        return key
    raise RenderError(f"the keys of a mapping are text, got {in_words(key)}")


def in_words(value: object) -> str:
    """The kind of a value as people call it: text, number, true/false, list, mapping, null."""
    kinds: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, "true/false"),
        ((int, float), "a number"),
        (str, "text"),
        ((list, tuple), "a list"),
        (dict, "a mapping"),
        (type(None), "null"),
    )
    return next((words for kind, words in kinds if isinstance(value, kind)), "omit" if value is OMIT else "absent")


def shown(value: object) -> str:
    """A short quotation of a text or number for an error message, else nothing."""
    if isinstance(value, str):
        return repr(value if len(value) <= 40 else value[:37] + "...")
    return str(value)[:40] if isinstance(value, int | float) and not isinstance(value, bool) else ""
