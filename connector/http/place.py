"""An address as a person writes it, taken apart strictly: what two programs could read differently is refused.

Nothing is mended here. A URL that needs mending (`127.1`, a full-width dot, a trailing dot, `user@host`, a backslash)
is the usual way past a guard, because the guard and the system call mend it differently.
"""

import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final

from connector.errors import AddressRefused, RequestRefused
from connector.http.networks import Address

_URL: Final = re.compile(r"(https?)://([^/?#]+)([^?#]*)(?:\?([^#]*))?", re.IGNORECASE)
_AUTHORITY: Final = re.compile(r"(?:\[([0-9a-f.]*:[0-9a-f:.]*)\]|([^:\[\]]+))(?::([0-9]{1,5}))?", re.IGNORECASE)
_LABEL: Final = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME: Final = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*")
_NUMBER_AT_END: Final = re.compile(r"(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)$")  # then a system call may read it as IPv4
_NOT_PLAIN: Final = re.compile(r"[^!-~]")
_DOT_SEGMENT: Final = re.compile(r"(?:^|/)(?:\.|%2e){1,2}(?:/|$)", re.IGNORECASE)
_DEFAULT_PORT: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request goes. host: lower case, IPv6 without brackets; address: the host, if it is a literal address.

    path and query: exactly as written. authority: what the `Host` header says. str() is `host:port`, for messages:
    path and query may be secrets.
    """

    scheme: str
    host: str
    port: int
    path: str = ""
    query: str = ""
    address: Address | None = None
    authority: str = field(init=False)

    def __post_init__(self) -> None:
        host = f"[{self.host}]" if ":" in self.host else self.host
        object.__setattr__(self, "authority", host if self.port == _DEFAULT_PORT[self.scheme] else str(self))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def target(self, extra: str) -> str:
        """The request line's target: `extra` (a path and perhaps a query, percent-encoded) appended to the own path.

        One slash stands between the two; the own query comes first. Raises RequestRefused for what would not arrive
        as it was meant: spaces, control and non-ASCII characters, fragments and `..` segments.
        """
        if not extra:
            path, query = self.path or "/", self.query
        else:
            extra_path, _, extra_query = extra.partition("?")
            if _NOT_PLAIN.search(extra) or "#" in extra or _DOT_SEGMENT.search(extra_path):
                raise RequestRefused(
                    f"{self}: the path to append is not percent-encoded or has a `..` segment; nothing was sent"
                )
            path = _joined(self.path, extra_path)
            query = f"{self.query}&{extra_query}" if self.query and extra_query else self.query or extra_query
        return f"{path}?{query}" if query else path


def _joined(base: str, extra: str) -> str:
    return f"{base.removesuffix('/')}/{extra.removeprefix('/')}" if extra else base or "/"


def read(url: str) -> Place:
    """The Place of an absolute http(s) URL. Raises AddressRefused with what to write instead, without path or query."""
    if _NOT_PLAIN.search(url):
        raise AddressRefused(
            "an address holds a space, a control or a non-ASCII character, or is empty;"
            " write it percent-encoded, an international host name as xn--…"
        )
    match = _URL.fullmatch(url)
    if not match:
        raise AddressRefused(
            "an address is not of the form https://host/path (other schemes and #fragments are refused)"
        )
    scheme, authority, path, query = match[1].lower(), match[2], match[3], match[4] or ""
    if "@" in authority:
        raise AddressRefused("an address holds a user or password; put them into an Authorization header")
    parts = _AUTHORITY.fullmatch(authority)
    if not parts:
        raise AddressRefused(f"{authority!r} is not a host, or host:port")
    host, address = read_host(parts[1] or parts[2])
    port = int(parts[3]) if parts[3] else _DEFAULT_PORT[scheme]
    if not 0 < port < 65_536:
        raise AddressRefused(f"{authority!r}: ports go from 1 to 65535")
    return Place(scheme, host, port, path, query, address)


def read_host(text: str) -> tuple[str, Address | None]:
    """The host in lower case, and its address if it is one in its plain spelling. Raises AddressRefused."""
    host = text.lower()
    if ":" in host or _NUMBER_AT_END.search(host):
        try:
            address = ip_address(host)
        except ValueError:
            address = None
        if address is None or (address.version == 6 and address.scope_id):
            raise AddressRefused(f"{text!r} is an unusual spelling of an address; write it plainly, such as 192.0.2.1")
        return str(address), address
    if not _NAME.fullmatch(host):
        raise AddressRefused(f"{text!r} is not a host name; write it plainly, without a dot at its end")
    return host, None
