"""Times as the sandbox reads and prints them: whole milliseconds since 1970 UTC inside, ISO 8601 outside.

Written apart from the product's own reading of times on purpose.
"""

import re
import time
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ISO = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})"
    r"(?:[T ](?P<hour>\d{2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<part>\d{1,9}))?)?"
    r"(?P<zone>Z|[+-]\d{2}:?\d{2})?)?"
)
_UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_SPAN = re.compile(r"-?(?:\d+(?:ms|[smhdw]))+")


def wall_clock() -> int:
    """This machine's time in milliseconds."""
    return time.time_ns() // 1_000_000


def read_time(text: str) -> int:
    """The instant of an ISO 8601 date or datetime; without a zone it is UTC, without a time midnight.

    One-digit months and days are read: the Tracking API page prints `2015-2-02T00:30:08.276Z`. Raises ValueError.
    """
    match = _ISO.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is not an ISO 8601 date or datetime")
    figures = [int(match[name] or 0) for name in ("year", "month", "day", "hour", "minute", "second")]
    whole = (datetime(*figures, tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)  # type: ignore[misc,arg-type]  # six figures
    part = int((match["part"] or "0").ljust(3, "0")[:3])
    return whole + part - _zone(match["zone"])


def _zone(text: str | None) -> int:
    if text is None or text == "Z":
        return 0
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    return (-1 if text[0] == "-" else 1) * minutes * 60_000


def print_time(at: int) -> str:
    """`2020-11-19T13:39:17.380Z`, as every Intilery example prints it."""
    return (_EPOCH + timedelta(milliseconds=at)).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def print_date_header(at: int) -> str:
    """`Mon, 01 Jul 2013 17:27:06 GMT`, whatever the machine's language."""
    when = _EPOCH + timedelta(milliseconds=at)
    day = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[when.weekday()]
    month = "JanFebMarAprMayJunJulAugSepOctNovDec"[3 * when.month - 3 : 3 * when.month]
    return f"{day}, {when:%d} {month} {when:%Y %H:%M:%S} GMT"


def read_span(text: str) -> int:
    """Milliseconds of `250ms`, `10s`, `1h30m`, `-5m`, or `0`. Raises ValueError."""
    if text == "0":
        return 0
    if not _SPAN.fullmatch(text):
        raise ValueError(f"expected a duration such as 250ms, 10s, 15m or 1h30m, got {text!r}")
    total = sum(int(count) * _UNITS[unit] for count, unit in re.findall(r"(\d+)(ms|[smhdw])", text))
    return -total if text.startswith("-") else total


def read_rate(text: str) -> float:
    """Events a second of `2/1s`, `50/1s`, `30/1m`. Raises ValueError."""
    count, slash, per = text.partition("/")
    if not (count.isascii() and count.isdigit() and slash):
        raise ValueError(f"expected a rate such as 2/1s or 30/1m, got {text!r}")
    span = read_span(per)
    if span <= 0:
        raise ValueError(f"a rate counts per a time above zero, got {text!r}")
    return int(count) * 1_000 / span


def read_instant(value: object, now: int) -> int:
    """An instant as control routes take it: milliseconds, ISO 8601, or a span from now (`-5m`, `10s`); None is now.

    Raises ValueError.
    """
    if value is None:
        return now
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    text = str(value).removeprefix("+")
    return now + read_span(text) if _SPAN.fullmatch(text) or text == "0" else read_time(text)
