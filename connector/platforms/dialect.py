"""What the platforms' documents leave open: the keys of a connection's `dialect`, each with a sound default.

`SETTLED` names the unknowns that need no key, because the connector is right however they turn out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from connector.document import did_you_mean
from connector.errors import ConfigurationError, Mistake, SecretMissing
from connector.model import Json
from connector.settings import Connection, Section


@dataclass(frozen=True, slots=True)
class Key:
    """One unknown. values: what the key may be, the default first; without any it takes a text, or a mapping of texts.

    about: what is open, and what each value stands for.
    """

    platform: str
    name: str
    about: str
    values: tuple[str, ...] = ()
    default: str = ""
    mapping: tuple[str, ...] = ()  # the keys of a mapping

    def mistakes(self, section: Section) -> Iterator[Mistake]:
        """What is wrong with the value that the section has for it."""
        value = section[self.name]
        if self.values:
            if value not in self.values:
                yield section.mistake((self.name,), f"expected one of {', '.join(self.values)}")
        elif not self.mapping:
            if not isinstance(value, str) or not value:
                yield section.mistake((self.name,), "expected text")
        elif not isinstance(value, Mapping) or not all(isinstance(one, str) and one for one in value.values()):
            yield section.mistake((self.name,), f"expected texts under the keys {', '.join(self.mapping)}")
        else:
            for key in value:
                if key not in self.mapping:
                    hint = did_you_mean(key, self.mapping) or f"known: {', '.join(self.mapping)}"
                    yield section.mistake((self.name, key), f"unknown key {key}", hint, key=True)


REGULATION_TYPES: Final[Mapping[str, str]] = {
    "suppress_and_delete": "Suppress_With_Delete",
    "delete": "Delete",
    "unsuppress": "Unsuppress",
    "suppress": "Suppress",
}
"""The types' names on the wire in 2021; `no_track`, `track` and `access` never had one in public."""

REGULATIONS: Final = ("suppress_and_delete", "delete", "unsuppress", "suppress", "no_track", "track", "access")

KEYS: Final = (
    Key(
        "intilery",
        "datetime",
        "`start` and `end`: the examples are dates, the text says datetime. auto finds out",
        ("auto", "datetime", "date"),
    ),
    Key(
        "intilery",
        "from",
        "`from` skips hits (Profiles API) or counts pages (older Events API). auto finds out",
        ("auto", "hits", "pages"),
    ),
    Key("intilery", "slash", "the prose has `/v1/events/`, every example `/v1/events`", ("no", "yes")),
    Key(
        "intilery",
        "scroll",
        "the parameter that goes on in the list of profiles. auto: scrollId, and scrollid where that begins anew",
        ("auto", "scrollId", "scrollid"),
    ),
    Key(
        "intilery",
        "meta",
        "the end of a profile's metadata path. auto: meta, and metadata where that finds nobody",
        ("auto", "meta", "metadata"),
    ),
    Key(
        "intilery",
        "encoding",
        "an id in a path such as ABC/123 is percent-encoded once; twice if something on the way decodes it",
        ("once", "twice"),
    ),
    Key(
        "intilery",
        "batch_item",
        "what says which call an item of a batch is: `event` (the documents), or `type` beside it (Segment)",
        ("event", "both"),
    ),
    Key(
        "intilery",
        "command_names",
        "the table of commands has send_sms, the examples SEND_SMS",
        ("lower", "upper"),
    ),
    Key(
        "intilery",
        "second_host",
        "where Segment's messages and marketing preferences go: https://events.intilery.com, or base_url where that is"
        " not Intilery's own",
        default="auto",
    ),
    Key(
        "intilery",
        "write_key",
        "the writeKey of Segment's messages: the base64 of client:account:BRAND, as clients send it",
        default="auto",
    ),
    Key(
        "intilery",
        "regulations_path",
        "below …/v1/: the regulations endpoint is not publicly documented today; this is the one of 2021",
        default="regulations",
    ),
    Key(
        "intilery",
        "regulations_token",
        "the parameter that goes on in the list of regulations",
        default="next_page_token",
    ),
    Key(
        "intilery",
        "regulation_types",
        "the types' names on the wire, such as {suppress: Suppress}; by default those of 2021, which had no name for"
        " no_track, track and access",
        mapping=REGULATIONS,
    ),
    Key(
        "intempt",
        "auth",
        "how the key is sent. generation: `Authorization: ApiKey` below an organization, Basic below a project; query"
        " puts it into addresses, which others may log",
        ("generation", "basic", "apikey", "query"),
    ),
    Key(
        "intempt",
        "reads",
        "where events/matches and segmentations are: below the organization (2021), or below the project",
        ("organization", "project"),
    ),
    Key(
        "intempt",
        "consent_time",
        "a consent's timestamp: the SDKs send seconds, the public example has milliseconds",
        ("seconds", "milliseconds"),
    ),
    Key("intempt", "feed_type", "the `type` in a feed's body: user (SDKs) or USER (public pages)", ("lower", "upper")),
    Key(
        "intempt",
        "csv_type",
        "the Content-Type of the file that is put where a CSV upload is redirected to",
        ("none", "text/csv"),
    ),
)

