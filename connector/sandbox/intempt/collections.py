"""Collections: a schema, keys and identifiers, and the items that came."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from connector.sandbox.intempt.refused import Refused
from connector.sandbox.intempt.schema import conform, fields_of

KEPT: Final = 20_000  # items of a tracked event that are remembered; what is put into a collection stays


@dataclass(slots=True)
class Source:
    """Where data comes from: a website, an app, an API. extra: what its owner said of it."""

    id: int
    name: str
    type: str = "api"
    title: str = ""
    description: str = ""
    properties: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Keys:
    """What the fields of a collection mean.

    primary: what is unique. profile: the profile identifier. users: user identifiers. attributes: field → user
    attribute. relations: their name → the field that holds the key, and the collection whose key it is.
    """

    primary: str | None = None
    profile: str | None = None
    users: list[str] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)
    relations: dict[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(slots=True)
class Item:
    """One data item. updated: milliseconds. matches: the events that it was."""

    id: int
    data: dict[str, Any]
    updated: int
    matches: list[str] = field(default_factory=list)


@dataclass
class Collection:
    """One collection. schema: Avro, None for one that a tracked event made, which takes everything."""

    id: int
    source_id: int
    name: str
    schema: Mapping[str, Any] | None = None
    keys: Keys = field(default_factory=Keys)
    profile: bool = False
    event: bool = False
    items: dict[int, Item] = field(default_factory=dict)
    _by_key: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.fields = {} if self.schema is None else fields_of(self.schema)
        for one in self.schema.get("fields", ()) if self.schema else ():
            self._read_identifier(one["name"], one.get("identifier"))

    def _read_identifier(self, name: str, said: Any) -> None:
        """The documents of 2019 write keys into the schema: `"identifier": {"primary": true}`, or a relation."""
        if not isinstance(said, dict):
            return
        if said.get("primary"):
            self.keys.primary = name
        relation = said.get("relation")
        if isinstance(relation, dict) and isinstance(relation.get("identifier"), dict):
            self.keys.relations[str(relation.get("name", name))] = (name, str(relation["identifier"].get("collection")))

    def check_field(self, name: str) -> str:
        """The name, found among the fields. Raises Refused."""
        if name not in self.fields:
            raise Refused(400, f"{self.name} has no field {name}")
        return name

    def conform(self, given: Any) -> dict[str, Any]:
        """What an item that is to be put in holds. Raises Refused for what the schema or the primary key forbids."""
        if not isinstance(given, dict):
            raise Refused(400, "a data item must be a JSON object")
        return self.check_key(conform(self.fields, given))

    def check_key(self, data: dict[str, Any]) -> dict[str, Any]:
        """The data, found to have a primary key. Raises Refused."""
        primary = self.keys.primary
        if primary is None:
            raise Refused(400, f"collection {self.name} has no primary key")
        if data.get(primary) is None:
            raise Refused(400, f"{primary} must not be empty")
        return data

    def put(self, data: dict[str, Any], new_id: int, at: int) -> Item:
        """Store an item; one with the same primary key is overwritten and keeps its id."""
        key = str(data[self.keys.primary]) if self.keys.primary else ""
        item = Item(self._by_key.setdefault(key, new_id) if key else new_id, data, at)
        self.items[item.id] = item
        if self.schema is None and len(self.items) > KEPT:
            del self.items[next(iter(self.items))]
        return item

    def item(self, id: int) -> Item:
        """The item with this id. Raises Refused."""
        if id not in self.items:
            raise Refused(404)
        return self.items[id]

    def by_key(self, key: Any) -> Item | None:
        """The item with this primary key."""
        return self.items.get(self._by_key.get(str(key), -1))

    def remove(self, id: int) -> Item:
        """Delete an item; gives it. Raises Refused."""
        item = self.item(id)
        del self.items[id]
        if self.keys.primary:
            self._by_key.pop(str(item.data.get(self.keys.primary)), None)
        return item

    def listed(self) -> Iterator[Item]:
        """The newest first, as the documents' example lists them."""
        return iter(sorted(self.items.values(), key=lambda item: -item.id))
