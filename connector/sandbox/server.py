"""The sandbox: state, HTTP server and live traffic under one roof."""

import asyncio
import contextlib
import errno
import json
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Self

from aiohttp import web

from connector.errors import ConfigurationError, Mistake
from connector.sandbox import control, faults, wire
from connector.sandbox.console import Console
from connector.sandbox.hosts import Platform, Requests
from connector.sandbox.intempt import Intempt, Organization
from connector.sandbox.intempt.beginnings import begin
from connector.sandbox.intilery import Account, Intilery
from connector.sandbox.intilery.events import AccountName
from connector.sandbox.intilery.platform import place
from connector.sandbox.live import Live
from connector.sandbox.receiver import Received, Receiver
from connector.sandbox.replies import Reply
from connector.sandbox.request import Request
from connector.sandbox.switches import Switches, read_settings
from connector.sandbox.times import print_date_header, wall_clock
from connector.sandbox.traffic import Call

HOST = "127.0.0.1"
_LARGEST = 256_000_000  # bytes of a control request; the platform has its own, smaller limit
_REMEMBERED: Final = 2_000  # calls of the traffic that an organisation learns of which is asked for later
_WELCOME: Final = {
    "/track/<client>/<account>/<BRAND>/v1/…": 'Intilery; any names, any auth-token but "invalid"',
    "/cdp/…": "Intilery's second host",
    "/v1/<organization>/…, /v1/<organization>/projects/<project>/…": 'Intempt; any names, any key but "invalid"',
    "/receiver/<name>": "plays a webhook destination",
    "/slack/<name>": "plays a Slack incoming webhook",
    "/sandbox": "what it holds, and what else can be asked of it",
}


class Sandbox:
    """All ends of the product's world on one loopback port; use it as an async context manager.

    port: 0 takes a free one; traffic: a rate such as `2/1s`, None for none; switches: see `unknowns`;
    clock: milliseconds; seed: which traffic; watch: is shown each request that a receiver takes. Raises
    ConfigurationError for a switch, a rate or a port that cannot be.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        traffic: str | None = None,
        switches: Mapping[str, str] | None = None,
        clock: Callable[[], int] = wall_clock,
        seed: str = "sandbox",
        watch: Callable[[Received], None] | None = None,
    ) -> None:
        self.port = port
        self.switches = Switches(switches)
        self.accounts: dict[AccountName, Account] = {}
        self.receivers: dict[str, Receiver] = {}
        self.requests = Requests()
        self.faults = faults.Faults(self.now)
        self.intilery = Intilery(self.switches, self._account, self.accounts.values, self.now)
        self.organizations: dict[str, Organization] = {}
        self.intempt = Intempt(self.switches, self.organization, self.now)
        self._clock = clock
        self._watch = watch
        self._traffic_at_start = traffic
        self.live = Live(seed, traffic, self._observe)
        self._happened: deque[tuple[Call, int]] = deque(maxlen=_REMEMBERED)
        self._later: list[tuple[int, Account, Callable[[], object]]] = []
        self._runner: web.ServerRunner | None = None
        self._traffic: asyncio.Task[None] | None = None

    # ── life ──────────────────────────────────────────────────────────────────────────────────

    async def __aenter__(self) -> Self:
        server = web.Server(self._handle, request_factory=_request, access_log=None)
        self._runner = web.ServerRunner(server, shutdown_timeout=0.2)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, HOST, self.port).start()
        except OSError as error:
            await self._runner.cleanup()
            raise ConfigurationError([_port_mistake(self.port, error)]) from error
        self.port = self._runner.addresses[0][1]
        self._traffic = asyncio.create_task(self._run_traffic())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._traffic is not None:
            self._traffic.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._traffic
        if self._runner is not None:
            await self._runner.cleanup()

    async def _run_traffic(self) -> None:
        while True:
            await asyncio.sleep(self.live.pause())
            self.live.emit(self.now())

    @property
    def url(self) -> str:
        """Where it is: the platform's `base_url`, and what receivers' addresses begin with."""
        return f"http://{HOST}:{self.port}"

    def now(self) -> int:
        """The platform's clock: this machine's, off by the switch `skew`."""
        return self._clock() + (self.switches.span("skew") or 0)

    def reset(self) -> None:
        """Everything as at the start."""
        self.switches.reset()
        self.intilery.reset()
        self.intempt.reset()
        self.live.forget()
        self.live.set_rate(self._traffic_at_start)
        self.requests = Requests()
        held = (self.accounts, self.organizations, self.receivers, self._later, self._happened, self.faults.waiting)
        for everything in held:
            everything.clear()

    # ── what is in it ─────────────────────────────────────────────────────────────────────────

    def account(self, name: str = "acme/acme/ACME") -> Account:
        """The account of this `client/account/BRAND`, there since it was first asked for. Raises ValueError."""
        parts = name.split("/")
        if len(parts) != 3 or not all(parts):
            raise ValueError(f"an account is client/account/BRAND, not {name!r}")
        return self._account((parts[0], parts[1], parts[2]))

    def _account(self, name: AccountName) -> Account:
        if name not in self.accounts:
            self.accounts[name] = Account(name, self.switches, self.now)
            self.live.begin(self.accounts[name], self.now())
        return self.accounts[name]

    def organization(self, name: str = "acme") -> Organization:
        """Intempt's organisation of this name, there since it was first asked for.

        Its people are those of the accounts' live traffic; where no account was asked for, one of its name has some.
        """
        made = self.organizations.get(name)
        if made is None:
            made = self.organizations[name] = Organization(name, self.switches, self.now)
            begin(made)
            for call, at in self._happened:
                made.observe(call, at)
            if self.live.rate is not None and not self.accounts:
                self._account((name, name, name.upper()))
        return made

    def _observe(self, call: Call, at: int) -> None:
        self._happened.append((call, at))
        for made in self.organizations.values():
            made.observe(call, at)

    def receiver(self, name: str) -> Receiver:
        """What plays the webhook destination at `/receiver/<name>`."""
        return self.named("receiver", name)

    def slack(self, name: str) -> Receiver:
        """What plays Slack's incoming webhook at `/slack/<name>`."""
        return self.named("slack", name)

    def named(self, folder: str, name: str) -> Receiver:
        """The receiver at `/<folder>/<name>`, there since it was first asked for."""
        key = f"{folder}/{name}"
        if key not in self.receivers:
            self.receivers[key] = Receiver(key, self._clock, self._watch, slack=folder == "slack")
        return self.receivers[key]

    def after_requests(self, count: int, account: Account, do: Callable[[], object]) -> None:
        """Do something once so many more feed requests of an account were answered."""
        self._later.append((count, account, do))

    # ── HTTP ──────────────────────────────────────────────────────────────────────────────────

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        _, folder, *rest = path.split("/", 3)
        match folder:
            case "receiver" | "slack" if rest and rest[0]:
                return await self.named(folder, rest[0]).answer(request)
            case "track" | "cdp":
                return await self._platform(self.intilery, request, path, query)
            case "v1" | "upload":
                return await self._platform(self.intempt, request, path, query)
            case "sandbox":
                reply = control.answer(self, request.method, path, query, await request.read())
                return wire.whole(reply, {})
        return wire.whole(_root(request) if path == "/" else Reply(404, _welcome(), "text/plain"), {})

    async def _platform(
        self, platform: Platform, request: web.BaseRequest, path: str, query: str
    ) -> web.StreamResponse:
        body = await _read(request, platform.limit(path))
        asked, operation = Request(request.method, path, query, request.headers, body), platform.operation(path)
        fault = self.faults.take(operation)
        if fault is None or fault.processed:
            reply = platform.answer(asked)
        else:
            reply = faults.replaced(fault, lambda status: platform.refusal(asked, status), self.port)
        now = self.now()
        self.requests.note(asked, operation, 0 if fault and fault.kind in {"cut", "lost"} else reply.status, now)
        if operation == "events":
            self._do_what_waited(path)
        headers = {**platform.headers(), "Date": print_date_header(now)}
        if fault is not None:
            return await faults.send(fault, reply, request, headers, now)
        return wire.whole(reply, headers)

    def _do_what_waited(self, path: str) -> None:
        found = place(path)
        waiting, self._later = self._later, []
        for count, account, do in waiting:
            left = count - (found is not None and account.name == found.account)
            if left > 0:
                self._later.append((left, account, do))
            else:
                do()


