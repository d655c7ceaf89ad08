"""The switches: one for each thing that the platforms' documents leave open, contradict, or only hint at.

The product must be right under every setting; its tests run over them. `unknowns` is the documentation.
"""

from collections.abc import Iterable, Mapping

from connector.errors import ConfigurationError, Mistake
from connector.sandbox.switch import DURATION, Switch, is_span
from connector.sandbox.times import read_span
from connector.sandbox.unknowns import CUSTOMERS, FEED, INTEMPT
from connector.sandbox.words import meant

SWITCHES = FEED  # of the events feed, identify and track
EVERY = (*FEED, *CUSTOMERS, *INTEMPT)

_BY_NAME: Mapping[str, Switch] = {switch.name: switch for switch in EVERY}


class Switches:
    """The settings in force. Reading one is `switches["lag"]` (text) or `switches.span("lag")` (milliseconds)."""

    def __init__(self, settings: Mapping[str, str] | None = None) -> None:
        self._at_start = dict(settings or {})
        self.reset()

    def reset(self) -> None:
        """Back to how the sandbox was started."""
        self._values: dict[str, str] = {}
        self._spans: dict[str, int] = {}
        self.set({switch.name: switch.default for switch in EVERY} | self._at_start)

    def set(self, settings: Mapping[str, str]) -> None:
        """Set several at once, all or none. Raises ConfigurationError with what was meant."""
        mistakes = [mistake for name, value in settings.items() if (mistake := _mistake(name, str(value)))]
        if mistakes:
            raise ConfigurationError(mistakes)
        for name, value in settings.items():
            self._values[name] = str(value)
            if DURATION in _BY_NAME[name].values and is_span(str(value)):
                self._spans[name] = read_span(str(value))
            else:
                self._spans.pop(name, None)

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def span(self, name: str) -> int | None:
        """The milliseconds of a switch that holds a duration; None when it is set to a word."""
        return self._spans.get(name)

    def as_dict(self) -> dict[str, str]:
        """Every switch with its setting."""
        return dict(self._values)


def _mistake(name: str, value: str) -> Mistake | None:
    switch = _BY_NAME.get(name)
    if switch is None:
        return Mistake("--set", 0, 0, f"there is no switch {name!r}", meant(name, sorted(_BY_NAME)))
    if not switch.takes(value):
        expected = f"switch {name} is one of {', '.join(switch.values)}, not {value!r}"
        return Mistake("--set", 0, 0, expected, meant(value, switch.values))
    return None


def read_settings(texts: Iterable[str]) -> dict[str, str]:
    """`NAME=VALUE` texts of a command line as settings. Raises ConfigurationError for one without `=`."""
    settings = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise ConfigurationError(
                [Mistake("--set", 0, 0, f"expected NAME=VALUE, got {text!r}", meant(name, sorted(_BY_NAME)))]
            )
        settings[name.strip()] = value.strip()
    return settings


def table() -> str:
    """The switches as aligned text, for help and docs: name, values (default first), what it emulates."""
    rows = [(switch.name, "|".join(switch.values), switch.emulates) for switch in EVERY]
    name_width, values_width = (max(len(row[i]) for row in rows) for i in (0, 1))
    return "\n".join(f"{name:<{name_width}}  {values:<{values_width}}  {emulates}" for name, values, emulates in rows)
