"""What is set up through the API: sources, collections, identifiers, purposes of consent.

Sources, collections and identifiers stand in the documents of 2019; the client of 2023 has, below a project, sources
with properties, and the purposes.
"""

from typing import Any, Final

from connector.sandbox.intempt.asking import Asking, Json, Route
from connector.sandbox.intempt.collections import Collection, Source
from connector.sandbox.intempt.ids import read_id
from connector.sandbox.intempt.refused import Refused
from connector.sandbox.replies import Reply, json_reply

# ── sources ───────────────────────────────────────────────────────────────────────────────────


def sources(asking: Asking) -> Reply:
    """All, or the one of a name."""
    name = asking.request.parameters.get("name")
    found = [one for one in asking.organization.sources.values() if name in {None, one.name}]
    by_name = asking.link("sources{?name}", templated=True)
    links = {"self": asking.link("sources"), "byName": by_name}
    return json_reply(asking.embedded("sources", [asking.source(one) for one in found], links))


def add_source(asking: Asking) -> Reply:
    """`{"title","type","description"}`; its name is the title's slug."""
    body = asking.object()
    title = body.get("title", body.get("name"))
    if not isinstance(title, str) or not title:
        raise Refused(400, "title must not be empty")
    made = Source(asking.organization.ids.next(), "", str(body.get("type", "api")))
    _describe(made, body)
    asking.organization.sources[made.id] = made
    return json_reply(asking.source(made), 201)


def source(asking: Asking) -> Reply:
    """One."""
    return json_reply(asking.source(_source(asking)))


def change_source(asking: Asking) -> Reply:
    """Its title and description."""
    made = _source(asking)
    _describe(made, asking.object())
    return json_reply(asking.source(made))


def remove_source(asking: Asking) -> Reply:
    """The one that is gone."""
    made = _source(asking)
    del asking.organization.sources[made.id]
    return json_reply(asking.source(made))


def _source(asking: Asking) -> Source:
    found = asking.organization.sources.get(asking.id("source"))
    if found is None:
        raise Refused(404)
    return found


def _describe(made: Source, body: Json) -> None:
    made.title = str(body.get("title", body.get("name", made.title)))
    made.name = str(body.get("name", "-".join(made.title.lower().split())))
    made.description = str(body.get("description", made.description))


def api_key(asking: Asking) -> Reply:
    """A source's key; the sandbox takes any."""
    made = _source(asking)
    return json_reply({"sourceName": made.name, "sourceType": made.type, "apiKey": f"{made.name}.sandbox"})


def properties(asking: Asking) -> Reply:
    """A source's properties, or the one that the path names."""
    made = _source(asking)
    if len(asking.ids) == 1:
        shown = [_property(made, name) for name in made.properties]
        return json_reply(asking.embedded("propertyList", shown, {}))
    if asking.ids[1] not in made.properties:
        raise Refused(404)
    return json_reply(_property(made, asking.ids[1]))


def set_property(asking: Asking) -> Reply:
    """`{"propertyName","propertyValue"}`; the path may name it."""
    made, body = _source(asking), asking.object()
    name = asking.ids[1] if len(asking.ids) > 1 else body.get("propertyName")
    if not isinstance(name, str) or not isinstance(body.get("propertyValue"), str):
        raise Refused(400, "propertyName and propertyValue must be text")
    made.properties[name] = body["propertyValue"]
    return json_reply(_property(made, name), 201 if asking.request.method == "POST" else 200)


def remove_property(asking: Asking) -> Reply:
    """The one that is gone."""
    made = _source(asking)
    if asking.ids[1] not in made.properties:
        raise Refused(404)
    shown = _property(made, asking.ids[1])
    del made.properties[asking.ids[1]]
    return json_reply(shown)


def _property(made: Source, name: str) -> Json:
    return {"sourceId": str(made.id), "propertyName": name, "propertyValue": made.properties[name]}


# ── collections and their identifiers ─────────────────────────────────────────────────────────


def collections(asking: Asking) -> Reply:
    """All, the one of a name, or those of a source."""
    name = asking.request.parameters.get("name")
    source_id = _source(asking).id if asking.ids else None
    known = asking.organization.collections.values()
    found = [one for one in known if name in {None, one.name} and source_id in {None, one.source_id}]
    links = {"self": asking.link("collections{?name}", templated=True)}
    return json_reply(asking.embedded("collections", [asking.collection(one) for one in found], links))


def add_collection(asking: Asking) -> Reply:
    """`{"sourceId","name","schema"}`, and `profile` and `event`."""
    body = asking.object()
    if not isinstance(body.get("name"), str) or not body["name"]:
        raise Refused(400, "name must not be empty")
    source_id = body.get("sourceId")
    if not isinstance(source_id, int) or source_id not in asking.organization.sources:
        raise Refused(400, "sourceId must be the id of a source")
    if not isinstance(body.get("schema"), dict):
        raise Refused(400, "schema must be an Avro record")
    made = Collection(asking.organization.ids.next(), source_id, body["name"], body["schema"])
    made.profile, made.event = body.get("profile") is True, body.get("event") is True
    return json_reply(asking.collection(asking.organization.add_collection(made)), 201)


