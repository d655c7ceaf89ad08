"""The tables of docs/endpoints.md, from the code: every endpoint with what builds, emulates, uses and tests it.

`generate.py` writes them. Who uses a builder is read from the modules' source: whose names lead to the function itself.
"""  # noqa: INP001  a script

import ast
import importlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from connector.platforms import dialect
from connector.platforms.endpoint import ENDPOINTS, Endpoint, load_all
from connector.sandbox import Sandbox
from connector.sandbox.intempt.platform import _ROUTES as INTEMPT
from connector.sandbox.intilery.platform import place

ROOT: Final = Path(__file__).parents[1]
_FOLDERS: Final = {"feeds": "feed", "lookups": "lookup", "actions": "action"}


@dataclass(frozen=True, slots=True)
class Row:
    """One path of an endpoint. sandbox: what the sandbox's faults and counts call it; used: by what; test: by which."""

    platform: str
    method: str
    path: str
    call: str
    builder: str
    source: str
    sandbox: str
    used: tuple[str, ...]
    test: tuple[str, ...]


def rows() -> Iterator[Row]:
    """The table, platform by platform."""
    load_all()
    product, tests = users(ROOT / "connector", _FOLDERS), users(ROOT / "tests", {"platforms": ""})
    sandbox = Sandbox()
    for row in ENDPOINTS.values():
        functions = {row.build, row.talk}
        used = tuple(sorted({word for one in functions for word in product.get(one, ())}))
        used = _fitting(used, row.name)
        test = tuple(sorted({word for one in functions for word in tests.get(one, ())}))
        for path in row.paths:
            where = _route(sandbox, row, path)
            call = f"api {row.platform} {row.name}"
            yield Row(row.platform, row.method, path, call, row.builder, row.source, where, used, test)


# ── who uses a function ───────────────────────────────────────────────────────────────────────


def users(root: Path, folders: dict[str, str]) -> dict[Any, set[str]]:
    """Function of a platform → who names it in these folders: a word for the folder, and the module."""
    found: dict[Any, set[str]] = {}
    for folder, word in folders.items():
        trees = {file.stem: ast.parse(file.read_text()) for file in sorted((root / folder).glob("*.py"))}
        for stem, tree in trees.items():
            names = {f"{word} {one}".strip() for one in _behind(stem, trees)}
            for function in _named(tree):
                found.setdefault(function, set()).update(names)
    return found


def _behind(stem: str, trees: dict[str, ast.Module]) -> set[str]:
    """A module, or those beside it that use it, where there are some: it is only what they share."""
    users = {other for other, tree in trees.items() if other != stem and stem in _siblings(tree)}
    return {one for user in users for one in _behind(user, trees)} or {stem}


def _siblings(tree: ast.Module) -> set[str]:
    """The modules that are imported from by their own names."""
    return {(node.module or "").rpartition(".")[2] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


def _fitting(used: tuple[str, ...], name: str) -> tuple[str, ...]:
    """Of several that share a module those that bear the endpoint's name; all of them where none does."""
    own = tuple(word for word in used if word.endswith("_" + name.replace("-", "_")) or not word.startswith("action"))
    return own if any(word.startswith("action") for word in own) else used


def _named(tree: ast.Module) -> Iterator[Any]:
    """Every function of a platform that a module names."""
    known = dict(_imported(tree))
    for node in ast.walk(tree):
        target = _resolved(node, known)
        if callable(target) and (getattr(target, "__module__", None) or "").startswith("connector.platforms"):
            yield target


def _imported(tree: ast.Module) -> Iterator[tuple[str, Any]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("connector.platforms"):
            module = importlib.import_module(node.module or "")
            for alias in node.names:
                yield alias.asname or alias.name, _attribute(module, alias.name)


def _attribute(owner: Any, name: str) -> Any:
    if hasattr(owner, name):
        return getattr(owner, name)
    try:
        return importlib.import_module(f"{owner.__name__}.{name}")
    except (ImportError, AttributeError):
        return None


def _resolved(node: ast.AST, known: dict[str, Any]) -> Any:
    """What a name or a dotted name leads to."""
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.Attribute):
        owner = _resolved(node.value, known)
        return getattr(owner, node.attr, None) if owner is not None else None
    return None


# ── the sandbox ───────────────────────────────────────────────────────────────────────────────


def _route(sandbox: Sandbox, row: Endpoint, path: str) -> str:
    """What the sandbox calls the route, empty for none."""
    own = re.sub(r"\{\w+\}", "1", path.partition("?")[0])
    if own == "/":
        return "service"
    if row.platform == "intempt":
        return _of_intempt(row.method, own)
    if own.startswith("/cdp/"):
        return sandbox.intilery.operation(own)
    found = place(f"/track/c/a/B{own}")
    routes = sandbox.intilery._routes  # noqa: SLF001  a path that nothing serves has an operation, too
    return found.operation if found and (row.method, found.operation) in routes else ""


def _of_intempt(method: str, path: str) -> str:
    match = re.fullmatch(r"/v1/1(/projects/1)?/(.*)", path)
    if match is None:
        return ""
    below = "project" if match[1] else "organization"
    for route in INTEMPT:
        shape = route.path.replace("{}", "[^/]+")
        fits = route.method == method and route.below in {below, "both", "switch"}
        if fits and re.fullmatch(shape, match[2]):
            return route.operation
    return ""


# ── pages ─────────────────────────────────────────────────────────────────────────────────────


def _table(titles: Iterable[str], lines: Iterable[Iterable[object]]) -> str:
    head = list(titles)
    shown = [head, ["---"] * len(head), *([_cell(value) for value in line] for line in lines)]
    return "\n".join("| " + " | ".join(line) + " |" for line in shown)


def _cell(value: object) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")


def _code(words: Iterable[str]) -> str:
    return " ".join(f"`{word}`" for word in words if word)


@cache
def _all() -> tuple[Row, ...]:
    return tuple(rows())


def _endpoints(platform: str) -> str:
    return _table(
        ("endpoint", "builder", "sandbox", "used by", "test", "document"),
        [
            (
                f"`{one.method} {one.path}`",
                f"`{one.builder}`",
                _code([one.sandbox]),
                ", ".join([*one.used, f"`connector {one.call}`"]),
                _code(one.test),
                one.source,
            )
            for one in _all()
            if one.platform == platform
        ],
    )


def _dialect() -> str:
    return _table(
        ("platform", "key", "values, the default first", "what is open"),
        [
            (key.platform, f"`{key.name}`", _code(key.values or [key.default]) or "a mapping", key.about)
            for key in dialect.KEYS
        ],
    )


def _settled() -> str:
    return _table(("platform", "what is open", "why no key is needed"), dialect.SETTLED)


PARTS: Final[dict[str, Callable[[], str]]] = {
    "intilery endpoints": lambda: _endpoints("intilery"),
    "intempt endpoints": lambda: _endpoints("intempt"),
    "dialect": _dialect,
    "settled": _settled,
}
