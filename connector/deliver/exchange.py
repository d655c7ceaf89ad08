"""One request, for one delivery or for several that go together, and what came of it."""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from connector.actions import Action, Destination
from connector.actions.writing import ADDED, MOST_TOGETHER, Account
from connector.errors import (
    AddressRefused,
    ConnectorError,
    HttpError,
    RequestRefused,
    SecretMissing,
    SigningRefused,
)
from connector.model import Answer, Instant, Now, Request, Verdict
from connector.platforms.bodies import LARGEST
from connector.store.outbox import Due

log = logging.getLogger("connector.deliver")

UNSURE: Final = (400, 413, 422)  # refusals of which some kinds want to see more than one


class Door(Protocol):
    """The door to the network."""

    async def send(self, request: Request, *, overflow: Literal["error", "cut"] = "error") -> Answer:
        """Raises HttpError."""
        ...


@dataclass(frozen=True, slots=True)
class Said:
    """What a request came to. elapsed: milliseconds; status: None without an answer; cut: the body goes on."""

    verdict: Verdict
    elapsed: int
    status: int | None = None
    body: bytes = b""
    cut: bool = False

    @property
    def of_all(self) -> bool:
        """Whether it holds for each of several deliveries; else one of them may be at fault."""
        return self.verdict.outcome != "dead" and self.status != 403


def portion(claimed: deque[Due], destination: Destination) -> list[Due]:
    """The next delivery, and those behind it that may go in the same request; all of them leave the queue."""
    first = claimed.popleft()
    lot = _lot(first, destination)
    if not lot:
        return [first]
    some, others, room = [first], list[Due](), LARGEST - _size(first)
    while claimed and len(some) < MOST_TOGETHER:
        due = claimed.popleft()
        if _size(due) <= room and _lot(due, destination) == lot:
            some.append(due)
            room -= _size(due)
        else:
            others.append(due)
    claimed.extendleft(reversed(others))
    return some


def _lot(due: Due, destination: Destination) -> str:
    """What a delivery may go together with; one whose answer another action needs goes alone."""
    return destination.lot(due.message) if isinstance(destination, Account) and not due.awaited else ""


def _size(due: Due) -> int:
    return len(due.message.body) + ADDED


async def exchange(
    door: Door, destination: Destination, some: Sequence[Due], at: Instant, now: Now, refusals: Callable[[Due], int]
) -> Said:
    """Send one request for these deliveries; whatever happens has a verdict.

    refusals: how many attempts of a delivery, directly before this one, were answered with one of UNSURE.
    """
    first, kind = some[0], Action.kinds[some[0].kind]
    try:
        request = _request(destination, some, at)
        answer = await door.send(request, overflow="cut")
        before = 0
        if answer.status in UNSURE and kind.patience > 1:
            before = refusals(first) if len(some) == 1 else kind.patience
        cut = len(answer.body) >= request.cap
        return Said(kind.judge(answer, before), answer.elapsed, answer.status, answer.body, cut)
    except (SecretMissing, AddressRefused, SigningRefused) as error:  # the destination's fault: it is parked
        verdict = Verdict("refused", str(error))
    except RequestRefused as error:  # this delivery's own fault: no attempt will change it
        verdict = Verdict("dead", str(error))
    except HttpError as error:
        verdict = Verdict("retry", str(error))
    except ConnectorError as error:
        verdict = Verdict("refused", str(error))
    except Exception as error:  # a defect of ours must neither lose a delivery nor stop its lane
        log.exception("delivery.defect", extra={"delivery": first.id, "destination": first.destination})
        verdict = Verdict("retry", f"a defect of the connector: {type(error).__name__}")
    return Said(verdict, max(now() - at, 0))


def _request(destination: Destination, some: Sequence[Due], at: Instant) -> Request:
    if len(some) > 1 and isinstance(destination, Account):
        return destination.together([(due.message, due.id) for due in some])
    return destination.request(some[0].message, id=some[0].id, at=at)
