"""What was read: plain values, and where each stands."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from connector.errors import Mistake
from connector.model import Json

Where: TypeAlias = tuple[str | int, ...]  # keys and indexes from the top of the file


@dataclass(slots=True)
class Node:
    """One value with its place. source: a scalar as it is written. comment: one stands in or after a plain value."""

    line: int
    column: int
    value: Json = None
    source: str = ""
    comment: bool = False
    key: tuple[int, int] | None = None
    children: dict[str | int, "Node"] = field(default_factory=dict)


class Document:
    """One YAML file. data: dict, list, str, int, float, bool, None. text: the file as it was read; file: its name.

    A path is the tuple of keys and indexes from the top. Where nothing stands at a path (a key that is missing), its
    place is that of the nearest thing above it.
    """

    def __init__(self, text: str, file: str, root: Node) -> None:
        self.text = text
        self.file = file
        self.data: Json = root.value
        self._root = root

    def __repr__(self) -> str:
        return f"Document({self.file!r})"

    def place(self, path: Where) -> tuple[int, int]:
        """Line and column of the value, both from 1."""
        node, found = self._nearest(path)
        return (node.line, node.column) if found else (node.key or (node.line, node.column))

    def key_place(self, path: Where) -> tuple[int, int]:
        """Line and column of the value's key; of the value itself where it has none (an entry of a list)."""
        node, _ = self._nearest(path)
        return node.key or (node.line, node.column)

    def source_text(self, path: Where) -> str:
        """The scalar as it is written (`1.10`, not 1.1); "" for a list, a mapping or a path where nothing stands."""
        node, found = self._nearest(path)
        return node.source if found else ""

    def comment_after(self, path: Where) -> bool:
        """Whether a comment stands after or inside the plain value: in a text, part of it may be lost."""
        node, found = self._nearest(path)
        return found and node.comment

    def mistake(
        self,
        path: Where,
        message: str,
        hint: str = "",
        *,
        key: bool = False,
        severity: Literal["error", "warning"] = "error",
    ) -> Mistake:
        """A Mistake at the value, or with `key` at its key."""
        line, column = self.key_place(path) if key else self.place(path)
        return Mistake(self.file, line, column, message, hint, severity)

    def _nearest(self, path: Where) -> tuple[Node, bool]:
        node = self._root
        for step in path:
            child = node.children.get(step)
            if child is None:
                return node, False
            node = child
        return node, True


def did_you_mean(word: str, known: Iterable[str], near_enough: float = 0.6) -> str:
    """`did you mean 'x'?` for the nearest of the known words, or "" when none is near. near_enough: 1 is the same."""
    if len(word) > 64:  # nobody mistypes that much; comparing is quadratic
        return ""
    spellings = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), spellings, n=1, cutoff=near_enough)
    return f"did you mean {spellings[near[0]]!r}?" if near else ""
