"""Mistakes of one recipe file, gathered so that all are shown at once, and the place at which a part of it is read."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from connector import template
from connector.document import Document, Where, did_you_mean
from connector.errors import Mistake
from connector.model import Json
from connector.recipe.path import Path, PathMistake, Scope, path
from connector.template import EVENT_NAMES, Template, TemplateMistake

EVERYWHERE: Final = frozenset({"event", "properties", "context", "traits", "recipe", "connection", "customer", "now"})
_ONLY: Final = {
    "item": "`item` is there only beside `for_each` and in `any_item`",
    "actions": "`actions` is there only in an action with `needs`",
    "lookups": "`lookups` is there only in a recipe with `lookups:`, and not in these themselves or in `limit`",
}
_ZEROS: Final = re.compile("-?0[0-9]+")
_PARTS: Final = ("properties", "traits", "context")
_SINGLE_BRACES: Final = re.compile(rf"(?<![{{$])\{{\s*((?:{'|'.join(sorted(EVERYWHERE))})\.[\w.-]+)\s*\}}(?!\}})")
_VARIABLE: Final = re.compile(r"\$\{[A-Za-z_]\w{0,99}(?::[^}]{0,99})?\}")


@dataclass(slots=True)
class Findings:
    """The mistakes found so far in one document."""

    document: Document
    mistakes: list[Mistake] = field(default_factory=list)

    def add(
        self,
        where: Where,
        message: str,
        hint: str = "",
        *,
        key: bool = False,
        severity: Literal["error", "warning"] = "error",
    ) -> None:
        """Record a mistake at a value, or with `key` at its key."""
        self.mistakes.append(self.document.mistake(where, message, hint, key=key, severity=severity))

    def add_within(self, where: Where, message: str, hint: str, line: int, column: int) -> None:
        """Record a mistake at a line and column (from 1) of the text that stands at a value."""
        place = self._within(where, line, column)
        if place is None:
            self.add(where, message, hint)
        else:
            self.mistakes.append(Mistake(self.document.file, *place, message, hint))

    def add_at_end(self, message: str, hint: str) -> None:
        """Record that something is missing at the end of the file."""
        lines = self.document.text.rstrip().count("\n") + 1
        self.mistakes.append(Mistake(self.document.file, lines, 1, message, hint))

    def errors(self) -> list[Mistake]:
        """Those that keep the recipe out of service."""
        return [mistake for mistake in self.mistakes if mistake.severity == "error"]

    def plain(self, where: Where) -> bool:
        """Whether the value is written without quotes."""
        line, column = self.document.place(where)
        return self._rest(line, column)[:1] not in {'"', "'"}

    def _within(self, where: Where, line: int, column: int) -> tuple[int, int] | None:
        """The place in the file of a place in a text; None where quoting or folding moved it."""
        source = self.document.source_text(where).split("\n")
        top, left = self.document.place(where)
        opening = self._rest(top, left)[:1]
        if opening in {"|", ">"}:
            indent = len(self._rest(top + line, 1)) - len(self._rest(top + line, 1).lstrip(" "))
            found = top + line, indent + column
        else:
            found = top + line - 1, (left if line == 1 else 1) + (opening in {'"', "'"}) + column - 1
        wanted = source[line - 1][column - 1 :][:8] if line <= len(source) else ""
        return found if wanted and self._rest(*found).startswith(wanted) else None

    def _rest(self, line: int, column: int) -> str:
        lines = self.document.text.split("\n", line)
        return lines[line - 1][column - 1 :] if line <= len(lines) else ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a part of the recipe is read: its path in the file and the names that paths and templates may read there.

    needs: the actions whose answers may be read. lookups: those of the recipe. reads gathers the names that were read.
    start: paths begin at this name (`item` in `any_item`).
    """

    findings: Findings
    where: Where
    names: frozenset[str] = EVERYWHERE
    needs: frozenset[str] = frozenset()
    lookups: frozenset[str] = frozenset()
    reads: set[str] = field(default_factory=set)
    start: str | None = None

    def at(self, *steps: str | int) -> "Place":
        """The place further in."""
        return replace(self, where=(*self.where, *steps))

    def item(self) -> "Place":
        """The same place, read for each item of a list."""
        return replace(self, names=self.names | {"item"}, start="item")

    def mistake(self, message: str, hint: str = "", *, key: bool = False, warning: bool = False) -> None:
        """Record a mistake at the value that stands here, or with `key` at its key."""
        severity: Literal["error", "warning"] = "warning" if warning else "error"
        self.findings.add(self.where, message, hint, key=key, severity=severity)

    def read_path(self, text: Json, *, key: bool = False) -> Path | None:
        """Compile a path that stands here (with `key`: as the key). None when it is a mistake."""
        if not isinstance(text, str):
            self.mistake("a path is text, such as properties.price")
            return None
        try:
            compiled = path(text, start=self.start)
        except PathMistake as error:
            self.mistake(str(error), error.hint, key=key)
            return None
        if self.start is None and not self._known(compiled, key=key):
            return None
        self.reads.add(compiled.root)
        return compiled

    def _known(self, compiled: Path, *, key: bool) -> bool:
        root, field_name = compiled.root, compiled.parts[1] if len(compiled.parts) > 1 else ""
        if root not in self.names or not self._has(root, field_name):
            self.mistake(*self._unknown(root, field_name, compiled.text), key=key)
            return False
        if root == "event" and field_name not in {*EVENT_NAMES, ""}:
            near = [name for name in EVENT_NAMES if name.lower() == field_name.lower().replace("_", "")]
            if near or field_name in _PARTS:
                right = f"event.{near[0]}" if near else compiled.text.removeprefix("event.")
                self.mistake(f"event has no {field_name!r}", f"did you mean {right!r}?", key=key)
                return False
        return True

    def _has(self, root: str, part: str) -> bool:
        """Whether a name of the scope has such a part, where the recipe says which there are."""
        if root == "actions":
            return part in self.needs
        return root != "lookups" or not part or part in self.lookups

    def _unknown(self, root: str, part: str = "", text: str = "") -> tuple[str, str]:
        if root == "lookups" and root in self.names:
            hint = did_you_mean(part, self.lookups) or f"known: {', '.join(sorted(self.lookups))}"
            return f"no lookup is called {part!r}", hint
        if root in self.names:
            return f"`actions` holds what this action needs, which {part!r} is not", f"write needs: {part}"
        if root in _ONLY:
            return _ONLY[root], ""
        if root in template.ROOTS:
            return f"`{root}` is not available yet", ""
        near = template.meant_event_name(root) or did_you_mean(root, self.names)
        return (
            f"unknown name {root!r}",
            near or f"did you mean 'properties.{text}'? Known: {', '.join(sorted(self.names))}",
        )

    def template(self, source: str, *, truth: bool = False) -> Template | None:
        """Compile a text or template that stands here; with `truth` it must give true or false. None: a mistake."""
        try:
            compiled = template.compile_condition(source) if truth else template.compile(source)
        except TemplateMistake as error:
            self.findings.add_within(self.where, error.message, error.hint, error.line, error.column)
            return None
        return compiled if self.may_read(compiled) else None

    def may_read(self, compiled: Template) -> bool:
        """Whether a template reads only names that are there; those it reads are noted."""
        self.reads.update(compiled.reads)
        strange = [self._unknown(root) for root in sorted(compiled.reads - self.names)]
        for root in sorted({"actions", "lookups"} & compiled.reads & self.names):
            parts = sorted({(*text.split("."), "")[1] for text in compiled.paths if text.split(".")[0] == root})
            strange += [self._unknown(root, part) for part in parts if not self._has(root, part)]
        for message, hint in strange:
            self.mistake(message, hint)
        return not strange

    def uncommented(self) -> None:
        """Refuse a comment beside a plain text: who sees `Order # 5` can't tell where the text ends."""
        if self.findings.document.comment_after(self.where):
            self.mistake(
                "a comment stands beside this text", "put quotes around the text, or the comment on a line above"
            )

    def doubtful(self, text: str) -> None:
        """Warn of what looks like a template or a variable and is neither."""
        if braces := _SINGLE_BRACES.search(text):
            self.mistake(f"{braces[0]} is taken as this very text", f"write {{{{ {braces[1]} }}}}", warning=True)
        if variable := _VARIABLE.search(text):
            hint = "a secret stands in connector.yaml, with its destination"
            self.mistake(f"{variable[0]} is taken as this very text: recipes read no variables", hint, warning=True)

    def operand(self, value: Json) -> Callable[[Scope], Json] | None:
        """What a condition compares with, when it must be rendered for each event; None when it stands there."""
        if isinstance(value, list):
            rendered = [self.at(n).operand(entry) for n, entry in enumerate(value)]
            if not any(rendered):
                return None
            parts = [part or _constant(entry) for part, entry in zip(rendered, value, strict=True)]
            return lambda scope: [part(scope) for part in parts]
        if not isinstance(value, str):
            return None
        self.uncommented()
        self.doubtful(value)
        compiled = self.template(value)
        if compiled is None:
            return _constant(value)
        if compiled.constant is None:
            return compiled.render
        if _ZEROS.fullmatch(value) and self.findings.plain(self.where):
            self.mistake(f"{value} is compared as text", "put quotes around it to say so", warning=True)
        return None


def _constant(value: Json) -> Callable[[Scope], Json]:
    return lambda _scope: value
