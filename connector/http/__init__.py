"""The one door to the network: aiohttp's connections behind an address guard, deadlines, caps and signatures."""

from connector.http.door import Http
from connector.http.guard import Allowed, parse_egress
from connector.http.rate import Bucket

__all__ = ["Allowed", "Bucket", "Http", "parse_egress"]
