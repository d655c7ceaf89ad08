"""Signatures, judged by the Standard Webhooks project's own library."""

import asyncio
import base64
import time
from collections.abc import Callable
from typing import TypeAlias

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from connector import errors
from connector.http import Http
from connector.model import Request
from connector.secrets import Secret, Vault
from tests.http.servers import OK, Server, answering

Change: TypeAlias = Callable[[dict[str, str], bytes], tuple[dict[str, str], bytes]]

OLD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NEW = "whsec_" + base64.b64encode(bytes(range(64))).decode()
BODY = '{"note":"Zoë","n":1}'.encode()


def delivered(sign: str, *, at: int | None = None) -> tuple[dict[str, str], bytes]:
    """The headers and the body as the receiver sees them."""
    vault = Vault({"SIGN": sign}, None, None)

    async def main() -> bytes:
        async with Server(answering(OK)) as server, Http(["127.0.0.1"], vault) as http:
            now = round(time.time() * 1000) if at is None else at
            await http.send(
                Request("POST", server.url, body=BODY, sign=Secret("${SIGN}", vault), id="dlv_0af3", at=now)
            )
            return server.requests[0]

    head, _, body = asyncio.run(main()).partition(b"\r\n\r\n")
    return dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:]), body


def test_the_receivers_library_accepts_what_was_sent() -> None:
    headers, body = delivered(OLD)
    assert {"note": "Zoë", "n": 1} == Webhook(OLD).verify(body, headers)
    assert "dlv_0af3" == headers["webhook-id"]


def test_the_timestamp_is_the_attempts_in_whole_seconds() -> None:
    headers, _ = delivered(OLD, at=1_700_000_000_999)
    assert "1700000000" == headers["webhook-timestamp"]


@pytest.mark.parametrize(
    "change",
    [
        lambda headers, body: (headers, body.replace(b"1", b"2")),
        lambda headers, body: ({**headers, "webhook-id": "dlv_other"}, body),
        lambda headers, body: ({**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) + 1)}, body),
        lambda headers, body: (
            {**headers, "webhook-signature": headers["webhook-signature"].replace("v1,", "v1a,")},
            body,
        ),
    ],
)
def test_what_was_tampered_with_is_rejected(change: Change) -> None:
    headers, body = change(*delivered(OLD))
    with pytest.raises(WebhookVerificationError):
        Webhook(OLD).verify(body, headers)


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_replay_six_minutes_off_is_rejected(minutes: int) -> None:
    headers, body = delivered(OLD, at=round(time.time() * 1000) + minutes * 60_000)
    with pytest.raises(WebhookVerificationError, match=r"too (old|new)"):
        Webhook(OLD).verify(body, headers)


def test_while_the_secret_is_changed_either_is_accepted() -> None:
    headers, body = delivered(f"{NEW} {OLD}")
    assert 2 == len(headers["webhook-signature"].split(" "))
    assert Webhook(OLD).verify(body, headers) == Webhook(NEW).verify(body, headers)


def test_another_secret_is_rejected() -> None:
    headers, body = delivered(OLD)
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(body, headers)


def test_base64_without_padding_is_read() -> None:
    secret = "whsec_" + base64.b64encode(bytes(25)).decode()
    headers, body = delivered(secret.rstrip("="))
    assert Webhook(secret).verify(body, headers)


@pytest.mark.parametrize(
    ("secret", "what"),
    [
        ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "does not begin with whsec_"),
        ("whsec_not!base64!not!base64!not!base64", "is not base64"),
        ("whsec_żółw", "is not base64"),
        ("whsec_c2hvcnQ=", "is shorter than 24 bytes"),
        ("whsec_", "is shorter than 24 bytes"),
        ("whpk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "does not begin with whsec_"),
        (f"{OLD},{NEW}", "is not base64"),
        ("   ", "is empty"),
    ],
)
def test_a_malformed_secret_is_explained_but_not_shown(secret: str, what: str) -> None:
    with pytest.raises(errors.RequestRefused, match=f"the signing secret {what}; correct `sign:`") as caught:
        delivered(secret)
    assert caught.value.arrived is False
    assert len(secret.strip()) < 8 or secret not in str(caught.value)
