"""events/matches and segmentations, first generation: one profile or user at a time.

Whether they still answer, and where, the switch `intempt_reads` says.
"""

import json
from typing import Final

from connector.sandbox.intempt.asking import Asking, Route
from connector.sandbox.intempt.ids import read_id
from connector.sandbox.intempt.people import Master
from connector.sandbox.intempt.refused import Refused
from connector.sandbox.replies import Reply, json_reply


def matches(asking: Asking) -> Reply:
    """`?profileId=` or `?masterId=`."""
    given = asking.request.parameters
    if not given.get("profileId") and not given.get("masterId"):
        raise Refused(400, "profileId or masterId must be specified")
    master = _named(asking)
    if master is None:
        return _nobody(asking, {"matchedEvents": []}, "events/matches", "http")
    return json_reply(asking.matches(master))


def latest(asking: Asking) -> Reply:
    """`?profileId=`, `?masterId=`, or `?sourceId=&profile=` with a JSON object of the profile identifier's value."""
    given = asking.request.parameters
    by_value = "sourceId" in given and "profile" in given
    if not by_value and not given.get("profileId") and not given.get("masterId"):
        raise Refused(400, "profileId, masterId, or sourceId and profile must be specified")
    master = _by_value(asking) if by_value else _named(asking)
    if master is None:
        return _nobody(asking, {"_embedded": {"segmentations": []}}, "segmentations", "https")
    asking.organization.matching.segment(master)
    found = [asking.segmentation(master, one) for one in master.segmentations.values()]
    return json_reply(asking.embedded("segmentations", found, {"self": asking.link("segmentations")}))


def segmentations(asking: Asking) -> Reply:
    """All there are; the documents only link here."""
    everybody = asking.organization.people.masters.values()
    found = [asking.segmentation(master, one) for master in everybody for one in master.segmentations.values()]
    return json_reply(asking.embedded("segmentations", found, {"self": asking.link("segmentations")}))


def segmentation(asking: Asking) -> Reply:
    """One; the documents only link here."""
    wanted = asking.id("segmentation")
    for master in asking.organization.people.masters.values():
        for one in master.segmentations.values():
            if one.id == wanted:
                return json_reply(asking.segmentation(master, one))
    raise Refused(404)


def _named(asking: Asking) -> Master | None:
    given, people = asking.request.parameters, asking.organization.people
    if given.get("profileId"):
        return people.of_profile(given["profileId"])
    return people.of_master(given["masterId"], survivors=asking.switches["intempt_merged"] == "survivor")


def _by_value(asking: Asking) -> Master | None:
    given = asking.request.parameters
    source = read_id(given["sourceId"])
    try:
        values = json.loads(given["profile"])
    except ValueError:
        values = None
    if source is None or not isinstance(values, dict):
        raise Refused(400, "profile must be a JSON object, and sourceId an id")
    return asking.organization.people.of_values(source, values)


def _nobody(asking: Asking, empty: dict[str, object], path: str, scheme: str) -> Reply:
    if asking.switches["intempt_unknown"] == "404":
        raise Refused(404)
    return json_reply({**empty, "_links": {"self": asking.link(path, scheme)}})


ROUTES: Final = (
    Route("GET", "events/matches", "intempt.matches", matches, "switch"),
    Route("GET", "segmentations/latest", "intempt.segmentations", latest, "switch"),
    Route("GET", "segmentations", "intempt.segmentations", segmentations, "switch"),
    Route("GET", "segmentations/{}", "intempt.segmentations", segmentation, "switch"),
)
