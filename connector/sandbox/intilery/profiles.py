"""The profiles of one account: who its customers are, as the calls tell it."""

import base64
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from connector.sandbox.catalog import known_person
from connector.sandbox.intilery.events import AccountName, stable_uuid
from connector.sandbox.times import print_time, read_time

ID_TYPES: Final = ("userId", "email", "id")
_PREFERENCES: Final = "marketingPreferences"


@dataclass(slots=True)
class Profile:
    """One customer. id: the platform's; user_id: the shop's. created, active: milliseconds."""

    id: str
    user_id: str | None
    created: int
    active: int
    traits: dict[str, Any] = field(default_factory=dict)
    created_by: dict[str, Any] = field(default_factory=dict)
    audiences: list[str] = field(default_factory=list)
    categories: list[Any] = field(default_factory=list)
    unsubscribed_from_all: bool = False

    @property
    def channels(self) -> list[dict[str, Any]]:
        """The marketing channels, with whether they may be used."""
        preferences = self.traits.get(_PREFERENCES)
        channels = preferences.get("channels") if isinstance(preferences, dict) else None
        return list(channels) if isinstance(channels, list) else []

    def set_channels(self, wanted: Iterable[Mapping[str, Any]]) -> None:
        """Change these channels, leave the others."""
        merged = {str(one.get("channel")): one for one in self.channels}
        for one in wanted:
            merged[str(one.get("channel"))] = {**merged.get(str(one.get("channel")), {}), **one}
        preferences = self.traits.get(_PREFERENCES)
        kept = preferences if isinstance(preferences, dict) else {}
        self.traits[_PREFERENCES] = {**kept, "channels": list(merged.values())}

    def traits_shown(self) -> dict[str, Any]:
        """As `…/traits` prints it."""
        return {**self.traits, "externalId": self.user_id, "id": self.id}

    def meta_shown(self, account: AccountName) -> dict[str, Any]:
        """As `…/meta` prints it, but for the events."""
        return {
            **self.traits_shown(),
            "_subscriptionId": self.subscription_id(account),
            "createdBy": self.created_by or {"createdTime": print_time(self.created), "type": "api"},
            "audiencesStatic": self.audiences,
            "lastActivityTime": print_time(self.active),
        }

    def subscription_id(self, account: AccountName) -> str:
        """What opens their marketing preferences without a key: client, account and an id, encoded."""
        client, account_id, _ = account
        own = stable_uuid(f"{self.id}/subscription")
        return base64.b64encode(f"{client}:{account_id}:{own}".encode()).decode()


@dataclass(slots=True)
class Scroll:
    """A list of profiles that is being read. place: how many were given; touched: when it was last asked, ms."""

    ids: list[str]
    place: int
    touched: int


@dataclass(frozen=True, slots=True)
class _Call:
    """What one call says of a customer. traits: replace; context: fill in what is missing. due: when it counts."""

    due: int
    at: int
    customer: str
    user_id: str | None
    traits: Mapping[str, Any]
    context: Mapping[str, Any]


class Profiles:
    """All of them. Calls count from their `due` on: the platform processes them a while after it answered."""

    def __init__(self) -> None:
        self._by_id: dict[str, Profile] = {}
        self._by_user: dict[str, str] = {}  # userId → id
        self._waiting: list[_Call] = []
        self._nameless: dict[str, dict[str, Any]] = {}  # anonymousId → traits said before anybody knew who it was

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Profile]:
        return iter(self._by_id.values())

    def take(self, entry: Mapping[str, Any], at: int, *, lag: int = 0) -> None:
        """What an entry of the feed says of its customer. at: when it was received; lag: until it counts; ms."""
        raw, customer = entry.get("rawData"), entry.get("customerId")
        raw = raw if isinstance(raw, dict) else {}
        traits, context = _object(raw.get("traits")), _object(_object(raw.get("context")).get("traits"))
        anonymous = raw.get("anonymousId")
        if not isinstance(customer, str):
            if traits and isinstance(anonymous, str):
                self._nameless.setdefault(anonymous, {}).update(traits)
            return
        if isinstance(anonymous, str) and anonymous in self._nameless:
            traits = {**self._nameless.pop(anonymous), **traits}
        user = entry.get("userId")
        call = _Call(at + lag, at, customer, user if isinstance(user, str) else None, traits, context)
        if lag:
            self._waiting.append(call)
        else:
            self._apply(call)

    def _apply(self, call: _Call) -> None:
        profile = self._by_id.get(call.customer)
        if profile is None:
            profile = self._by_id[call.customer] = _new(call)
        if profile.user_id is None and call.user_id is not None:
            profile.user_id = call.user_id
        if profile.user_id is not None:
            self._by_user.setdefault(profile.user_id, profile.id)
        profile.active = max(profile.active, call.at)
        profile.traits = {**call.context, **profile.traits, **call.traits}

    def settle(self, now: int) -> None:
        """Let count what is due."""
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        for call in waiting:
            if call.due <= now:
                self._apply(call)
            else:
                self._waiting.append(call)

    def put(self, profile: Profile) -> None:
        """Set a customer up as given, in place of one with the same id."""
        self._by_id[profile.id] = profile
        if profile.user_id is not None:
            self._by_user[profile.user_id] = profile.id

    def find(self, kind: str, value: str, now: int) -> list[Profile]:
        """Those with this `userId`, `email` or `id`."""
        self.settle(now)
        if kind != "email":
            return self.of([value if kind == "id" else self._by_user.get(value, "")])
        return [profile for profile in self if str(profile.traits.get("email")).lower() == value.lower()]

    def of(self, ids: Iterable[str]) -> list[Profile]:
        """Those with these ids that are still there."""
        return [self._by_id[one] for one in ids if one in self._by_id]

    def by_activity(self, now: int) -> list[Profile]:
        """All, the most recently active first."""
        self.settle(now)
        return sorted(self, key=lambda profile: -profile.active)

    def forget(self, people: Collection[str]) -> None:
        """Delete those with one of these user or customer ids."""
        for profile in [one for one in self if one.id in people or one.user_id in people]:
            del self._by_id[profile.id]
            self._by_user.pop(profile.user_id or "", None)
        self._waiting = [one for one in self._waiting if not {one.customer, one.user_id} & set(people)]


def _new(call: _Call) -> Profile:
    """A profile that nobody had seen: of the traffic's customers the platform knows more than one call says."""
    person = known_person(call.user_id)
    if person is None:
        return Profile(call.customer, call.user_id, call.at, call.at)
    created = {"createdTime": person.created, "type": "api"}
    traits = json.loads(json.dumps(person.traits()))
    return Profile(call.customer, call.user_id, read_time(person.created), call.at, traits, created)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
