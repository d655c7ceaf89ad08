"""The feed on the sandbox over real HTTP: each setting of each switch that touches it."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from connector.http import Http
from connector.model import MINUTE, SECOND, Answer, Request, instant_text
from connector.sandbox import Sandbox
from connector.secrets import Vault
from tests.feeds.fake import NOON, Poller, feed


@dataclass
class Platform:
    """The sandbox behind the product's own door."""

    sandbox: Sandbox
    http: Http
    now: int = NOON

    async def send(self, request: Request) -> Answer:
        self.now += 5
        return await self.http.send(request)


Begin = Callable[..., Poller]


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    """Starts a sandbox with switches set, and a poller on it."""
    with asyncio.Runner() as runner:
        vault = Vault({"INTILERY_TOKEN": "t0p"}, dotenv=None, folder=None)
        http = Http(["127.0.0.1"], vault)
        runner.run(http.__aenter__())
        sandboxes = []

        def make(dialect: str = "{}", **switches: str) -> Poller:
            sandbox = Sandbox(switches=switches, clock=lambda: platform.now)
            platform = Platform(sandbox, http)
            runner.run(sandbox.__aenter__())
            sandboxes.append(sandbox)
            ours = feed(tmp_path, "{start: 1d}", dialect, url=sandbox.url)
            return Poller(ours, platform, drive=runner.run)

        yield make
        for sandbox in sandboxes:
            runner.run(sandbox.__aexit__())
        runner.run(http.__aexit__(None, None, None))


def shown(poller: Poller) -> set[str]:
    account = poller.platform.sandbox.account()
    return set(account.visible_since()) - set(account.feed.erased)


@pytest.mark.parametrize(
    "switch",
    [
        *("time_field=eventTime", "time_field=receivedTime"),
        *("edges=exclusive", "edges=half_open"),
        *("ties=random", "ties=arrival"),
        *("from=pages", "beyond=empty", "size_default=10", "include=list", "scroll_id=present"),
        *("data_on_empty=null", "data_on_empty=missing"),
        *("datetime=date", "datetime=refused"),
        *("lag=9s", "skew=10m", "skew=-10m"),
    ],
)
def test_everything_that_the_sandbox_shows_arrives(begin: Begin, switch: str) -> None:
    poller = begin(**dict([switch.split("=")]))
    sandbox, account = poller.platform.sandbox, poller.platform.sandbox.account()
    account.generate(50, at=sandbox.now() - 10 * MINUTE)
    poller.poll()
    for user in ("user-1", "user-2"):
        now = sandbox.now()
        account.generate(330, at=now, every=7, event=("Product Added", "page"))
        account.generate(150, at=now + 2_500, every=0)
        account.inject(
            [{"event": "Imported", "userId": "u", "timestamp": instant_text(now - 2 * MINUTE)}], visible=now + 4_000
        )
        sandbox.after_requests(3, account, lambda user=user: account.erase(user))
        poller.run(until=poller.platform.now + 20 * SECOND)
    poller.run(until=poller.platform.now + 16 * MINUTE, every=4 * MINUTE)
    assert shown(poller) <= set(poller.inbox)
    assert len(shown(poller)) > 900
    assert [] == poller.errors
    assert [] == poller.gaps


@pytest.mark.parametrize(("switch", "dialect"), [("200", "no"), ("200", "yes"), ("301", "no"), ("404", "no")])
def test_the_slash_at_the_end_is_the_dialects_word(begin: Begin, switch: str, dialect: str) -> None:
    poller = begin(f"{{slash: {dialect}}}", slash=switch)
    poller.platform.sandbox.account().generate(10)
    poller.poll()
    assert shown(poller) == set(poller.inbox)


@pytest.mark.parametrize("switch", ["301", "404"])
def test_a_wrong_slash_is_an_error_that_names_the_dialect_or_the_address(begin: Begin, switch: str) -> None:
    poller = begin("{slash: yes}", slash=switch)
    poller.poll()
    assert "base_url" in str(poller.errors[0])


@pytest.mark.parametrize("envelope", ["documented", "error", "success", "gateway", "html"])
@pytest.mark.parametrize("status", ["documented", "401", "403"])
def test_a_bad_token_is_refused_in_every_envelope(
    begin: Begin, monkeypatch: pytest.MonkeyPatch, envelope: str, status: str
) -> None:
    poller = begin(envelope=envelope, auth_status=status)
    send = poller.platform.send

    async def send_invalid(request: Request) -> Answer:
        return await send(Request(request.method, request.url, (("auth-token", "invalid"), *request.headers[1:])))

    poller.platform.send = send_invalid
    poller.poll()
    assert (401 if status == "documented" else int(status)) == poller.errors[0].status
    assert "FeedRefused" == type(poller.errors[0]).__name__
    assert poller.errors[0].request_id


def test_a_burst_in_one_millisecond_is_read_as_far_as_it_can_be(begin: Begin) -> None:
    for ties in ("stable", "arrival"):
        poller = begin(ties=ties, rate_limit="off")
        account = poller.platform.sandbox.account()
        poller.poll()
        account.generate(12_000, at=NOON + SECOND, every=0, event=("page", "Product Added"))
        account.generate(100, at=NOON + 2 * SECOND)
        poller.platform.now = NOON + 10 * SECOND
        poller.read()
        assert shown(poller) == set(poller.inbox)
        assert [] == poller.gaps
