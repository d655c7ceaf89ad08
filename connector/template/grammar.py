"""What a template may say: allow-lists of nodes, filters, tests and names, and the place of each mistake."""

import inspect
import json
import re
from collections.abc import Iterator
from typing import Final, NoReturn

from jinja2 import nodes

from connector.document import did_you_mean
from connector.errors import RenderError
from connector.template import EVENT_NAMES, ROOTS, TemplateMistake, meant_event_name, mistaken_name
from connector.template.filters import FILTERS, bounded
from connector.template.runtime import APPLIERS, FILTER_NAMES, TEST_NAMES, default

SOURCE: Final = 8 * 1024  # characters of one template
NODES: Final = 2_000
NESTING: Final = 40
LOOPS: Final = 4  # within one another

_ALLOWED: Final = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For, nodes.Assign,
    nodes.Name, nodes.Const, nodes.List, nodes.Tuple, nodes.Dict, nodes.Pair, nodes.Keyword,
    nodes.Getattr, nodes.Getitem, nodes.Slice, nodes.Filter, nodes.Test, nodes.CondExpr, nodes.Compare, nodes.Operand,
    nodes.And, nodes.Or, nodes.Not, nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod,
    nodes.Neg, nodes.Pos, nodes.Concat,
)  # fmt: skip
_BINDABLE: Final = frozenset({"item", "items", "count", "key"})  # a loop may well call its variable so
_RESERVED: Final = (frozenset(ROOTS) - _BINDABLE) | {
    "omit", "loop", "self", "super", "caller", "varargs", "kwargs", "true", "false", "none",
}  # fmt: skip
_PLAIN_PART: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9]+")
_INSTEAD: Final = {"int": "number", "float": "number", "sum": "total"}


class Grammar:
    """The check of one parsed source. `names` and `paths` are what it reads of the scope.

    Raises TemplateMistake at the first thing that is not allowed.
    """

    def __init__(self, source: str, tree: nodes.Template) -> None:
        self.names: set[str] = set()
        self.paths: set[str] = set()
        self._source = source
        found = list(self._walk(tree))
        self._bound = {node.name for node in found if isinstance(node, nodes.Name) and node.ctx == "store"}
        if any(isinstance(node, nodes.For) for node in found):
            self._bound.add("loop")
        for node in found:
            self._check(node)

    def _walk(self, tree: nodes.Template) -> Iterator[nodes.Node]:
        """Every node but those inside a path, in reading order, without recursion; counts and depths are bounded."""
        rest: list[tuple[nodes.Node, int, int]] = [(tree, 0, 0)]
        seen = 0
        while rest:
            node, depth, loops = rest.pop()
            seen += 1
            loops += isinstance(node, nodes.For)
            parts = parts_of(node)
            if seen > NODES or depth + len(parts or ()) > NESTING or loops > LOOPS:
                self._refuse(node, "the template is too large or nested too deeply", "write several shorter ones")
            yield node
            if parts is None:
                rest += [(child, depth + 1, loops) for child in reversed(list(node.iter_child_nodes()))]

    def _check(self, node: nodes.Node) -> None:
        if not isinstance(node, _ALLOWED):
            self._refuse(node, *_not_allowed(node))
        parts = parts_of(node)
        if parts is not None:
            self._check_path(node, parts)
        match node:
            case nodes.Name():
                self._check_binding(node)
            case nodes.Const():
                self._check_constant(node)
            case nodes.Filter():
                self._check_filter(node)
            case nodes.Test() if node.name not in TEST_NAMES:
                self._refuse(node, f"unknown test '{node.name}'", mistaken_name(node.name, TEST_NAMES), node.name)
            case nodes.Compare() if len(node.ops) > 1 and any(each.op in ("in", "notin") for each in node.ops):
                self._refuse(node, "`in` cannot stand in a chain of comparisons", "join them with `and`")
            case nodes.CondExpr() if node.expr2 is None:
                self._refuse(node, "`if` in an expression needs an `else`", "write {{ a if b else '' }}")
            case nodes.For() if node.recursive:
                self._refuse(node, "recursive loops are not available")

    def _check_path(self, node: nodes.Node, parts: list[str]) -> None:
        root = parts[0]
        if root in self._bound or root == "omit":
            return
        if root not in ROOTS:
            self._refuse(node, f"unknown name '{root}'", self._unknown_hint(root), root)
        if root == "event" and len(parts) > 1 and parts[1] not in EVENT_NAMES:
            meant = [name for name in EVENT_NAMES if name.lower() == parts[1].lower().replace("_", "")]
            if meant:
                self._refuse(node, f"event has no '{parts[1]}'", f"did you mean 'event.{meant[0]}'?", parts[1])
        self.names.add(root)
        self.paths.add(dotted(parts))

    def _unknown_hint(self, name: str) -> str:
        """A key with a dash reads as a subtraction: say so."""
        dashed = re.search(
            rf"\b({'|'.join(ROOTS)})((?:\.\w+)*)\.(\w+(?:-\w+)*-{re.escape(name)}\b[\w-]*)", self._source
        )
        if dashed:
            return f"for the key '{dashed[3]}' write {dashed[1]}{dashed[2]}['{dashed[3]}']"
        return meant_event_name(name) or (
            did_you_mean(name, ROOTS) or f"did you mean 'properties.{name}' or 'traits.{name}'?"
        )

    def _check_binding(self, node: nodes.Name) -> None:
        if node.ctx != "load" and node.name in _RESERVED:
            self._refuse(node, f"'{node.name}' cannot be set", "choose another name", node.name)

    def _check_constant(self, node: nodes.Const) -> None:
        if isinstance(node.value, int | float):
            try:
                bounded(node.value)
            except RenderError as error:
                self._refuse(node, str(error))

    def _check_filter(self, node: nodes.Filter) -> None:
        if node.name not in FILTER_NAMES:
            instead = f"did you mean '{_INSTEAD[node.name]}'?" if node.name in _INSTEAD else ""
            self._refuse(
                node, f"unknown filter '{node.name}'", instead or mistaken_name(node.name, FILTER_NAMES), node.name
            )
        if node.dyn_args or node.dyn_kwargs:
            self._refuse(node, "a filter's arguments are written one by one", "", node.name)
        if node.name in APPLIERS:
            self._check_applied(node)
            return
        function = default if node.name in ("default", "d") else FILTERS[node.name]
        try:
            inspect.signature(function).bind(None, *node.args, **{str(pair.key): pair for pair in node.kwargs})
        except TypeError as error:
            self._refuse(node, f"filter '{node.name}': {error}", "", node.name)

    def _check_applied(self, node: nodes.Filter) -> None:
        """The filter or test that `map`, `select` … apply must be a known one, written out."""
        attributes = 1 if node.name.endswith("attr") else 0
        applied = node.args[attributes : attributes + 1]
        known = FILTER_NAMES - APPLIERS if node.name == "map" else TEST_NAMES
        if len(node.args) < attributes:
            self._refuse(node, f"{node.name} needs the key it looks at", f"{node.name}('price')", node.name)
        for name in applied:
            if not isinstance(name, nodes.Const) or name.value not in known:
                what = "filter" if node.name == "map" else "test"
                word = str(name.value) if isinstance(name, nodes.Const) else ""
                self._refuse(node, f"{node.name} needs the name of a {what}", mistaken_name(word, known), node.name)

    def _refuse(self, node: nodes.Node, message: str, hint: str = "", word: str = "") -> NoReturn:
        line, column = place(self._source, node.lineno or 1, word)
        raise TemplateMistake(message, hint, line=line, column=column)


