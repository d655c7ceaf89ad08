"""The operators of conditions: how an event's value is compared with the recipe's.

The recipe's value decides (design §6 *Compare*): text is compared as exact text, a number with a number or a numeric
text (JSON's grammar, exact decimals), true and false with themselves or their text. `eq ne in not_in` between
different types are false or true; ordering something that is no number, no time, and text operators on lists or
mappings are errors. What is absent the caller judges: nothing here sees None.
"""

import math
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache, partial
from typing import Final, TypeAlias

from connector.model import Instant, Json, instant, span
from connector.template.values import in_words, shown

_NUMERIC: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_RELATIVE: Final = re.compile(r"([+-])((?:[0-9]+[smhdw])+)")

ORDERING: Final = {"gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le}
TEXTUAL: Final = frozenset({"contains", "starts_with", "ends_with", "matches"})
TIMES: Final = frozenset({"before", "after"})
EQUALITY: Final = frozenset({"eq", "ne", "in", "not_in"})
HOLD_ON_ABSENT: Final = frozenset({"ne", "not_in"})
OPERATORS: Final = (
    *("eq", "ne", "gt", "gte", "lt", "lte", "in", "not_in", "contains", "starts_with", "ends_with", "matches"),
    *("exists", "before", "after", "any_item"),
)
SYMBOLS: Final = {">": "gt", ">=": "gte", "<": "lt", "<=": "lte", "=": "eq", "==": "eq", "!=": "ne", "<>": "ne"}
_LONGEST: Final = 200  # characters of a formula that is told how to be written
_AS_FORMULA: Final = re.compile(
    r"""([\w$-]+(?:\.[\w$-]+)*)\s*(>=|<=|<>|!=|==|=|>|<)\s*(?:(-?\d+(?:\.\d+)?)|("[^"]*"|'[^']*'|[A-Za-z][\w-]*))\s*"""
)


@dataclass(frozen=True, slots=True)
class Trouble:
    """An error verdict of a condition: neither true nor false. `text` is shown in the outcome."""

    text: str


Verdict: TypeAlias = bool | Trouble
Check: TypeAlias = Callable[[Json], Verdict]


class OperandMistake(ValueError):
    """The recipe's value does not fit its operator; `hint` says what to write."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def check(name: str, operand: Json, *, fold: bool = False, now: Instant = 0) -> Check:
    """The compiled comparison `value → true | false | Trouble` for a present value.

    name: any operator but `exists` and `any_item`. operand: the recipe's value, literal or rendered. fold: ignore
    case. now: what `before: -7d` counts from. Raises OperandMistake.
    """
    if name in ORDERING:
        return _ordering(name, operand)
    if name in TIMES:
        return _time(name, operand, now)
    if name in TEXTUAL:
        return _textual(name, operand, fold=fold)
    holds = (_member if name in {"in", "not_in"} else _equal)(name, operand, fold=fold)
    return holds if name in {"eq", "in"} else lambda value: not holds(value)


def as_test(formula: str) -> str:
    """`properties.price > 50` as the test that recipes write, `properties.price: {gt: 50}`; "" when it is no such."""
    parts = _AS_FORMULA.fullmatch(formula) if len(formula) <= _LONGEST else None
    if not parts or (parts[4] and SYMBOLS[parts[2]] in ORDERING):  # texts have no order here
        return ""
    return f"{parts[1]}: {{{SYMBOLS[parts[2]]}: {parts[3] or parts[4]}}}"


def number(value: Json) -> Decimal | None:
    """The exact number of a value: a number, or a text in JSON's grammar for numbers; else None.

    A double counts as the shortest decimal that names it, which is what the sender wrote.
    """
    kind = type(value)
    if kind is int:
        return Decimal(value)
    if kind is float:
        return Decimal(repr(value)) if math.isfinite(value) else None
    if kind is str:
        return _read_again(value) if len(value) <= _SHORT else _read(value)
    return None


def _read(text: str) -> Decimal | None:
    if not _NUMERIC.fullmatch(text):
        return None
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent beyond what decimals reach
        return None


_SHORT: Final = 24  # characters: what is remembered stays small, whatever events hold
_read_again: Final = lru_cache(maxsize=1024)(_read)  # recipes compare the same few values with each event


def kind_of(value: Json) -> str:
    """What an event's value is, in the words of the messages."""
    return "absent" if value is None else in_words(value)


def relative(operand: Json) -> bool:
    """Whether a time is written as a distance from now, such as `-7d`."""
    return isinstance(operand, str) and bool(_RELATIVE.fullmatch(operand))


# ── equality ──────────────────────────────────────────────────────────────────────────────────


def _equal(name: str, operand: Json, *, fold: bool) -> Callable[[Json], bool]:
    if isinstance(operand, bool):
        return partial(_same_truth, operand, "true" if operand else "false")
    if isinstance(operand, str):
        return partial(_same_folded, operand.casefold()) if fold else partial(operator.eq, operand)
    exact = number(operand)
    if exact is None:
        advice = "use `in` for a list, `any_item` for what is in a list" if name in {"eq", "ne"} else ""
        raise OperandMistake(f"{name} compares with a text, a number or true/false, not {_an(operand)}", advice)
    return partial(_same_number, operand, type(operand), exact)


def _same_truth(truth: bool, text: str, value: Json) -> bool:  # noqa: FBT001  bound by partial
    return value is truth or value == text


def _same_folded(folded: str, value: Json) -> bool:
    return type(value) is str and value.casefold() == folded


def _same_number(operand: Json, kind: type, exact: Decimal, value: Json) -> bool:
    if type(value) is kind:  # int with int, double with double: no decimals needed
        return bool(value == operand)
    return number(value) == exact


def _member(name: str, operand: Json, *, fold: bool) -> Callable[[Json], bool]:
    if not isinstance(operand, list | tuple):
        raise OperandMistake(f"{name} takes a list, not {_an(operand)}", "write [a, b]")
    if not operand:
        raise OperandMistake(f"{name} takes a list with at least one value")
    texts = frozenset(entry.casefold() if fold else entry for entry in operand if isinstance(entry, str))
    others = [_equal(name, entry, fold=fold) for entry in operand if not isinstance(entry, str)]

    def holds(value: Json) -> bool:
        if type(value) is str and (value.casefold() if fold else value) in texts:
            return True
        return any(same(value) for same in others)

    return holds


# ── ordering ──────────────────────────────────────────────────────────────────────────────────


def _ordering(name: str, operand: Json) -> Check:
    limit = number(operand)
    if limit is None:
        advice = "use `before` or `after` for times" if isinstance(operand, str) and instant(operand) else ""
        raise OperandMistake(f"{name} compares numbers, not {_an(operand)}", advice)
    compare, whole = ORDERING[name], type(operand) is int

    def holds(value: Json) -> Verdict:
        if whole and type(value) is int:
            held: bool = compare(value, operand)
            return held
        exact = _read_again(value) if type(value) is str and len(value) <= _SHORT else number(value)
        return Trouble("not a number") if exact is None else compare(exact, limit)

    return holds


def _time(name: str, operand: Json, now: Instant) -> Check:
    distance = _RELATIVE.fullmatch(operand) if isinstance(operand, str) else None
    if distance:
        moment: Instant | None = now + span(distance[2]) * (1 if distance[1] == "+" else -1)
    else:
        moment = instant(operand)
    if moment is None:
        raise OperandMistake(f"{name} takes a time, not {operand!r}", "write 2026-11-01, 2026-11-01T09:30:00Z or -7d")
    return partial(_timed, operator.lt if name == "before" else operator.gt, moment)


def _timed(compare: Callable[[int, int], bool], moment: Instant, value: Json) -> Verdict:
    read = instant(value)
    return Trouble("not a time") if read is None else compare(read, moment)


# ── text ──────────────────────────────────────────────────────────────────────────────────────


def _textual(name: str, operand: Json, *, fold: bool) -> Check:
    if not isinstance(operand, str):
        raise OperandMistake(f"{name} takes a text, not {_an(operand)}", "put it in quotes")
    if not operand:
        raise OperandMistake(f"{name} with an empty text holds on every text", "use `exists: true`")
    if name == "matches":
        return partial(_on_text, _pattern(operand, fold=fold), False)
    wanted = operand.casefold() if fold else operand
    return partial(_on_text, _SEARCH[name](wanted), fold)


_SEARCH: Final[dict[str, Callable[[str], Callable[[str], bool]]]] = {
    "contains": lambda wanted: lambda text: wanted in text,
    "starts_with": lambda wanted: lambda text: text.startswith(wanted),
    "ends_with": lambda wanted: lambda text: text.endswith(wanted),
}


def _on_text(holds: Callable[[str], bool], fold: bool, value: Json) -> Verdict:  # noqa: FBT001  bound by partial
    if type(value) is str:
        return holds(value.casefold() if fold else value)
    return Trouble("not text") if isinstance(value, list | dict) else False


def _pattern(pattern: str, *, fold: bool) -> Callable[[str], bool]:
    import re2  # noqa: PLC0415  only recipes that use `matches` pay for it

    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = not fold
    try:
        compiled = re2.compile(pattern.encode(errors="replace"), options)
    except re2.error as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
        raise OperandMistake(
            f"not a pattern: {reason}", "patterns are RE2's: no look-around, no back-references"
        ) from None
    return lambda text: compiled.search(text.encode(errors="replace")) is not None  # half a surrogate pair: `?`


def _an(operand: Json) -> str:
    if isinstance(operand, str | int | float) and not isinstance(operand, bool):
        return f"the {'text' if isinstance(operand, str) else 'number'} {shown(operand)}"
    return in_words(operand)


def folds(names: Sequence[str]) -> bool:
    """Whether `ignore_case` means anything beside these operators."""
    return any(name in EQUALITY or name in TEXTUAL for name in names)
