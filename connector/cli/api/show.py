"""What a platform answered: a table or fields for people, its own JSON for programs."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from connector.cli.api.call import Exchange
from connector.cli.output import Column, as_text, day_and_time, emit_json, fields, say, shorten, table
from connector.model import Instant, Json
from connector.platforms.intempt.collections import Item, Items
from connector.platforms.intempt.decisions import Choice, RecommendationFeed
from connector.platforms.intempt.people import Matches, Segmentation, Service
from connector.platforms.intilery.profiles import Profile, ProfilePage
from connector.platforms.intilery.regulations import Regulation, RegulationPage
from connector.platforms.intilery.second import Preferences
from connector.platforms.intilery.tracking import Accepted

if TYPE_CHECKING:
    from connector.secrets import Vault

_LONGEST: Final = 80  # characters of a value in a list
_DEEPEST: Final = 3
_MOST_COLUMNS: Final = 6
_KEYS: Final = frozenset({"_subscriptionId"})  # whoever knows it opens a customer's preferences


def show(exchange: Exchange, vault: "Vault", *, as_json: bool) -> None:
    """Print what came of a call; no secret value is in it."""
    if as_json:
        emit_json(hidden(_body(exchange), vault))
        return
    result = exchange.result
    printer = next((one for kind, one in _PRINTERS.items() if isinstance(result, kind)), _anything)
    printer(result, vault)


def _body(exchange: Exchange) -> Json:
    """The answer's own JSON; None where it is empty. Events that are not quite JSON come as they were mended."""
    if not exchange.answer.body.strip():
        return None
    try:
        return msgspec.json.decode(exchange.answer.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {"data": [event[0] for event in exchange.result]}


def hidden(value: Json, vault: "Vault") -> Json:
    """The value with every secret that was revealed as `***`."""
    if isinstance(value, str):
        return vault.redact(value)
    if isinstance(value, Mapping):
        return {vault.redact(str(key)): hidden(inner, vault) for key, inner in value.items()}
    return [hidden(inner, vault) for inner in value] if isinstance(value, list | tuple) else value


def _flat(value: Json, path: str = "", depth: int = 0) -> Iterable[tuple[str, str]]:
    """Every leaf of a JSON object by its path, as text."""
    if isinstance(value, Mapping) and value and depth < _DEEPEST:
        for key, inner in value.items():
            if key in _KEYS:
                yield f"{path}{key}", "*** (see --json)"
            elif key != "_links":
                yield from _flat(inner, f"{path}{key}.", depth + 1)
    else:
        yield path.rstrip("."), as_text(value)


def _object(value: Mapping[str, Json], vault: "Vault") -> None:
    fields([(vault.redact(name), shorten(vault.redact(text), 10 * _LONGEST)) for name, text in _flat(value)])


def _rows(columns: Sequence[str | Column], rows: Iterable[Sequence[object]], vault: "Vault") -> None:
    cells = [[shorten(vault.redact(as_text(cell)), _LONGEST) for cell in row] for row in rows]
    if not cells:
        say("nothing")
    table(columns, cells)


def _free(title: str) -> Column:
    """A column whose texts may be cut or wrapped; ids and times are not."""
    return Column(title, rigid=False)


def _when(at: Instant | None) -> str:
    return "" if at is None else day_and_time(at)


# ── each kind of result ───────────────────────────────────────────────────────────────────────


def _accepted(result: Accepted, vault: "Vault") -> None:
    say(vault.redact(f"taken, event id {result.event_id}" if result.event_id else "taken"), "green")


def _profiles(result: Sequence[Profile], vault: "Vault") -> None:
    if len(result) == 1:
        _object(result[0].body, vault)
        return
    names = [" ".join(str(one.body.get(key) or "") for key in ("firstName", "lastName")).strip() for one in result]
    rows = [(one.id, one.user_id, one.email, name) for one, name in zip(result, names, strict=True)]
    _rows(["id", "user id", _free("e-mail"), _free("name")], rows, vault)


def _profile_page(result: ProfilePage, vault: "Vault") -> None:
    if len(result.profiles) == 1:
        _object(result.profiles[0].body, vault)
    else:
        _profiles(result.profiles, vault)
    if result.scroll_id:
        say(f"perhaps more: --scroll-id {vault.redact(result.scroll_id)}")


def _events(result: Sequence[tuple[Any, ...]], vault: "Vault") -> None:
    bodies = [item[0] for item in result]
    rows = [
        (
            as_text(body.get("eventId") or ""),
            as_text(body.get("eventTime") or ""),
            as_text(body.get("eventAction") or ""),
            as_text(next((body[key] for key in ("userId", "customerId", "anonymousId") if body.get(key)), "")),
        )
        for body in bodies
    ]
    _rows(["event", "at", _free("action"), _free("customer")], rows, vault)


def _regulations(result: RegulationPage, vault: "Vault") -> None:
    rows = [
        (one.id, one.state, _when(one.created), _when(one.ended), " ".join(one.users)) for one in result.regulations
    ]
    _rows(["regulation", "state", "created", "ended", _free("users")], rows, vault)
    if result.next:
        say(f"more: --page-token {vault.redact(result.next)}")


def _regulation(result: Regulation, vault: "Vault") -> None:
    failures = vault.redact("; ".join(result.failures))
    fields(
        [
            ("state", result.state),
            ("created", _when(result.created)),
            ("ended", _when(result.ended)),
            ("failures", failures),
        ]
    )


def _preferences(result: Preferences, vault: "Vault") -> None:
    pairs: list[tuple[str, object]] = [("customer", vault.redact(result.customer_id))]
    pairs += [(vault.redact(name), "subscribed" if yes else "no") for name, yes in result.channels.items()]
    pairs += [("category", vault.redact(as_text(one))) for one in result.categories]
    fields([*pairs, ("unsubscribed from all", "yes" if result.unsubscribe_all else "no")])


def _service(result: Service, vault: "Vault") -> None:
    fields([(name, vault.redact(getattr(result, name))) for name in ("service", "version", "status")])


def _matches(result: Matches, vault: "Vault") -> None:
    matched = ", ".join(result.names) or "nothing"
    pairs = [("master", result.master_id), ("profiles", ", ".join(result.profile_ids)), ("matched", matched)]
    fields([*((name, vault.redact(text)) for name, text in pairs), ("last updated", _when(result.last_updated))])


def _segmentations(result: Sequence[Segmentation], vault: "Vault") -> None:
    rows = [(one.id, one.master_id, _when(one.created), " ".join(one.profile_ids)) for one in result]
    _rows(["segmentation", "master", "since", _free("profiles")], rows, vault)


def _items(result: Items, vault: "Vault") -> None:
    rows = [(one.id, one.data, ", ".join(map(as_text, one.matches))) for one in result.items]
    _rows(["item", _free("data"), _free("matches")], rows, vault)
    if result.next:
        say(f"more: --after {vault.redact(result.next)}")


def _item(result: Item, vault: "Vault") -> None:
    whole = {"item": result.id, "collection": result.collection, "data": result.data, "matches": list(result.matches)}
    _object(whole, vault)


def _choices(result: Sequence[Choice], vault: "Vault") -> None:
    _rows(["name", "group", _free("body")], [(one.name, one.group, one.body) for one in result], vault)


def _feeds(result: Sequence[RecommendationFeed], vault: "Vault") -> None:
    _rows(["feed", _free("name"), "needs"], [(one.id, one.name, one.needs) for one in result], vault)


def _several(result: Sequence[Any], vault: "Vault") -> None:
    """A list of one of the kinds below, or of JSON objects."""
    first = result[0] if result else None
    printer = next((one for kind, one in _LISTS.items() if isinstance(first, kind)), None)
    if printer is not None:
        printer(result, vault)
        return
    titles = list(dict.fromkeys(key for one in result for key in one))[:_MOST_COLUMNS]
    _rows([_free(title) for title in titles], [[one.get(title, "") for title in titles] for one in result], vault)


def _anything(result: object, vault: "Vault") -> None:
    if result is None or result in ({}, ""):
        say("taken", "green")
    elif isinstance(result, Mapping):
        _object(result, vault)
    else:
        say(vault.redact(as_text(result)))


_LISTS: Final[dict[type, Callable[[Any, "Vault"], None]]] = {
    Profile: _profiles,
    Segmentation: _segmentations,
    Choice: _choices,
    RecommendationFeed: _feeds,
    tuple: _events,
}
_PRINTERS: Final[dict[type, Callable[[Any, "Vault"], None]]] = {
    Accepted: _accepted,
    ProfilePage: _profile_page,
    RegulationPage: _regulations,
    Regulation: _regulation,
    Preferences: _preferences,
    Service: _service,
    Matches: _matches,
    Segmentation: lambda result, vault: _segmentations([result], vault),
    Items: _items,
    Item: _item,
    tuple: _several,
    list: _several,
}
