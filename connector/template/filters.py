"""The filters of templates. Their docstrings are their reference.

Each takes plain JSON and gives plain JSON; `language` refuses absent values before they come here, charges each call to
the template's budget, and turns TypeError, ValueError and the like into a RenderError.
"""

import hashlib
import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from jinja2.filters import do_title

from connector.errors import RenderError
from connector.model import Instant, Json, canonical, instant
from connector.template.values import SIZE, in_words, settled, shown, text_of, to_json

LARGEST: Final = 10**40  # integers beyond are no ids, prices or counts

_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_DIRECTIVE: Final = re.compile(r"%(-?[YmdHMSybBaAjpIzZf%]|.|$)", re.DOTALL)


# ── numbers ───────────────────────────────────────────────────────────────────────────────────


def number(value: Json) -> int | float:
    """An integer (exact) or a double: of a number itself, or of text that is a number as JSON writes it.

    `"60"` → 60, `"1.5"` → 1.5; an error for `""`, `" 1"`, `"1,000"`, `"0x10"`, `"1e999"`, true, lists and mappings.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    match = _NUMBER.fullmatch(value) if isinstance(value, str) and len(value) <= 400 else None
    if not match:
        raise RenderError(f"not a number: {in_words(value)} {shown(value)}".rstrip())
    return bounded(float(match[0]) if match[1] or match[2] else int(match[0]))


def bounded(value: int | float) -> int | float:  # noqa: PYI041  which of the two it is matters here
    """The number itself. Raises RenderError for one that JSON or a double cannot carry (1e999) or of over 40 digits."""
    if not math.isfinite(value) if isinstance(value, float) else abs(value) > LARGEST:
        raise RenderError("the number is too large")
    return value


def total(items: Json, key: str | None = None) -> int | float:
    """The sum of a list of numbers (or numeric texts), or of one key of a list of mappings.

    `properties.products | total('price')`; the key may be dotted. Integers add up exactly; an entry without
    the key is an error.
    """
    numbers = [number(item if key is None else _at(item, key)) for item in _list(items)]
    return bounded(math.fsum(numbers) if any(isinstance(n, float) for n in numbers) else sum(numbers))


def abs_(value: Json) -> int | float:
    """The number without its sign."""
    return abs(number(value))


def round_(value: Json, precision: int = 0, method: str = "common") -> int | float:
    """The number rounded to that many decimals; `method` is common, ceil or floor. An integer when precision is 0."""
    if method not in ("common", "ceil", "floor") or not -15 <= precision <= 15:
        raise RenderError("round takes a precision from -15 to 15, and the method common, ceil or floor")
    n = number(value)
    if method == "common":
        return round(n, precision) if precision else round(n)
    whole: int = getattr(math, method)(n * 10**precision)
    return whole / 10**precision if precision else whole


# ── text ──────────────────────────────────────────────────────────────────────────────────────


def join(items: Json, separator: str = "", attribute: str | None = None) -> str:
    """The items of a list as one text, with a separator between them; of mappings with `attribute`, that key's."""
    texts = [text_of(item if attribute is None else _at(item, attribute)) for item in _list(items)]
    _room(sum(map(len, texts)) + len(separator) * len(texts))
    return separator.join(texts)


def replace(value: Json, old: str, new: str, count: int = -1) -> str:
    """The text with `old` replaced by `new`, everywhere or the first `count` times."""
    text = text_of(value)
    _room(len(text) + (text.count(old) if count < 0 else count) * max(0, len(new) - len(old)))
    return text.replace(old, new, count)


def truncate(value: Json, length: int = 255, killwords: bool = False, end: str = "...", leeway: int = 5) -> str:  # noqa: FBT001, FBT002  Jinja's own parameters
    """The text cut to `length` characters, `end` included, at a word's end unless `killwords`; `leeway` may be over."""
    text = text_of(value)
    if len(text) <= length + leeway:
        return text
    cut = text[: max(0, length - len(end))]
    return (cut if killwords else cut.rsplit(" ", 1)[0]) + end


