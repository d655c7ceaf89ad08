"""The platforms' own client libraries, unmodified, against the sandbox."""

import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.sandbox.client import Client
from tests.sandbox.intempt import SOURCE, Intempt

CLIENT = Path(sys.prefix) / "clients" / "intempt-2.0.0.tar.gz"  # `./dev install` puts it there
FEED = "5292"


def test_intempt_s_published_contract_test_passes_every_check(sandbox: Client, tmp_path: Path) -> None:
    """The script travels only in the client's source distribution."""
    assert CLIENT.exists(), "./dev install downloads the client's source distribution"
    with tarfile.open(CLIENT) as archive:
        archive.extractall(tmp_path, filter="data")
    given = {
        "API_KEY": "pfx.secret",
        "ORG": "acme",
        "PROJECT": "shop",
        "SOURCE_ID": str(SOURCE),
        "USER_ID": "u1",
        "ACCOUNT_ID": "a1",
        "FEED_ID": FEED,
        "FEED_FIELDS": "id,title",
        "PRODUCT_ID": "p-48210",
        "HOST": f"127.0.0.1:{sandbox.sandbox.port}",
        "SCHEME": "http",
    }
    script = tmp_path / "intempt-2.0.0" / "scripts" / "e2e.py"
    environment = {**os.environ, **{f"INTEMPT_E2E_{name}": value for name, value in given.items()}}
    done = subprocess.run(
        [sys.executable, script], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    assert "13 passed, 0 failed, 0 skipped" in done.stdout


def test_what_the_contract_test_sends_has_come(intempt: Intempt) -> None:
    import intempt as package

    client = package.Intempt(
        org="acme",
        project="shop",
        api_key="pfx.secret",
        source_id=str(SOURCE),
        host=f"127.0.0.1:{intempt.client.sandbox.port}",
        scheme="http",
    )
    client.ecommerce.ordered(user_id="u1", products=[{"product_id": "a", "quantity": 2}, {"product_id": "b"}])
    client.consent.grant(user_id="u1", category="marketing")
    client.close()
    first, second = intempt.tracked("Product ordered")
    assert (first["eventId"], [{"productId": "a", "quantity": 2}, {"productId": "b"}]) == (
        second["eventId"],
        [first["data"], second["data"]],
    )
    [consent] = intempt.client.control("GET", "/intempt/consents")
    assert consent["timestamp"] < 2**32


def test_intempt_s_flags_are_answered(intempt: Intempt) -> None:
    import intempt as package

    intempt.order("choices", {"choices": [{"name": "checkout_v2", "group": "checkout", "body": True}]})
    client = package.Intempt(
        org="acme",
        project="shop",
        api_key="pfx.secret",
        host=f"127.0.0.1:{intempt.client.sandbox.port}",
        scheme="http",
    )
    answer = client.bool_variation("checkout_v2", package.FlagContext(user_id="u1"), default_value=False)
    client.close()
    assert answer is True


@pytest.fixture
def segment(sandbox: Client, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Segment's Python client, writing to Intilery's batch path."""
    from segment.analytics import request
    from segment.analytics.client import Client as Segment

    session = requests.Session()
    session.trust_env = False
    monkeypatch.setattr(request, "_session", session)
    errors: list[Any] = []
    client = Segment(
        "write-key",
        host=f"{sandbox.url}/track/acme/acme/ACME",
        on_error=lambda error, _: errors.append(error),
        max_retries=0,
    )
    client.errors = errors
    yield client
    client.shutdown()
    session.close()


def test_segment_s_batches_are_accepted(sandbox: Client, segment: Any) -> None:
    sandbox.switch(batch_token="optional")
    segment.identify("u1", {"email": "joe@example.com"})
    segment.track("u1", "Product Added", {"price": "11.99"})
    segment.page("u1", "Products", "Home", {"path": "/x"})
    segment.screen("u1", "c", "Home")
    segment.flush()
    assert [] == segment.errors
    came = sandbox.feed(sort="asc")
    assert ["identify", "product_added", "page", "screen"] == [event["eventAction"] for event in came]
    assert {"200": 1} == sandbox.control("GET", "/requests")["counts"]["batch"]
    assert "joe@example.com" == sandbox.ask("/profiles/userId:u1/traits").json()["email"]


def test_without_the_switch_segment_s_batches_are_refused(sandbox: Client, segment: Any) -> None:
    segment.track("u1", "Product Added")
    segment.flush()
    assert ([403], []) == ([error.status for error in segment.errors], sandbox.feed())
