"""`connector demo`: the whole machine on made-up traffic, in a temporary folder, with nothing to set up."""

import asyncio
import html
import json
import logging
import os
import shutil
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.console import Console
from rich.text import Text

from connector.cli.gallery import gallery
from connector.cli.options import WrongUse
from connector.cli.output import shorten
from connector.model import span

if TYPE_CHECKING:
    from connector.engines.local import Daemon
    from connector.store.database import Store

CONFIGURATION: Final = """
connections:
  intilery:
    client_id: demo
    account_id: demo
    brand_id: DEMO
    auth_token: any-token
    base_url: {url}
    feeds: {{events: {{poll: 1s, lag: 2s}}}}
  intempt:
    organization: demo
    project: shop
    api_key: any.key
    base_url: {url}
    feeds:
      matches:
        poll: 2s
        watch: {{from: [{{feed: intilery.events, path: traits.intemptProfileId, keep: {{email: traits.email}}}}]}}
destinations:
  sales: {{slack: "{url}/slack/sales"}}
  ops: {{slack: "{url}/slack/ops"}}
  crm: {{webhook: "{url}/receiver/crm", sign: whsec_ZGVtb25zdHJhdGlvbi1zaWduaW5nLXNlY3JldA==}}
egress: {{allow: [127.0.0.1]}}
"""
_NEWS: Final = """
SELECT d.seq, d.settled, d.created, d.state, d.reason, d.recipe, d.kind, d.destination, d.body, d.meta, d.answer,
       e.name, e.payload
FROM deliveries d JOIN events e ON e.seq = d.event
WHERE d.state <> 'pending' ORDER BY d.seq
"""
_STYLES: Final = {"delivered": "green", "dead": "bold red", "held": "yellow", "skipped": "yellow", "discarded": "dim"}


def demo(
    length: Annotated[str, typer.Option("--for", metavar="SPAN", help="End by itself after, e.g., 20s.")] = "",
    traffic: Annotated[str, typer.Option(help="Events a time, e.g. 2/1s.")] = "4/1s",
) -> None:
    """Watch made-up events turn into webhooks, Slack messages and privacy requests."""
    try:
        seconds = span(length) / 1000 if length else None
    except ValueError as error:
        raise WrongUse(f"--for: {error}") from None
    if seconds == 0:
        raise WrongUse("--for: 0s is no time to watch anything: write, e.g., 20s")
    logging.getLogger("connector").setLevel(logging.ERROR)
    with TemporaryDirectory(prefix="connector-demo-") as folder:
        delivered = asyncio.run(_demo(Path(folder), seconds, traffic))
    if not delivered:
        raise typer.Exit(1)


async def _demo(folder: Path, seconds: float | None, traffic: str) -> int:
    from connector.engines.local import Daemon  # noqa: PLC0415  `connector --help` need not wait for the daemon
    from connector.sandbox import Sandbox  # noqa: PLC0415
    from connector.settings import load  # noqa: PLC0415
    from connector.store.database import Store  # noqa: PLC0415

    async with Sandbox(port=0, traffic=traffic) as sandbox:
        shutil.copytree(gallery(), folder / "recipes")
        configuration = folder / "connector.yaml"
        configuration.write_text(CONFIGURATION.format(url=sandbox.url))
        daemon = Daemon(load(configuration, _without_ours(os.environ)), asyncio.Event())
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, daemon.stop.set)
        screen = Screen(Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 140))
        screen.welcome(folder, sandbox.url)
        running = asyncio.create_task(daemon.run())
        await _show(daemon, running, screen, None if seconds is None else time.monotonic() + seconds)
        daemon.stop.set()
        await running
        store = Store(daemon.settings.database)
        screen.show(store)
        screen.farewell(store)
        store.close()
        return screen.states.get("delivered", 0)


async def _show(daemon: "Daemon", running: "asyncio.Task[None]", screen: "Screen", end: float | None) -> None:
    """Print what is new every quarter second, until told to stop or the time is over."""
    while not daemon.stop.is_set() and not running.done() and (end is None or time.monotonic() < end):
        await asyncio.sleep(0.25)
        if hasattr(daemon, "store"):
            screen.show(daemon.store)


@dataclass
class Screen:
    """The live stream: event → recipe → delivery, a line each; events that woke nothing are counted."""

    console: Console
    shown: set[int] = field(default_factory=set)
    states: dict[str, int] = field(default_factory=dict)
    quiet: int = 0
    last_event: int = 0

    def welcome(self, folder: Path, url: str) -> None:
        """What is going to be seen."""
        recipes = len(list((folder / "recipes").rglob("*.yaml")))
        self.console.print(Text("Connector demo", "bold"), Text(f"- {recipes} recipes, a made-up account at {url}"))
        self.console.print(Text("event → recipe → delivery; Ctrl-C ends it\n", "dim"))

    def show(self, store: "Store") -> None:
        """One line for each delivery that came to something since the last look."""
        with store.read() as tx:
            rows = [row for row in tx.rows(_NEWS) if row[0] not in self.shown]
            top, idle = tx.one(
                "SELECT coalesce(max(seq), 0), count(*) FROM events WHERE seq > ? "
                "AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.event = events.seq)",
                (self.last_event,),
            )
        self.quiet += idle
        self.last_event = max(self.last_event, top)
        if rows and self.quiet:
            self.console.print(Text(f"          {self.quiet} events that no recipe wanted", "dim"))
            self.quiet = 0
        for row in rows:
            self.shown.add(row[0])
            self._line(row)

    def _line(self, row: Any) -> None:
        _seq, settled, created, state, reason, recipe, kind, destination, body, meta, answer, name, _ = row
        self.states[state] = self.states.get(state, 0) + 1
        at = time.strftime("%H:%M:%S", time.localtime((settled or created) / 1000))
        what = meta if kind == "regulation" else _readable(kind, (body or b"").decode(errors="replace"))
        line = Text.assemble(
            (f"{at}  ", "dim"),
            (f"{shorten(name, 24):24} ", "cyan"),
            ("→ ", "dim"),
            (f"{shorten(recipe, 20):20} ", "bold"),
            ("→ ", "dim"),
            f"{kind} {destination or ''}".strip().ljust(14)[:14] + " ",
            (f"{state}{f' ({reason})' if reason else ''} ", _STYLES.get(state, "")),
            (f"{answer}  " if state == "dead" else "", ""),
        )
        room = max(20, self.console.width - line.cell_len - 1)
        self.console.print(line.append(shorten(what, room), "dim"))

    def farewell(self, store: "Store") -> None:
        """The sums, and where to go from here."""
        with store.read() as tx:
            events = tx.one("SELECT count(*) FROM events")[0]
        said = ", ".join(f"{n} {state}" for state, n in sorted(self.states.items())) or "no deliveries"
        self.console.print(Text(f"\n{events} events, {said}.", "bold"))
        self.console.print(Text("Make your own: connector init"))


def _readable(kind: str, body: str) -> str:
    """A body as a person reads it."""
    return html.unescape(str(json.loads(body)["text"])) if kind == "slack" and body else body


def _without_ours(environ: "os._Environ[str]") -> dict[str, str]:
    """The environment without the settings of a real installation: the demo is only the demo."""
    return {name: value for name, value in environ.items() if not name.startswith("CONNECTOR_")}
