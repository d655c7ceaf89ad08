"""From source to result: parse, check, rewrite, and hand to Jinja's immutable sandbox.

The tree is rewritten so that each look-up, loop, literal and printed value passes through a function of `runtime`; it
becomes code at the first rendering. What a template prints is never parsed again.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, Final

from jinja2 import TemplateError, TemplateSyntaxError, Undefined, nodes
from jinja2.visitor import NodeTransformer

from connector.errors import RenderError
from connector.model import Json
from connector.template import ROOTS, Escape, TemplateMistake
from connector.template.grammar import SOURCE, Grammar, dotted, parts_of, place
from connector.template.runtime import TURN, Scope, sandbox
from connector.template.values import OMIT, SIZE, in_words, settled, shown, text_of

_WHOLE: Final = "_whole"
_OPENED: Final = re.compile(r"\{\{(?:(?!\{\{).)*", re.DOTALL)
_WORD: Final = r"(?!(?:if|else|is|in|not|and|or)\b)\w+"
_SPACED: Final = re.compile(rf"\b((?:{'|'.join(ROOTS)})(?:\.\w+)*)\.({_WORD}(?: {_WORD})+) *(?=\}}\}}|\|)")
_EXPECTED: Final = (
    TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError, TemplateError,
)  # fmt: skip
_KINDS: Final = {
    "str": "text", "int": "number", "float": "number", "bool": "true/false", "dict": "mapping", "NoneType": "null",
}  # fmt: skip


class Program:
    """One checked source that holds an expression. whole: it is one `{{ }}` and nothing else.

    Raises TemplateMistake with the place within the source.
    """

    def __init__(self, source: str, escape: Escape | None) -> None:
        tree = _parse(source)
        grammar = Grammar(source, tree)
        self.reads, self.paths = frozenset(grammar.names), frozenset(grammar.paths)
        self.whole = _expression(tree) is not None
        self._source, self._escape = source, escape

    def run(self, scope: Mapping[str, Json]) -> Json:
        """Text; of a whole `{{ }}` without escaping the value itself, or OMIT. Raises RenderError."""
        try:
            if not self.whole:
                return _concatenated(self._root(Scope(scope)))
            value = self._value(scope)
            if self._escape is not None:
                return self._escape(text_of(value))
            plain = value is None or value is OMIT or isinstance(value, str | int | float)
            return value if plain else settled(value)
        except _EXPECTED as error:
            raise RenderError(_in_plain_words(error)) from None

    def truth(self, scope: Mapping[str, Json]) -> bool:
        """The true or false of a condition; absent is false. Raises RenderError for anything else."""
        try:
            value = self._value(scope)
        except _EXPECTED as error:
            raise RenderError(_in_plain_words(error)) from None
        if isinstance(value, bool):
            return value
        if isinstance(value, Undefined):
            return False
        raise RenderError(f"must give true or false, got {in_words(value)} {shown(value)}".rstrip())

    def _value(self, scope: Mapping[str, Json]) -> Any:
        rendering = Scope(scope)
        for _ in self._root(rendering):
            pass  # nothing is printed
        return rendering.vars[_WHOLE]

    @cached_property
    def _root(self) -> Callable[[Scope], Iterable[str]]:
        """The code. For it the tree is parsed again, not kept: a tree weighs more than all the rest."""
        tree = _parse(self._source)
        expression = _expression(tree)
        if expression is not None:
            tree.body = [nodes.Assign(nodes.Name(_WHOLE, "store", lineno=1), expression, lineno=1)]
        environment = sandbox(self._escape)
        tree = _Rewriting().visit(tree).set_environment(environment)
        return environment.from_string(tree).root_render_func  # type: ignore[return-value]  # Scope stands for Context


class _Rewriting(NodeTransformer):
    """Leads what needs a check while rendering through the functions of `runtime`, as filters of inner names."""

    def visit_Getattr(self, node: nodes.Getattr) -> nodes.Node:  # noqa: N802  Jinja's name
        return _call(node, "_get", self.visit(node.node), nodes.Const(node.attr), nodes.Const(_path(node)))

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802  Jinja's name
        if isinstance(node.arg, nodes.Slice):
            self.generic_visit(node)
            node.node = _call(node, "_charged", node.node)
            return node
        return _call(node, "_get", self.visit(node.node), self.visit(node.arg), nodes.Const(_path(node)))

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802  Jinja's name
        cost = max(TURN, sum(1 for _ in node.find_all(nodes.Node)))
        path, unpacked = nodes.Const(_path(node.iter)), nodes.Const(isinstance(node.target, nodes.Tuple))
        self.generic_visit(node)
        node.iter = _call(node, "_turns", node.iter, nodes.Const(cost), path, unpacked)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802  Jinja's name
        self.generic_visit(node)
        return _call(node, "_joined", *node.nodes)

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:  # noqa: N802  Jinja's name
        self.generic_visit(node)
        operand = node.ops[0]
        if operand.op not in ("in", "notin"):
            for each in node.ops:
                each.expr = each.expr if isinstance(each.expr, nodes.Const) else _call(node, "_charged", each.expr)
            return node
        inside = _call(node, "_in", node.expr, operand.expr)
        return nodes.Not(inside, lineno=node.lineno) if operand.op == "notin" else inside

    def visit_List(self, node: nodes.List) -> nodes.Node:  # noqa: N802  Jinja's name
        self.generic_visit(node)
        return _call(node, "_literal", node) if getattr(node, "ctx", "load") == "load" else node

    visit_Dict = visit_Tuple = visit_List  # noqa: N815  Jinja's names

    def visit_Output(self, node: nodes.Output) -> nodes.Node:  # noqa: N802  Jinja's name
        self.generic_visit(node)
        node.nodes = [
            child if isinstance(child, nodes.TemplateData) else _call(node, "_printed", child) for child in node.nodes
        ]
        return node


def _call(node: nodes.Node, name: str, value: nodes.Node, *args: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(value, name, list(args), [], None, None, lineno=node.lineno)


def _path(node: nodes.Node) -> str:
    """How the errors call a value: its path as far as it is written out."""
    parts = parts_of(node)
    if parts is not None:
        return dotted(parts)
    if isinstance(node, nodes.Getattr | nodes.Getitem):
        return f"{_path(node.node)}.{node.attr if isinstance(node, nodes.Getattr) else '[…]'}"
    return "the value"


def _parse(source: str) -> nodes.Template:
    if len(source) > SOURCE:
        raise TemplateMistake(f"the template is longer than {SOURCE} characters", "write several shorter ones")
    try:
        return sandbox(None).parse(source)
    except TemplateSyntaxError as error:
        _refuse_known(source)
        message = error.message or "cannot be read as a template"
        quoted = re.findall(r"'([^']+)'", message)
        line, column = place(source, error.lineno, quoted[-1] if quoted else "")
        raise TemplateMistake(message, line=line, column=column) from None
    except (RecursionError, ValueError, MemoryError):
        raise TemplateMistake("the template is too large or nested too deeply", "write several shorter ones") from None


def _refuse_known(source: str) -> None:
    """Refuse, in plain words, what is commonly behind a syntax error. Raises TemplateMistake."""
    for opened in _OPENED.finditer(source):
        if "}}" not in opened[0]:
            raise TemplateMistake("this {{ is never closed", "write }}", **_at(source, opened.start()))
    if spaced := _SPACED.search(source):
        message, hint = "a key with a space stands in brackets", f"write {spaced[1]}['{spaced[2]}']"
        raise TemplateMistake(message, hint, **_at(source, spaced.start()))


def _at(source: str, index: int) -> dict[str, int]:
    return {"line": source.count("\n", 0, index) + 1, "column": index - source.rfind("\n", 0, index)}


def _expression(tree: nodes.Template) -> nodes.Expr | None:
    """The expression that is the whole source; a line break after it belongs to YAML's block style."""
    if len(tree.body) != 1 or not isinstance(tree.body[0], nodes.Output):
        return None
    first, *rest = tree.body[0].nodes
    alone = all(isinstance(node, nodes.TemplateData) and not node.data.strip("\n") for node in rest)
    return first if alone and not isinstance(first, nodes.TemplateData) else None


def _concatenated(parts: Iterable[str]) -> str:
    size, texts = 0, []
    for part in parts:
        size += len(part)
        if size > SIZE:
            raise RenderError(f"the text is too large: at most {SIZE} characters are sent")
        texts.append(part)
    return "".join(texts)


def _in_plain_words(error: Exception) -> str:
    """An error of Python or Jinja in the words of recipes."""
    text = re.sub(r"'(\w+)'", lambda kind: _KINDS.get(kind[1], kind[0]), str(error).split("\n", 1)[0])
    ordering = re.fullmatch(r"'[<>]=?' not supported between instances of (\S+) and (\S+)", text)
    if ordering:
        return f"cannot order {ordering[1]} and {ordering[2]}: write both as value|number"
    return text[:200] or type(error).__name__
