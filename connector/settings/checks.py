"""What settings must hold together: rules that concern more than one of them."""

import re
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from connector.document import Document, did_you_mean
from connector.errors import Mistake
from connector.settings.layers import Layers
from connector.settings.models import Settings
from connector.settings.values import is_loopback


def check(settings: Settings, layers: Layers, document: Document) -> Iterator[Mistake]:
    """Every rule that is broken, where it was written."""
    yield from _identities(settings, layers)
    yield from _plain_http(settings, layers)
    yield from _alarms(settings, layers)
    yield from _torn(settings, document)


def _identities(settings: Settings, layers: Layers) -> Iterator[Mistake]:
    first: dict[str, str] = {}
    for name, connection in settings.connections.items():
        other = first.setdefault(connection.identity, name)
        if other != name:
            message = f"connections.{name} is the same account as connections.{other}: all state would be mixed up"
            yield layers.mistake(("connections", name), message, "delete one of the two", key=True)


def _plain_http(settings: Settings, layers: Layers) -> Iterator[Mistake]:
    for name, connection in settings.connections.items():
        parts = urlsplit(connection.base_url)
        host = parts.hostname or ""
        if parts.scheme == "http" and not is_loopback(host) and not _allowed(host, settings.egress.allow):
            message = f"connections.{name}.base_url: plain http shows the key to everyone on the way"
            yield layers.mistake(
                ("connections", name, "base_url"), message, "write https, or add the host to egress.allow"
            )


def _allowed(host: str, allow: list[str]) -> bool:
    """Whether an entry of `egress.allow`, less its port, names the host or a network it lies in."""
    for entry in allow:
        bare = re.sub(r":\d+$", "", entry) if entry.count(":") == 1 or "]" in entry else entry
        bare = bare.replace("[", "").replace("]", "").lower()
        try:
            if ip_address(host) in ip_network(bare):
                return True
        except ValueError:  # one of the two is a name
            if bare == host:
                return True
    return False


def _alarms(settings: Settings, layers: Layers) -> Iterator[Mistake]:
    to = settings.alarms.to
    if to is not None and to not in settings.destinations:
        hint = did_you_mean(to, settings.destinations)
        yield layers.mistake(("alarms", "to"), "alarms.to: no destination has this name", hint)


def _torn(settings: Settings, document: Document) -> Iterator[Mistake]:
    """A last line without its end may have lost some of it: `suppress_and_delete` → `suppress`, `1/1d4h` → `1/1d`."""
    last = next(reversed(document.data)) if isinstance(document.data, dict) and document.data else None
    if last == "regulations" and settings.regulations.mode != "dry_run" and document.text[-1] not in "\n]}\"'":
        message = "regulations: the last line of the file has no end, so some of it may be missing"
        yield document.mistake(("regulations",), message, "end it with a line break", key=True)


def not_yet(settings: Settings, layers: Layers) -> Iterator[Mistake]:
    """What may be said already and nothing acts on: a warning, or an error where relying on it would do harm."""
    for place in (("web",), ("alarms",), ("privacy", "max_size")):
        said: object = layers.tree
        for key in place:
            said = said.get(key) if isinstance(said, dict) else None
        if said:
            message = f"{'.'.join(place)}: nothing acts on this yet"
            yield layers.mistake(place, message, "leave it out", key=True, severity="warning")
    if settings.privacy.redact:
        message = "privacy.redact: not available yet, nothing would be left out of what is stored"
        yield layers.mistake(("privacy", "redact"), message, "remove it; see privacy.keep.events")
