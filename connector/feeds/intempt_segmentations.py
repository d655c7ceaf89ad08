"""`intempt.segmentations`: segments that watched profiles or users join and leave (API reference of 2021).

Reads: GET /v1/{org}/segmentations/latest for one id at a time. Keyed state: of each watched id its segmentations, and
how often each was joined; a made-up id is of the watched id, the segmentation, and the how-manieth time. A segmentation
has an id and the time it was created; which segment it is, the documented answer does not say. A 404 never means that
somebody left. When two users become one, segments that the other had joined before the last look tell nothing.
"""

from collections.abc import Mapping
from typing import ClassVar

from connector.feeds.made import made_event, made_id
from connector.feeds.watching import Look, State, Watching
from connector.model import Answer, Event, Instant, Json, Request
from connector.platforms.intempt import people


class IntemptSegmentations(Watching):
    """poll: how often each id is looked at where the rate allows it. watch: which profiles or users.

    baseline: whether the segments that the first look at an id finds fire.
    """

    kind: ClassVar[str] = "segmentations"
    example: ClassVar[str] = "segmentations: {poll: 5m, watch: {master_ids: [200382140847620096]}, baseline: silent}"

    def ask(self, kind: str, id: str) -> Request:
        """One request. Raises RequestRefused."""
        return people.segmentations(self._connection, **{kind.removesuffix("_id"): id})

    def compare(self, key: str, before: State | None, answer: Answer, about: Mapping[str, Json], now: Instant) -> Look:
        """See Watching. State: the segmentations there are, whole, and how often each was joined."""
        found = {one.id: one for one in people.parse_segmentations(answer) if one.id}
        known = before or {"in": {}, "times": {}}
        times = dict(known["times"])
        master = next((one.master_id for one in found.values() if one.master_id), known.get("master", ""))
        merged = known.get("master", "") not in {"", master}
        joined = [id for id in found if id not in known["in"]]
        left = [id for id in known["in"] if id not in found]
        for id in joined:
            times[id] = times.get(id, 0) + 1
        ids = {"watched": dict(about)} if about else {}
        events: list[Event] = []
        if before is not None or self.baseline == "fire":
            old = known.get("at", 0) if merged else 0
            came = [("segment_joined", id, found[id]) for id in joined if (found[id].created or now) > old]
            went = [("segment_left", id, people.segmentation_of(known["in"][id])) for id in left]
            events = [
                made_event(
                    self.account,
                    self.name,
                    made_id(key, id, action, times[id]),
                    action,
                    _kept(one.body),
                    now=now,
                    time=one.created if action == "segment_joined" else None,
                    ids={"masterId": one.master_id, "profileIds": list(one.profile_ids), **ids},
                )
                for action, id, one in (*came, *went)
            ]
        inside = {id: _kept(one.body) for id, one in found.items()}
        return Look(
            {"in": inside, "times": times, "master": master, "at": now},
            tuple(events),
            changed=before is not None and bool(events),
        )


def _kept(body: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in body.items() if name != "_links"}
