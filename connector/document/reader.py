"""Text → Document, from the parser's events: nothing is ever constructed, expanded or repeated."""

import math
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import yaml
from yaml import AliasEvent, MappingEndEvent, MarkedYAMLError, ScalarEvent, SequenceEndEvent, SequenceStartEvent

from connector.document.syntax import syntax_mistake, template_mistake
from connector.document.tree import Document, Node
from connector.errors import ConfigurationError, Mistake
from connector.model import Json

LIMIT: Final = 256 * 1024  # bytes of a file, characters of a text
DEPTH: Final = 32  # lists and mappings in each other
_DIGITS: Final = 300  # of one number
_MOST: Final = 100  # mistakes told at once

try:
    from yaml._yaml import CParser

    parser: Callable[[str], Any] = CParser
except ImportError:  # PyYAML built without libyaml: the same events, fifteen times slower
    parser = yaml.SafeLoader

_LITERALS: Final[dict[str, Json]] = {"null": None, "true": True, "false": False}
_CASED: Final = {"~": "null"} | {form: form.lower() for form in ("Null", "NULL", "True", "TRUE", "False", "FALSE")}
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_ALIAS: Final = ("a text that begins with '*' is an alias, which is not used here", "put quotes around it")
_DIRECTIVE: Final = re.compile(r"^%", re.MULTILINE)
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
# U+0085, U+2028 and U+2029 are line breaks to YAML 1.1's parsers and none to 1.2; U+FEFF cannot be seen.
_FORBIDDEN: Final = re.compile(
    "[^\t\n\r -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]|\r(?!\n)"
)
_COMMENT_AFTER: Final = re.compile(r"[ \t]*(,?)[ \t]*#([^\r\n]*)")
_COMMENT_BEFORE: Final = re.compile(r"[^\n#]*#([^\r\n]*)\r?\n(?:[ \t]*(?:#[^\n]*)?\r?\n)*[ \t]*")


def read(text: str, file: str) -> Document:
    """Read one YAML document. Raises ConfigurationError with every mistake found up to the first syntax error."""
    unreadable = _unreadable(text, file)
    if unreadable:
        raise ConfigurationError([unreadable])
    reader = _Reader(text, file)
    root = reader.root()
    if root is None or reader.mistakes:
        raise ConfigurationError(reader.mistakes)
    return Document(text, file, root)


def scalar(text: str) -> Json:
    """The value of a plain scalar: a JSON literal's, else the text. Raises ValueError for a number out of range."""
    if text in _LITERALS:
        return _LITERALS[text]
    match = _NUMBER.fullmatch(text)
    if not match:
        return text
    if len(text) > _DIGITS:
        raise ValueError(f"a number of more than {_DIGITS} digits")
    if match.lastindex is None:
        return int(text)
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number beyond 1.8e308")
    return number


def _unreadable(text: str, file: str) -> Mistake | None:
    if len(text) > LIMIT:
        return Mistake(file, 0, 0, f"the file is larger than {LIMIT // 1024} KiB", "split it")
    if text.startswith("\ufeff"):
        return Mistake(file, 1, 1, "the file begins with a byte order mark", "save it as UTF-8 without BOM")
    match = _FORBIDDEN.search(text)
    if not match:
        return None
    line, column = text.count("\n", 0, match.start()) + 1, match.start() - text.rfind("\n", 0, match.start())
    code = ord(match[0])
    return Mistake(
        file, line, column, f"the character U+{code:04X} cannot stand here", f'write "\\u{code:04x}" in quotes'
    )


def _place(event: Any) -> tuple[int, int]:
    mark = event.start_mark
    return mark.line + 1, mark.column + 1


class _Stop(Exception):
    """Reading ends here; the mistakes say why."""


