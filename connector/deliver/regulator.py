"""Sends approved regulations to an API: one at a time, and never again without knowing what came of the time before.

What is doubtful (no answer, a 5xx, an answer that says nothing) is looked up in the platform's list first. Found there,
it counts as sent. Not found, one that can be undone is asked for again, one that cannot be undone waits for a person;
and so does all that the list does not tell.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from random import SystemRandom
from typing import Final

from connector.actions.regulating import IRREVERSIBLE, Api, Wanted
from connector.deliver import policy
from connector.deliver.exchange import Door
from connector.errors import ConnectorError, FeedError, HttpError, RenderError, RequestRefused
from connector.http import Bucket
from connector.model import MINUTE, SECOND, Now, Verdict
from connector.store import asking
from connector.store.asking import Next
from connector.store.database import Store, Tx
from connector.store.regulations import Rules

log = logging.getLogger("connector.deliver")

LOOKS: Final = 5  # at a list that does not answer, before a person is asked
TRIES: Final = 13
PARTS: Final = 100  # of a list
REFUSED_WAIT: Final = 15 * MINUTE
LAST: Final = -1  # polling and lookups come first


@dataclass
class Regulator:
    """resolve: looks at runs with an action that has `needs`. kick: told the destinations that have something to send.

    bucket: the connection's rate, which polling shares and comes first in. redact: hides secrets in what it said.
    """

    store: Store
    door: Door
    bucket: Bucket
    api: Api
    rules: Rules
    now: Now
    resolve: Callable[[Tx, set[int]], set[str]] = lambda _tx, _runs: set()
    kick: Callable[[set[str]], None] = lambda _names: None
    redact: Callable[[str], str] = str
    random: policy.Random = SystemRandom().random
    _task: asyncio.Task[None] | None = field(default=None, init=False)
    _stopping: bool = field(default=False, init=False)

    def look(self) -> None:
        """Send whatever may go out now. Called each second."""
        if not self._stopping and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._work())

    async def stop(self, grace: float) -> None:
        """Begin no more; what is under way may finish within `grace` seconds."""
        self._stopping = True
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=grace)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    @property
    def busy(self) -> bool:
        """Whether something is under way."""
        return self._task is not None and not self._task.done()

    async def _work(self) -> None:
        while not self._stopping and (one := self._next()) is not None:
            try:
                await self._carry(one)
            except (RenderError, RequestRefused) as error:  # nothing was sent, nor will it ever be as it stands
                await self._ask_a_person(one, str(error))
            except Exception:  # nothing is lost: whatever was begun is looked up before it is repeated
                log.exception("regulation.defect", extra={"delivery": one.id})
                due, why = self.now() + REFUSED_WAIT, "a defect of the connector"
                await self.store.transact(partial(asking.later, one=one, due=due, answer=why))

    def _next(self) -> Next | None:
        with self.store.read() as tx:
            return asking.next_due(tx, self.now())

    async def _carry(self, one: Next) -> None:
        if not await self.store.transact(lambda tx: asking.may_go(tx, self.rules, one, self.now())):
            return
        if one.unsure is None or await self._look_first(one):
            await self._ask(one)

    async def _ask_a_person(self, one: Next, why: str) -> None:
        why = self.redact(why)
        log.warning("regulation.needs_human", extra={"delivery": one.id, "reason": why})
        await self.store.transact(lambda tx: asking.ask_a_person(tx, one, self.now(), why))

    # ── asking ────────────────────────────────────────────────────────────────────────────────

    async def _ask(self, one: Next) -> None:
        """One request. What holds all regulations is looked at right before it."""
        request = self.api.ask(_wanted(one))
        await self.bucket.wait(priority=LAST)
        at = self.now()
        n = await self.store.transact(
            lambda tx: asking.begin(tx, one, at) if asking.may_go(tx, self.rules, one, at) else None
        )
        if n is None:
            return
        status = None
        try:
            answer = await self.door.send(request, overflow="cut")
            status, verdict = answer.status, self.api.judge(answer)
        except HttpError as error:
            verdict = Verdict("retry", str(error))
            if error.arrived is False:  # surely not
                wait = min(policy.retry_delay(n, None, self.random), REFUSED_WAIT)
                verdict = Verdict("refused", str(error), wait)
        except ConnectorError as error:  # a secret that cannot be read: nothing was sent
            verdict = Verdict("refused", str(error))
        kicked = await self.store.transact(lambda tx: self._conclude(tx, one, n, verdict, status))
        self.kick(kicked)

    def _conclude(self, tx: Tx, one: Next, n: int, verdict: Verdict, status: int | None) -> set[str]:
        now, answer = self.now(), self.redact(verdict.reason)
        asking.end(tx, one, n, verdict.outcome, status, answer)
        log.info("regulation.asked", extra={"delivery": one.id, "outcome": verdict.outcome, "answer": answer})
        if verdict.outcome == "delivered":
            return self._sent(tx, one, answer)
        if verdict.outcome == "dead":
            asking.ask_a_person(tx, one, now, f"the platform refuses it: {answer}")
        elif verdict.outcome == "retry":
            asking.later(tx, one, now + policy.retry_delay(n, verdict.after, self.random), answer)
        elif verdict.outcome == "throttled":
            self.bucket.slow_down(max(verdict.after or 0, SECOND))
            asking.later(tx, one, now + policy.throttle_delay(n, verdict.after, self.random), answer)
        else:
            asking.later(tx, one, now + (verdict.after or REFUSED_WAIT), answer)
        return set()

    def _sent(self, tx: Tx, one: Next, answer: str) -> set[str]:
        asking.sent(tx, one, self.now(), answer)
        return self.resolve(tx, {one.run}) if one.awaited else set()

    # ── looking first ─────────────────────────────────────────────────────────────────────────

    async def _look_first(self, one: Next) -> bool:
        """Look it up in the platform's list; whether it is to be asked for again."""
        try:
            found = await self._find(one)
        except FeedError as error:
            passing = error.status == 429 or (error.status or 0) >= 500
            return await self._unread(one, str(error), error.status, passing=passing)
        except HttpError as error:
            return await self._unread(one, str(error), None, passing=True)
        except ConnectorError as error:
            return await self._unread(one, str(error), None, passing=False)
        if found:
            self.kick(await self.store.transact(lambda tx: self._sent(tx, one, "found in the platform's list")))
            return False
        why = ""
        if one.type in IRREVERSIBLE and any(outcome in asking.UNSURE for outcome, _ in one.since_approval):
            why = "it cannot be undone, and may have been taken although the platform's list does not show it"
        elif one.count("retry") >= TRIES:
            why = f"asked for {TRIES} times without a clear answer"
        if why:
            await self._ask_a_person(one, why)
        return not why

    async def _find(self, one: Next) -> bool:
        token = ""
        for _ in range(PARTS):
            await self.bucket.wait(priority=LAST)
            answer = await self.door.send(self.api.look(_wanted(one), token))
            found, token = self.api.found(answer, _wanted(one))
            if found or not token:
                return found
        raise FeedError(f"the platform's list has more than {PARTS} parts")

    async def _unread(self, one: Next, why: str, status: int | None, *, passing: bool) -> bool:
        """The list did not tell: try a few times where that may pass, then ask a person."""
        now, looks, why = self.now(), one.count("looked") + 1, self.redact(why)
        due = now + policy.retry_delay(looks, None, self.random)

        def note(tx: Tx) -> None:
            asking.looked(tx, one, now, status, why)
            asking.later(tx, one, due, why)

        await self.store.transact(note)
        if not passing or looks >= LOOKS:
            await self._ask_a_person(one, f"an answer was lost, and the platform's list cannot be read: {why}")
        return False


def _wanted(one: Next) -> Wanted:
    return Wanted(one.id, one.type, one.user_id, one.reason, one.proposed)
