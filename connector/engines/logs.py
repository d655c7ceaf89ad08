"""Log lines: one event a line, `time LEVEL event key=value …`, with secrets redacted and control characters escaped.

Event data is attacker-controlled: nothing it holds can start a new line or reach the terminal as a control sequence.
"""

import logging
import sys
from collections.abc import Callable
from typing import Final, TextIO

from connector.model import instant_text

_STANDARD: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class Line(logging.Formatter):
    """Formats one record. redact: replaces every secret value by `***`."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """`2026-11-01T12:00:00.000Z INFO destination.parked destination=crm reason="503"`."""
        facts = [f"{key}={_shown(value)}" for key, value in record.__dict__.items() if key not in _STANDARD]
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            facts.append(f"error={_shown(f'{type(error).__name__}: {error}')}")
        text = " ".join([record.getMessage(), *facts])
        return f"{instant_text(int(record.created * 1000))} {record.levelname} {escape(self._redact(text))}"


def _shown(value: object) -> str:
    text = str(value)
    return f'"{text}"' if " " in text or not text else text


def escape(text: str) -> str:
    """The text with everything that could end a line, move a cursor or hide in it written as an escape."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


class _Quiet(logging.StreamHandler[TextIO]):
    """A closed pipe or a full disk must not stop the daemon: what cannot be written is dropped."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  logging's name
        del record


_IN_OUR_WORDS: Final = (  # what APScheduler says of a wake-up that `wakeup.overrun`, `.missed` and `.failed` say, too
    'Execution of job "%s" skipped', 'Run time of job "%s" was missed', 'Job "%s" raised an exception',
)  # fmt: skip


def _said_once(record: logging.LogRecord) -> bool:
    return not (record.name.startswith("apscheduler.") and str(record.msg).startswith(_IN_OUR_WORDS))


def set_up(redact: Callable[[str], str], level: str = "INFO") -> None:
    """Send every log line to stderr in our form; libraries speak only when something is wrong."""
    handler = _Quiet(sys.stderr)
    handler.setFormatter(Line(redact))
    handler.addFilter(_said_once)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("connector").setLevel(level)
