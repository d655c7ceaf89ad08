"""The local engine: one process, in which APScheduler wakes polling, delivery, re-reads and retention.

What is due lives in the database; the scheduler only says when to look. Missed and overrun wake-ups are reported, and
when the clock is set the whole plan is made anew.
"""

import asyncio
import gc
import logging
import os
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from apscheduler import events as wakeups
from apscheduler.executors.asyncio import AsyncIOExecutor
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from connector.actions import Destination
from connector.actions.regulating import Api
from connector.actions.writing import lane
from connector.deliver import Courier, Lookups
from connector.deliver.ending import Ending
from connector.deliver.needs import Needs
from connector.deliver.regulator import Regulator
from connector.engines.clock import Watch, monotonic, now
from connector.engines.polling import Polling, line, within
from connector.engines.service import Service
from connector.errors import ConfigurationError
from connector.feeds import Feed, all_feeds
from connector.http import Http
from connector.model import Instant, instant, span
from connector.poll import Desk, Gates, StoredMemory, WatchList
from connector.recipe.recipe import Known
from connector.secrets import stamp
from connector.settings import Settings, load
from connector.store import driver, inbox, lock, outbox, retention
from connector.store.database import Store, Tx, set_fact
from connector.store.outbox import Result
from connector.store.regulations import Rules
from connector.store.runs import Ledger

log = logging.getLogger("connector.engine")

GRACE: Final = 25.0  # seconds that deliveries under way have at the end; the whole stop stays under 30
LOOK: Final = 1  # seconds between looks at what is due
TIDY: Final = 10
EVEN: Final = 3600.0  # seconds without a jump of the clock before anything is let go of for its age