def mask(value: Json) -> str:
    """The text made unrecognisable: its first character and, of an e-mail address, the domain: `a***@example.com`."""
    text = text_of(value)
    local, at, domain = text.rpartition("@")
    return f"{local[:1]}***@{domain}" if at else f"{text[:1]}***"


def sha256(value: Json) -> str:
    """The SHA-256 of the text's UTF-8, 64 hexadecimal digits. Trim and lower an e-mail address first."""
    return hashlib.sha256(text_of(value).encode()).hexdigest()


def bucket(value: Json, n: int, salt: str = "") -> int:
    """A stable number from 0 to n-1 for the value.

    `event.userId | bucket(100) < 10` holds for the same tenth of all people whenever it is asked. Another `salt` (the
    name of an experiment) gives another division.
    """
    if not 1 <= n <= 1_000_000:
        raise RenderError("bucket takes a number of buckets from 1 to 1000000")
    digest = hashlib.sha256(canonical([salt, settled(value)])).digest()
    return int.from_bytes(digest[:8], "big") % n


def urlencode(value: Json) -> str:
    """The text percent-encoded, `/` too. A webhook's path does this by itself."""
    return quote(text_of(value), safe="")


def wordcount(value: Json) -> int:
    """The number of words of the text."""
    return len(text_of(value).split())


def trim(value: Json, chars: str | None = None) -> str:
    """The text without spaces (or the given characters) at both ends."""
    return text_of(value).strip(chars)


def _text(method: Callable[[str], str], doc: str) -> Callable[[Json], str]:
    def filter_(value: Json) -> str:
        return method(text_of(value))

    filter_.__doc__ = doc
    return filter_


# ── lists and mappings ────────────────────────────────────────────────────────────────────────


def length(value: Json) -> int:
    """The number of characters of a text, items of a list, or keys of a mapping."""
    return len(value)


def list_(items: Json) -> list[Json]:
    """The items of a list, or the keys of a mapping, as a list."""
    return list(_list(items))


def first(items: Json) -> Json:
    """The first item of a list, absent when it is empty."""
    return next(iter(_list(items)), None)


def last(items: Json) -> Json:
    """The last item of a list, absent when it is empty."""
    return next(iter(reversed(_list(items))), None)


def items_(value: Json) -> list[list[Json]]:
    """The pairs of a mapping, for `{% for key, value in properties | items %}`."""
    if not isinstance(value, dict):
        raise RenderError(f"needs a mapping, got {in_words(value)} {shown(value)}".rstrip())
    return [list(pair) for pair in value.items()]


def dictsort(value: Json, case_sensitive: bool = False, by: str = "key", reverse: bool = False) -> list[list[Json]]:  # noqa: FBT001, FBT002  Jinja's own parameters
    """The pairs of a mapping, sorted by key or by value."""
    position = {"key": 0, "value": 1}[by]
    order = _order(None, case_sensitive=case_sensitive)
    return sorted(items_(value), key=lambda pair: order(pair[position]), reverse=reverse)


def sort(items: Json, reverse: bool = False, case_sensitive: bool = False, attribute: str | None = None) -> list[Json]:  # noqa: FBT001, FBT002  Jinja's own parameters
    """The list sorted, by one key of its mappings with `attribute`; texts without regard to case."""
    return sorted(_list(items), key=_order(attribute, case_sensitive=case_sensitive), reverse=reverse)


def unique(items: Json, case_sensitive: bool = False, attribute: str | None = None) -> list[Json]:  # noqa: FBT001, FBT002  Jinja's own parameters
    """The list without repetitions, the first of each kept."""
    order = _order(attribute, case_sensitive=case_sensitive)
    return list({canonical(order(item)): item for item in reversed(_list(items))}.values())[::-1]


def smallest(items: Json, case_sensitive: bool = False, attribute: str | None = None) -> Json:  # noqa: FBT001, FBT002  Jinja's own parameters
    """The smallest item of a list, by one key of its mappings with `attribute`; absent when it is empty."""
    return min(_list(items), key=_order(attribute, case_sensitive=case_sensitive), default=None)


