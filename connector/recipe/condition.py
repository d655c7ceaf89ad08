"""Conditions: the entries of `if`, compiled once to closures.

`false` beats an error in `all`, `true` in `any`; `none` is not `any`. Every node has `holds(scope) → true | false |
Trouble`; `trace` shows the same verdicts part by part.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from connector.document import did_you_mean
from connector.errors import RenderError
from connector.model import Json, instant
from connector.recipe.compare import (
    HOLD_ON_ABSENT,
    OPERATORS,
    SYMBOLS,
    TIMES,
    Check,
    OperandMistake,
    Trouble,
    Verdict,
    as_test,
    check,
    folds,
    kind_of,
    relative,
)
from connector.recipe.findings import Place
from connector.recipe.path import Path, Scope
from connector.template.values import in_words

Holds: TypeAlias = Callable[[Scope], Verdict]
Word: TypeAlias = Literal["all", "any", "none"]

_MEANT: Final = {
    "eq": "equals equal is",
    "ne": "not is_not not_equal",
    "gt": "greater greater_than more more_than over above",
    "gte": "min at_least from",
    "lt": "less less_than fewer below under",
    "lte": "max at_most up_to",
    "in": "one_of any_of",
    "contains": "contain includes include has",
    "starts_with": "startswith begins_with prefix",
    "ends_with": "endswith suffix",
    "matches": "match regex regexp pattern",
    "exists": "exist present is_set",
}
_SYNONYMS: Final = {word: name for name, words in _MEANT.items() for word in words.split()} | SYMBOLS
_GROUP_SYNONYMS: Final[Mapping[str, Word]] = {"not": "none", "and": "all", "or": "any"}
WORDS: Final[tuple[Word, ...]] = ("all", "any", "none")
_LOOKUPS: Final = "lookups"  # what is read of it is there only once the lookups are made


@dataclass(frozen=True, slots=True, eq=False)
class Test:
    """A path, an operator and the recipe's value."""

    path: Path
    operator: str
    operand: Json
    holds: Holds
    late: bool = False  # it reads `lookups`, as of all four