class _Reader:
    """Reads one text; `mistakes` holds what it found."""

    def __init__(self, text: str, file: str) -> None:
        self._text = text
        self._file = file
        self._events = parser(text)
        self._has_comments = "#" in text
        self._end = 0  # index where the last event ended
        self._key = ""  # the last key
        self._judged: set[int] = set()  # indexes of comments that were refused
        self.mistakes: list[Mistake] = []

    def root(self) -> Node | None:
        """The top of the tree; None if there is none or reading had to stop."""
        try:
            self._next()  # the stream begins
            start = self._next()
            if type(start) is yaml.StreamEndEvent:
                self._add(Mistake(self._file, 0, 0, "the file is empty"))
                return None
            self._undirected(start)
            node = self._value(self._next(), 0)
            self._next()  # the document ends
            after = self._next()
            if type(after) is not yaml.StreamEndEvent:
                self._refuse(after, "a second document begins here", "one file holds one: delete it, or the '---'")
        except _Stop:
            return None
        return node

    def _undirected(self, start: Any) -> None:
        directive = _DIRECTIVE.search(self._text, 0, start.end_mark.index)
        if directive:
            line = self._text.count("\n", 0, directive.start()) + 1
            self._add(Mistake(self._file, line, 1, "directives such as %YAML are not used here", "delete this line"))

    # ── events ──────────────────────────────────────────────────────────────────────────────────

    def _next(self) -> Any:
        try:
            return self._events.get_event()
        except MarkedYAMLError as error:
            mistake = syntax_mistake(error, self._text, self._file)
            if any(line.strip() for line in self._text.split("\n")[mistake.line :]):
                mistake = replace(mistake, hint=f"{mistake.hint}; what follows could not be read yet")
        except (yaml.YAMLError, ValueError) as error:  # PyYAML's own parser: an escape beyond Unicode
            mistake = Mistake(self._file, 0, 0, f"this is not YAML: {type(error).__name__}")
        if all(mistake.line != earlier.line for earlier in self.mistakes):  # else it follows from that one
            self._add(mistake)
        raise _Stop

    def _add(self, mistake: Mistake) -> None:
        lines = self._text.count("\n") + 1
        if mistake.line > lines:  # the end of a file without a last line break
            mistake = replace(mistake, line=lines, column=len(self._text) - self._text.rfind("\n"))
        self.mistakes.append(mistake)
        if len(self.mistakes) >= _MOST:
            raise _Stop

    def _refuse(self, event: Any, message: str, hint: str = "") -> None:
        self._add(Mistake(self._file, *_place(event), message, hint))

    # ── values ──────────────────────────────────────────────────────────────────────────────────

    def _value(self, event: Any, depth: int) -> Node:
        node = Node(*_place(event))
        kind = type(event)
        if kind is AliasEvent:
            self._refuse(event, *_ALIAS)
            return node
        self._undecorated(event)
        if kind is ScalarEvent:
            self._scalar(event, node)
            return node
        if depth == DEPTH:
            self._refuse(event, "lists and mappings are nested too deeply", f"at most {DEPTH} levels")
            raise _Stop
        if self._has_comments:
            self._end = event.end_mark.index
        if kind is SequenceStartEvent:
            self._sequence(node, depth + 1)
        else:
            self._mapping(node, depth + 1)
        return node

    def _sequence(self, node: Node, depth: int) -> None:
        value: list[Json] = []
        while type(event := self._next()) is not SequenceEndEvent:
            child = self._value(event, depth)
            node.children[len(value)] = child
            value.append(child.value)
        node.value = value

    def _mapping(self, node: Node, depth: int) -> None:
        value: dict[str, Json] = {}
        while type(event := self._next()) is not MappingEndEvent:
            if type(event) is not ScalarEvent:
                self._complex_key(event, depth)
                continue
            name = self._name(event)
            place = _place(event)
            child = self._value(self._next(), depth)
            child.key = place
            if name is None:
                continue
            if name in value:
                first = (node.children[name].key or place)[0]
                self._refuse(event, f"the key {name[:40]!r} is written twice, at lines {first} and {place[0]}")
                continue
            node.children[name] = child
            value[name] = child.value
        node.value = value

    def _undecorated(self, event: Any) -> None:
        if event.tag is not None:
            self._refuse(event, "a text that begins with '!' is a tag, which is not used here", "put quotes around it")
        if event.anchor is not None:
            self._refuse(
                event, "a text that begins with '&' is an anchor, which is not used here", "put quotes around it"
            )

    # ── keys ────────────────────────────────────────────────────────────────────────────────────

    def _name(self, event: Any) -> str | None:
        """The key, or None if it cannot be one."""
        self._undecorated(event)
        if self._has_comments:
            self._end = event.end_mark.index
        name: str = event.value
        self._key = name
        if not event.implicit[0]:
            self._whole_characters(event)
        elif name == "<<":
            self._refuse(event, "merge keys are not used here", "write the keys out")
            return None
        elif name == "":
            self._refuse(event, "there is no key before this ':'", "write one, or put quotes around the text")
            return None
        elif name in _LITERALS or name in _CASED or _NUMBER.fullmatch(name):
            self._refuse(event, "a key must be text", "put quotes around it")
            return None
        return name

    def _complex_key(self, event: Any, depth: int) -> None:
        """Refuse a key that is no scalar, and read over it and its value."""
        index = event.start_mark.index
        line, column = _place(event)
        if self._text.startswith("{{", index):
            self._add(template_mistake(self._file, line, column))
        elif self._text.startswith("{{", index - 1):
            self._add(template_mistake(self._file, line, column - 1))
        elif type(event) is AliasEvent:
            self._refuse(event, *_ALIAS)
        else:
            self._refuse(event, "a key must be text", "put quotes around it")
        told = len(self.mistakes)
        try:
            self._value(event, depth)
            self._value(self._next(), depth)
        finally:
            del self.mistakes[told:]  # they follow from the first

    # ── scalars ─────────────────────────────────────────────────────────────────────────────────

    def _scalar(self, event: Any, node: Node) -> None:
        node.value = node.source = text = event.value
        if not event.implicit[0]:
            self._whole_characters(event)
        elif text == "":
            self._empty(event)
        else:
            if self._has_comments:
                self._comments(event, node)
            if text[0] in "-0123456789tfn":
                try:
                    node.value = scalar(text)
                except ValueError as error:
                    self._refuse(event, f"{error} cannot be kept exactly", "put quotes around it")
            elif text in _CASED:
                self._refuse(
                    event, f"{text} is neither text nor JSON", f"write {_CASED[text]}, or put quotes around it"
                )
        if self._has_comments:
            self._end = event.end_mark.index

    def _whole_characters(self, event: Any) -> None:
        if not event.value.isascii() and _SURROGATE.search(event.value):
            self._refuse(event, "this escape is not a character", r"write the character itself, or \U0001F600")

    def _empty(self, event: Any) -> None:
        index = event.end_mark.index
        if _COMMENT_AFTER.match(self._text, index):
            self._refuse(event, "the value is empty: what follows '#' is a comment", "put quotes around the text")
        elif ":" in self._key and self._text.endswith(self._key, 0, index):
            self._refuse(event, "the value is empty", "is a space missing after ':'?")
        else:
            self._refuse(event, "the value is empty", 'write a value, "" or null')

    def _comments(self, event: Any, node: Node) -> None:
        """Refuse a comment that looks like part of the plain value beside it, and note any other."""
        start, end = event.start_mark.index, event.end_mark.index
        after = _COMMENT_AFTER.match(self._text, end)
        if after:
            node.comment = not after[1]
            self._judge(after.start(2) - 1, after[2])
        gap = self._text[self._end : start]
        if "#" in gap and (before := _COMMENT_BEFORE.fullmatch(gap)):
            index = self._end + before.start(1) - 1
            if self._text[self._text.rfind("\n", 0, index) + 1 : index].strip():  # not a line of its own
                node.comment = True
                self._judge(index, before[1])

    def _judge(self, index: int, comment: str) -> None:
        words = comment.lstrip("#")
        if index in self._judged or ("{{" not in comment and (not words or words[0] in " \t")):
            return
        self._judged.add(index)
        line, column = self._text.count("\n", 0, index) + 1, index - self._text.rfind("\n", 0, index)
        message = "'#' begins a comment here, which is not part of the value"
        hint = "put quotes around the text" + ("" if "{{" in comment else ", or a space after '#'")
        self._add(Mistake(self._file, line, column, message, hint))
