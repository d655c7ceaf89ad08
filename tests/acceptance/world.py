"""A connector and its world: a folder as a person keeps it, the platform and the receivers on a port, and the daemon.

The daemon is `python -m connector run` in a process of its own, and meets the sandbox over HTTP. The sandbox runs in a
thread, so that a test can look into it and act at an exact moment: `do` runs a function there.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from connector.sandbox import Sandbox
from connector.sandbox.receiver import Received
from connector.store.database import Store, Tx

T = TypeVar("T")

SIGNING = "whsec_" + "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
CONFIGURATION = """
connections:
  intilery:
    client_id: acme
    account_id: acme
    brand_id: ACME
    auth_token: ${{TOKEN}}
    base_url: {url}
    feeds: {{events: {feed}}}
{connections}
destinations:
{destinations}
egress: {{allow: [127.0.0.1]}}
"""
CRM = '  crm: {{webhook: "{url}/receiver/crm", sign: "${{CRM_SECRET}}"}}\n'
EVERY = """
id: every
trigger: {feed: intilery.events, event: "*", max_age: any}
actions:
  - webhook: {to: crm, json: {id: "{{ event.eventId }}"}}
tests: []
"""


PATIENCE = 3  # times as long as a quiet machine needs: a busy one is slow, not wrong


class World:
    """One folder, one sandbox, and a daemon that is started, killed and stopped at will.

    destinations: YAML, `{url}` in it is the sandbox. feed: the options of `intilery.events`. more: other settings.
    connections: more of them, likewise.
    recipes: file name → YAML. switches: the sandbox's. traffic: its rate.
    """

    def __init__(
        self,
        folder: Path,
        *,
        destinations: str = CRM,
        feed: str = "{poll: 1s, start: 10m}",
        connections: str = "",
        more: str = "",
        recipes: dict[str, str] | None = None,
        switches: dict[str, str] | None = None,
        secrets: dict[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.seen: Callable[[Received], object] | None = (
            None  # called in the sandbox's thread with what a receiver takes
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._sandbox = Sandbox(switches=switches, watch=self._watch)
        self._run(self._sandbox.__aenter__())
        (folder / "recipes").mkdir(parents=True)
        self.secrets = {"TOKEN": "token-of-the-platform", "CRM_SECRET": SIGNING, **(secrets or {})}
        self.write_secrets()
        parts = {"destinations": destinations, "connections": connections}
        filled = {name: text.format(url=self.url) for name, text in parts.items()}
        text = CONFIGURATION.format(url=self.url, feed=feed, **filled) + more.format(url=self.url)
        (folder / "connector.yaml").write_text(text)
        for name, recipe in (recipes or {"every.yaml": EVERY}).items():
            self.save(name, recipe)
        self.daemon: subprocess.Popen[bytes] | None = None

    def _watch(self, one: Received) -> None:
        if self.seen is not None:
            self.seen(one)

    def end(self) -> None:
        """Everything stops."""
        self.kill()
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _close(self) -> None:
        await self._sandbox.__aexit__()
        answering = asyncio.all_tasks() - {asyncio.current_task()}
        for task in answering:
            task.cancel()
        await asyncio.gather(*answering, return_exceptions=True)

    # ── the folder ────────────────────────────────────────────────────────────────────────────

    def save(self, name: str, recipe: str) -> None:
        """Save a recipe as an editor does: the new file takes the old one's place."""
        self._replace(self.folder / "recipes" / name, recipe)

    def write_secrets(self, **changed: str) -> None:
        """Write `.env`."""
        self.secrets |= changed
        self._replace(self.folder / ".env", "".join(f"{name}={value}\n" for name, value in self.secrets.items()))

    @staticmethod
    def _replace(file: Path, text: str) -> None:
        beside = file.with_name(f".{file.name}.new")
        beside.write_text(text)
        beside.replace(file)

    @contextmanager
    def database(self) -> Iterator[Tx]:
        """A look at the database."""
        store = Store(f"sqlite:///{self.folder / 'connector.db'}")
        try:
            with store.read() as tx:
                yield tx
        finally:
            store.close()

    # ── the sandbox ───────────────────────────────────────────────────────────────────────────

    @property
    def url(self) -> str:
        """Where the platform is."""
        return self._sandbox.url

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def do(self, call: Callable[[Sandbox], T]) -> T:
        """Call a function in the sandbox's thread, between two requests."""

        async def work() -> T:
            return call(self._sandbox)

        found: T = self._run(work())
        return found

    def happen(self, *events: dict[str, Any] | str, **options: Any) -> list[str]:
        """Let events happen on the platform; their ids."""
        return self.do(lambda sandbox: sandbox.account().inject(events, **options))

    def generate(self, count: int, **options: Any) -> list[str]:
        """Let many events happen; their ids."""
        return self.do(lambda sandbox: sandbox.account().generate(count, **options))

    def asked(self, *statuses: int) -> int:
        """How often the feed was asked, and answered with one of these statuses."""
        counts = self.do(lambda sandbox: dict(sandbox.requests.counts))
        return sum(
            n for (what, status), n in counts.items() if what == "events" and (status in statuses or not statuses)
        )

    def came(self, name: str = "crm", *, slack: bool = False) -> list[Received]:
        """Every request that a receiver answered, oldest first."""
        return self.do(lambda sandbox: list(sandbox.named("slack" if slack else "receiver", name).received))

    def taken(self, name: str = "crm", *, slack: bool = False) -> list[Received]:
        """The requests that a receiver answered with 200."""
        return [one for one in self.came(name, slack=slack) if one.status == 200]

    def behave(self, name: str, *, slack: bool = False, **behaviour: Any) -> None:
        """Have a receiver behave so from now on; without arguments: well."""
        self.do(lambda sandbox: sandbox.named("slack" if slack else "receiver", name).behave(**behaviour))

    # ── the daemon ────────────────────────────────────────────────────────────────────────────

    def _environment(self) -> dict[str, str]:
        kept = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "PYTHONPATH")
        return {name: os.environ[name] for name in kept if name in os.environ} | {"TMPDIR": str(self.folder)}

    def start(self, *command: str) -> "subprocess.Popen[bytes]":
        """Start the daemon. command: what to run in place of `python -m connector`."""
        line = [sys.executable, *(command or ("-m", "connector")), "run"]
        with (self.folder / "daemon.log").open("ab") as log:
            self.daemon = subprocess.Popen(line, cwd=self.folder, env=self._environment(), stdout=log, stderr=log)
        return self.daemon

    def begin(self) -> "World":
        """Start the daemon, and wait until it has polled."""
        before = self.asked()
        self.start()
        self.until(lambda: self.asked() > before, "the first poll", 20)
        return self

    def kill(self) -> None:
        """SIGKILL: not even an `except` runs any more."""
        if self.daemon is not None:
            self.daemon.kill()
            self.daemon.wait(10)
            self.daemon = None

    def stop(self) -> tuple[int, float]:
        """SIGTERM; the exit code, and the seconds it took."""
        assert self.daemon is not None
        begun = time.monotonic()
        self.daemon.send_signal(signal.SIGTERM)
        code = self.daemon.wait(40)
        self.daemon = None
        return code, time.monotonic() - begun

    def cli(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of the connector in the folder."""
        line = [sys.executable, "-m", "connector", *arguments]
        return subprocess.run(
            line, cwd=self.folder, env=self._environment(), capture_output=True, text=True, timeout=60, check=False
        )

    def status(self) -> dict[str, Any]:
        """What `status --json` says."""
        done = self.cli("status", "--json")
        assert done.returncode in {0, 1}, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def log(self) -> str:
        """What all daemons of this folder have said."""
        file = self.folder / "daemon.log"
        return file.read_text() if file.exists() else ""

    # ── waiting and telling ───────────────────────────────────────────────────────────────────

    def until(self, done: Callable[[], T], what: str, seconds: float = 30) -> T:
        """Wait until it is so. Fails when it takes longer, or when the daemon ends meanwhile."""
        end = time.monotonic() + PATIENCE * seconds
        while not (found := done()):
            ended = self.daemon is not None and self.daemon.poll() is not None
            assert not ended, f"{what}: the daemon ended with {self.daemon and self.daemon.returncode}"
            assert time.monotonic() < end, f"{what}: not within {seconds} s"
            time.sleep(0.03)
        return found

    def story(self) -> str:
        """Everything that helps to understand a failure."""
        tail = "\n".join(self.log().splitlines()[-40:])
        receivers = self.do(lambda sandbox: {name: one.counts() for name, one in sandbox.receivers.items()})
        for counts in receivers.values():
            counts["repeated"] = len(counts["repeated"])
        asked = self.do(lambda sandbox: dict(sandbox.requests.counts))
        status = self.cli("status", "--json")
        return f"── {self.folder}\n{tail}\nreceivers: {receivers}\nasked: {asked}\n{status.stdout}{status.stderr}"
