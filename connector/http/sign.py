"""Signatures by the Standard Webhooks specification 1.0.0, scheme `v1`: HMAC-SHA256 over `{id}.{timestamp}.{body}`."""

import base64
import binascii
import hmac
from functools import lru_cache
from typing import Final

from connector.errors import SigningRefused
from connector.model import SECOND, Instant

_PREFIX: Final = "whsec_"
_SHORTEST: Final = 24  # bytes, as the specification asks


def signed_headers(secrets: str, id: str, at: Instant, body: bytes) -> tuple[tuple[str, str], ...]:
    """`webhook-id`, `webhook-timestamp` (seconds) and `webhook-signature`, in this order.

    secrets: one `whsec_<base64>`, or several with spaces between: each signs, so a receiver that knows either accepts
    while the secret is changed. Raises SigningRefused with what to edit when one is malformed.
    """
    timestamp = str(at // SECOND)
    content = f"{id}.{timestamp}.".encode() + body
    signatures = []
    for keyed in _keys(secrets):
        signature = keyed.copy()
        signature.update(content)
        signatures.append("v1," + base64.b64encode(signature.digest()).decode())
    return (("webhook-id", id), ("webhook-timestamp", timestamp), ("webhook-signature", " ".join(signatures)))


@lru_cache(maxsize=256)
def _keys(secrets: str) -> tuple[hmac.HMAC, ...]:
    """One HMAC a secret, to be copied: setting the key up costs more than signing."""
    keys = tuple(hmac.new(_key(secret), digestmod="sha256") for secret in secrets.split())
    if not keys:
        raise _malformed("is empty")
    return keys


def _key(secret: str) -> bytes:
    if not secret.startswith(_PREFIX):
        raise _malformed(f"does not begin with {_PREFIX}")
    encoded = secret.removeprefix(_PREFIX)
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise _malformed("is not base64") from None
    if len(key) < _SHORTEST:
        raise _malformed(f"is shorter than {_SHORTEST} bytes")
    return key


def _malformed(what: str) -> SigningRefused:
    return SigningRefused(
        f"the signing secret {what}; correct `sign:` of the destination, or the variable it names:"
        f" {_PREFIX} and the base64 of {_SHORTEST} to 64 random bytes, several with a space between"
    )
