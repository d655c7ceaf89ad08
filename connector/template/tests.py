"""The tests of templates (`is …`), also those that `select` and `reject` take.

An absent value passes none but `undefined`, `none` and `ne`; to order it is an error.
"""

import operator
from collections.abc import Callable
from typing import Final

from connector.errors import RenderError
from connector.model import Json
from connector.template.filters import number
from connector.template.values import in_words, text_of


def contained(value: Json, container: Json) -> bool:
    """Whether a list has the item, a mapping the key, or a text the other text."""
    if isinstance(container, str) and not isinstance(value, str):
        raise RenderError(f"only text can be in a text, got {in_words(value)}")
    if not isinstance(container, str | list | tuple | dict):
        raise RenderError(f"`in` needs a list, a mapping or text, got {in_words(container)}")
    return value in container


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


TESTS: Final[dict[str, Callable[..., bool]]] = {
    "boolean": lambda value: isinstance(value, bool),
    "divisibleby": lambda value, n: number(value) % n == 0,
    "even": lambda value: number(value) % 2 == 0,
    "false": lambda value: value is False,
    "in": contained,
    "integer": lambda value: _is_number(value) and isinstance(value, int),
    "lower": lambda value: text_of(value).islower(),
    "mapping": lambda value: isinstance(value, dict),
    "number": _is_number,
    "odd": lambda value: number(value) % 2 == 1,
    "sequence": lambda value: isinstance(value, list | tuple),
    "string": lambda value: isinstance(value, str),
    "true": lambda value: value is True,
    "upper": lambda value: text_of(value).isupper(),
}

# These see absent values themselves (`language.Absent` is equal to nothing and refuses to be ordered).
COMPARISONS: Final[dict[str, Callable[..., bool]]] = {
    **dict.fromkeys(("eq", "==", "equalto"), operator.eq),
    **dict.fromkeys(("ne", "!="), operator.ne),
    **dict.fromkeys(("gt", ">", "greaterthan"), operator.gt),
    **dict.fromkeys(("ge", ">="), operator.ge),
    **dict.fromkeys(("lt", "<", "lessthan"), operator.lt),
    **dict.fromkeys(("le", "<="), operator.le),
}
