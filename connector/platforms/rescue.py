"""JSON that is odd in places: one poisoned event must not cost the others.

A page that the fast decoder refuses is cut into its events by counting brackets. An event that it refuses, or that is
too large or too deep to be handled with ease, is decoded slowly, or kept in a reduced form; its notes say so.
"""

import hashlib
import json
import math
import re
from collections.abc import Collection
from typing import Final, TypeAlias

from connector.model import Json

LARGEST: Final = 64 * 1024  # bytes of an event's JSON; the platform takes 32 KB a call
DEEPEST: Final = 32  # levels of lists and mappings
_LONGEST_NUMBER: Final = 300  # digits that are kept as a number
_LONGEST_KEPT: Final = 1024  # characters of a text in the reduced form

Body: TypeAlias = dict[str, Json]

_STRING: Final = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
_MEMBER: Final = re.compile(rb"[\s,]*(" + _STRING + rb")\s*:\s*", re.DOTALL)
_SCALAR: Final = re.compile(_STRING + rb"|[^\s,{}\[\]\"]+", re.DOTALL)
_RUNS: Final = re.compile(_STRING + rb"|[\[{]+|[\]}]+|\"", re.DOTALL)
_BETWEEN: Final = re.compile(rb"[\s,]*")


def split(body: bytes, *path: str) -> tuple[bytes, list[bytes]] | None:
    """The answer with its list emptied, and the list's elements; None where the brackets do not even match.

    path: the names that lead to the list, by default `data`. What stands inside an element is not looked at.
    """
    at, names = body.find(b"{") + 1, [f'"{name}"'.encode() for name in path or ("data",)]
    while member := _MEMBER.match(body, at):
        start, begins = member.end(), body[member.end() : member.end() + 1]
        if member[1] == names[0] and len(names) > 1 and begins == b"{":
            at, names = start + 1, names[1:]
        elif member[1] == names[0] and len(names) == 1 and begins == b"[":
            elements, end = _elements(body, start + 1)
            return (body[:start] + b"[]" + body[end:], elements) if end else None
        else:
            at = _after(body, start)
    return None


def _elements(body: bytes, at: int) -> tuple[list[bytes], int]:
    """The elements of a list that begins at `at`, and where it ends (0: nowhere)."""
    elements: list[bytes] = []
    while True:
        at = _BETWEEN.match(body, at).end()  # type: ignore[union-attr]  # it matches the empty text
        if body[at : at + 1] == b"]":
            return elements, at + 1
        end = _after(body, at)
        if end == at:
            return [], 0
        elements.append(body[at:end])
        at = end


def _after(body: bytes, at: int) -> int:
    """Where the value that begins at `at` ends; `at` itself where none does."""
    if body[at : at + 1] not in (b"{", b"["):
        scalar = _SCALAR.match(body, at)
        return scalar.end() if scalar else at
    depth = 0
    for run in _RUNS.finditer(body, at):
        first = run[0][:1]
        if first in b"[{":
            depth += len(run[0])
        elif run[0] == b'"':  # a text without an end: looking on from each later quote would take for ever
            return at
        elif first in b"]}":
            if len(run[0]) >= depth:
                return run.start() + depth
            depth -= len(run[0])
    return at


def element(text: bytes, kept: Collection[str]) -> tuple[Body, tuple[str, ...]]:
    """One event, from JSON that is large, deep or not quite JSON, and what was done to it.

    kept: the names that survive in the reduced form, where their values are short.
    """
    if len(text) > LARGEST:
        return _reduced(text, kept), (f"quarantined: {len(text)} bytes",)
    try:
        body, notes = _slowly(text)
    except (ValueError, RecursionError):
        return _reduced(text, kept), ("quarantined: not JSON",)
    if deeper_than(body, DEEPEST):
        return _reduced(text, kept), (f"quarantined: more than {DEEPEST} levels",)
    return body, notes


def _slowly(text: bytes) -> tuple[Body, tuple[str, ...]]:
    """Decode what JSON allows but our store does not, and say what was changed. Raises ValueError, RecursionError."""
    odd: set[str] = set()

    def whole(digits: str) -> int | str:
        if len(digits) <= _LONGEST_NUMBER:
            return int(digits)
        odd.add("mended: a number kept as text")
        return digits

    def broken(digits: str) -> float | str:
        if math.isfinite(number := float(digits)):
            return number
        odd.add("mended: a number kept as text")
        return digits

    def constant(word: str) -> None:
        odd.add(f"mended: {word} became null")

    letters = text.decode("utf-8", "replace")
    body = json.loads(letters, parse_int=whole, parse_float=broken, parse_constant=constant, strict=False)
    plain = json.dumps(body, ensure_ascii=False)
    mended = plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if mended != plain or "\ufffd" in letters:
        odd.add("mended: characters that are none")
        body = json.loads(mended)
    if not isinstance(body, dict):
        raise ValueError("not an object")  # noqa: TRY004  to its caller it is one more way of not being an event
    return body, tuple(sorted(odd))


def is_reduced(body: Body) -> bool:
    """Whether an element could not be mended, so that little of it is left."""
    left = body.get("quarantined")
    return isinstance(left, dict) and left.keys() == {"bytes", "sha256"}


def _reduced(text: bytes, kept: Collection[str]) -> Body:
    """The short values of the kept names, and the size and hash of what was let go."""
    flat: Body = {}
    at = 1
    while member := _MEMBER.match(text, at):
        start, at = member.end(), _after(text, member.end())
        if at == start:
            break
        name = member[1][1:-1].decode("utf-8", "replace")
        if name in kept and at - start <= _LONGEST_KEPT and text[start : start + 1] not in (b"{", b"["):
            flat |= _member(name, text[start:at])
    return flat | {"quarantined": {"bytes": len(text), "sha256": hashlib.sha256(text).hexdigest()}}


def _member(name: str, value: bytes) -> Body:
    try:
        return {name: _slowly(b'{"":' + value + b"}")[0][""]}
    except ValueError:
        return {}


def deeper_than(value: Json, levels: int) -> bool:
    """Whether lists and mappings are nested more than so many levels."""
    if not isinstance(value, (dict, list)):
        return False
    if levels == 0:
        return True
    inner = value.values() if isinstance(value, dict) else value
    return any(deeper_than(item, levels - 1) for item in inner)
