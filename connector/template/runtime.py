"""What happens while a template renders: look-ups, absent values, loops, arithmetic, and the budget of it all."""

import operator
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from jinja2 import Undefined, pass_context
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing

from connector.errors import RenderError
from connector.model import Json
from connector.template import Escape
from connector.template.filters import FILTERS, bounded
from connector.template.tests import COMPARISONS, TESTS
from connector.template.values import OMIT, SIZE, in_words, shown, text_of

WORK: Final = 200_000  # one unit is about 0.1 µs of one core
TURN: Final = 20  # the least that one turn of a loop costs: at most 10,000 turns altogether
ENTRY: Final = 8  # each value in a list or mapping that is written out
CALL: Final = 10  # one filter, without what its size adds

_LOOP: Final = frozenset(
    {"index", "index0", "revindex", "revindex0", "first", "last", "length", "previtem", "nextitem"}
)
_OPERATORS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
}


class Absent(Undefined):
    """A value that is missing or null: false, equal to nothing, empty in a loop, and an error in any other use."""

    __slots__ = ()

    def __init__(self, hint: str | None = None, *, name: str | None = None) -> None:
        wish = f"{name or hint} is absent (missing or null): use default(...)"
        super().__init__(wish, name=name, exc=RenderError)  # type: ignore[arg-type]  # it is only raised

    __str__ = __len__ = Undefined._fail_with_undefined_error  # noqa: SLF001  as Jinja documents for own kinds

    def __eq__(self, other: object) -> bool:
        return False

    def __ne__(self, other: object) -> bool:
        return True

    __hash__ = Undefined.__hash__


