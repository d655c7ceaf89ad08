"""The only door to Jinja: texts of recipes are compiled here once, rendered many times, and never parsed again.

A text without `{{`, `{%` or `{#` is a constant and never loads Jinja. What a template may say, and what saying it may
cost, stands in `language`; its filters in `filters`.
"""

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from connector.document import did_you_mean
from connector.errors import ConnectorError
from connector.model import Json
from connector.template.values import OMIT, SIZE, text_of

if TYPE_CHECKING:
    from connector.template.language import Program

__all__ = ["EVENT_NAMES", "OMIT", "ROOTS", "SIZE", "Template", "TemplateMistake", "compile", "compile_condition"]

ROOTS: Final = (
    "event", "properties", "context", "traits", "lookups", "customer", "item", "items", "count", "key", "actions",
    "recipe", "connection", "now",
)  # fmt: skip
EVENT_NAMES: Final = (
    "eventId", "eventTime", "receivedTime", "eventAction", "clientId", "accountId", "brandId", "customerId", "userId",
    "anonymousId", "source", "rawData", "id", "externalId", "email", "masterId", "profileIds", "watched",
    "collectionId", "itemId",
)  # fmt: skip

Escape: TypeAlias = Callable[[str], str]

_PART: Final = r'(?:[A-Za-z0-9_][A-Za-z0-9_-]*|"[^"]+")'
_BARE_PATH: Final = re.compile(rf"(?:event\.(?:{'|'.join(EVENT_NAMES)})|(?:properties|traits|lookups)(?:\.{_PART})+)")


class TemplateMistake(ConnectorError):
    """A template that cannot be used. line and column count from 1 within its source."""

    def __init__(self, message: str, hint: str = "", *, line: int = 1, column: int = 1) -> None:
        self.message, self.hint, self.line, self.column = message, hint, line, column
        super().__init__(f"{message} - {hint}" if hint else message)


class Template:
    """One compiled text. Equal when source and escaping are; rendering changes nothing.

    reads: the names of the scope it reads (`properties`); paths: what it reads of them (`properties."utm-source"`).
    constant: its text when it holds no expression, else None.
    """

    __slots__ = ("_condition", "_escape", "_run", "constant", "paths", "reads", "source")

    def __init__(
        self, source: str, program: "Program | None" = None, escape: Escape | None = None, *, condition: bool = False
    ) -> None:
        self.source = source
        self.constant = source if program is None else None
        self.reads: frozenset[str] = program.reads if program else frozenset()
        self.paths: frozenset[str] = program.paths if program else frozenset()
        self._escape, self._condition = escape, condition
        self._run = None if program is None else program.truth if condition else program.run

    def render(self, scope: Mapping[str, Json]) -> Json:
        """The value for this scope: of a source that is one whole `{{ }}` with its type, else text.

        Compiled with `escape` it is always text. OMIT means: leave this key out. Raises RenderError.
        """
        return self.source if self._run is None else self._run(scope)

    def text(self, scope: Mapping[str, Json]) -> str:
        """The value as text: numbers, true/false, lists and mappings as JSON. Raises RenderError."""
        return self.source if self._run is None else text_of(self._run(scope))

    def unescaped(self) -> "Template":
        """The same without its escaping: what the tests of a recipe compare with."""
        return self if self._escape is None else compile(self.source)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Template) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    def __repr__(self) -> str:
        return f"Template({self.source!r})"

    @property
    def _identity(self) -> tuple[str, Escape | None, bool]:
        return self.source, self._escape, self._condition


def compile(source: str, *, escape: Escape | None = None) -> Template:
    """The template of a recipe's text; `escape` is applied to each interpolated value, never to the text around it.

    Raises TemplateMistake with the place within `source`: syntax, what is not allowed, unknown names, and a text that
    is a bare path (`event.userId`), which surely was meant as `{{ event.userId }}`.
    """
    if not any(mark in source for mark in ("{{", "{%", "{#")):
        _refuse_bare_path(source)
        return Template(source, escape=escape)
    from connector.template.language import Program  # noqa: PLC0415  Jinja is paid for only by those who use it

    return Template(source, Program(source, escape), escape)


def compile_condition(source: str) -> Template:
    """The template of a condition: one whole `{{ }}` that must give true or false (absent counts as false).

    Raises TemplateMistake; its `render` raises RenderError for any other value.
    """
    from connector.template.language import Program  # noqa: PLC0415  as above

    program = Program(source, None) if "{{" in source else None
    if program is None or not program.whole:
        raise TemplateMistake("a condition is one whole {{ }}", "write it as {{ properties.price|number > 100 }}")
    return Template(source, program, condition=True)


def mistaken_name(name: str, known: tuple[str, ...] | frozenset[str]) -> str:
    """A hint for a name that is not known, which ends in the names that are."""
    return did_you_mean(name, known) or f"known: {', '.join(sorted(known))}"


def meant_event_name(name: str) -> str:
    """A hint for `userId` or `user_id`, which stand in `event`; "" for a name that none is called."""
    near = [known for known in EVENT_NAMES if known.lower() == name.lower().replace("_", "")]
    return f"did you mean 'event.{near[0]}'?" if near else ""


def _refuse_bare_path(source: str) -> None:
    path = source.strip()
    if not _BARE_PATH.fullmatch(path):
        return
    root, *parts = re.findall(r'"[^"]+"|[^."]+', path)
    expression = root + "".join(f".{part}" if part.isidentifier() else f"[{_subscript(part)}]" for part in parts)
    raise TemplateMistake(
        f"{path} is sent as this very text",
        f"did you mean `{{{{ {expression} }}}}`? For the text itself write `{{{{ '{path}' }}}}`",
        column=1 + len(source) - len(source.lstrip()),
    )


def _subscript(part: str) -> str:
    return part if part.isdecimal() or part.startswith('"') else f"'{part}'"