@dataclass
class Daemon:
    """Everything that runs, put together from the settings. Raises ConfigurationError with every mistake."""

    settings: Settings
    stop: asyncio.Event
    store: Store = field(init=False)
    polling: list[Polling] = field(default_factory=list)
    courier: Courier = field(init=False)
    lookups: Lookups = field(init=False)
    regulator: Regulator | None = field(default=None, init=False)
    service: Service = field(init=False)
    _scheduler: AsyncIOScheduler = field(init=False)
    _watch: Watch = field(default_factory=Watch)
    _outside: int = 0
    _even_since: float = field(default_factory=monotonic)
    _secrets: dict[str, str] = field(default_factory=dict)
    _edited: object = None

    async def run(self, ready: Callable[[], None] = lambda: None) -> None:
        """Run until `stop` is set. Raises DatabaseBusy when another daemon holds the database."""
        feeds = all_feeds(self.settings.connections)
        gates, api = Gates.of(self.settings), Api.of(self.settings)
        async with AsyncExitStack() as stack:
            database = driver.database_file(self.settings.database)
            if database is not None:
                stack.callback(os.close, lock.hold(database))
            self.store = Store(self.settings.database).open()
            stack.callback(self.store.close)
            self._say_sqlite()
            http = await stack.enter_async_context(Http(self.settings.egress.allow, self.settings.vault))
            self._assemble(feeds, gates, api, http)
            self._begin()
            _spare_the_collector()
            ready()
            await self.stop.wait()
            await self._end()

    # ── putting it together ───────────────────────────────────────────────────────────────────

    def _assemble(self, feeds: list[tuple[Any, Feed]], gates: Gates, api: Api | None, http: Http) -> None:
        known = Known.of(self.settings)
        starts = self._starts([feed for _, feed in feeds])
        self.service = Service(self.store, Path(self.settings.recipes), known, now, starts)
        self.service.refresh()
        destinations, rules = gates.destinations, Rules.of(self.settings)
        needs = Needs(self.service.version, lambda tx: Ledger(tx, gates, rules, now()), now)
        watch_lists = [WatchList(feed) for _, feed in feeds if feed.sources]
        desk = Desk(self.store, self.service.get, gates, rules, now, needs.resolve, watch_lists)
        lines = {
            name: (connection, line(connection, http.send, monotonic))
            for name, connection in self.settings.connections.items()
        }
        self.courier = Courier(
            self.store,
            http,
            destinations,
            now,
            monotonic,
            settled=lambda tx, results: _settled(needs, tx, results),
            redact=self.settings.vault.redact,
            shared={lane(connection.identity): own.bucket for connection, own in lines.values()},
        )
        self.needs = needs
        if api is not None:
            bucket = lines[api.connection.name][1].bucket
            facts = (self.store, http, bucket, api, rules, now, needs.resolve, self.courier.kick)
            self.regulator = Regulator(*facts, redact=self.settings.vault.redact)
        ending = Ending(self.service, StoredMemory, needs.ledger, needs.resolve, now)
        self.lookups = Lookups(self.store, lines, ending, now, self.courier.kick, self.settings.vault.redact)
        for connection, feed in feeds:
            own = lines[connection.name][1]
            send = within(own, connection, feed.share, monotonic)
            self.polling.append(Polling(feed, connection, own, desk, self.courier.kick, self.lookups.look, send))
        self._secrets = {name: _fingerprint(each) for name, each in destinations.items()}

    def _starts(self, feeds: list[Feed]) -> dict[str, Instant]:
        """Where each feed that never ran will begin: its recipes count as live from there."""
        starts = {}
        with self.store.read() as tx:
            for feed in feeds:
                account = tx.one("SELECT 1 FROM accounts WHERE identity = ?", (feed.account,))
                if not account or not inbox.cursors(self.store, tx, feed.account, feed.key):
                    starts[feed.name] = _moment(str(getattr(feed, "start", "now")), now())
        return starts

    def _say_sqlite(self) -> None:
        version = driver.version_text()
        if driver.safe:
            log.info("database.opened", extra={"sqlite": version})
            return
        log.warning(
            "database.old_sqlite: this SQLite can lose data when two processes write; while the daemon runs, "
            "commands that change anything are refused. Install pysqlite3 (0.6 or newer) where it has a wheel.",
            extra={"sqlite": version},
        )

    # ── running ───────────────────────────────────────────────────────────────────────────────

    def _begin(self) -> None:
        with self.store.write() as tx:
            set_fact(tx, "daemon", str(os.getpid()), now())
            self.needs.resolve_all(tx)
        self._outside = self.store.changed_outside()
        self.courier.start()
        self.courier.look(everywhere=True)
        self.lookups.start()
        self._scheduler = scheduler()
        for each in self.polling:
            self._every(each.feed.poll / 1000, f"poll {each.feed.name}", self._turn, each)
        self._every(LOOK, "deliver", self._look)
        self._every(TIDY, "retention", self._tidy)
        self._scheduler.start()
        self._minder = asyncio.create_task(self._mind_the_clock())

    def _every(self, seconds: float, name: str, call: Callable[..., Awaitable[None]], *args: object) -> None:
        first = datetime.now(UTC)
        self._scheduler.add_job(
            self._until_stopped, "interval", (call, *args), seconds=seconds, id=name, name=name, next_run_time=first
        )

    async def _until_stopped(self, call: Callable[..., Awaitable[None]], *args: object) -> None:
        """A wake-up; that the stop cancels it is no failure."""
        try:
            await call(*args)
        except asyncio.CancelledError:
            if not self.stop.is_set():
                raise

    async def _turn(self, polling: Polling) -> None:
        try:
            wait = await polling.turn()
        except asyncio.CancelledError:
            if polling.stopping:
                return  # its cursor stands where it stood
            raise
        if wait is not None and wait < polling.feed.poll:
            soon = datetime.now(UTC) + timedelta(milliseconds=wait + 20)  # by then this turn counts as ended
            self._scheduler.modify_job(f"poll {polling.feed.name}", next_run_time=soon)

    async def _look(self) -> None:
        """What is due, what other processes changed, what was edited."""
        outside = self.store.changed_outside()
        if outside != self._outside:
            await self.store.transact(self.needs.resolve_all)
            self.courier.reread()
            self._outside = outside  # not before: what failed is looked at again
        await self._refresh()
        self._see_new_secrets()
        self._see_new_configuration()
        self.courier.look()
        self.lookups.look()
        if self.regulator is not None:
            self.regulator.look()

    async def _refresh(self) -> None:
        """Look at the recipes; whatever is wrong with the folder, deliveries go on."""
        try:
            if self.service.refresh():
                await self.lookups.recipes_changed()
        except (OSError, RuntimeError, ValueError):
            log.exception("recipes.unreadable")

    def _see_new_configuration(self) -> None:
        """Report an edited connector.yaml, once an edit; `.env` needs no word, since secrets are read when used."""
        seen = stamp(self.settings.file)
        if seen == self._edited or not self.settings.changed():
            return
        self._edited = seen
        try:
            edited = load(self.settings.file, os.environ, secrets="warn").document.data != self.settings.document.data
            told = "configuration.changed: restart to apply" if edited else ""
        except ConfigurationError as error:
            told = f"configuration.broken: {error.mistakes[0]}; the daemon goes on with the one it started with"
        if told:
            log.warning(told, extra={"file": str(self.settings.file)})

    def _see_new_secrets(self) -> None:
        changed = set()
        for name, destination in self.courier.destinations.items():
            fingerprint = _fingerprint(destination)
            if fingerprint != self._secrets[name]:
                self._secrets[name] = fingerprint
                changed.add(name)
        if changed:
            log.info("secrets.changed", extra={"destinations": ",".join(sorted(changed))})
            self.courier.wake(changed)
        for polling in self.polling:
            if polling.refused():
                log.info("secrets.changed", extra={"feed": polling.feed.name})
                self._scheduler.modify_job(f"poll {polling.feed.name}", next_run_time=datetime.now(UTC))

    async def _tidy(self) -> None:
        """Let go of what expired, and of what is old.

        Only once the clock has gone evenly for an hour: a wrong one must not wipe the ids that events are known by.
        """
        expired, kicked = await self.store.transact(self._let_go)
        if expired:
            log.info("deliveries.expired", extra={"deliveries": expired})
        self.courier.kick(kicked)

    def _let_go(self, tx: Tx) -> tuple[int, set[str]]:
        """How many deliveries expired, and the destinations that have something to send since."""
        keep = self.settings.privacy.keep
        expired = outbox.expire(tx, now(), self.courier.under_way())
        if monotonic() - self._even_since > EVEN:
            retention.forget(tx, retention.Keep(keep.events, keep.ids, keep.deliveries), now())
        return expired, self.needs.resolve_all(tx) if expired else set()

    async def _mind_the_clock(self) -> None:
        """When the wall clock is set, plan anew: the scheduler would otherwise sleep until the old time comes again."""
        moved = 0
        while True:
            await asyncio.sleep(1)
            moved += self._watch.moved()
            if not moved:
                continue
            try:
                self._plan_anew(moved)
            except Exception:  # the database may be locked: the clock must be watched all the same
                log.exception("clock.plan_failed")
            else:
                moved = 0

    def _plan_anew(self, moved: int) -> None:
        log.warning("clock.moved", extra={"by_ms": moved})
        self._even_since = monotonic()
        if moved < 0:
            with self.store.write() as tx:
                outbox.shift(tx, now(), -moved)
                self.lookups.clock_set_back(tx, -moved)
            self.courier.shift(moved)
            self.service.refresh(anyway=True)
            for polling in self.polling:
                polling.not_before += moved
        for job in self._scheduler.get_jobs():
            job.modify(next_run_time=datetime.now(UTC))

    async def _end(self) -> None:
        """Poll no more, finish what is under way, and leave the database tidy."""
        log.info("daemon.stopping")
        self._minder.cancel()
        for polling in self.polling:
            await polling.close()
        self._scheduler.shutdown(wait=False)
        await self.lookups.stop()
        regulating = [self.regulator.stop(GRACE)] if self.regulator is not None else []
        await asyncio.gather(self.courier.stop(GRACE), *regulating)
        with self.store.write() as tx:
            set_fact(tx, "daemon", None, now())
        log.info("daemon.stopped")