def parts_of(node: nodes.Node) -> list[str] | None:
    """The parts of a path that is written out (`properties.items[0]`), root first; None for any other node."""
    parts: list[str] = []
    while isinstance(node, nodes.Getattr | nodes.Getitem):
        key = node.attr if isinstance(node, nodes.Getattr) else node.arg
        if isinstance(key, nodes.Const):
            key = key.value
        if not isinstance(key, str | int):
            return None
        parts.append(str(key))
        node = node.node
    if not isinstance(node, nodes.Name) or node.ctx != "load":
        return None
    return [node.name, *reversed(parts)]


def dotted(parts: list[str]) -> str:
    """A path as recipes write it: `properties.products.0.sku`, `properties."utm-source"`."""
    return ".".join(part if _PLAIN_PART.fullmatch(part) else json.dumps(part, ensure_ascii=False) for part in parts)


def place(source: str, line: int, word: str = "") -> tuple[int, int]:
    """Line and column of a word within the expressions of a line, else of the line's first expression."""
    text = (source.splitlines() or [""])[min(line, source.count("\n") + 1) - 1 :][:1]
    content = text[0] if text else ""
    opening = re.search(r"\{[{%#]", content)
    start = opening.start() if opening else 0
    found = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", content[start:]) if word else None
    return line, 1 + start + (found.start() if found else 0)


def _not_allowed(node: nodes.Node) -> tuple[str, str]:
    if isinstance(node, nodes.Call):
        return "nothing can be called in a template", "use a filter: {{ properties.name | upper }}"
    if isinstance(node, nodes.Pow):
        return "`**` is not available in a template", ""
    words = re.sub(r"(?<!^)([A-Z])", r" \1", type(node).__name__).lower()
    return f"'{words}' is not available in a template", "if, for and set are"
