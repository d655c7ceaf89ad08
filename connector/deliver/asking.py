"""Asking the platforms what runs look up: polling first, some at a time, and an answer once for all who may share it.

What fails holds its run. A platform that does not answer, or refuses the key, is left alone for 1 s, 5 s, 20 s, 1 m and
then 5 m at a time, and tried with a single question; its first answer opens it for all.
"""

import asyncio
import json
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Protocol, TypeAlias

from connector.errors import (
    AddressRefused,
    AnswerTooLarge,
    ConnectorError,
    FeedError,
    FeedRefused,
    HttpError,
    NothingThere,
    RequestRefused,
)
from connector.lookups import Lookup, NotFound, NotOne
from connector.model import HOUR, MINUTE, SECOND, Answer, Asked, Instant, Json, Now, Request, canonical
from connector.platforms.answers import spoken
from connector.settings import Connection

log = logging.getLogger("connector.lookups")

AT_ONCE: Final = 16  # questions to one connection under way
LARGEST: Final = 1024 * 1024  # bytes of an answer
SPACING: Final = (1 * SECOND, 5 * SECOND, 20 * SECOND, 1 * MINUTE, 5 * MINUTE)
REFUSALS: Final = 3  # of one question, in a row, are final: a single 400 may be the platform's own trouble
LONGEST_RETRY_AFTER: Final = HOUR
_HELD: Final = frozenset({401, 402, 403, 404, 408, 410, 425, 429})  # 4xx that are not about the question
_NOT_FOUND: Final = re.compile(r"\w (?:be )?not (?:be )?found", re.IGNORECASE)  # "Profile was not found."
_MOST_KEPT: Final = 5_000
_KEPT_BYTES: Final = 8 * 1024 * 1024


def nobody(answer: Answer) -> bool:
    """Whether a 404 is about what was asked for. One of another server, at a wrong base_url, must not pass for that."""
    try:
        said = json.loads(answer.body)
    except ValueError:
        return False
    error = said.get("error") if isinstance(said, dict) else None
    known = isinstance(error, dict) and error.get("code") == "not_found"
    return known or bool(_NOT_FOUND.search(spoken(answer.body)))