class Scope:
    """One rendering: the values it may read, and what is left of its budget. Stands where Jinja has its Context."""

    __slots__ = ("exported_vars", "left", "values", "vars")

    def __init__(self, values: Mapping[str, Json]) -> None:
        self.values = values
        self.vars: dict[str, Json] = {}
        self.exported_vars: set[str] = set()
        self.left = WORK

    def resolve_or_missing(self, name: str) -> Json:
        """The value of a top-level name; null counts as missing."""
        value = self.values.get(name)
        if value is None:
            return OMIT if name == "omit" else missing
        return value

    def spend(self, units: int) -> None:
        """Charge the budget. Raises RenderError when it is used up."""
        self.left -= units
        if self.left < 0:
            raise RenderError("the template does too much work: loop over fewer items")


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's immutable sandbox, in which every attribute is an item and every operator checks its operands."""

    intercepted_binops = frozenset(_OPERATORS)
    intercepted_unops = frozenset("+-")

    def getattr(self, obj: Any, attribute: str) -> Any:
        """`a.b` is always the key b."""
        return get(obj, attribute, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """`a[b]` too."""
        return get(obj, argument, str(argument))

    def call_binop(self, context: object, operator: str, left: Any, right: Any) -> Any:  # noqa: ARG002  Jinja's signature
        """Arithmetic on numbers, and `+` on two texts. Raises RenderError for everything else."""
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            return _within_size(left + right)
        return bounded(_OPERATORS[operator](_operand(left), _operand(right)))

    def call_unop(self, context: object, operator: str, arg: Any) -> Any:  # noqa: ARG002  Jinja's signature
        """The sign of a number. Raises RenderError for everything else."""
        return -_operand(arg) if operator == "-" else _operand(arg)


def get(value: Any, key: Any, path: str) -> Any:
    """The item of a mapping or list, never an attribute; absent when there is none, at any depth."""
    kind = type(value)
    found: Any = None
    if kind is dict:
        found = value.get(key) if type(key) is not int else value.get(str(key))
    elif kind is list or kind is tuple:
        if type(key) is int and -len(value) <= key < len(value):
            found = value[key]
    elif kind is LoopContext and key in _LOOP:
        found = getattr(value, key)
    elif isinstance(value, Mapping):
        found = value.get(key)
    return Absent(name=path) if found is None else found


def default(value: Json, default_value: Json = "", boolean: bool = False) -> Json:  # noqa: FBT001, FBT002  Jinja's own parameters
    """The value, or `default_value` where it is absent; with `boolean` also where it is empty, zero or false.

    `default(omit)` leaves the key out whose whole value it is.
    """
    if value is None or isinstance(value, Undefined) or (boolean and not value):
        return default_value
    return value


# ── what the rewritten tree calls ─────────────────────────────────────────────────────────────


@pass_context
def turns(scope: Scope, value: Any, cost: int, path: str, unpacked: bool) -> Sequence[Any]:  # noqa: FBT001  called by generated code
    """The items of a loop, each paid for; nulls in it (in its pairs, where they are `unpacked`) are absent."""
    if isinstance(value, Undefined):
        return ()
    if isinstance(value, Mapping):
        value = list(value)
    if not isinstance(value, list | tuple):
        raise RenderError(f"cannot loop over {path}: {in_words(value)} {shown(value)}".rstrip())
    scope.spend(cost * len(value))
    absent = Absent(name=f"an item of {path}")
    if unpacked:
        return [tuple(absent if part is None else part for part in pair) for pair in value]
    return [absent if item is None else item for item in value]


@pass_context
def joined(scope: Scope, first: Any, *others: Any) -> str:
    """The texts of `a ~ b`."""
    texts = [text_of(value) for value in (first, *others)]
    scope.spend(sum(map(len, texts)) // 64)
    return _within_size("".join(texts))


@pass_context
def literal(scope: Scope, value: Any) -> Any:
    """A list or mapping written out: charged by all that is in it, so that nesting cannot double it again and again."""
    rest, seen = [value], 0
    while rest:
        item = rest.pop()
        seen += 1
        if isinstance(item, list | tuple):
            rest += item
        elif isinstance(item, dict):
            rest += item.values()
        if seen % 256 == 0:
            scope.spend(256 * ENTRY)
    scope.spend(seen % 256 * ENTRY)
    return value


@pass_context
def charged(scope: Scope, value: Any) -> Any:
    """A value that is compared or cut, paid for by its size."""
    scope.spend(_weight(value))
    return value


@pass_context
def contained(scope: Scope, value: Any, container: Any) -> bool:
    """`a in b`; an absent value is in nothing, and nothing is in it."""
    if isinstance(value, Undefined) or isinstance(container, Undefined):
        return False
    return TESTS["in"](value, charged(scope, container))


def printed(escape: Escape | None) -> Callable[[Any], str]:
    """The function that prints a value: as text, at most SIZE characters of it, escaped."""

    def text(value: Any) -> str:
        result = _within_size(value if type(value) is str else text_of(value))
        return result if escape is None else escape(result)

    return text


# ── filters and tests as Jinja calls them ─────────────────────────────────────────────────────


def _filter(name: str, function: Callable[..., Json]) -> Callable[..., Any]:
    @pass_context
    def call(scope: Scope, value: Any, *args: Any, **kwargs: Any) -> Any:
        for given in (value, *args, *kwargs.values()):
            if isinstance(given, Undefined):
                str(given)  # raises, naming the path
        scope.spend(CALL + _weight(value))
        result = function(value, *args, **kwargs)
        if isinstance(result, str | list):
            scope.spend(_weight(_within_size(result) if isinstance(result, str) else result))
        return Absent(name=f"{name} of an empty list") if result is None else result

    return call


def _test(function: Callable[..., bool], *, of_absent: bool) -> Callable[..., bool]:
    """A test; `of_absent`: it judges absent values itself, which fail all others."""

    @pass_context
    def call(scope: Scope, value: Any, *args: Any) -> bool:
        scope.spend(_weight(value) + sum(map(_weight, args)))
        return (of_absent or not isinstance(value, Undefined)) and function(value, *args)

    return call


def _is_absent(value: Any) -> bool:
    return value is None or isinstance(value, Undefined)


@pass_context
def map_(scope: Scope, items: Any, *args: Any, attribute: str | None = None, default: Json = None) -> list[Any]:
    """Each item of a list through a filter: `items | map('upper')`, or one key of each: `map(attribute='sku')`."""
    listed = turns(scope, _present(items), TURN, "map", False)
    if args:
        return [_CALLED[args[0]](scope, item, *args[1:]) for item in listed]
    if attribute is None:
        raise RenderError("map needs a filter or attribute='key'")
    found = [_follow(item, attribute) for item in listed]
    return found if default is None else [default if isinstance(item, Undefined) else item for item in found]


def _chooser(*, keep: bool, by_attribute: bool) -> Callable[..., list[Any]]:
    @pass_context
    def choose(scope: Scope, items: Any, *args: Any) -> list[Any]:
        listed = turns(scope, _present(items), TURN, "the list", False)
        path, rest = (args[0], args[1:]) if by_attribute else (None, args)
        chosen = []
        for item in listed:
            value = item if path is None else _follow(item, path)
            if (_TESTS[rest[0]](scope, value, *rest[1:]) if rest else bool(value)) is keep:
                chosen.append(item)
        return chosen

    choose.__doc__ = (
        f"The items of a list that {'pass' if keep else 'do not pass'} a test"
        f"{', judged by one key of each' if by_attribute else ''}."
    )
    return choose


_CALLED: Final[dict[str, Callable[..., Any]]] = {name: _filter(name, function) for name, function in FILTERS.items()}
_APPLIED: Final[dict[str, Callable[..., Any]]] = {
    "map": map_,
    "select": _chooser(keep=True, by_attribute=False),
    "reject": _chooser(keep=False, by_attribute=False),
    "selectattr": _chooser(keep=True, by_attribute=True),
    "rejectattr": _chooser(keep=False, by_attribute=True),
}
_TESTS: Final[dict[str, Callable[..., bool]]] = {
    **{name: _test(function, of_absent=False) for name, function in TESTS.items()},
    **{name: _test(function, of_absent=True) for name, function in COMPARISONS.items()},
    "defined": _test(lambda value: not _is_absent(value), of_absent=True),
    **dict.fromkeys(("undefined", "none"), _test(_is_absent, of_absent=True)),
}
APPLIERS: Final = frozenset(_APPLIED)
FILTER_NAMES: Final = frozenset(FILTERS) | APPLIERS | {"default", "d"}
TEST_NAMES: Final = frozenset(_TESTS)


@lru_cache(maxsize=8)
def sandbox(escape: Escape | None) -> Sandbox:
    """The environment for one way of escaping."""
    environment = Sandbox(undefined=Absent, keep_trailing_newline=True, cache_size=0, optimized=False)
    environment.globals = {}
    environment.tests = dict(_TESTS)
    environment.filters = {
        **_CALLED,
        **_APPLIED,
        **dict.fromkeys(("default", "d"), default),
        "_get": get,
        "_turns": turns,
        "_joined": joined,
        "_literal": literal,
        "_charged": charged,
        "_in": contained,
        "_printed": printed(escape),
    }
    return environment


# ── what they share ───────────────────────────────────────────────────────────────────────────


def _present(value: Any) -> Any:
    if isinstance(value, Undefined):
        str(value)  # raises, naming the path
    return value


def _follow(item: Any, path: str) -> Any:
    for part in str(path).split("."):
        item = get(item, int(part) if part.isdecimal() and len(part) < 6 else part, f"an item's {path}")
    return item


def _operand(value: Any) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    _present(value)
    raise RenderError(f"cannot calculate with {in_words(value)} {shown(value)}".rstrip() + ": write it as value|number")


def _weight(value: Any) -> int:
    if isinstance(value, str):
        return len(value) // 64
    return len(value) if isinstance(value, list | tuple | dict) else 0


def _within_size(text: str) -> str:
    if len(text) > SIZE:
        raise RenderError(f"the text is too large: at most {SIZE} characters are sent")
    return text