SETTLED: Final = (
    ("intilery", "start, end, sort by eventTime or receivedTime; edges in or out", "windows overlap, and are reread"),
    ("intilery", "what is answered past 10,000 results", "windows are halved before they hold so many"),
    ("intilery", "401 or 403 for a bad token, and the shape of errors", "both count as refused; every shape is read"),
    ("intilery", "1 MB or 6 MB a request", "never more than 1 MB is sent, nor an item of a batch over 32 KB"),
    ("intilery", "whether 429 has a Retry-After", "obeyed if there; otherwise exponential waits with jitter"),
    ("intilery", "what the second host answers to messages", "any success, unless its body says otherwise"),
    ("intempt", "ids as numbers or text", "they are kept as text, digit by digit"),
    ("intempt", "404 or an empty set for an id that nobody has", "neither means that a match is gone"),
    ("intempt", "200 with `{}`, 200 with an echo, or 201 with nothing", "any 2xx; a body is read only if there is one"),
    ("intempt", "whether an eventId that comes twice is stored twice", "a repeat has the same one, so either is fine"),
    ("intempt", "400 that a repeat of the same bytes does not get", "three in a row are final, one is not"),
    ("intempt", "whether a collection's list has pages", "`_links.next` is followed on the same host and path only"),
    ("intempt", "the scheme and host in `_links`", "addresses are rebuilt on base_url; no other host gets the key"),
    ("intempt", "`text/csv` or `test/csv`", "text/csv: the line of curl on the same page has it"),
    ("intempt", "the limit of requests", "5/1s by the connection's `rate`; X-RateLimit-* says how long to wait"),
)
"""Platform, what is open, and why no key is needed."""


@cache
def keys(platform: str) -> Mapping[str, Key]:
    """A platform's keys by name."""
    return {key.name: key for key in KEYS if key.platform == platform}


def check(platform: str, section: Section) -> None:
    """Refuse unknown keys and values under `dialect`. Raises ConfigurationError with every mistake."""
    known, mistakes = keys(platform), list[Mistake]()
    for name in section:
        if name not in known:
            mistakes.append(section.mistake((name,), f"unknown key {name}", did_you_mean(name, known), key=True))
        else:
            mistakes += known[name].mistakes(section)
    if mistakes:
        raise ConfigurationError(mistakes)


def of(connection: Connection, name: str) -> str:
    """What the configuration says about one unknown, or its default. Raises ConfigurationError."""
    key, section = keys(connection.platform)[name], connection.dialect
    if name not in section:
        return key.values[0] if key.values else key.default
    try:
        return section.vault.expand(str(section[name]), secret=False)
    except SecretMissing as error:
        raise ConfigurationError([section.mistake((name,), str(error))]) from None


def mapping(connection: Connection, name: str, default: Mapping[str, str]) -> Mapping[str, str]:
    """The default with what the configuration says in its place."""
    written: Mapping[str, Json] = connection.dialect.get(name, {})
    return {**default, **written}
