"""Paths into an event: the left sides of conditions, and `key`, `by`, `for_each`, `order_by`.

`properties.price`, `properties."utm-source"` (any key may be quoted, as in JSON), `properties.products.0.sku` (a bare
number is an index where it meets a list). Absent is missing or null, everywhere: a path gives None then.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

from connector.model import Json, canonical

Scope: TypeAlias = Mapping[str, Json]  # what paths and templates see: event, properties, context, traits …
Get: TypeAlias = Callable[[Scope], Json]

_PART: Final = re.compile(r'("(?:[^"\\]|\\.)*")|([^.\s"]+)')
_BARE: Final = re.compile(r"[\w$][\w$-]*")
_BRACKETS: Final = re.compile(r"\[['\"]?([^'\"\]]*)['\"]?\]")
_LONGEST: Final = 32  # parts; events nest at most so deep


class PathMistake(ValueError):
    """A text that is no path; `hint` says what to write."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """A compiled path: `get(scope)` gives the value, None where it is absent."""

    text: str
    parts: tuple[str, ...]
    get: Get

    @property
    def root(self) -> str:
        """The name in the scope that the path starts from."""
        return self.parts[0]


def path(text: str, *, start: str | None = None) -> Path:
    """Compile a path; with `start` it is read from there (`any_item` paths start at the item). Raises PathMistake."""
    steps = _steps(text)
    if start is not None:
        steps = [(start, None), *steps]
    return Path(text, tuple(key for key, _ in steps), _getter(steps))


def _steps(text: str) -> list[tuple[str, int | None]]:
    """The keys of a path, each with its index where it is a bare number."""
    steps: list[tuple[str, int | None]] = []
    at = 0
    while at <= len(text):
        part = _PART.match(text, at)
        if not part or text[part.end() : part.end() + 1] not in {"", "."}:
            raise _refused(text)
        steps.append(_step(text, part[1], part[2]))
        at = part.end() + 1
    if len(steps) > _LONGEST:
        raise PathMistake(f"a path has at most {_LONGEST} parts")
    return steps


def _step(text: str, quoted: str | None, bare: str) -> tuple[str, int | None]:
    if quoted is not None:
        try:
            return str(json.loads(quoted)), None
        except ValueError:
            raise PathMistake(f"{quoted} is not a quoted key", "quote as JSON does") from None
    if not _BARE.fullmatch(bare):
        raise _refused(text)
    index = int(bare) if bare.isascii() and bare.isdigit() and str(int(bare)) == bare else None
    return bare, index


def _refused(text: str) -> PathMistake:
    dotted = _BRACKETS.sub(r'."\1"', text)
    advice = (
        f"write {dotted}" if dotted != text else 'write names with dots between: properties.price, traits."first name"'
    )
    return PathMistake(f"not a path: {text if len(text) <= 60 else text[:57] + '...'}", advice)


def _getter(steps: list[tuple[str, int | None]]) -> Get:
    """A closure for the path; the two commonest shapes have their own, since conditions run for every event."""
    keys = [key for key, _ in steps]
    if len(steps) == 1:
        (only,) = keys
        return lambda scope: scope.get(only)
    if len(steps) == 2 and steps[1][1] is None:
        return _pair(*keys)
    return _chain(keys[0], steps[1:])


def _pair(root: str, key: str) -> Get:
    def get(scope: Scope) -> Json:
        value = scope.get(root)
        return value.get(key) if type(value) is dict else None

    return get


def _chain(root: str, steps: list[tuple[str, int | None]]) -> Get:
    def get(scope: Scope) -> Json:
        value = scope.get(root)
        for key, index in steps:
            if type(value) is dict:
                value = value.get(key)
            elif index is not None and type(value) is list and index < len(value):
                value = value[index]
            else:
                return None
        return value

    return get


@lru_cache(maxsize=256)
def _compiled(text: str) -> Path:
    return path(text)


def order_key(text: str, scope: Scope) -> str | None:
    """The value of a destination's `order_by` as text; None where it is absent. Raises PathMistake."""
    value = _compiled(text).get(scope)
    return value if value is None or isinstance(value, str) else canonical(value).decode()
