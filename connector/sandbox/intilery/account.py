"""One account (client, account, brand) of the platform: what was written to it, and what its feed shows."""

import json
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from connector.sandbox.catalog import EVENT_NAMES
from connector.sandbox.intilery.events import AccountName, Event, action_of, as_event, customer_id, filled, raw_event
from connector.sandbox.intilery.feed import Feed
from connector.sandbox.intilery.profiles import Profile, Profiles, Scroll
from connector.sandbox.intilery.requested import Regulations
from connector.sandbox.switches import Switches
from connector.sandbox.times import print_time, read_time
from connector.sandbox.traffic import Call


class Account:
    """An account and everything in it. now: the platform's clock, milliseconds."""

    def __init__(self, name: AccountName, switches: Switches, now: Callable[[], int]) -> None:
        self.name = name
        self.feed = Feed()
        self.profiles = Profiles()
        self.scrolls: dict[str, Scroll] = {}
        self.regulations = Regulations()
        self.commands: list[dict[str, Any]] = []  # what the platform was told to send or start
        self.dropped: list[str] = []  # ids of events that were accepted, yet will never be shown
        self.types = {action_of(event) for event in EVENT_NAMES}  # marked as valid in the platform's console
        self._users: dict[str, str] = {}  # anonymousId → userId, once both came together
        self._switches = switches
        self._now = now

    # ── what the platform's own routes do ─────────────────────────────────────────────────────

    def write(self, body: dict[str, Any]) -> str:
        """Take in a call that was found valid; gives its eventId."""
        at = self._now()
        event_id = str(uuid.uuid4())
        told = body.get("timestamp")
        time = print_time(read_time(told) if told else at)
        entry = self._entry({"eventId": event_id, "eventTime": time}, body | {"timestamp": told or time}, at)
        if body.get("userId") in self.regulations.suppressed or self._is_unknown(entry["eventAction"]):
            self.dropped.append(event_id)
            return event_id
        self.feed.add(as_event(entry, at))
        self.profiles.take(entry, at, lag=self._switches.span("profile_lag") or 0)
        return event_id

    def _is_unknown(self, action: str) -> bool:
        return self._switches["new_type"] == "dropped" and action not in self.types

    def command(self, name: str, call: Mapping[str, Any]) -> None:
        """Note that the platform was told to send something or to start a journey."""
        self.commands.append({"at": print_time(self._now()), "command": name, "call": call})

    def settle(self) -> None:
        """Let regulations have their effect once they are carried out."""
        pace = self._switches.span("regulation_pace") or 0
        for user in self.regulations.settle(self._now(), pace, self._switches["regulation_end"]):
            self.erase(user)

    def _entry(self, given: Mapping[str, Any], raw: Mapping[str, Any], at: int) -> dict[str, Any]:
        user, anonymous = raw.get("userId"), raw.get("anonymousId")
        if user and anonymous:
            self._users[anonymous] = user
        known_as = user or self._users.get(str(anonymous))
        people = {"userId": user, "anonymousId": anonymous, "customerId": customer_id(self.name, known_as)}
        return filled({**people, **given, "rawData": dict(raw)}, self.name, at)

    # ── what the sandbox does to it ───────────────────────────────────────────────────────────

    def emit(self, call: Call, at: int) -> None:
        """Take in a call of the live traffic, received at this moment."""
        time = print_time(at - call.delay - call.past)
        kind = {"type": "track", "messageId": f"ajs-{call.id}"} if call.source == "SEGMENT_JS" else {}
        raw = {**call.raw, **kind, "timestamp": time}
        entry = self._entry({"eventId": call.id, "eventTime": time, "source": call.source}, raw, at)
        self.feed.add(as_event(_odd(entry, call.odd), at))
        self.profiles.take(entry, at)
        changed = raw.get("properties", {}).get("channels")
        if changed:  # what the shop's customers want is known once they said it
            for profile in self.profiles.of([str(entry["customerId"])]):
                profile.set_channels(changed)

    def inject(
        self,
        events: Iterable[Mapping[str, Any] | str],
        *,
        at: int | None = None,
        visible: int | None = None,
        fill: bool = True,
    ) -> list[str]:
        """Put events into the feed; gives their eventIds, without those that have none.

        events: as little as `{"event": "Order Completed", "userId": "u1"}`; what is missing is filled in unless `fill`
        is False. A text is served as it stands, JSON or not. at: milliseconds, when they were received (default now).
        visible: when the feed begins to show them (default: as soon as received).
        """
        moment = self._now() if at is None else at
        made = [self._injected(event, moment, visible, fill=fill) for event in events]
        self.feed.add_many(made)
        return [event.id for event in made if event.id is not None]

    def _injected(self, event: Mapping[str, Any] | str, at: int, visible: int | None, *, fill: bool) -> Event:
        if isinstance(event, str):
            return raw_event(event, at, visible)
        if not isinstance(event, Mapping):
            raise TypeError(f"an event is a JSON object or a text that is served as it stands, not {event!r}")
        entry = filled(event, self.name, at) if fill else event
        self.profiles.take(entry, at)
        return as_event(entry, at, visible)

    def identify(self, user_id: str, traits: Mapping[str, Any], **more: Any) -> Profile:
        """Set a profile up as given, without an event.

        more: `id` (the platform's), `audiences`, `categories`, `created_by`; `created` and `active`, milliseconds.
        """
        now = self._now()
        own = more.pop("id", None) or customer_id(self.name, user_id)
        profile = Profile(**{"id": str(own), "user_id": user_id, "created": now, "active": now, **more})
        profile.traits = dict(traits)
        self.profiles.put(profile)
        return profile

    def generate(
        self,
        count: int,
        *,
        at: int | None = None,
        every: int = 1,
        event: str | Sequence[str] = "Product Added",
        users: int = 100,
        properties: Mapping[str, Any] | None = None,
    ) -> list[str]:
        """Put many events into the feed; gives their eventIds in order.

        count: how many. at: when the first was received, milliseconds (default: so that the last is received now).
        every: milliseconds from one to the next, 0 puts all on one. event: their name, or several that take turns.
        users: how many customers take turns. properties: of each, with its number `n` added.
        """
        first = self._now() - (count - 1) * every if at is None else at
        names = (event,) if isinstance(event, str) else event
        shapes = [_Shape(self.name, name, properties or {}) for name in names]
        made = [shapes[n % len(shapes)].event(n, n % users, first + n * every) for n in range(count)]
        self.feed.add_many(made)
        for n in range(min(count, users)):
            user = f"user-{n}"
            self.profiles.take({"customerId": customer_id(self.name, user), "userId": user}, first + n * every)
        return [str(one.id) for one in made]

    def erase(self, person: str) -> int:
        """Delete what a user, customer or anonymous id did (a GDPR erasure); gives how many events went."""
        ids = {person, *(anonymous for anonymous, user in self._users.items() if user == person)}
        self.profiles.forget(ids)
        return sum(self.feed.erase(one) for one in sorted(ids))

    def mark_valid(self, event: str) -> None:
        """Let events of this name be recorded whatever `new_type` says, as a person does in the platform's console."""
        self.types.add(action_of(event))

    def visible_since(self) -> dict[str, int]:
        """For each eventId the moment, in milliseconds, from which the feed shows it; it may lie ahead."""
        lag = self._switches.span("lag") or 0
        return {event.id: event.visible + int(lag * event.share) for event in self.feed.all() if event.id is not None}

    def event_ids(self) -> dict[str, list[str]]:
        """The ids that are visible now, will be, were but are erased, or were accepted and dropped."""
        now, since = self._now(), self.visible_since()
        return {
            "visible": [event_id for event_id, moment in since.items() if moment <= now],
            "pending": [event_id for event_id, moment in since.items() if moment > now],
            "erased": self.feed.erased,
            "dropped": self.dropped,
        }


