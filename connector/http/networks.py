"""Which addresses belong to the public internet: a table of our own, since `ipaddress` differs between Pythons.

Python 3.11 calls 192.0.0.192, 224.0.0.1, 64:ff9b::7f00:1 and fec0::1 global, and 100.100.100.200 not private.
Sources: the IANA special-purpose address registries for IPv4 and IPv6 (RFC 6890), and the clouds' metadata documents.
"""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_network
from typing import Final, TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address

_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")  # nothing else of IPv6 is handed out to hosts of the internet

# The first that holds the address names it.
_SPECIAL: Final = tuple(
    (ip_network(network), word)
    for network, word in (
        ("127.0.0.0/8", "this machine"),
        ("0.0.0.0/8", "this machine"),
        ("10.0.0.0/8", "a private network"),
        ("172.16.0.0/12", "a private network"),
        ("192.168.0.0/16", "a private network"),
        ("100.64.0.0/10", "a carrier's private network"),
        ("169.254.0.0/16", "a link-local or cloud-metadata address"),
        ("168.63.129.16/32", "a cloud-metadata address"),  # Azure's, amid public ones
        ("192.0.0.0/24", "a protocol's own address"),
        ("192.31.196.0/24", "a protocol's own address"),  # AS112
        ("192.52.193.0/24", "a protocol's own address"),  # AMT
        ("192.88.99.0/24", "a protocol's own address"),  # 6to4 relays
        ("192.175.48.0/24", "a protocol's own address"),  # AS112
        ("192.0.2.0/24", "a network for documentation"),
        ("198.51.100.0/24", "a network for documentation"),
        ("203.0.113.0/24", "a network for documentation"),
        ("198.18.0.0/15", "a network for measurements"),
        ("224.0.0.0/4", "a multicast address"),
        ("240.0.0.0/4", "a reserved address"),  # and the broadcast
        ("::1/128", "this machine"),
        ("::/128", "this machine"),
        ("::ffff:0:0/96", "an IPv4 address in IPv6 clothes"),
        ("::/96", "an IPv4 address in IPv6 clothes"),
        ("64:ff9b::/96", "an IPv4 address in IPv6 clothes"),  # NAT64
        ("64:ff9b:1::/48", "an IPv4 address in IPv6 clothes"),
        ("2002::/16", "an IPv4 address in IPv6 clothes"),  # 6to4
        ("2001::/32", "an IPv4 address in IPv6 clothes"),  # Teredo
        ("2001::/23", "a protocol's own address"),
        ("2620:4f:8000::/48", "a protocol's own address"),  # AS112
        ("2001:db8::/32", "a network for documentation"),
        ("3fff::/20", "a network for documentation"),
        ("fc00::/7", "a private network"),  # AWS answers its metadata at fd00:ec2::254
        ("fec0::/10", "a private network"),
        ("fe80::/10", "a link-local address"),
        ("ff00::/8", "a multicast address"),
    )
)


def special(address: Address) -> str:
    """What the address is instead of a public host, in words for a message; "" for a public one."""
    for network, word in _SPECIAL:
        if address in network:
            return word
    if address.version == 6 and address not in _GLOBAL_UNICAST:
        return "a reserved address"
    return ""
