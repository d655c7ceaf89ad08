"""What commands print: plain lines, tables and JSON.

Whatever comes from events, receivers or files goes through `clean`: an escape sequence never reaches the terminal, and
Rich's markup in it is inert, since only `Text` is printed.
"""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from connector.engines.logs import escape
from connector.model import SECOND, Instant, Json, instant_text, span_text

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

STYLES: Final = {
    **dict.fromkeys(("dead", "error", "parked", "overdue", "no", "fail"), "bold red"),
    **dict.fromkeys(("held", "warning", "proposed", "shadow"), "yellow"),
    **dict.fromkeys(("delivered", "fired", "open", "yes", "ok", "done"), "green"),
    **dict.fromkeys(("discarded", "skipped", "disabled"), "dim"),
}
_GAP: Final = 2  # spaces between columns
_NARROWEST: Final = 16  # columns of a text that may be cut or wrapped


def clean(text: object) -> str:
    """The text with everything a terminal might obey written as an escape: nothing turns red or rings."""
    return escape(str(text))


def shorten(text: object, length: int) -> str:
    """At most `length` characters of a text, clean, with an ellipsis where it was cut."""
    whole = clean(text)
    return whole if len(whole) <= length else whole[: length - 1] + "…"


# ── times ─────────────────────────────────────────────────────────────────────────────────────


def iso(at: Instant | None) -> str | None:
    """An instant in JSON."""
    return None if at is None else instant_text(at)


def when(at: Instant | None, now: Instant) -> str:
    """`2026-11-25 01:12:46Z (3m ago)`, or `never`."""
    return "never" if at is None else f"{day_and_time(at)} ({relative(at, now)})"


def day_and_time(at: Instant) -> str:
    """`2026-11-25 01:12:46Z`."""
    return instant_text(at)[:19].replace("T", " ") + "Z"


def relative(at: Instant, now: Instant) -> str:
    """`3m ago`, `in 2h`, `now`."""
    distance = rough(abs(now - at))
    if distance == "0s":
        return "now"
    return f"{distance} ago" if at < now else f"in {distance}"


def rough(milliseconds: int) -> str:
    """A span in its two largest units: `2d3h`, `5m10s`; under a second `0s`."""
    parts = re.findall(r"\d+[dhms]", span_text(milliseconds - milliseconds % SECOND))
    return "".join(parts[:2])


# ── printing ──────────────────────────────────────────────────────────────────────────────────


def emit_json(value: Json) -> None:
    """One JSON document on standard output, in ASCII: no byte of it can steer a terminal."""
    sys.stdout.write(json.dumps(value, indent=2) + "\n")


def say(text: str = "", style: str = "") -> None:
    """One line on standard output, never wrapped."""
    _print(_text(text, style))


def complain(text: str) -> None:
    """One line on standard error."""
    sys.stderr.write(clean(text) + "\n")


@dataclass(frozen=True, slots=True)
class Column:
    """A table's column. rigid: never cut or wrapped (ids, times, numbers); others share the room that is left."""

    title: str
    rigid: bool = True
    right: bool = False


def table(columns: Sequence[str | Column], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under their titles, within the terminal's width: the texts that do not fit are wrapped. Piped: whole.

    A text column is written as `Column(title, rigid=False)`; a plain name is a rigid one.
    """
    if not rows:
        return
    from rich.table import Table  # noqa: PLC0415  costs 30 ms; JSON needs none of it

    shown = [column if isinstance(column, Column) else Column(column) for column in columns]
    cells = [[_cell(value) for value in row] for row in rows]
    console = _console()
    natural = [max(len(column.title), *(row[n].cell_len for row in cells)) for n, column in enumerate(shown)]
    widths = natural
    if console.is_terminal:
        widths = _widths(shown, natural, console.width - _GAP * (len(shown) - 1))
    grid = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), show_edge=False, header_style="bold")
    for column, width in zip(shown, widths, strict=True):
        justify: Literal["left", "right"] = "right" if column.right else "left"
        grid.add_column(column.title.upper(), justify=justify, width=width, no_wrap=column.rigid, overflow="fold")
    for row in cells:
        grid.add_row(*row)
    wide = _console(sum(widths) + _GAP * len(widths))
    with wide.capture() as drawn:
        wide.print(grid)
    sys.stdout.writelines(line.rstrip() + "\n" for line in drawn.get().splitlines())


def _widths(columns: Sequence[Column], natural: Sequence[int], room: int) -> list[int]:
    """What each column gets: the rigid ones all they need, the others what is left, but never nearly nothing."""
    room -= sum(width for column, width in zip(columns, natural, strict=True) if column.rigid)
    sharing = sum(not column.rigid for column in columns)
    widths = []
    for column, width in zip(columns, natural, strict=True):
        given = width
        if not column.rigid:
            given = min(width, max(room // sharing, _NARROWEST))
            room, sharing = room - given, sharing - 1
        widths.append(given)
    return widths


def fields(pairs: Sequence[tuple[str, object]]) -> None:
    """Print `name  value` lines, the values aligned; pairs whose value is empty are left out."""
    kept = [(name, value) for name, value in pairs if value not in (None, "")]
    left = max((len(name) for name, _ in kept), default=0) + _GAP
    for name, value in kept:
        _print(_text(f"{name:<{left}}", "bold") + _cell(value))


def _cell(value: object) -> "Text":
    text = clean("" if value is None else value)
    return _text(text, STYLES.get(text, ""))


def _text(text: str, style: str) -> "Text":
    from rich.text import Text  # noqa: PLC0415

    return Text(clean(text), style)


def _print(text: "Text") -> None:
    _console().print(text, soft_wrap=True)


def _console(width: int | None = None) -> "Console":
    """Made anew each time, so that it writes to today's `sys.stdout`; NO_COLOR and dumb terminals are Rich's own."""
    from rich.console import Console  # noqa: PLC0415

    return Console(markup=False, highlight=False, emoji=False, width=width)


def plural(n: int, one: str, many: str = "") -> str:
    """`1 delivery`, `2 deliveries`."""
    return f"{n} {one if n == 1 else many or one + 's'}"


def as_text(value: Any) -> str:
    """A value of an event on one line: text as it is, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def outcomes(counts: Mapping[str, int]) -> str:
    """`3 fired, 2 not met`: how often runs ended in each way."""
    return ", ".join(f"{n} {'not met' if reason == 'if' else reason.replace('_', ' ')}" for reason, n in counts.items())