def _odd(entry: dict[str, Any], odd: str) -> dict[str, Any]:
    """The entry with one of the departures that the documents' own examples show."""
    match odd:
        case "user_id" if "userId" in entry["rawData"]:
            raw = dict(entry["rawData"])
            return entry | {"rawData": raw | {"user_id": raw.pop("userId")}}
        case "shuffled":
            return dict(reversed(entry.items()))
        case "extra":
            return entry | {"timeout": None, "validAgainstSchema": True}
        case "no_user":
            return entry | {"userId": None}
    return entry


class _Shape:
    """Events that differ in their ids, times and numbers only, printed without encoding each."""

    def __init__(self, account: AccountName, name: str, properties: Mapping[str, Any]) -> None:
        self._account = account
        self._customers: dict[str, str] = {}
        given = {
            "event": name,
            "userId": "<user>",
            "properties": {**properties, "n": "<n>"},
            "customerId": "<customer>",
        }
        entry = filled({**given, "eventId": "<id>", "eventTime": "<time>", "receivedTime": "<time>"}, account, 0)
        self._action = str(entry["eventAction"])
        text = json.dumps(entry, separators=(",", ":")).replace("%", "%%").replace('"<n>"', "%(n)d")
        for slot in ("user", "customer", "id", "time"):
            text = text.replace(f"<{slot}>", f"%({slot})s")
        self._text = text

    def event(self, n: int, user_number: int, at: int) -> Event:
        user = f"user-{user_number}"
        customer = self._customers.get(user)
        if customer is None:
            customer = self._customers[user] = str(customer_id(self._account, user))
        event_id = str(uuid.uuid4())
        slots = {"n": n, "user": user, "customer": customer, "id": event_id, "time": print_time(at)}
        share = n * 0.618034 % 1
        text = (self._text % slots).encode()
        return Event(event_id, text, self._action, at, at, at, share, (user, customer))
