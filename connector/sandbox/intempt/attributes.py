"""User attributes: every value that came, and which of them counts."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

STRATEGIES: Final[Mapping[str, Callable[[Sequence[Any]], Any]]] = {
    "first": lambda values: values[0],
    "recent": lambda values: values[-1],
    "frequent": lambda values: json.loads(Counter(map(json.dumps, values)).most_common(1)[0][0]),
    "all": lambda values: [json.loads(text) for text in dict.fromkeys(map(json.dumps, values))],
}


def merged(values: Sequence[Any], strategy: str) -> Any:
    """What a user's attribute shows of its values, oldest first.

    first, recent: that value; frequent: the one that came most often; all: each once, a list.
    """
    return STRATEGIES[strategy](values)
