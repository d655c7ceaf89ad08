"""The control routes: what the methods of `Sandbox` do, over HTTP, for tests and people outside its process.

Bodies and answers are JSON; `account` is `client/account/BRAND` (default acme/acme/ACME); spans and moments are text
(`10s`, `-5m`, ISO 8601). With `after_requests: 2` an injection or erasure waits until two more feed requests of that
account were answered: that is how a page shifts while it is read.

| route | body or query | does |
|---|---|---|
| GET /sandbox | | switches, accounts, faults, receivers, traffic |
| GET, POST /sandbox/switches | `{name: value}` | shows, sets (all or none) |
| GET /sandbox/events | ?account | eventIds: visible, pending (not yet), erased, dropped |
| POST /sandbox/events | a list, or `{events, at, visible, fill}` | injects; a text among them is served as it stands |
| POST /sandbox/events | `{count, at, every, event, users, properties}` | generates; `every: 0`: all at one time |
| POST /sandbox/erase | `{person}` | deletes what a user, customer or anonymous id did |
| POST /sandbox/types | `{event}` | marks a new type as valid |
| GET /sandbox/profiles | ?account | the profiles, as meta shows them, without their events |
| POST /sandbox/profiles | `{profiles: [{userId, traits, id, audiences, categories}]}` | sets up, without events |
| GET /sandbox/commands | ?account | what was to be sent or started: `[{at, command, call}]` |
| GET /sandbox/regulations | ?account | what was requested, and who is suppressed |
| GET, POST /sandbox/intempt/… | | Intempt: see below |
| GET, POST, DELETE /sandbox/faults | `{kind, times, lasts, only, …}` | shows, adds, removes (see `faults`) |
| GET /sandbox/requests | | counts by operation and status, and the latest ones |
| POST /sandbox/traffic | `{rate}` | `5/1s`, or `off` |
| GET /sandbox/receivers, /sandbox/slack | | their names and counts |
| GET /sandbox/receivers/<name> | ?from, size, id | what came, oldest first; of one webhook-id |
| GET /sandbox/receivers/<name>/counts | | requests, statuses, ids, repeated ids |
| GET /sandbox/receivers/<name>/latency | ?path, account | from visible to arrived; path to the eventId in the body |
| POST /sandbox/receivers/<name> | `{status, fail, down, …}` | behaves so from now on (see `receiver`); `{}`: well |
| DELETE /sandbox/receivers/<name> | | forgets what came, behaves well |
| POST /sandbox/reset | | everything as at the start |
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import parse_qsl, unquote

from connector.errors import ConnectorError
from connector.sandbox.intempt import Organization, orders
from connector.sandbox.intilery import Account
from connector.sandbox.receiver import Receiver
from connector.sandbox.replies import Reply, json_reply
from connector.sandbox.times import read_instant
from connector.sandbox.words import refuse_unknown

if TYPE_CHECKING:
    from connector.sandbox.server import Sandbox

_INJECTED = {"account", "after_requests", "events", "at", "visible", "fill"}
_PROFILE = {"userId", "traits", "id", "audiences", "categories"}
_GENERATED = {"account", "after_requests", "count", "at", "every", "event", "users", "properties"}


@dataclass(frozen=True, slots=True)
class Order:
    """One control request. name: what stands in the path after the subject, e.g. a receiver's name."""

    sandbox: "Sandbox"
    name: list[str]
    query: Mapping[str, str]
    body: Any

    def fields(self, *known: str) -> dict[str, Any]:
        """The body as a mapping. Raises ConfigurationError for names that are not known (if any are given)."""
        if not isinstance(self.body, dict):
            raise TypeError("expected a JSON object")
        refuse_unknown(self.body, known or self.body, "field")
        return dict(self.body)

    @property
    def organization(self) -> Organization:
        """The organisation that the body or the query names."""
        named = {**self.query, **(self.body if isinstance(self.body, dict) else {})}
        return self.sandbox.organization(str(named.get("organization", "acme")))

    @property
    def account(self) -> Account:
        """The account that the body or the query names."""
        named = {**self.query, **(self.body if isinstance(self.body, dict) else {})}
        return self.sandbox.account(str(named.get("account", "acme/acme/ACME")))

    def receiver(self, folder: str) -> Receiver:
        """The receiver that the path names. Raises ValueError where it names none."""
        if len(self.name) != 1:
            raise ValueError("name a receiver: /sandbox/receivers/<name>, or /sandbox/slack/<name>")
        return self.sandbox.named(folder, self.name[0])

    def moment(self, name: str) -> int | None:
        """A moment given in the body, None where it is not."""
        value = self.body.get(name)
        return None if value is None else read_instant(value, self.sandbox.now())


Answer: TypeAlias = Callable[[Order], Any]


def answer(sandbox: "Sandbox", method: str, path: str, query: str, body: bytes) -> Reply:
    """Do what a control request asks; mistakes get a 400 that names them."""
    subject, *name = [unquote(part) for part in path.removeprefix("/sandbox").strip("/").split("/")]
    do = _ROUTES.get((method, subject))
    if do is None:
        routes = [f"{verb} /sandbox/{about}" for verb, about in _ROUTES]
        return json_reply({"error": f"there is no {method} {path}", "routes": routes}, 404)
    try:
        given = json.loads(body) if body else {}
        return json_reply(do(Order(sandbox, name, dict(parse_qsl(query)), given)))
    except (ConnectorError, ValueError, TypeError, OverflowError) as mistake:
        return json_reply({"error": str(mistake)}, 400)


