"""The world of a measurement: a sandbox and a daemon (or the script), each a process of its own."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import requests

from connector.store.driver import sqlite

HERE = Path(__file__).parent
TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
NAMES = tuple(f"Step {letter} Done" for letter in "ABCDEFGHIJKLMNOPQRST")  # twenty event names, five recipes each
MATCHING = 2  # of the twenty: 10 % of the events
SECRET = "whsec_c2lnbmluZyBrZXkgb2YgdGhlIGJlbmNobWFya3M="
PROPERTIES = {
    "product_id": "p-1042", "sku": "LRD-1042", "name": "Picnic hamper for four", "category": "Hampers",
    "price": "59.99", "currency": "GBP", "quantity": "1", "cart_id": "cart-418811", "coupon": "PICNIC10",
    "brand": "The Larder", "variant": "Willow", "position": "3", "list": "summer offers",
    "url": "https://www.larder.example/hampers/picnic-hamper-for-four",
    "image_url": "https://www.larder.example/images/hampers/picnic-hamper-for-four.jpg",
}  # fmt: skip
LINE = {"product_id": "p-77", "sku": "LRD-77", "name": "Sussex Sparkling Wine", "category": "Drinks", "price": "34.00"}
SIZES = {  # what an event of each size holds
    "usual": PROPERTIES,  # 0.9 kB of JSON, as large as those printed in the platform's documents
    "large": {**PROPERTIES, "products": [LINE] * 14},  # 2.4 kB, an order of fourteen lines
}


class Process:
    """A child process."""

    def __init__(self, arguments: list[str], **options: Any) -> None:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        self.began = time.time()
        self.child = subprocess.Popen([sys.executable, *arguments], text=True, env=environment, **options)

    def busy(self) -> float:
        """Seconds of processor time so far, user and system."""
        fields = Path(f"/proc/{self.child.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def resident(self) -> float:
        """Megabytes (10^6 bytes) of resident memory."""
        return int(Path(f"/proc/{self.child.pid}/statm").read_text().split()[1]) * PAGE / 1e6

    def end(self) -> None:
        """SIGTERM, and wait."""
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
        self.child.wait(40)


class Sandbox(Process):
    """Feed and receiver."""

    def __init__(self, *, traffic: str = "off", limited: bool = False) -> None:
        limit = "on" if limited else "off"
        arguments = ["-m", "connector.sandbox", "--port", "0", "--traffic", traffic, "--set", f"rate_limit={limit}"]
        super().__init__(arguments, stdout=subprocess.PIPE)
        assert self.child.stdout is not None
        self.url = self.child.stdout.readline().split()[-1]
        self.feed = f"{self.url}/track/acme/acme/ACME/v1/events"
        self.receiver = f"{self.url}/receiver/crm"

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """A control request."""
        answer = requests.request(method, f"{self.url}/sandbox/{path}", json=body, timeout=300)
        answer.raise_for_status()
        return answer.json()

    def fill(self, count: int, end: int, size: str = "usual") -> int:
        """So many events, one a millisecond, the last of them at `end` (milliseconds); when the first one is."""
        first = end - count
        for done in range(0, count, 100_000):
            some = min(100_000, count - done)
            order = {"count": some, "at": iso(first + done), "every": 1, "event": NAMES, "properties": SIZES[size]}
            self.ask("POST", "events", order)
        return first

    def behave(self, **how: Any) -> None:
        """Change how the receiver answers; without arguments: well."""
        self.ask("POST", "receivers/crm", how)


class Daemon(Process):
    """`connector run` in its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder.joinpath("daemon.log").open("a")
        super().__init__(["-m", "connector", "run"], cwd=folder, stdout=self.log, stderr=self.log)

    def end(self) -> None:
        super().end()
        self.log.close()


class Database:
    """A daemon's database, looked at from outside."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "connector.db"

    def row(self, question: str) -> tuple[Any, ...]:
        """One row; zeros while there is no database yet."""
        if not self.file.exists():
            return (0,) * 10
        with contextlib.closing(sqlite.connect(self.file, timeout=10)) as connection:
            connection.execute("PRAGMA query_only=ON")
            try:
                found = connection.execute(question).fetchone()
            except sqlite.OperationalError:  # its tables are just being made
                found = None
        return tuple(value or 0 for value in found or (0,) * 10)

    def number(self, question: str) -> int:
        """The first column of `row`."""
        return int(self.row(question)[0])


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A folder of its own on the disk of the system's temporary files."""
    made = Path(mkdtemp(prefix="connector-bench-"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def recipes(count: int) -> list[dict[str, Any]]:
    """Recipes as the script reads them: five an event name; the first of two names matches each of its events."""
    found = []
    for number in range(count):
        name = number % len(NAMES)
        matches = name < MATCHING and number < len(NAMES)
        found.append({"event": NAMES[name], "path": "price", "gte": 50 if matches else 1000 + number})
    return found


def configure(
    where: Path, sandbox: Sandbox, *, start: str = "now", poll: str = "10s", rate: str = "1000000/1s", count: int = 100
) -> None:
    """Write the configuration, and `count` recipes."""
    where.joinpath("connector.yaml").write_text(f"""\
connections:
  intilery:
    client_id: acme
    account_id: acme
    brand_id: ACME
    auth_token: benchmark
    base_url: {sandbox.url}
    rate: {rate}
    feeds:
      events: {{poll: {poll}, start: {start}}}
destinations:
  crm: {{webhook: "{sandbox.receiver}", sign: {SECRET}}}
egress: {{allow: [127.0.0.1]}}
""")
    for number, recipe in enumerate(recipes(count)):
        condition = f"{{properties.{recipe['path']}: {{gte: {recipe['gte']}}}}}"
        write_recipe(where, f"recipe-{number}", f'"{recipe["event"]}"', f"if: [{condition}]")


def write_recipe(where: Path, name: str, event: str, condition: str = "") -> None:
    """One recipe: a webhook to the receiver with two values of the event."""
    where.joinpath("recipes").mkdir(exist_ok=True)
    where.joinpath("recipes", f"{name}.yaml").write_text(f"""\
id: {name}
trigger: {{feed: intilery.events, event: {event}}}
{condition}
actions:
  - webhook: {{to: crm, json: {{id: "{{{{ event.eventId }}}}", price: "{{{{ properties.price | default('') }}}}"}}}}
tests: []
""")


def wait(until: Any, seconds: float, daemon: Process, every: float = 0.1) -> None:
    """Look again and again until it holds. Raises TimeoutError, and RuntimeError when the daemon ended."""
    deadline = time.monotonic() + seconds
    while not until():
        if daemon.child.poll() is not None:
            raise RuntimeError(f"the daemon ended with {daemon.child.returncode}: see its log")
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(every)


def iso(at: int) -> str:
    """Milliseconds as ISO 8601."""
    seconds, part = divmod(at, 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{part:03d}Z"


def run_script(sandbox: Sandbox, where: Path, start: int, end: int) -> dict[str, Any]:
    """The script over a stretch of the feed; what it prints."""
    where.joinpath("recipes.json").write_text(
        json.dumps([{**recipe, "event": recipe["event"].lower().replace(" ", "_")} for recipe in recipes(100)])
    )
    edges = [str(start // 1000), str(end // 1000 + 1)]
    parts = [str(HERE / "script.py"), sandbox.feed, sandbox.receiver, "recipes.json", "script.db", *edges]
    script = Process(parts, cwd=where, stdout=subprocess.PIPE)
    said, _ = script.child.communicate(timeout=3600)
    return json.loads(said)
