"""Profiles, and the users (masters) that they are put together to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from connector.sandbox.intempt.ids import Ids, read_id


@dataclass(slots=True)
class Segmentation:
    """That a user belongs to a segment. created: milliseconds."""

    id: int
    created: int


@dataclass(slots=True, eq=False)
class Master:
    """One user. Instants are milliseconds.

    users: values of user identifiers. matched: event → when it last matched. attributes: name → values, oldest first.
    segmentations: by segment.
    """

    id: int
    updated: int
    profiles: list["Profile"] = field(default_factory=list)
    users: set[str] = field(default_factory=set)
    matched: dict[str, int] = field(default_factory=dict)
    attributes: dict[str, list[Any]] = field(default_factory=dict)
    segmentations: dict[str, Segmentation] = field(default_factory=dict)

    def add_attributes(self, values: Mapping[str, Any]) -> None:
        """Take in one more value of each; the oldest of very many are forgotten."""
        for name, value in values.items():
            if value is not None:
                known = self.attributes.setdefault(name, [])
                known.append(value)
                del known[1:-1_000]


@dataclass(slots=True, eq=False)
class Profile:
    """What one source knows of a user."""

    id: int
    master: Master


class People:
    """All of an organisation."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self.profiles: dict[int, Profile] = {}
        self.masters: dict[int, Master] = {}
        self.absorbed: dict[int, int] = {}  # a master that was merged → the one it is part of
        self._by_value: dict[tuple[int, str, str], Profile] = {}  # source, identifier, value
        self._by_user: dict[str, Master] = {}
        self._tracked: dict[str, Profile] = {}  # a client's own profileId

    def identified(self, source_id: int, identifier: str, value: str, at: int) -> Profile:
        """The profile with this identifier in a source, there since it was first seen.

        A value of digits that is called profileId is its id already: a client sends back what it was given.
        """
        key = (source_id, identifier, value)
        profile = self._by_value.get(key)
        if profile is None:
            own = read_id(value) if identifier == "profileId" else None
            profile = self._by_value[key] = self.profile(own or self._ids.next(), at)
            if identifier == "profileId":
                self._tracked[value] = profile
        return profile

    def profile(self, id: int, at: int, master: Master | None = None) -> Profile:
        """The profile with this id, a new one if there is none; of this master if one is given."""
        profile = self.profiles.get(id)
        if profile is None:
            profile = self.profiles[id] = Profile(id, master or self.master(self._ids.next(), at))
            profile.master.profiles.append(profile)
        elif master is not None and profile.master is not master:
            self.merge(profile.master, master)
        return profile

    def master(self, id: int, at: int) -> Master:
        """The master with this id, a new one if there is none."""
        return self.masters.setdefault(id, Master(id, at))

    def link(self, master: Master, user: str) -> Master:
        """Say that a master has this value of a user identifier; gives who it is part of now."""
        other = self._by_user.get(user)
        if other is not None and other is not master:
            older, younger = sorted((master, other), key=lambda one: one.id)
            self.merge(younger, older)
            return older
        self._by_user[user] = master
        master.users.add(user)
        return master

    def merge(self, gone: Master, into: Master) -> None:
        """Make one of two: the first's id is history from now on."""
        for profile in gone.profiles:
            profile.master = into
        into.profiles += gone.profiles
        for user in gone.users:
            self._by_user[user] = into
        into.users |= gone.users
        for name, at in gone.matched.items():
            into.matched[name] = max(at, into.matched.get(name, at))
        for name, values in gone.attributes.items():
            into.attributes[name] = [*values, *into.attributes.get(name, ())]
        into.segmentations = {**gone.segmentations, **into.segmentations}
        into.updated = max(into.updated, gone.updated)
        del self.masters[gone.id]
        self.absorbed = {old: into.id if new == gone.id else new for old, new in self.absorbed.items()}
        self.absorbed[gone.id] = into.id

    def forget(self, master: Master) -> None:
        """Delete a user with all profiles."""
        del self.masters[master.id]
        for profile in master.profiles:
            del self.profiles[profile.id]
        self._by_value = {key: one for key, one in self._by_value.items() if one.master is not master}
        self._by_user = {user: one for user, one in self._by_user.items() if one is not master}
        self._tracked = {text: one for text, one in self._tracked.items() if one.master is not master}

    # ── finding ───────────────────────────────────────────────────────────────────────────────

    def of_profile(self, text: str) -> Master | None:
        """Whose profile this is: its id, or the profileId that a client tracks with."""
        id = read_id(text)
        found = self.profiles.get(-1 if id is None else id) or self._tracked.get(text)
        return found.master if found else None

    def of_master(self, text: str, *, survivors: bool) -> Master | None:
        """The user with this id. survivors: an id that was merged away finds who it is part of."""
        id = read_id(text)
        if survivors and id in self.absorbed:
            id = self.absorbed[id]
        return None if id is None else self.masters.get(id)

    def of_values(self, source_id: int, values: Mapping[str, Any]) -> Master | None:
        """Whose profile has one of these identifiers in a source."""
        found = (self._by_value.get((source_id, name, str(value))) for name, value in values.items())
        profile = next((one for one in found if one is not None), None)
        return profile.master if profile else None

    def of_user(self, user: str) -> Master | None:
        """The user with this value of a user identifier."""
        return self._by_user.get(user)

    def put_together(self, profile_ids: Iterable[int], users: Iterable[str], master: Master, at: int) -> Master:
        """Give a master these profiles and values of user identifiers; gives who it is part of now."""
        for id in profile_ids:
            self.profile(id, at, master)
        for user in users:
            master = self.link(master, user)
        return master
