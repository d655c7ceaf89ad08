"""Requests below one account of Intilery: its address, its token, and how long and large an answer may be."""

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import quote, urlencode

from connector.model import SECOND, Json, Request
from connector.settings import Connection

DEADLINE: Final = 30 * SECOND  # one call took 2.8 s in the vendor's own screenshot
CAP: Final = 8 * 1024 * 1024  # a hundred events of the largest size that may be written, twice over
JSON_TYPE: Final = ("content-type", "application/json")  # on GET, too, the documents say


def account_url(connection: Connection) -> str:
    """`https://tracking.intilery.com/track/{clientId}/{accountId}/{BRANDID}/v1`."""
    names = (connection.client_id, connection.account_id, connection.brand_id)
    return "/".join((connection.base_url.rstrip("/"), "track", *(quote(name, safe="") for name in names), "v1"))


def request(
    connection: Connection,
    method: str,
    path: str,
    query: Mapping[str, Json] | Sequence[tuple[str, Json]] = (),
    body: bytes = b"",
) -> Request:
    """A request with the account's token. path: below the account, percent-encoded already."""
    asked = f"?{urlencode(query)}" if query else ""
    return Request(
        method=method,
        url=f"{account_url(connection)}/{path}{asked}",
        headers=(("auth-token", connection.token), JSON_TYPE),
        body=body,
        deadline=DEADLINE,
        cap=CAP,
    )
