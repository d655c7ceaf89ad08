"""A key `identifier.secret` as HTTP Basic: made at the door, and shown by nobody."""

import asyncio
import base64

import pytest

from connector import errors
from connector.http import Http
from connector.model import Request
from connector.secrets import Secret, Vault
from tests.http.servers import OK, Server, answering


def _send(vault: Vault, request_of: "type[Request]" = Request, **more: object) -> list[bytes]:
    async def main() -> list[bytes]:
        async with Server(answering(OK)) as server, Http(["127.0.0.1"], vault) as http:
            await http.send(request_of("POST", f"{server.url}/x", **more))  # type: ignore[arg-type]  # fields of Request
            return server.requests

    return asyncio.run(main())


def test_the_two_halves_become_basic() -> None:
    vault = Vault({"KEY": "pfx.secret"}, None, None)
    [request] = _send(vault, basic=Secret("${KEY}", vault))
    assert b"\r\nAuthorization: Basic cGZ4OnNlY3JldA==\r\n" in request


@pytest.mark.parametrize("key", ["nodots", ".half", "half.", ""])
def test_a_key_without_two_halves_is_refused(key: str) -> None:
    vault = Vault({"KEY": key}, None, None)
    with pytest.raises((errors.RequestRefused, errors.SecretMissing)) as caught:
        _send(vault, basic=Secret("${KEY}", vault))
    assert "api_key" in str(caught.value) or "KEY is not set" in str(caught.value)


def test_what_was_made_of_the_key_is_redacted_too() -> None:
    vault = Vault({"KEY": "identifier-1.s3cr3t-canary"}, None, None)
    _send(vault, basic=Secret("${KEY}", vault))
    pair = "identifier-1:s3cr3t-canary"
    said = f"{pair} {base64.b64encode(pair.encode()).decode()} s3cr3t-canary identifier-1.s3cr3t-canary"
    assert "*** *** *** ***" == vault.redact(said)


def test_a_rotated_key_counts_at_once() -> None:
    environ = {"KEY": "a.first-secret"}
    vault = Vault(environ, None, None)
    key = Secret("${KEY}", vault)
    [first] = _send(vault, basic=key)
    environ["KEY"] = "b.second-secret"
    [second] = _send(vault, basic=key)
    assert base64.b64encode(b"a:first-secret") in first
    assert base64.b64encode(b"b:second-secret") in second
