"""What does not compare with the script: latency, memory, the idle daemon, the start."""

import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from world import Daemon, Database, Sandbox, configure, folder, iso, wait, write_recipe

UNSENT = "SELECT count(*) FROM deliveries WHERE state = 'pending'"


@dataclass(frozen=True)
class Latency:
    """Milliseconds from visible in the feed to arrived at the receiver. share: of one core; resident: MB at the end."""

    events: int
    median: int
    p99: int
    worst: int
    share: float
    resident: float
    peak: float


def latency(minutes: float, poll: str) -> Latency:
    """A daemon at fifty events a second, each of which is delivered, with the limits of the platform."""
    sandbox = Sandbox(traffic="50/1s", limited=True)
    with folder() as where:
        configure(where, sandbox, poll=poll, rate="100/1s", count=0)
        write_recipe(where, "everything", '"*"')
        daemon, resident = Daemon(where), [0.0]
        try:
            time.sleep(5)
            busy, began = daemon.busy(), time.monotonic()
            while (lasted := time.monotonic() - began) < minutes * 60:
                time.sleep(1)
                resident.append(daemon.resident())
            busy = daemon.busy() - busy
            sandbox.ask("POST", "traffic", {"rate": "off"})
            database = Database(where)
            time.sleep(15)
            wait(lambda: not database.number(UNSENT), 60, daemon)
            found = sandbox.ask("GET", "receivers/crm/latency?path=id")
        finally:
            daemon.end()
            sandbox.end()
    steady = statistics.median(resident[-60:])
    return Latency(found["count"], found["p50"], found["p99"], found["max"], busy / lasted, steady, max(resident))


@dataclass(frozen=True)
class Memory:
    """Megabytes resident while a backlog drains, and how long that took."""

    before: float
    peak: float
    after: float
    seconds: float


def memory(events: int) -> Memory:
    """A daemon that starts with a backlog, a tenth of which it delivers meanwhile."""
    sandbox = Sandbox()
    with folder() as where:
        start = sandbox.fill(events, int(time.time()) * 1000 - 60_000)
        configure(where, sandbox, start=iso(start), poll="1s")
        daemon, database, resident = Daemon(where), Database(where), [0.0]

        def drained() -> bool:
            resident.append(daemon.resident())
            read = database.number("SELECT max(seq) FROM events")
            return read >= events and not database.number(UNSENT)

        try:
            wait(lambda: database.number("SELECT max(seq) FROM events"), 60, daemon, 0.02)
            before, began = daemon.resident(), time.monotonic()
            wait(drained, 3600, daemon, 0.5)
            seconds = time.monotonic() - began
            time.sleep(15)
            return Memory(before, max(resident), daemon.resident(), seconds)
        finally:
            daemon.end()
            sandbox.end()


def idle(seconds: int) -> float:
    """The share of one core that a daemon takes when nothing happens: twenty recipes, a poll each ten seconds."""
    sandbox = Sandbox(limited=True)
    with folder() as where:
        configure(where, sandbox, rate="100/1s", count=20)
        daemon = Daemon(where)
        try:
            time.sleep(8)
            busy = daemon.busy()
            time.sleep(seconds)
            return (daemon.busy() - busy) / seconds
        finally:
            daemon.end()
            sandbox.end()


@dataclass(frozen=True)
class Start:
    """Seconds until the first request: by the clock, and of processor time (looked at a moment later)."""

    took: float
    busy: float


def start(rounds: int) -> tuple[list[Start], list[Start]]:
    """From the process' start to its first request, with twenty recipes: new databases, existing ones."""
    sandbox = Sandbox()
    new: list[Start] = []
    existing: list[Start] = []
    try:
        for _ in range(rounds):
            with folder() as where:
                configure(where, sandbox, count=20)
                new.append(_first_request(sandbox, where))
                existing.append(_first_request(sandbox, where))
    finally:
        sandbox.end()
    return new, existing


def _first_request(sandbox: Sandbox, where: Path) -> Start:
    seen = _requests(sandbox)
    daemon = Daemon(where)
    try:
        wait(lambda: _requests(sandbox) > seen, 30, daemon, 0.01)
        busy = daemon.busy()
        latest = sandbox.ask("GET", "requests")["latest"]
        return Start(next(one for one in (_seconds(each["at"]) - daemon.began for each in latest) if one > 0), busy)
    finally:
        daemon.end()


def _requests(sandbox: Sandbox) -> int:
    counts = sandbox.ask("GET", "requests")["counts"]
    return sum(counts.get("events", {}).values())


def _seconds(text: str) -> float:
    from connector.model import instant

    return (instant(text) or 0) / 1000
