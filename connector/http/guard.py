"""What may be called: public hosts over https, and what `egress.allow` names. All else is refused before it is tried.

An entry of `egress.allow` is a network, an address or a host name, each with `:port` if it is meant for one port only:
`192.168.0.0/24`, `192.168.0.120/32:443`, `127.0.0.1`, `[::1]:8300`, `crm.internal`. A name allows that host whatever it
resolves to; an address allows only itself: no entry opens anything beside it. Plain http needs an entry for the host
as it is written.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

from connector.errors import AddressRefused
from connector.http.networks import Address, special
from connector.http.place import Place, read_host

_ENTRY: Final = re.compile(
    r"(?:(?P<host>[^:\[\]]+)|\[(?P<six>[0-9a-f.]*:[0-9a-f:.]*(?:/[0-9]+)?)\](?P<bits>/[0-9]+)?)(?::(?P<port>[0-9]{1,5}))?",
    re.IGNORECASE,
)
_LOCAL_NAMES: Final = (  # resolved inside a machine or a network, whatever the public DNS says
    "localhost",
    "localdomain",
    "local",
    "internal",  # metadata.google.internal, metadata.azure.internal
    "home.arpa",
    "metadata.tencentyun.com",
)
_OTHER_PROTOCOLS: Final = frozenset(  # services above 1023 that one crafted request can harm
    {1433, 1521, 2049, 2375, 2376, 2379, 3306, 3389, 5432, 5900, 5984, 6379, 9042, 9200, 11_211, 27_017}
)


@dataclass(frozen=True, slots=True)
class Allowed:
    """One entry of `egress.allow`: a network or a name, on one port or (None) on all."""

    network: IPv4Network | IPv6Network | None
    name: str | None
    port: int | None

    def covers(self, host: Address | str, port: int) -> bool:
        """Whether the entry allows this name, or this address, on this port."""
        if self.port not in {None, port}:
            return False
        if isinstance(host, str):
            return host == self.name
        return self.network is not None and host in self.network


def parse_egress(text: str) -> Allowed:
    """Read one entry of `egress.allow`. Raises ValueError with what is expected."""
    host, port = _split_port(text.strip())
    try:
        if "/" in host:
            return Allowed(ip_network(host), None, port)
        name, address = read_host(host)
    except AddressRefused as error:
        raise ValueError(f"egress.allow: {error}") from None
    except ValueError as error:  # ip_network's own words are good: "10.0.0.1/8 has host bits set"
        raise ValueError(f"egress.allow: {error}; expected a network such as 192.168.0.0/24") from None
    return Allowed(None if address is None else ip_network(address), name if address is None else None, port)


def _split_port(text: str) -> tuple[str, int | None]:
    """Host or network, and port. IPv6 stands in brackets when a port follows: `[::1]:8300`, `[fd00::]/8:443`."""
    if "[" not in text and text.count(":") > 1:
        return text, None
    parts = _ENTRY.fullmatch(text)
    if not parts or (parts["port"] and not 0 < int(parts["port"]) < 65_536):
        raise ValueError(
            f"egress.allow: {text!r} is not a network, address or host name with or without :port,"
            " such as 192.168.0.0/24, 127.0.0.1, [::1]:8300 or crm.internal"
        )
    host = parts["host"] or parts["six"] + (parts["bits"] or "")
    return host, int(parts["port"]) if parts["port"] else None


class Guard:
    """Decides by the written address (`admit`), and again by every address it resolves to (`screen`)."""

    def __init__(self, allow: Sequence[str]) -> None:
        """Raises ValueError for an entry that cannot be read."""
        self._allow = tuple(parse_egress(entry) for entry in allow)

    def named(self, host: Address | str, port: int) -> bool:
        """Whether `egress.allow` names this host, or a network it lies in."""
        return any(entry.covers(host, port) for entry in self._allow)

    def admit(self, place: Place) -> None:
        """Pass what may be called as far as its spelling tells. Raises AddressRefused."""
        if self.named(place.address or place.host, place.port):
            return
        if place.scheme == "http":
            raise _refused(place.host, place.port, "plain http is for hosts of egress.allow only; write https")
        if (place.port < 1024 and place.port != 443) or place.port in _OTHER_PROTOCOLS:
            raise _refused(place.host, place.port, f"port {place.port} belongs to another protocol")
        if place.address is not None:
            word = special(place.address)
        else:
            word = "a name of this machine or network" if _is_local(place.host) else ""
        if word:
            raise _refused(place.host, place.port, f"it is {word}")

    def screen(self, host: str, port: int, addresses: Iterable[str]) -> None:
        """Pass a host by what it resolves to: one address that may not be called refuses all. Raises AddressRefused."""
        if self.named(host, port):
            return
        for text in addresses:
            address = ip_address(text)
            if (word := special(address)) and not self.named(address, port):
                raise _refused(host, port, f"it resolves to {address}, {word}")


def _is_local(name: str) -> bool:
    return "." not in name or any(name == local or name.endswith(f".{local}") for local in _LOCAL_NAMES)


def _refused(host: str, port: int, why: str) -> AddressRefused:
    shown = f"[{host}]" if ":" in host else host
    return AddressRefused(
        f"{shown}:{port} was not called: {why}. If it is meant, add {shown} to egress.allow in connector.yaml"
    )