@dataclass(frozen=True, slots=True, eq=False)
class AnyItem:
    """A list of which one item must hold."""

    path: Path
    inner: "Condition"
    holds: Holds
    late: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Formula:
    """A template that must give true or false."""

    source: str
    holds: Holds
    late: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Several conditions under `all`, `any` or `none`."""

    word: Word
    parts: tuple["Condition", ...]
    holds: Holds
    late: bool = False


Condition: TypeAlias = Test | AnyItem | Formula | Group


def split(whole: Condition) -> tuple[Condition | None, Condition | None]:
    """What can be judged before the lookups are made, and what reads them: both must hold, the first one first."""
    if not whole.late:
        return whole, None
    if not isinstance(whole, Group) or whole.word != "all":
        return None, whole
    halves = [split(part) for part in whole.parts]
    return _together([early for early, _ in halves]), _together([late for _, late in halves])


def _together(parts: Sequence[Condition | None]) -> Condition | None:
    return _joined("all", [part for part in parts if part is not None])


# ── reading what the recipe says ──────────────────────────────────────────────────────────────


def condition(data: Json, place: Place) -> Condition | None:
    """Compile `if`: a list (all hold), a mapping (all hold) or a template. None when it holds mistakes."""
    if isinstance(data, list):
        return _group("all", data, place)
    if isinstance(data, dict):
        return _entry(data, place)
    if isinstance(data, str):
        return _formula(data, place)
    place.mistake(f"a condition is a path with its test, a template, or all/any/none, not {in_words(data)}")
    return None


def _group(word: Word, data: Json, place: Place) -> Condition | None:
    if not isinstance(data, list):
        place.mistake(f"`{word}` takes a list of conditions, not {in_words(data)}", "begin each with `- `")
        return None
    if not data:
        place.mistake(f"an empty list of conditions under `{place.where[-1]}`", "add one, or leave the key out")
    return _joined(word, [condition(entry, place.at(n)) for n, entry in enumerate(data)])


def _entry(data: dict[str, Json], place: Place) -> Condition | None:
    if not data:
        place.mistake("an empty condition", "write a path and its test, such as properties.price: {gt: 50}")
    return _joined("all", [_pair(key, value, place.at(key)) for key, value in data.items()])


def _pair(key: str, value: Json, place: Place) -> Condition | None:
    if key in WORDS:
        return _group(key, value, place)
    if key in _GROUP_SYNONYMS and place.start is None:
        place.mistake(f"unknown name {key!r}", f"write {_GROUP_SYNONYMS[key]}: [ ... ]", key=True)
        return None
    left = place.read_path(key, key=True)
    return _tests(left, value, place) if left else None


def _formula(source: str, place: Place) -> Formula | None:
    test = None if "{{" in source else as_test(source)
    if test:
        hint = f"write {test}" if isinstance(place.where[-1], int) else f"write {{{test}}}"
        place.mistake("a condition is a path with its test, or one whole {{ }}", hint)
        return None
    compiled = place.template(source, truth=True)
    if compiled is None:
        return None
    render = compiled.render

    def holds(scope: Scope) -> Verdict:
        try:
            return bool(render(scope))
        except RenderError as error:
            return Trouble(str(error))

    return Formula(source, holds, _LOOKUPS in compiled.reads)


def _tests(left: Path, value: Json, place: Place) -> Condition | None:
    """The tests of one path: a bare value, a list, or a mapping of operators."""
    if isinstance(value, list):
        return _test(left, "in", value, place)
    if not isinstance(value, dict):
        return _test(left, "eq", value, place)
    fold = value.get("ignore_case", False)
    names = [name for name in value if name != "ignore_case"]
    _check_fold(fold, names, place)
    if not names:
        place.mistake("no operator", f"known: {', '.join(OPERATORS)}")
    return _joined("all", [_operator(left, name, value[name], place.at(name), fold=fold is True) for name in names])


def _check_fold(fold: Json, names: Sequence[str], place: Place) -> None:
    if not isinstance(fold, bool):
        place.at("ignore_case").mistake(f"ignore_case is true or false, not {in_words(fold)}")
    elif fold and names and not folds(names):
        place.at("ignore_case").mistake("ignore_case stands beside operators on text only", key=True)


def _operator(left: Path, name: str, operand: Json, place: Place, *, fold: bool) -> Condition | None:
    if name == "any_item":
        return _any_item(left, operand, place)
    if name not in OPERATORS:
        synonym = _SYNONYMS.get(name.lower())
        meant = f"did you mean {synonym!r}?" if synonym else did_you_mean(name, OPERATORS, near_enough=0.75)
        place.mistake(f"unknown operator {name!r}", meant or f"known: {', '.join(OPERATORS)}", key=True)
        return None
    if name == "exists":
        if not isinstance(operand, bool):
            place.mistake(f"exists is true or false, not {in_words(operand)}")
        return Test(left, name, operand, _exists(left, wanted=operand is True), left.root == _LOOKUPS)
    return _test(left, name, operand, place, fold=fold)


def _test(left: Path, name: str, operand: Json, place: Place, *, fold: bool = False) -> Test | None:
    if operand is None:
        place.mistake("null compares with nothing", "use {exists: false} for what is missing or null")
        return None
    if name == "matches":
        place.uncommented()
    elif name == "eq" and isinstance(operand, str) and (test := as_test(f"{left.text} {operand}")):
        place.mistake(f"compared with the very text {operand[:40]!r}", f"did you mean {test}?", warning=True)
    right = replace(place, reads={left.root})
    render = None if name == "matches" else right.operand(operand)
    place.reads.update(right.reads)
    if name in TIMES and (render or relative(operand)):
        place.reads.add("now")
        render = render or _constant(operand)
    try:
        if render is None or isinstance(operand, list):
            fixed = check(name, operand, fold=fold)
    except OperandMistake as error:
        place.mistake(str(error), error.hint)
        return None
    holds = _late(left, name, render, fold=fold) if render else _fixed(left, fixed, absent=name in HOLD_ON_ABSENT)
    return Test(left, name, operand, holds, _LOOKUPS in right.reads)


def _any_item(left: Path, value: Json, place: Place) -> AnyItem | None:
    """Operators test the item itself (`any_item: {starts_with: A}`, `any_item: red`); other keys are paths in it."""
    within = place.item()
    if isinstance(value, dict) and not (value and value.keys() <= {*OPERATORS, "ignore_case"}):
        inner = condition(value, within)
    else:
        inner = _tests(Path("item", ("item",), lambda scope: scope.get("item")), value, within)
    if inner is None:
        return None
    return AnyItem(left, inner, _any_item_holds(left, inner), inner.late or left.root == _LOOKUPS)


# ── closures ──────────────────────────────────────────────────────────────────────────────────


def _exists(left: Path, *, wanted: bool) -> Holds:
    get = left.get
    return lambda scope: (get(scope) is not None) is wanted


def _fixed(left: Path, fixed: Check, *, absent: bool) -> Holds:
    """A test whose value stands in the recipe."""
    get = left.get

    def holds(scope: Scope) -> Verdict:
        value = get(scope)
        if value is None:
            return absent
        verdict = fixed(value)
        return verdict if verdict is True or verdict is False else _placed(verdict, left, value)

    return holds


def _late(left: Path, name: str, render: Callable[[Scope], Json], *, fold: bool) -> Holds:
    """A test whose value depends on the event or on now."""
    absent = name in HOLD_ON_ABSENT

    def holds(scope: Scope) -> Verdict:
        value = left.get(scope)
        if value is None:
            return absent
        try:
            verdict = check(name, render(scope), fold=fold, now=instant(scope.get("now")) or 0)(value)
        except (RenderError, OperandMistake) as error:
            return Trouble(f"{error}: the value for {left.text}")
        return _placed(verdict, left, value) if isinstance(verdict, Trouble) else verdict

    return holds


def _placed(trouble: Trouble, left: Path, value: Json) -> Trouble:
    """Which path is meant, without its value: outcomes are kept longer than events."""
    return Trouble(f"{trouble.text}: {left.text} is {kind_of(value)}")


def _constant(value: Json) -> Callable[[Scope], Json]:
    return lambda _scope: value


def _any_item_holds(left: Path, inner: Condition) -> Holds:
    def holds(scope: Scope) -> Verdict:
        value = left.get(scope)
        if value is None:
            return False
        if not isinstance(value, list):
            return _placed(Trouble("not a list"), left, value)
        return _any_of(inner.holds({**scope, "item": item}) for item in value)

    return holds


def _joined(word: Word, parts: Sequence[Condition | None]) -> Condition | None:
    sound = tuple(part for part in parts if part is not None)
    if len(sound) != len(parts) or not sound:
        return None
    if len(sound) == 1 and word != "none":
        return sound[0]
    tests = tuple(part.holds for part in sound)
    return Group(word, sound, _GROUPS[word](tests), any(part.late for part in sound))


def _all(tests: tuple[Holds, ...]) -> Holds:
    def holds(scope: Scope) -> Verdict:
        trouble: Verdict = True
        for test in tests:
            verdict = test(scope)
            if verdict is False:
                return False
            if verdict is not True and trouble is True:
                trouble = verdict
        return trouble

    return holds


def _any_of(verdicts: Iterable[Verdict]) -> Verdict:
    trouble: Verdict = False
    for verdict in verdicts:
        if verdict is True:
            return True
        if verdict is not False and trouble is False:
            trouble = verdict
    return trouble


def _any(tests: tuple[Holds, ...]) -> Holds:
    return lambda scope: _any_of(test(scope) for test in tests)


def _none(tests: tuple[Holds, ...]) -> Holds:
    def holds(scope: Scope) -> Verdict:
        verdict = _any_of(test(scope) for test in tests)
        return verdict if isinstance(verdict, Trouble) else not verdict

    return holds


_GROUPS: Final[Mapping[Word, Callable[[tuple[Holds, ...]], Holds]]] = {"all": _all, "any": _any, "none": _none}
