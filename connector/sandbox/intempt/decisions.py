"""Second generation: optimization/choose-api, and recommendation feeds."""

import re
from collections.abc import Mapping
from typing import Any, Final

from connector.sandbox.intempt.asking import Asking, Route
from connector.sandbox.intempt.refused import Refused
from connector.sandbox.replies import Reply, json_reply

_NAME: Final = re.compile(r"[A-Za-z0-9_-]+")
_DEVICES: Final = frozenset({"all", "desktop", "mobile"})
_KINDS: Final = frozenset({"user", "account", "profile"})
_LIMIT: Final = 10  # products in an answer unless told


def choose(asking: Asking) -> Reply:
    """`{"identification":{…},"names":[…],"groups":[…]}` → `{"choices":[{"name","group","body"}]}`."""
    body = asking.object()
    who = body.get("identification")
    if not isinstance(who, dict) or not (who.get("userId") or (who.get("profileId") and who.get("sourceId"))):
        raise Refused(400, "Identification is required")
    if str(body.get("device", "all")).lower() not in _DEVICES:
        raise Refused(400, "device must be all, desktop or mobile")
    wanted: dict[str, list[str]] = {}
    for one in ("name", "group"):
        given = body.get(f"{one}s") or []
        if not isinstance(given, list) or not all(isinstance(word, str) and _NAME.fullmatch(word) for word in given):
            raise Refused(400, f"{one}s must match [A-Za-z0-9_-]+")
        wanted[one] = given
    found = [
        choice
        for choice in asking.organization.choices
        if all(not words or choice[one] in words for one, words in wanted.items())
    ]
    return json_reply({"choices": found})


def feeds(asking: Asking) -> Reply:
    """The feeds there are, each with what it needs: NO_INPUT, USER or PRODUCT."""
    known = asking.organization.feeds.values()
    return json_reply([{name: value for name, value in one.items() if name != "products"} for one in known])


def recommend(asking: Asking) -> Reply:
    """`{"id","type","fields":[…],"limit","offset","productId"}`, or profileId and sourceId → `{"products":[…]}`."""
    feed = asking.organization.feeds.get(asking.ids[0])
    if feed is None:
        raise Refused(400, f"Invalid feed id: {asking.ids[0]}")
    body = asking.object()
    by_profile = body.get("profileId") and body.get("sourceId")
    by_entity = body.get("id") and str(body.get("type", "user")).lower() in _KINDS
    if not by_profile and not by_entity:
        raise Refused(400, "id and type, or profileId and sourceId, are required")
    limit, offset = _count(body, "limit", _LIMIT), _count(body, "offset", 0)
    fields = body.get("fields")
    if fields is not None and not (isinstance(fields, list) and all(isinstance(name, str) for name in fields)):
        raise Refused(400, "fields must be an array of names")
    needs_product = feed.get("feedInput") == "PRODUCT" and not body.get("productId")
    found = [] if needs_product else feed.get("products", ())[offset : offset + limit]
    return json_reply({"products": [_shown(one, fields) for one in found]})


def _count(body: Mapping[str, Any], name: str, default: int) -> int:
    value = body.get(name)
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise Refused(400, f"{name} must be a number")
    return value


def _shown(product: Mapping[str, Any], fields: list[Any] | None) -> dict[str, Any]:
    """The fields that were asked for; without any, everything: what machines learned from, too."""
    own = {"id": product.get("product_id"), "productId": product.get("product_id"), "title": product.get("name")}
    whole = {**product, **{name: value for name, value in own.items() if value is not None}}
    if fields is None:
        return {**whole, "intempt_image_vector": [n / 1024 for n in range(1024)]}
    return {name: whole[name] for name in fields if name in whole}


ROUTES: Final = (
    Route("POST", "optimization/choose-api", "intempt.choose", choose, "project"),
    Route("POST", "optimization/choose-web", "intempt.choose", choose, "project"),  # its browser's twin
    Route("GET", "feeds", "intempt.feeds", feeds, "project"),
    Route("POST", "feeds/{}/data", "intempt.feed", recommend, "project"),
)