def collection(asking: Asking) -> Reply:
    """One."""
    return json_reply(asking.collection(asking.organization.collection(asking.id("collection"))))


def remove_collection(asking: Asking) -> Reply:
    """The one that is gone."""
    return json_reply(asking.collection(asking.organization.remove_collection(asking.id("collection"))))


def add_identifier(asking: Asking) -> Reply:
    """`{"collId","type":"primary","name","schema":{"fields":[{"name","type"}]}}`.

    A primary one makes its field the primary key; one that is called profileId is the profile identifier too. A
    referenced one makes its field a foreign key to the collection with the primary identifier of the same name.
    """
    body = asking.object()
    made = asking.organization.collection(read_id(str(body.get("collId"))) or 0)
    field = made.check_field(_first_field(body.get("schema")))
    match body.get("type"):
        case "primary":
            if made.keys.primary not in {None, field}:
                raise Refused(400, f"{made.name} has a primary key already")
            made.keys.primary = field
            asking.organization.identifiers[str(body.get("name"))] = made.name
            if body.get("name") == "profileId":
                made.keys.profile = field
        case "referenced" if body.get("name") in asking.organization.identifiers:
            made.keys.relations[body["name"]] = (field, asking.organization.identifiers[body["name"]])
        case _:
            raise Refused(400, "type must be primary, or referenced with the name of a primary one")
    return json_reply({name: body[name] for name in ("collId", "type", "name", "schema") if name in body}, 201)


def _first_field(schema: Any) -> str:
    fields = schema.get("fields") if isinstance(schema, dict) else None
    if not isinstance(fields, list) or len(fields) != 1 or not isinstance(fields[0], dict):
        raise Refused(400, "schema must have one field")
    return str(fields[0].get("name"))


# ── purposes of consent ───────────────────────────────────────────────────────────────────────


def purposes(asking: Asking) -> Reply:
    """All, or those of a regulation."""
    wanted = asking.request.parameters.get("regulation")
    known = asking.organization.purposes.items()
    found = [{"id": str(id), **one} for id, one in known if wanted in {None, one["regulation"]}]
    return json_reply(asking.embedded("consentList", found, {}))


def add_purpose(asking: Asking) -> Reply:
    """`{"regulation": "GDPR" or "CCPA", "purpose"}`."""
    body = asking.object()
    if body.get("regulation") not in ("GDPR", "CCPA") or not isinstance(body.get("purpose"), str):
        raise Refused(400, "regulation must be GDPR or CCPA, and purpose text")
    id = asking.organization.ids.next()
    asking.organization.purposes[id] = {"regulation": body["regulation"], "purpose": body["purpose"]}
    return json_reply({"id": str(id), **asking.organization.purposes[id]}, 201)


def purpose(asking: Asking) -> Reply:
    """One; DELETE: the one that is gone."""
    id = asking.id("consent")
    if id not in asking.organization.purposes:
        raise Refused(404)
    shown = {"id": str(id), **asking.organization.purposes[id]}
    if asking.request.method == "DELETE":
        del asking.organization.purposes[id]
    return json_reply(shown)


ROUTES: Final = (
    Route("GET", "sources", "intempt.sources", sources, "both"),
    Route("POST", "sources", "intempt.sources", add_source, "both"),
    Route("GET", "sources/{}", "intempt.sources", source, "both"),
    Route("PUT", "sources/{}", "intempt.sources", change_source, "project"),
    Route("DELETE", "sources/{}", "intempt.sources", remove_source, "both"),
    Route("GET", "sources/{}/collections", "intempt.collections", collections),
    Route("GET", "sources/{}/api-keys/current", "intempt.sources", api_key, "project"),
    Route("GET", "sources/{}/properties", "intempt.sources", properties, "project"),
    Route("POST", "sources/{}/properties", "intempt.sources", set_property, "project"),
    Route("GET", "sources/{}/properties/{}", "intempt.sources", properties, "project"),
    Route("PUT", "sources/{}/properties/{}", "intempt.sources", set_property, "project"),
    Route("DELETE", "sources/{}/properties/{}", "intempt.sources", remove_property, "project"),
    Route("GET", "collections", "intempt.collections", collections),
    Route("POST", "collections", "intempt.collections", add_collection),
    Route("GET", "collections/{}", "intempt.collections", collection),
    Route("DELETE", "collections/{}", "intempt.collections", remove_collection),
    Route("POST", "identifiers", "intempt.identifiers", add_identifier),
    Route("GET", "consents", "intempt.consents", purposes, "project"),
    Route("POST", "consents", "intempt.consents", add_purpose, "project"),
    Route("GET", "consents/{}", "intempt.consents", purpose, "project"),
    Route("DELETE", "consents/{}", "intempt.consents", purpose, "project"),
)