def largest(items: Json, case_sensitive: bool = False, attribute: str | None = None) -> Json:  # noqa: FBT001, FBT002  Jinja's own parameters
    """The largest item of a list, by one key of its mappings with `attribute`; absent when it is empty."""
    return max(_list(items), key=_order(attribute, case_sensitive=case_sensitive), default=None)


def reverse(value: Json) -> Json:
    """The text or list the other way round."""
    return value[::-1] if isinstance(value, str) else list(reversed(_list(value)))


# ── times ─────────────────────────────────────────────────────────────────────────────────────


def time(value: Json, format: str = "%Y-%m-%d %H:%M", tz: str = "UTC") -> str:
    """An ISO 8601 time written in another way.

    `event.eventTime | time('%-d %B, %H:%M', 'Europe/London')`. Directives: Y m d H M S y b B a A j p I z Z f and
    %%, each also without leading zero (`%-d`). A number is taken as milliseconds since 1970.
    """
    when = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=_instant(value))
    try:
        local = when.astimezone(ZoneInfo(tz))
    except (KeyError, ValueError, OSError) as error:
        raise RenderError(f"unknown time zone {shown(tz)}: write it as Europe/London") from error

    def part(match: re.Match[str]) -> str:
        directive = match[1]
        if directive.lstrip("-") not in tuple("YmdHMSybBaAjpIzZf%"):
            raise RenderError(f"time knows no %{directive}: use Y m d H M S y b B a A j p I z Z f")
        padded = local.strftime(f"%{directive[-1]}")
        return padded.lstrip("0") or "0" if len(directive) == 2 else padded

    return _DIRECTIVE.sub(part, format)


def epoch_ms(value: Json) -> int:
    """The milliseconds since 1970 of an ISO 8601 time; without a zone it is read as UTC."""
    return _instant(value)


def epoch_s(value: Json) -> int:
    """The whole seconds since 1970 of an ISO 8601 time; without a zone it is read as UTC."""
    return _instant(value) // 1000


# ── what they share ───────────────────────────────────────────────────────────────────────────


def _list(value: Json) -> Sequence[Json]:
    if isinstance(value, list | tuple):
        return value
    if isinstance(value, dict):
        return list(value)
    raise RenderError(f"needs a list, got {in_words(value)} {shown(value)}".rstrip())


def _at(item: Json, path: str) -> Json:
    value = item
    for part in str(path).split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if value is None:
        raise RenderError(f"an item has no {path!r}: it is absent (missing or null)")
    return value


def _order(attribute: str | None, *, case_sensitive: bool) -> Callable[[Json], Json]:
    def order(item: Json) -> Json:
        value = item if attribute is None else _at(item, attribute)
        return value.lower() if isinstance(value, str) and not case_sensitive else value

    return order


def _instant(value: Json) -> Instant:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    at = instant(value)
    if at is None:
        raise RenderError(f"not an ISO 8601 time: {in_words(value)} {shown(value)}".rstrip())
    return at


def _room(size: int) -> None:
    if size > SIZE:
        raise RenderError(f"the text is too large: at most {SIZE} characters are sent")


FILTERS: Final[dict[str, Callable[..., Json]]] = {
    "abs": abs_,
    "bucket": bucket,
    "capitalize": _text(str.capitalize, "The text with its first letter large and the others small."),
    "count": length,
    "dictsort": dictsort,
    "epoch_ms": epoch_ms,
    "epoch_s": epoch_s,
    "first": first,
    "items": items_,
    "join": join,
    "last": last,
    "length": length,
    "list": list_,
    "lower": _text(str.lower, "The text in small letters."),
    "mask": mask,
    "max": largest,
    "min": smallest,
    "number": number,
    "replace": replace,
    "reverse": reverse,
    "round": round_,
    "sha256": sha256,
    "sort": sort,
    "string": _text(str, "The value as text: numbers, true/false, lists and mappings as JSON writes them."),
    "time": time,
    "title": _text(do_title, "The text with each word's first letter large."),
    "tojson": to_json,
    "total": total,
    "trim": trim,
    "truncate": truncate,
    "unique": unique,
    "upper": _text(str.upper, "The text in capitals."),
    "urlencode": urlencode,
    "wordcount": wordcount,
}
