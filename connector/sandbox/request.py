"""One request to an emulated platform, before any of them reads it."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl


@dataclass(frozen=True, slots=True)
class Request:
    """A request to a platform. path: as on the wire, without the query. headers: whatever case they are asked in.

    body: at most what was read of it; the platform's `limit` says how much is too much.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def parameters(self) -> dict[str, str]:
        """The query's parameters, of repeated ones the first."""
        return dict(reversed(parse_qsl(self.query, keep_blank_values=True)))

    @property
    def content_type(self) -> str:
        """`application/json`, lower case and without a charset; empty where none is said."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def json(self) -> Any:
        """The body. Raises ValueError for what is no JSON, numbers that JSON cannot print among it."""
        try:
            return json.loads(self.body, parse_constant=_finite, parse_float=_finite)
        except RecursionError as error:
            raise ValueError("too deep") from error


def _finite(text: str) -> float:
    """A number that JSON can print again: Python would read `NaN` and `1e999`, too."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number