def _request(*parts: Any) -> web.BaseRequest:
    message, payload, protocol, writer, task = parts
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=_LARGEST)


async def _read(request: web.BaseRequest, limit: int) -> bytes:
    """The body, or its beginning where it is larger than the limit."""
    body = bytearray()
    if request.can_read_body:
        async for piece in request.content.iter_any():
            body += piece
            if len(body) > limit:
                break
    return bytes(body)


def _root(request: web.BaseRequest) -> Reply:
    """What Intempt's root says, which serves to see whether it is there; to a browser, what is here."""
    if "text/html" in request.headers.get("accept", ""):
        return Reply(200, _welcome(), "text/plain")
    links = {name: {"href": f"https://{request.host}/v1/playground/{name}/"} for name in ("sources", "collections")}
    shown = {"service": "metadata", "version": "v1", "status": "ok", "_links": links, "sandbox": _WELCOME}
    return Reply(200, json.dumps(shown, indent=2, ensure_ascii=False).encode() + b"\n")


def _welcome() -> bytes:
    width = max(map(len, _WELCOME))
    return "".join(f"{path:{width}}  {about}\n" for path, about in _WELCOME.items()).encode()


def _port_mistake(port: int, error: OSError) -> Mistake:
    if error.errno == errno.EADDRINUSE:
        return Mistake("--port", 0, 0, f"port {port} is taken by another program", "choose another, or stop that one")
    return Mistake("--port", 0, 0, f"port {port} cannot be opened: {error.strerror}")


# ── from the command line ─────────────────────────────────────────────────────────────────────


async def serve(
    port: int, traffic: str | None, switches: Mapping[str, str], printer: Callable[[str], None], *, show: bool = False
) -> None:
    """Serve until the process is told to end.

    printer: gets what a person should read, with `show` also what receivers take. Raises ConfigurationError.
    """
    watch = Console(printer).show if show else None
    async with Sandbox(port=port, traffic=traffic, switches=switches, watch=watch) as sandbox:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        printer(f"Sandbox on {sandbox.url}")
        printer(f"  base_url for Intilery  {sandbox.url}   (any client, account, brand; any auth-token but 'invalid')")
        printer(f"  base_url for Intempt   {sandbox.url}   (any organization, project; any api_key but 'invalid')")
        printer(f"  webhook destinations   {sandbox.url}/receiver/<name>")
        printer(f"  Slack destinations     {sandbox.url}/slack/<name>")
        printer(f"  control                {sandbox.url}/sandbox")
        printer(f"  live traffic           {sandbox.live.rate or 'off'}")
        await stop.wait()


def run(port: int, traffic: str | None, switches: Iterable[str], printer: Callable[[str], None]) -> None:
    """`connector sandbox`: serve until SIGINT or SIGTERM.

    traffic: a rate, or `off`; switches: `NAME=VALUE` each. On a terminal the printer also gets a line for each request
    that a receiver takes. Raises ConfigurationError for what cannot be.
    """
    asyncio.run(serve(port, traffic, read_settings(switches), printer, show=sys.stdout.isatty()))
