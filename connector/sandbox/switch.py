"""What a switch is."""

from dataclasses import dataclass
from typing import Final

from connector.sandbox.times import read_span

DURATION: Final = "<duration>"


@dataclass(frozen=True, slots=True)
class Switch:
    """One unknown. values: the settings it takes, the default first; `<duration>` stands for any span."""

    name: str
    values: tuple[str, ...]
    emulates: str

    @property
    def default(self) -> str:
        """The setting that the documents make most likely."""
        return self.values[0]

    def takes(self, value: str) -> bool:
        """Whether the switch can be set so."""
        return value in self.values or (DURATION in self.values and is_span(value))


def is_span(value: str) -> bool:
    """Whether it is a duration, such as 30s."""
    try:
        read_span(value)
    except ValueError:
        return False
    return True