def _state(order: Order) -> Any:
    sandbox = order.sandbox
    return {
        "switches": sandbox.switches.as_dict(),
        "organizations": {name: len(made.people.masters) for name, made in sandbox.organizations.items()},
        "accounts": {"/".join(name): len(account.feed.all()) for name, account in sandbox.accounts.items()},
        "traffic": sandbox.live.rate,
        "faults": _faults(order),
        "receivers": {name: receiver.counts() for name, receiver in sandbox.receivers.items()},
    }


def _switches(order: Order) -> Any:
    order.sandbox.switches.set(order.fields())
    return order.sandbox.switches.as_dict()


def _show_events(order: Order) -> Any:
    return order.account.event_ids()


def _add_events(order: Order) -> Any:
    if isinstance(order.body, list):
        return {"eventIds": order.account.inject(order.body)}
    known = _GENERATED if "count" in order.fields() else _INJECTED
    given, account, at = order.fields(*known), order.account, order.moment("at")
    if "count" in given:
        chosen = {name: given[name] for name in ("every", "event", "users", "properties") if name in given}
        return _now_or_later(order, lambda: account.generate(given["count"], at=at, **chosen))
    visible, fill, events = order.moment("visible"), given.get("fill", True), given.get("events", [])
    return _now_or_later(order, lambda: account.inject(events, at=at, visible=visible, fill=fill))


def _now_or_later(order: Order, inject: Callable[[], list[str]]) -> Any:
    wait = order.body.get("after_requests")
    if wait is None:
        return {"eventIds": inject()}
    order.sandbox.after_requests(wait, order.account, inject)
    return {"waits": wait}


def _erase(order: Order) -> Any:
    given, account = order.fields("account", "after_requests", "person"), order.account
    wait, person = given.get("after_requests"), str(given.get("person"))
    if wait is None:
        return {"erased": account.erase(person)}
    order.sandbox.after_requests(wait, account, lambda: account.erase(person))
    return {"waits": wait}


def _types(order: Order) -> Any:
    order.account.mark_valid(str(order.fields("account", "event").get("event")))
    return {"types": sorted(order.account.types)}


def _profiles(order: Order) -> Any:
    account = order.account
    return [profile.meta_shown(account.name) for profile in account.profiles.by_activity(order.sandbox.now())]


def _set_profiles(order: Order) -> Any:
    for one in order.fields("account", "profiles").get("profiles", ()):
        refuse_unknown(one, _PROFILE, "field of a profile")
        given = dict(one)
        order.account.identify(str(given.pop("userId", "")), given.pop("traits", {}), **given)
    return {}


def _commands(order: Order) -> Any:
    return order.account.commands


def _regulations(order: Order) -> Any:
    order.account.settle()
    known = order.account.regulations
    shown = [{"regulation_type": one.kind, **one.entry()} for one in known.all.values()]
    return {"entries": shown, "suppressed": sorted(known.suppressed)}


def _faults(order: Order) -> Any:
    return [asdict(fault) for fault in order.sandbox.faults.waiting]


def _add_fault(order: Order) -> Any:
    given = order.fields()
    order.sandbox.faults.add(given.pop("kind", ""), **given)
    return _faults(order)


def _remove_faults(order: Order) -> Any:
    order.sandbox.faults.waiting.clear()
    return []


def _requests(order: Order) -> Any:
    return order.sandbox.requests.as_dict()


def _traffic(order: Order) -> Any:
    order.sandbox.live.set_rate(order.fields("rate").get("rate"))
    return {"rate": order.sandbox.live.rate}


def _reset(order: Order) -> Any:
    order.sandbox.reset()
    return {}


def _read_receiver(order: Order, folder: str) -> Any:
    if not order.name:
        found = order.sandbox.receivers.items()
        return {name: one.counts() for name, one in found if name.startswith(f"{folder}/")}
    receiver = order.sandbox.named(folder, order.name[0])
    match order.name[1:]:
        case ["counts"]:
            return receiver.counts()
        case ["latency"]:
            return receiver.latency(order.query.get("path", "eventId"), order.account.visible_since())
    skip, size = int(order.query.get("from", 0)), int(order.query.get("size", 100))
    return receiver.page(skip, size, order.query.get("id"))


def _behave(order: Order, folder: str) -> Any:
    order.receiver(folder).behave(**order.fields())
    return {}


def _forget(order: Order, folder: str) -> Any:
    order.receiver(folder).reset()
    return {}


def _of(folder: str, do: Callable[[Order, str], Any]) -> Answer:
    return lambda order: do(order, folder)


_ROUTES: Mapping[tuple[str, str], Answer] = {
    ("GET", ""): _state,
    ("GET", "switches"): _switches,
    ("POST", "switches"): _switches,
    ("GET", "events"): _show_events,
    ("POST", "events"): _add_events,
    ("POST", "erase"): _erase,
    ("POST", "types"): _types,
    ("GET", "profiles"): _profiles,
    ("POST", "profiles"): _set_profiles,
    ("GET", "commands"): _commands,
    ("GET", "regulations"): _regulations,
    ("GET", "intempt"): orders.show,
    ("POST", "intempt"): orders.do,
    ("GET", "faults"): _faults,
    ("POST", "faults"): _add_fault,
    ("DELETE", "faults"): _remove_faults,
    ("GET", "requests"): _requests,
    ("POST", "traffic"): _traffic,
    ("POST", "reset"): _reset,
    **{("GET", path): _of(folder, _read_receiver) for path, folder in (("receivers", "receiver"), ("slack", "slack"))},
    **{("POST", path): _of(folder, _behave) for path, folder in (("receivers", "receiver"), ("slack", "slack"))},
    **{("DELETE", path): _of(folder, _forget) for path, folder in (("receivers", "receiver"), ("slack", "slack"))},
}
