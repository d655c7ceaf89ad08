"""Second generation: track, with a source or without, and consents."""

from typing import Any, Final

from connector.sandbox.intempt.asking import Asking, Route
from connector.sandbox.intempt.refused import Refused
from connector.sandbox.replies import Reply, json_reply
from connector.sandbox.times import read_time

_IDS: Final = ("userId", "profileId", "accountId", "productId")
_EARLIEST: Final = read_time("2010-01-01")
_LATEST: Final = read_time("2040-01-18")
_LIMIT: Final = 50
NO_SOURCE: Final = 0


def track(asking: Asking) -> Reply:
    """`{"track":[{"name","payload":[…]}]}`: a 201 without a body."""
    source_id = asking.organization.source(asking.id("source")).id if asking.ids else NO_SOURCE
    body = asking.object()
    entries = body.get("track")
    if not isinstance(entries, list):
        raise Refused(400, "track must be an array")
    if len(entries) > _LIMIT and asking.switches["intempt_entries"] == "50":
        raise Refused(400, f"track must not have more than {_LIMIT} entries")
    checked = [(_name(entry), payload) for entry in entries for payload in _payloads(entry)]
    if asking.switches["intempt_profile"] == "required" and not all(one.get("profileId") for _, one in checked):
        raise Refused(400, "profileId is required")
    new = [name for name, _ in checked if asking.organization.is_new(name)]
    for name, payload in checked:
        at = payload.get("timestamp")
        told = asking.now if at is None or at > _LATEST else at
        if new and asking.switches["intempt_new_event"] == "400":
            asking.organization.event_collection(source_id, name)
        else:
            asking.organization.track(source_id, name, {**payload, "timestamp": told}, asking.now)
    if new and asking.switches["intempt_new_event"] == "400":
        raise Refused(400)
    answer = asking.switches["intempt_track"]
    return Reply(201) if answer == "201" else json_reply(body if answer == "echo" else {})


def _name(entry: Any) -> str:
    name = entry.get("name") if isinstance(entry, dict) else None
    if not isinstance(name, str) or not name:
        raise Refused(400, "Name is null")
    return name


def _payloads(entry: Any) -> list[dict[str, Any]]:
    payloads = entry.get("payload") if isinstance(entry, dict) else None
    if not isinstance(payloads, list):
        raise Refused(400, "payload must be an array")
    for one in payloads:
        if not isinstance(one, dict):
            raise Refused(400, "payload must hold JSON objects")
        product = one["data"].get("productId") if isinstance(one.get("data"), dict) else None
        if not product and not any(one.get(name) for name in _IDS):
            raise Refused(400, f"one of {', '.join(_IDS)} is required")
        at = one.get("timestamp")
        if at is not None and (not isinstance(at, int) or isinstance(at, bool) or at < _EARLIEST):
            raise Refused(400, "timestamp must be milliseconds since 1970, not before 2010")
    return payloads


def consent(asking: Asking) -> Reply:
    """One consent. A `timestamp` past 2040, such as milliseconds where seconds are meant, becomes our own time."""
    body = asking.object()
    if body.get("action") not in ("accept", "reject"):
        raise Refused(400, "action must be accept or reject")
    if not body.get("userId") and not body.get("profileId"):
        raise Refused(400, "userId or profileId is required")
    if not body.get("userId") and not body.get("sourceId"):
        raise Refused(400, "sourceId is required with profileId")
    told, counts = body.get("timestamp"), asking.switches["intempt_consent_time"]
    unit = 1_000 if counts == "seconds" else 1
    if told is not None and (not isinstance(told, int) or isinstance(told, bool) or told * unit < _EARLIEST):
        raise Refused(400, f"timestamp must be {counts} since 1970, not before 2010")
    at = asking.now // unit if told is None or told * unit > _LATEST else told
    asking.organization.consents.append({**body, "timestamp": at})
    return json_reply({})


ROUTES: Final = (
    Route("POST", "sources/{}/track", "intempt.track", track, "project"),
    Route("POST", "track", "intempt.track", track, "project"),
    Route("POST", "consents/data", "intempt.consent", consent, "project"),
)
