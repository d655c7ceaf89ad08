"""`python -m connector` with a wall clock that is off: by the milliseconds in the file `clock`, read again at SIGUSR1.

All that reads the wall clock is told the same: our own code, and APScheduler's datetimes. The monotonic clock goes on,
as it does on a machine whose clock somebody sets.
"""

import signal
import sys
import time
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Self

FILE = Path("clock")
off = int(FILE.read_text())
_time_ns = time.time_ns


class Shifted(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        return super().now(tz) + timedelta(milliseconds=off)


def read_again(*_: object) -> None:
    global off  # noqa: PLW0603  the clock of this process
    off = int(FILE.read_text())


def main() -> int:
    signal.signal(signal.SIGUSR1, read_again)
    time.time_ns = lambda: _time_ns() + off * 1_000_000
    from apscheduler.executors import base as executors
    from apscheduler.schedulers import base as schedulers
    from apscheduler.triggers import interval

    from connector.cli.app import run_command
    from connector.engines import local

    for module in (executors, schedulers, interval, local):
        assert module.datetime is datetime
        module.datetime = Shifted
    return run_command(sys.argv[1:])


sys.exit(main())