def _spare_the_collector() -> None:
    """What is loaded by now stays: the garbage collector need not look at it again, nor at every page of events."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    gc.enable()


def _moment(start: str, at: Instant) -> Instant:
    if start == "now":
        return at
    found = instant(start)
    return at - span(start) if found is None else found


def _fingerprint(destination: Destination) -> str:
    """What changes when a secret of a destination does."""
    return " ".join(secret.fingerprint() for secret in destination.secrets())


def _settled(needs: Needs, tx: Tx, results: list[Result]) -> set[str]:
    return needs.resolve(tx, {result.due.run for result in results if result.due.awaited})


def scheduler() -> AsyncIOScheduler:
    """One job of a name at a time, in the running loop; what was late, overrun or failed is reported, see `logs`."""
    defaults = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    made = AsyncIOScheduler(timezone=UTC, job_defaults=defaults, executors={"default": AsyncIOExecutor()})
    made.add_listener(_report, wakeups.EVENT_JOB_MISSED | wakeups.EVENT_JOB_ERROR)
    made.add_listener(_report_overrun, wakeups.EVENT_JOB_MAX_INSTANCES)
    return made


def _report(event: wakeups.JobExecutionEvent) -> None:
    if event.code == wakeups.EVENT_JOB_MISSED:
        log.warning("wakeup.missed", extra={"job": event.job_id, "planned": event.scheduled_run_time.isoformat()})
    else:
        log.error("wakeup.failed", extra={"job": event.job_id}, exc_info=event.exception)


def _report_overrun(event: wakeups.JobSubmissionEvent) -> None:
    log.info("wakeup.overrun: the one before is still at work", extra={"job": event.job_id})
