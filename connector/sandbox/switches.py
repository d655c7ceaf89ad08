"""The switches: one for each thing that Intilery's documents leave open, contradict, or only hint at.

The product must be right under every setting; its tests run over them. `SWITCHES` is the documentation.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from connector.errors import ConfigurationError, Mistake
from connector.sandbox.times import read_span
from connector.sandbox.words import meant

DURATION = "<duration>"


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
        return value in self.values or (DURATION in self.values and _is_span(value))


def _is_span(value: str) -> bool:
    try:
        read_span(value)
    except ValueError:
        return False
    return True


SWITCHES: tuple[Switch, ...] = (
    Switch(
        "from", ("hits", "pages"), "`from` skips so many hits (Profiles API), or is a page number (older Events API)"
    ),
    Switch("time_field", ("eventTime", "receivedTime"), "the time that start, end and sort go by"),
    Switch(
        "edges",
        ("inclusive", "exclusive", "half_open"),
        "whether start and end themselves are in (half_open: start only)",
    ),
    Switch(
        "ties",
        ("stable", "arrival", "random"),
        "order among equal times: as received and reversed by desc; as received in both directions (a search engine's "
        "way: then both ends of one millisecond show the same events); or another at each request",
    ),
    Switch("beyond", ("400", "empty"), "the answer once from + size passes 10,000"),
    Switch("size_default", ("100", "10"), "events in an answer when the request gives no size"),
    Switch("include", ("one", "list"), "`include` is one event action (now), or a comma list (older documents)"),
    Switch(
        "datetime",
        ("full", "date", "refused"),
        "start and end: read to the millisecond; cut to their day; refused unless dates",
    ),
    Switch("data_on_empty", ("list", "null", "missing"), "`data` when nothing was found"),
    Switch("scroll_id", ("absent", "present"), "whether the answer also has the `scrollId` of an older version"),
    Switch(
        "slash",
        ("200", "301", "404"),
        "the answer to the path with a slash at its end: the prose has one, the examples none",
    ),
    Switch(
        "lag",
        ("0", DURATION),
        "how long after its receivedTime an event may stay invisible: each its own share of it, so out of order",
    ),
    Switch("retention", ("unlimited", DURATION), "how long after its receivedTime the feed still shows an event"),
    Switch("skew", ("0", DURATION), "how far the platform's clock is from this machine's (negative: behind)"),
    Switch(
        "new_type",
        ("recorded", "dropped"),
        "an event of a type that nobody marked as valid yet: recorded; or accepted (`success: true`) and never shown",
    ),
    Switch(
        "auth_status",
        ("documented", "401", "403"),
        "status for a bad token; documented: 401 when reading, 403 when writing",
    ),
    Switch(
        "envelope",
        ("documented", "error", "success", "gateway", "html"),
        'shape of errors: `{"error":{…}}` when reading, `{"success":false,…}` when writing; or always one of them; or '
        "what stands in front of the platform: its `message`, or a page of HTML",
    ),
    Switch(
        "body_limit",
        ("1mb", "6mb"),
        "the size of a request that gets 413: 1 MB everywhere, 6 MB in the table of errors",
    ),
    Switch(
        "rate_limit",
        ("on", "off"),
        "the token bucket of 100 requests a second and a burst of 500; off for measuring speed",
    ),
)

_BY_NAME: Mapping[str, Switch] = {switch.name: switch for switch in SWITCHES}


class Switches:
    """The settings in force. Reading one is `switches["lag"]` (text) or `switches.span("lag")` (milliseconds)."""

    def __init__(self, settings: Mapping[str, str] | None = None) -> None:
        self._at_start = dict(settings or {})
        self.reset()

    def reset(self) -> None:
        """Back to how the sandbox was started."""
        self._values: dict[str, str] = {switch.name: switch.default for switch in SWITCHES}
        self._spans: dict[str, int] = {}
        self.set(self._at_start)

    def set(self, settings: Mapping[str, str]) -> None:
        """Set several at once, all or none. Raises ConfigurationError with what was meant."""
        mistakes = [mistake for name, value in settings.items() if (mistake := _mistake(name, str(value)))]
        if mistakes:
            raise ConfigurationError(mistakes)
        for name, value in settings.items():
            self._values[name] = str(value)
            if DURATION in _BY_NAME[name].values and _is_span(str(value)):
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
    rows = [(switch.name, "|".join(switch.values), switch.emulates) for switch in SWITCHES]
    name_width, values_width = (max(len(row[i]) for row in rows) for i in (0, 1))
    return "\n".join(f"{name:<{name_width}}  {values:<{values_width}}  {emulates}" for name, values, emulates in rows)
