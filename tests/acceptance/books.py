"""The books: what happened on the platform against what came at a receiver."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable

from connector.sandbox.receiver import Received

Name = Callable[[Received], str]


def event_id(one: Received) -> str:
    """The event that a request tells of."""
    return str(one.json["id"])


def repeats(received: Iterable[Received]) -> int:
    """How many requests were sent again. Fails unless all of one id are the same request."""
    first: dict[str, Received] = {}
    again = 0
    for one in received:
        id = one.headers["idempotency-key"]
        assert id == one.headers.get("webhook-id", id)
        known = first.setdefault(id, one)
        again += known is not one
        assert (known.method, known.path, known.body) == (one.method, one.path, one.body), id
    return again


def balance(received: Iterable[Received], happened: Iterable[str], name: Name = event_id) -> None:
    """Fails unless every event came, none came under two ids, and nothing else came."""
    ids = defaultdict(set)
    for one in received:
        ids[name(one)].add(one.headers["idempotency-key"])
    assert set() == set(happened) - ids.keys(), "events were lost"
    assert set() == ids.keys() - set(happened), "there was no such event"
    assert {} == {event: keys for event, keys in ids.items() if len(keys) > 1}, "delivered twice"


def firsts(received: Iterable[Received]) -> list[Received]:
    """Without what was sent again."""
    seen: Counter[str] = Counter()
    kept = []
    for one in received:
        id = one.headers["idempotency-key"]
        seen[id] += 1
        if seen[id] == 1:
            kept.append(one)
    return kept
