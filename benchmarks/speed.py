"""Throughput: ingest and deliveries, the script and the daemon by turns on the same sandbox."""

import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from world import Daemon, Database, Sandbox, configure, folder, iso, run_script, wait

from connector.model import DAY


@dataclass
class Speeds:
    """Per second of time and per second of processor time, one entry a round."""

    script: list[float] = field(default_factory=list)
    script_busy: list[float] = field(default_factory=list)
    ours: list[float] = field(default_factory=list)
    ours_busy: list[float] = field(default_factory=list)

    def add_script(self, count: int, took: list[float]) -> None:
        self.script.append(count / took[0])
        self.script_busy.append(count / took[1])

    def add_ours(self, count: int, seconds: float, busy: float) -> None:
        self.ours.append(count / seconds)
        self.ours_busy.append(count / busy)

    def ratio(self) -> float:
        """The median of the rounds' ratios: what disturbs one side of a round mostly disturbs the other."""
        return statistics.median(ours / script for ours, script in zip(self.ours, self.script, strict=True))


def measure(events: int, rounds: int, size: str) -> tuple[Speeds, Speeds]:
    """Ingest and deliver speeds over so many rounds."""
    ingest, deliver = Speeds(), Speeds()
    sandbox = Sandbox()
    try:
        end = int(time.time()) * 1000 - 8 * DAY  # older than anything that is read again
        start = sandbox.fill(events, end, size)
        for _ in range(rounds):
            with folder() as where:
                sandbox.ask("DELETE", "receivers/crm")
                said = run_script(sandbox, where, start, end)
            assert said["events"] == events, said
            ingest.add_script(said["events"], said["ingest"])
            deliver.add_script(said["sent"], said["deliver"])
            with folder() as where:
                configure(where, sandbox, start=iso(start), poll="1s")
                _ingest(sandbox, where, events, ingest)
                _deliver(sandbox, where, said["sent"], deliver)
    finally:
        sandbox.end()
    return ingest, deliver


def _ingest(sandbox: Sandbox, where: Path, events: int, speeds: Speeds) -> None:
    """All events into the inbox, what matches into the outbox, while the receiver refuses everything."""
    sandbox.behave(status=503)
    database, daemon = Database(where), Daemon(where)
    try:
        wait(lambda: database.number("SELECT max(seq) FROM events"), 30, daemon, 0.02)
        busy, before = daemon.busy(), database.number("SELECT max(seq) FROM events")
        wait(lambda: database.number("SELECT max(seq) FROM events") >= events, 600, daemon)
        busy = daemon.busy() - busy
        last, count = database.row("SELECT max(first_seen), count(*) FROM events")
        assert count == events
        asked = _asked(sandbox, daemon.began)
        speeds.add_ours(events, (last - asked) / 1000, busy * events / (events - before))
    finally:
        daemon.end()


def _asked(sandbox: Sandbox, since: float) -> int:
    """When the first request of this daemon came, in milliseconds."""
    latest = sandbox.ask("GET", "requests")["latest"]
    return min(at for one in latest if (at := _millis(one["at"])) >= since * 1000)


def _millis(text: str) -> int:
    from connector.model import instant

    return instant(text) or 0


def _deliver(sandbox: Sandbox, where: Path, expected: int, speeds: Speeds) -> None:
    """The outbox to the receiver, which is well again: from the first request's beginning to the last record."""
    sandbox.behave()
    database, daemon = Database(where), Daemon(where)
    sent = "SELECT count(*) FROM attempts WHERE outcome = 'delivered'"
    try:
        wait(lambda: database.number(sent), 30, daemon, 0.02)
        busy, before = daemon.busy(), database.number(sent)
        wait(lambda: database.number(sent) >= expected, 600, daemon)
        busy = daemon.busy() - busy
        (first,) = database.row("SELECT min(at) FROM attempts WHERE outcome = 'delivered'")
        (last,) = database.row("SELECT max(settled) FROM deliveries")
        speeds.add_ours(expected, (last - first) / 1000, busy * expected / (expected - before))
    finally:
        daemon.end()
    counts: Any = sandbox.ask("GET", "receivers/crm/counts")
    assert counts["statuses"]["200"] >= expected, counts
