"""What a person at a terminal sees of the sandbox: where things are, and each request that a receiver takes."""

from collections.abc import Callable
from typing import Final

from connector.sandbox.receiver import Received
from connector.sandbox.times import print_time

_A_SECOND: Final = 20  # lines; what comes faster is only counted
_WIDTH: Final = 160


class Console:
    """Prints what receivers take, without drowning the terminal."""

    def __init__(self, printer: Callable[[str], None]) -> None:
        self._print = printer
        self._second = 0
        self._lines = 0

    def show(self, received: Received) -> None:
        """One line for a request."""
        second = received.at // 1_000
        if second != self._second:
            if self._lines > _A_SECOND:
                self._print(f"  … and {self._lines - _A_SECOND} more")
            self._second, self._lines = second, 0
        self._lines += 1
        if self._lines <= _A_SECOND:
            self._print(line(received))


def line(received: Received) -> str:
    """`12:00:01 200 POST /receiver/crm/notes {"id":…`: cut to a width, without control characters."""
    body = received.body[:_WIDTH].decode("utf-8", "replace")
    text = f"{print_time(received.at)[11:19]} {received.status} {received.method} {received.path} {body}"
    return "".join(letter if letter.isprintable() else "·" for letter in text)[:_WIDTH]
