"""What the parser says, in words that tell what to edit. Nothing of the file is repeated but single characters."""

import re
from typing import Final

from yaml import MarkedYAMLError

from connector.errors import Mistake

_TEMPLATE: Final = re.compile(r"(?:^|[:\-,\[{])[ \t]*(\{\{)")
_COMMENT: Final = re.compile(r"(?:^|\s)#")
_QUOTES: Final = "put quotes around the text"
_SINGLE: Final = """inside "…" write 'x', not "x\""""
_INDENT: Final = "mend the indentation, or put quotes around the text"

# (part of what libyaml or PyYAML says, at the context's place instead of the problem's, message, hint)
_KNOWN: Final[tuple[tuple[str, bool, str, str], ...]] = (
    ("nesting depth", False, "lists and mappings are nested too deeply", "at most 32 levels"),
    ("mapping values are not allowed", False, "a second ': ' where no key can stand", _INDENT),
    (
        "block sequence entries are not allowed",
        False,
        "a list cannot begin here",
        f"begin it on a new line, or {_QUOTES}",
    ),
    ("sequence entries are not allowed", False, "a list cannot begin here", f"begin it on a new line, or {_QUOTES}"),
    ("end of stream+quoted", True, "this quote is never closed", "close it"),
    ("unexpected document+quoted", True, "this quote is never closed", "close it"),
    ("unknown escape", False, "this is no escape of double quotes", r"use single quotes, or write \\ for a backslash"),
    ("hexdecimal", False, "an escape lacks its digits", r"use single quotes, or write \\ for a backslash"),
    ("escape sequence of", False, "an escape lacks its digits", r"use single quotes, or write \\ for a backslash"),
    ("Unicode character", False, "this escape is not a character", r"write the character itself, or \U0001F600"),
    ("alias", True, "text cannot begin with '*'", _QUOTES),
    ("anchor", True, "text cannot begin with '&'", _QUOTES),
    ("tag", True, "text cannot begin with '!'", _QUOTES),
    ("directive", True, "directives such as %YAML are not used here", "delete this line"),
    ("incompatible YAML document", False, "directives such as %YAML are not used here", "delete this line"),
    ("cannot start any token", False, "a tab cannot indent", "use spaces"),
    ("tab character", False, "a tab cannot indent", "use spaces"),
    ("block scalar", True, "after '|' or '>' the text begins on a new line", "indent it, or " + _QUOTES),
    ("document start", False, "nothing can follow here", _INDENT),
    ("expected ':'", False, "neither 'key: value' nor part of the text above", f"add ': ', or {_QUOTES}"),
    ("flow mapping", False, "expected ',' or '}' to go on with the '{' of line %d", f"close it, or {_QUOTES}"),
    ("flow sequence", False, "expected ',' or ']' to go on with the '[' of line %d", f"close it, or {_QUOTES}"),
    ("flow node", False, "expected a value here", _QUOTES),
    ("block node", False, "expected a value here", _QUOTES),
    ("block collection", False, "expected '- ' to go on with the list of line %d", _INDENT),
    ("block sequence", False, "expected '- ' to go on with the list of line %d", _INDENT),
    ("block mapping", False, "expected 'key: value' to go on with the mapping of line %d", _INDENT),
    ("not allowed here", False, "neither key, list nor text can stand here", _INDENT),
)


def syntax_mistake(error: MarkedYAMLError, text: str, file: str) -> Mistake:
    """The Mistake a person can mend, for a syntax error of the parser (libyaml's or PyYAML's own)."""
    problem = error.problem_mark or error.context_mark
    if problem is None:  # pragma: no cover  both parsers give a place
        return Mistake(file, 0, 0, f"this is not YAML: {error.problem}")
    context = error.context_mark or problem
    lines = text.split("\n")
    for number in (problem.line, context.line):
        if number < len(lines) and (column := _template(lines[number])):  # the end of the file is a line too many
            return template_mistake(file, number + 1, column)
    at_context, message, hint = _words(f"{error.problem} {error.context}", text, problem.index)
    place = context if at_context else problem
    return Mistake(file, place.line + 1, place.column + 1, message.replace("%d", str(context.line + 1)), hint)


def _words(said: str, text: str, index: int) -> tuple[bool, str, str]:
    """Whether the context's place is the one to show, the message, the hint."""
    before = text[:index].rstrip()
    if "cannot start any token" in said and text[index] != "\t":
        return False, f"text cannot begin with {text[index]!r}", _QUOTES
    if "flow" in said and not text[index:].strip():
        return True, "this list or mapping is never closed", "close it"
    if "block mapping" in said or "block collection" in said or "flow" in said:
        if before.endswith(('"', "'")) and len(before) > text.rfind("\n", 0, index):
            line = before[before.rfind("\n") + 1 :]
            inside = before.endswith('"') and line.rfind("{{") > line.rfind("}}")
            return False, "text follows the closing quote", _SINGLE if inside else "put quotes around the whole text"
        if "block" in said and _COMMENT.search(before, before.rfind("\n") + 1):
            return False, "the text above ended before its comment", _QUOTES
    for words, at_context, message, hint in _KNOWN:
        if all(word in said for word in words.split("+")):
            return at_context, message, hint
    return False, f"this is not YAML: {said}", _QUOTES


def template_mistake(file: str, line: int, column: int) -> Mistake:
    """A template without quotes: YAML takes its braces for a mapping in a mapping."""
    return Mistake(file, line, column, "a template needs quotes around it", 'write "{{ … }}"')


def _template(line: str) -> int | None:
    """The column of a `{{` that stands outside quotes."""
    for match in _TEMPLATE.finditer(line):
        before = line[: match.start(1)]
        if before.count('"') % 2 == 0 and before.count("'") % 2 == 0:
            return match.start(1) + 1
    return None
