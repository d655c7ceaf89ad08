"""`intempt.matches`: events that watched profiles or users match (API reference of 2021, *Get matched events*).

Reads: GET /v1/{org}/events/matches for one id at a time. Keyed state: of each watched id the names it has matched, how
often each appeared, and lastUpdated. The platform gives names alone, without ids or times, so what is made of a change
has an id of our own: of the watched id, the name and its how-manieth appearance it is. Two changes between two looks
are one. A 404, or an answer that names no user, never means that a match is gone.
"""

from collections.abc import Mapping
from typing import ClassVar

from connector.errors import NothingThere
from connector.feeds.made import made_event, made_id
from connector.feeds.watching import Look, State, Watching
from connector.model import Answer, Event, Instant, Json, Request, instant_text
from connector.platforms.intempt import people


class IntemptMatches(Watching):
    """poll: how often each id is looked at where the rate allows it. watch: which profiles or users.

    baseline: whether what the first look at an id finds fires.
    """

    kind: ClassVar[str] = "matches"
    example: ClassVar[str] = (
        "matches: {poll: 30s, watch: {profile_ids: [182233618306719744], file: watched.txt, from: [{feed:"
        " intilery.events, path: context.traits.intemptProfileId, keep: {userId: event.userId}}]}, baseline: silent}"
    )

    def ask(self, kind: str, id: str) -> Request:
        """One request. Raises RequestRefused."""
        return people.matches(self._connection, **{kind.removesuffix("_id"): id})

    def compare(self, key: str, before: State | None, answer: Answer, about: Mapping[str, Json], now: Instant) -> Look:
        """See Watching. State: names there now, how often each appeared, lastUpdated, the user's id."""
        found = people.parse_matches(answer)
        if not found.master_id and not found.names:
            raise NothingThere("the answer names no user", answer.status)
        known = before or {"names": [], "times": {}, "updated": None, "master": found.master_id}
        told = _Telling(self, key, found, about, now)
        times = dict(known["times"])
        merged = known["master"] not in {"", found.master_id}
        fresh = [name for name in found.names if name not in known["names"]]
        lost = [name for name in known["names"] if name not in found.names]
        for name in fresh:
            times[name] = times.get(name, 0) + 1
        if before is None and self.baseline == "silent":
            pass
        elif merged:
            told.merged(known["master"], fresh, times)
        else:
            told.changed(fresh, lost, times)
            if not fresh and not lost and (found.last_updated or 0) > (known["updated"] or 0):
                told.updated()
        state = {
            "names": list(found.names),
            "times": times,
            "updated": max(found.last_updated or 0, known["updated"] or 0) or None,
            "master": found.master_id,
        }
        return Look(state, tuple(told.events), changed=before is not None and bool(told.events))


class _Telling:
    """The events that one look gives."""

    def __init__(
        self, feed: IntemptMatches, key: str, found: people.Matches, about: Mapping[str, Json], now: Instant
    ) -> None:
        self.events: list[Event] = []
        self._feed, self._key, self._found, self._now = feed, key, found, now
        self._ids = {
            "masterId": found.master_id,
            "profileIds": list(found.profile_ids),
            **({"watched": dict(about)} if about else {}),
        }

    def changed(self, fresh: list[str], lost: list[str], times: Mapping[str, int]) -> None:
        """Names that came and names that went; the how-manieth time makes the id."""
        for name in fresh:
            self._tell("match_appeared", {"name": name}, made_id(self._key, name, "appeared", times[name]))
        for name in lost:
            self._tell("match_gone", {"name": name}, made_id(self._key, name, "gone", times[name]))

    def updated(self) -> None:
        """Something matched again; the platform does not say what."""
        self._tell("match_updated", {}, made_id(self._key, "updated", self._found.last_updated))

    def merged(self, before: str, fresh: list[str], times: Mapping[str, int]) -> None:
        """The user became part of another one, whose matches are old: one event for all of them, none for each."""
        counts = [times[name] for name in fresh]
        properties = {"mergedFrom": before, "added": fresh}
        self._tell("match_updated", properties, made_id(self._key, "merged", before, self._found.master_id, counts))

    def _tell(self, action: str, properties: Mapping[str, Json], id: str) -> None:
        found = self._found
        updated = None if found.last_updated is None else instant_text(found.last_updated)
        facts = {**properties, "names": list(found.names), "lastUpdated": updated}
        self.events.append(
            made_event(
                self._feed.account,
                self._feed.name,
                id,
                action,
                facts,
                now=self._now,
                time=found.last_updated,
                ids=self._ids,
            )
        )
