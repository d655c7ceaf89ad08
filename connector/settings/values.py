"""The kinds of value settings take: what is read from a text, and what is told when it cannot be."""

import re
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Final, TypeAlias
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, InstanceOf, Strict

from connector.model import Json, Rate, span
from connector.secrets import Secret
from connector.settings.layers import Loose

EVENT_PATH: Final = re.compile(r'(?:event|properties|context|traits)(?:\.(?:\w[\w$-]*|"[^"]+"))+')
"""A path into an event as the configuration takes it: `event.userId`, `properties."utm-source"`."""

_SIZE_UNITS: Final = {"kB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000}


class Wrong(ValueError):
    """What a setting should have been, without what it was: that may be a secret."""

    def __init__(self, message: str, hint: str = "") -> None:
        self.hint = hint
        super().__init__(message)


def _typed(value: Json) -> Json:
    return value.typed() if isinstance(value, Loose) else value


def _nullable(value: Json) -> Json:
    return None if isinstance(value, Loose) and value == "null" else value


def _span(value: Json) -> int:
    try:
        return span(value)
    except (ValueError, TypeError):
        raise Wrong("expected a duration such as 10s, 15m, 24h, 7d or 4w") from None


def _rate(value: Json) -> Rate:
    try:
        return Rate.parse(value)
    except (ValueError, TypeError):
        raise Wrong("expected a rate such as 100/1s, 5/1h or 1/ever") from None


def _timed_rate(value: Json) -> Rate:
    rate = _rate(value)
    if rate.per is None:
        raise Wrong("expected a rate such as 100/1s; 'ever' would end all polling")
    return rate


def _size(value: Json) -> int | None:
    if value is None or value == "null":
        return None
    match = re.fullmatch(r"([1-9][0-9]{0,8})(kB|MB|GB)", value) if isinstance(value, str) else None
    if not match:
        raise Wrong("expected a size such as 500MB or 20GB, or null")
    return int(match[1]) * _SIZE_UNITS[match[2]]


def _identifier(value: Json) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", value):
        hint = "put quotes around it" if isinstance(value, int | float) else ""
        raise Wrong("expected letters, digits, '-', '_' and '.' only", hint)
    return str(value)


def _lower(value: Json) -> str:
    name = _identifier(value)
    if name != name.lower():
        raise Wrong("expected lower case", _instead(value, name.lower()))
    return name


def _upper(value: Json) -> str:
    name = _identifier(value)
    if name != name.upper():
        raise Wrong("expected upper case", _instead(value, name.upper()))
    return name


def _instead(given: Json, wanted: str) -> str:
    return "" if isinstance(given, Loose) else f"write {wanted}"  # a variable's value may be a secret gone astray


def _base_url(value: Json) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"https?://[!-~]+", value):
        raise Wrong("expected an address such as https://tracking.intilery.com")
    try:
        parts = urlsplit(value)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise Wrong("expected an address such as https://tracking.intilery.com")
    if "@" in parts.netloc or "?" in value or "#" in value or "\\" in value:
        raise Wrong(
            "expected an address without user, query and fragment", "the secret stands under auth_token or api_key"
        )
    return value.rstrip("/")


def _database(value: Json) -> str:
    if isinstance(value, Secret):
        value = value.vault.expand(value.template)
    if not isinstance(value, str) or not re.match(r"sqlite(\+\w+)?:///", value):
        raise Wrong("only SQLite is available so far", "write sqlite:///connector.db")
    return value


def _egress(value: Json) -> str:
    """One network, address or host, with or without port; the door to the network reads it again."""
    if not isinstance(value, str) or "://" in value or not re.fullmatch(r"[!-~]+", value):
        raise Wrong("expected a network, address or host, such as 10.1.0.0/16, 127.0.0.1 or crm.internal")
    if "/" in value:
        network = re.sub(r"(?<=/)(\d+):\d+$", r"\1", value).strip("[]")
        try:
            ip_network(network)
        except ValueError:
            raise Wrong("expected a network such as 10.1.0.0/16, without host bits") from None
    return value


def is_loopback(host: str) -> bool:
    """Whether the host is this machine itself."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


Whole: TypeAlias = Annotated[int, Strict(), BeforeValidator(_typed)]
Flag: TypeAlias = Annotated[bool, Strict(), BeforeValidator(_typed)]
OptionalText: TypeAlias = Annotated[str | None, BeforeValidator(_nullable)]
OptionalPath: TypeAlias = Annotated[Path | None, BeforeValidator(_nullable)]
OptionalSecret: TypeAlias = Annotated[InstanceOf[Secret] | None, BeforeValidator(_nullable)]
Span: TypeAlias = Annotated[int, BeforeValidator(_span)]
ARate: TypeAlias = Annotated[InstanceOf[Rate], BeforeValidator(_rate)]
TimedRate: TypeAlias = Annotated[InstanceOf[Rate], BeforeValidator(_timed_rate)]
Size: TypeAlias = Annotated[int | None, BeforeValidator(_size)]
Id: TypeAlias = Annotated[str, BeforeValidator(_identifier)]
LowerId: TypeAlias = Annotated[str, BeforeValidator(_lower)]
UpperId: TypeAlias = Annotated[str, BeforeValidator(_upper)]
BaseUrl: TypeAlias = Annotated[str, BeforeValidator(_base_url)]
Database: TypeAlias = Annotated[str, BeforeValidator(_database), Field(repr=False)]
EgressEntry: TypeAlias = Annotated[str, BeforeValidator(_egress)]
