"""Why a condition holds or not, part by part: the same closures that decide, asked one by one."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from connector import template
from connector.model import Json
from connector.recipe.compare import Trouble, Verdict, kind_of
from connector.recipe.condition import AnyItem, Condition, Formula, Test
from connector.recipe.path import Scope, path

SHOWN: Final = 20  # items of a list


@dataclass(frozen=True, slots=True)
class Trace:
    """One part of a condition against one event. what: a path, a template, or `all`, `any`, `none`.

    operator and expected: the recipe's side of a test. value: the event's, None where absent. reads: what the paths in
    a template hold.
    """

    what: str
    verdict: Verdict
    operator: str = ""
    expected: Json = None
    value: Json = None
    parts: tuple["Trace", ...] = ()
    reads: Mapping[str, Json] = field(default_factory=dict)

    @property
    def answer(self) -> str:
        """`yes`, `no`, or `error: …`."""
        return f"error: {self.verdict.text}" if isinstance(self.verdict, Trouble) else "yes" if self.verdict else "no"

    def lines(self, depth: int = 0) -> list[str]:
        """The part and what it consists of, one line each, indented."""
        tested = f" {self.operator}" if self.operator else ""
        seen = [_shown(self.value)] if self.expected is not None else []
        seen += [f"{path} = {_shown(value)}" for path, value in self.reads.items()]
        if self.expected is not None:
            tested += f" {_shown(self.expected)}"
        if seen:
            tested += f" ({'; '.join(seen)})"
        own = f"{'  ' * depth}{self.answer:<4} {self.what}{tested}"
        if isinstance(self.verdict, Trouble):  # without the end that would say the place once more
            why = self.verdict.text.removesuffix(f": {self.what} is {kind_of(self.value)}")
            own = f"{'  ' * depth}error  {self.what}{tested}: {why}"
        return [own, *(line for part in self.parts for line in part.lines(depth + 1))]


def trace(condition: Condition, scope: Scope) -> Trace:
    """The verdict of a condition and of every part of it."""
    verdict = condition.holds(scope)
    if isinstance(condition, Test):
        value, reads = condition.path.get(scope), {}
        if condition.operator != "matches":
            operands = condition.operand if isinstance(condition.operand, list) else [condition.operand]
            reads = _reads([text for text in operands if isinstance(text, str)], scope)
        return Trace(condition.path.text, verdict, condition.operator, condition.operand, value, reads=reads)
    if isinstance(condition, Formula):
        return Trace(condition.source, verdict, reads=_reads([condition.source], scope))
    if isinstance(condition, AnyItem):
        value = condition.path.get(scope)
        items = value[:SHOWN] if isinstance(value, list) else []
        parts = tuple(trace(condition.inner, {**scope, "item": item}) for item in items)
        return Trace(condition.path.text, verdict, "any_item", None, value, parts)
    return Trace(condition.word, verdict, parts=tuple(trace(part, scope) for part in condition.parts))


def _reads(sources: list[str], scope: Scope) -> dict[str, Json]:
    """What the paths that templates read hold; of what is no template nothing."""
    paths = {text for source in sources if "{{" in source for text in template.compile(source).paths}
    return {text: path(text).get(scope) for text in sorted(paths)}


def _shown(value: Json) -> str:
    if value is None:
        return "absent"
    text = json.dumps(value, ensure_ascii=False) if not isinstance(value, dict) else kind_of(value)
    return text if len(text) <= 80 else text[:77] + "..."