class Line(Protocol):
    """A connection's line to its platform, with its one rate."""

    async def after_polling(self, request: Request) -> Answer:
        """Send once the rate allows it and no feed wants to. Raises HttpError."""
        ...

    def slow_down(self, milliseconds: int) -> None:
        """The platform wants to be left alone for so long."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """What was found; None: nothing."""

    value: Json


@dataclass(frozen=True, slots=True)
class Later:
    """No answer yet. due: when to ask again. spent: this very question was asked and failed."""

    reason: str
    due: Instant
    spent: bool


@dataclass(frozen=True, slots=True)
class Never:
    """No asking again will help."""

    reason: str


Result: TypeAlias = Found | Later | Never


def spacing(attempts: int) -> int:
    """Milliseconds until the next try after so many."""
    return SPACING[min(attempts, len(SPACING)) - 1]


@dataclass
class Platform:
    """One connection, and how it fares. failures: in a row, of requests that were sent one after another.

    fingerprint: of the key that it refused.
    """

    connection: Connection
    line: Line
    failures: int = 0
    paused_until: Instant = 0
    failed_at: Instant = -1
    reason: str = ""
    fingerprint: str | None = None
    trying: bool = False
    seats: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))


@dataclass
class Asking:
    """Asks, and remembers answers. platforms: by the connection's name. redact: takes secrets out of what is told."""

    platforms: Mapping[str, Platform]
    now: Now
    random: Callable[[], float]
    redact: Callable[[str], str]
    recovered: bool = False  # a platform answers again: what it held up may go on
    _kept: dict[tuple[str, str, bytes], tuple[Instant, Json, int]] = field(default_factory=dict)
    _size: int = 0
    _under_way: dict[tuple[str, str, bytes], "asyncio.Future[Result]"] = field(default_factory=dict)

    async def ask(self, name: str, kind: str, asked: Asked, *, cache: int, attempts: int) -> Result:
        """One question to a connection. cache: milliseconds that an answer may be old. attempts: failed ones so far."""
        platform = self.platforms[name]
        if not cache:
            return await self._ask(platform, kind, asked, attempts)
        key = (platform.connection.identity, kind, canonical(asked))
        at, value, size = self._kept.get(key, (0, None, -1))
        if size >= 0 and 0 <= self.now() - at < cache:
            return Found(value)
        if key in self._under_way:
            return await asyncio.shield(self._under_way[key])
        task = self._under_way[key] = asyncio.ensure_future(self._ask(platform, kind, asked, attempts, key))
        task.add_done_callback(lambda _: self._under_way.pop(key, None))
        return await task

    def wake(self) -> None:
        """Try those at once that refused a key which was replaced since."""
        for platform in self.platforms.values():
            if platform.fingerprint not in {None, _fingerprint(platform.connection)}:
                log.info("secrets.changed", extra={"connection": platform.connection.name})
                platform.fingerprint, platform.paused_until, self.recovered = None, 0, True

    def shift(self, back: int) -> None:
        """The clock went back by `back` ms."""
        for platform in self.platforms.values():
            platform.paused_until -= back
            platform.failed_at -= back
        for key in list(self._kept):
            self._drop(key)

    # ── one question ──────────────────────────────────────────────────────────────────────────

    async def _ask(
        self,
        platform: Platform,
        kind: str,
        asked: Asked,
        attempts: int,
        key: tuple[str, str, bytes] | None = None,
    ) -> Result:
        async with platform.seats:
            begun = self.now()
            if begun < platform.paused_until or platform.trying:
                return Later(platform.reason, max(platform.paused_until, begun + SECOND), spent=False)
            alone = platform.trying = platform.failures > 0
            try:
                return await self._send(platform, Lookup.kinds[kind], asked, key)
            except (NotOne, AnswerTooLarge, RequestRefused) as error:
                return Never(self.redact(str(error)))
            except FeedError as error:
                return self._refused(platform, error, begun, attempts)
            except ConnectorError as error:
                away = isinstance(error, HttpError) and not isinstance(error, AddressRefused)
                return self._failed(platform, self.redact(str(error)), begun, refused=not away)
            except Exception as error:  # a defect of ours must neither end a run nor stop the others
                log.exception("lookup.defect", extra={"lookup": kind, "connection": platform.connection.name})
                reason = f"a defect of the connector: {type(error).__name__}"
                return Later(reason, begun + self._jittered(spacing(attempts + 1)), spent=True)
            finally:
                platform.trying = platform.trying and not alone

    async def _send(
        self, platform: Platform, kind: type[Lookup], asked: Asked, key: tuple[str, str, bytes] | None
    ) -> Found:
        """Raises what keeps an answer from coming."""
        talk, answer, size = kind.talk(platform.connection, asked), None, 0
        try:
            request = next(talk)
            while True:
                answer = await platform.line.after_polling(replace(request, cap=min(request.cap, LARGEST)))
                size += len(answer.body)
                request = talk.send(answer)
        except StopIteration as end:
            value = end.value
        except NotFound:
            value = None
        except NothingThere:
            if answer is None or not nobody(answer):
                raise
            value = None
        self._answers_again(platform)
        if key is not None and value is not None:
            self._keep(key, value, size)
        return Found(value)

    def _refused(self, platform: Platform, error: FeedError, begun: Instant, attempts: int) -> Result:
        status, reason = error.status or 0, self.redact(str(error))
        if 400 <= status < 500 and status not in _HELD:
            self._answers_again(platform)
            if attempts + 1 >= REFUSALS:
                return Never(reason)
            return Later(reason, begun + self._jittered(spacing(attempts + 1)), spent=True)
        after = min(error.retry_after_ms or 0, LONGEST_RETRY_AFTER)
        later = self._failed(platform, reason, begun, refused=isinstance(error, FeedRefused), after=after)
        if status == 429:
            platform.line.slow_down(max(after, SECOND))
        return later

    def _failed(self, platform: Platform, reason: str, begun: Instant, *, refused: bool, after: int = 0) -> Later:
        """The connection, not the question, is at fault: leave it alone for a while."""
        now = self.now()
        if begun >= platform.failed_at:  # else it was sent before the failure that is known already
            platform.failures += 1
            wait = self._jittered(SPACING[-1] if refused else spacing(platform.failures))
            platform.paused_until, platform.failed_at = now + max(wait, after), now
            platform.fingerprint = _fingerprint(platform.connection) if refused else None
            facts = {"connection": platform.connection.name, "reason": reason, "failures": platform.failures}
            log.warning("lookup.failed", extra={**facts, "again_in_ms": platform.paused_until - now})
        platform.reason = reason
        return Later(reason, platform.paused_until, spent=True)

    def _answers_again(self, platform: Platform) -> None:
        if platform.failures:
            log.info("lookup.answered_again", extra={"connection": platform.connection.name})
            platform.failures, platform.paused_until, platform.reason, platform.fingerprint = 0, 0, "", None
            self.recovered = True

    def _jittered(self, milliseconds: int) -> int:
        return int(milliseconds * (0.8 + 0.4 * self.random()))

    # ── answers that serve again ──────────────────────────────────────────────────────────────

    def _keep(self, key: tuple[str, str, bytes], value: Json, size: int) -> None:
        """Keep an answer; the oldest go where they would be too many or too large."""
        self._drop(key)
        self._kept[key] = (self.now(), value, size)
        self._size += size
        while len(self._kept) > _MOST_KEPT or self._size > _KEPT_BYTES:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: tuple[str, str, bytes]) -> None:
        if key in self._kept:
            self._size -= self._kept.pop(key)[2]


def _fingerprint(connection: Connection) -> str:
    try:
        return connection.token.fingerprint()
    except ConnectorError:  # a secret that cannot be read is one more way to differ
        return ""
