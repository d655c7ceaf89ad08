"""How regulations are asked for through an API: `regulations` of the configuration in `mode: api`.

The endpoint is not publicly documented today, so path, body and the types' names are the configuration's word; the
example is the shape that Intilery's site showed in February 2021. Nothing there tells a repeat from a second request,
which is why it must also be said how to list what was asked for.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from connector.actions import Scope, Tree, findings
from connector.document import did_you_mean
from connector.errors import ConfigurationError, Mistake
from connector.model import MINUTE, Answer, Instant, Json, Request, Verdict, instant
from connector.platforms import answers
from connector.platforms.bodies import encode
from connector.platforms.intilery.account import request
from connector.platforms.verdict import judge
from connector.settings import Connection, Section, Settings

IRREVERSIBLE: Final = frozenset({"suppress_and_delete", "delete"})
TOLERANCE: Final = 10 * MINUTE  # that the platform's clock may be behind ours
_PATH: Final = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@/-]*")
_NAMES: Final = ("item.type", "item.user_id", "item.reason", "item.id")
_CLUES: Final = {
    **answers.CLUES,
    400: "the platform refuses the regulation: see body and types under `regulations`",
    401: "the platform does not know the token: mend auth_token in the configuration or the secrets",
    403: "the token has no permission for regulations",
    404: "there is no such endpoint: see path under `regulations`, or use mode manual",
}


class Listing(BaseModel):
    """How what was asked for is listed. path: as the request's; query: its parameters, texts may be templates.

    The others are keys of the answer, dots between: entries, a list; and in each of them users, its user ids; created,
    when it was asked for; type, which one, where an entry says so. next: the token of the next part, which is sent back
    under the same name; left out where the answer holds all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    path: str
    query: dict[str, str] = Field(default_factory=dict)
    entries: str
    users: str
    created: str
    type: str | None = None
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """One regulation. id: its delivery's; since: when it was proposed."""

    id: str
    type: str
    user_id: str
    reason: str
    since: Instant


@dataclass(frozen=True, slots=True)
class Api:
    """The API as the configuration describes it. types: ours → the platform's."""

    connection: Connection
    path: str
    body: Tree
    types: Mapping[str, str]
    listing: Listing
    query: Tree

    @classmethod
    def of(cls, settings: Settings) -> "Api | None":
        """What the settings say; None in the other modes. Raises ConfigurationError with every mistake."""
        said = settings.regulations
        if said.mode != "api" or said.body is None or said.list is None:
            return None
        listing = _listing(said.list)
        mistakes = [*_mistaken_paths(settings, listing)]
        connection = settings.connections.get(said.connection or "")
        if connection is None or connection.platform != "intilery":
            hint = did_you_mean(said.connection or "", settings.connections)
            message = "regulations.connection: needs the name of a connection of intilery"
            mistakes.append(settings.document.mistake(("regulations", "connection"), message, hint))
        body, query = _tree(said.body, dict(said.body)), _tree(said.list, dict(listing.query), "query")
        mistakes += _mistaken_body(said.body, body)
        if mistakes or connection is None:
            raise ConfigurationError(mistakes)
        types = {str(ours): its for ours, its in said.types.items()}
        return cls(connection, said.path or "", body, types, listing, query)

    def ask(self, wanted: Wanted) -> Request:
        """The request for one regulation. Raises RenderError and RequestRefused."""
        body = encode(self.body.render(self._scope(wanted)))
        return request(self.connection, "POST", self.path.lstrip("/"), body=body)

    def look(self, wanted: Wanted, token: str = "") -> Request:
        """The request for what was asked for. token: of the part to go on with. Raises RenderError."""
        query: dict[str, Json] = self.query.render(self._scope(wanted))
        if token and self.listing.next:
            query[self.listing.next.rpartition(".")[2]] = token
        return request(self.connection, "GET", self.listing.path.lstrip("/"), query)

    def found(self, answer: Answer, wanted: Wanted) -> tuple[bool, str]:
        """Whether a part of the list holds it, and the token of the next part, empty at the end.

        Raises FeedRefused and FeedUnavailable, also for a list that does not say what it must.
        """
        what = "a list of regulations"
        body = answers.an_object(answer, what, _CLUES)
        entries = _at(body, self.listing.entries)
        if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
            raise answers.unexpected(answer, what, f"{self.listing.entries} is no list of objects")
        for entry in entries:
            users = _at(entry, self.listing.users)
            ids = [answers.text_id(one) for one in (users if isinstance(users, list) else [users])]
            if wanted.user_id in ids and self._is_this(answer, entry, wanted):
                return True, ""
        token = answers.text_id(_at(body, self.listing.next)) if self.listing.next else ""
        return False, token

    def _is_this(self, answer: Answer, entry: Mapping[str, Json], wanted: Wanted) -> bool:
        if self.listing.type and _at(entry, self.listing.type) != self.types[wanted.type]:
            return False
        created = instant(_at(entry, self.listing.created))
        if created is None:
            raise answers.unexpected(answer, "a list of regulations", f"{self.listing.created} is no time")
        return created >= wanted.since - TOLERANCE

    def judge(self, answer: Answer) -> Verdict:
        """What an answer to a request means: `retry` says that it may have been taken."""
        return judge(answer, _CLUES)

    def _scope(self, wanted: Wanted) -> Scope:
        item = {"type": self.types[wanted.type], "user_id": wanted.user_id, "reason": wanted.reason, "id": wanted.id}
        return {"item": item}


def _at(value: Json, path: str) -> Json:
    """What stands at keys with dots between; None where nothing does."""
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


# ── reading the configuration ─────────────────────────────────────────────────────────────────


def _listing(section: Section) -> Listing:
    try:
        return Listing.model_validate(dict(section))
    except ValidationError as error:
        found = findings(error, Listing)
    raise ConfigurationError([section.mistake(one.where, one.message, one.hint, key=one.key) for one in found])


def _tree(section: Section, values: dict[str, Json], *inside: str) -> Tree:
    try:
        return Tree(values)
    except ValidationError as error:
        found = findings(error, Listing)
    except PydanticCustomError as error:
        raise ConfigurationError([section.mistake(inside, error.message())]) from None
    raise ConfigurationError([section.mistake((*inside, *one.where), one.message, one.hint) for one in found])


def _mistaken_paths(settings: Settings, listing: Listing) -> Iterator[Mistake]:
    places = {("regulations", "path"): settings.regulations.path or "", ("regulations", "list", "path"): listing.path}
    for place, path in places.items():
        if not _PATH.fullmatch(path) or ".." in path:
            message = f"{'.'.join(place)}: expected a path below the account, such as /regulations"
            yield settings.document.mistake(place, message)


def _mistaken_body(section: Section, body: Tree) -> Iterator[Mistake]:
    read = {path for _, template in body.templates for path in template.paths}
    for path in sorted(read - set(_NAMES)):
        yield section.mistake((), f"regulations.body: {path} is not there", f"known: {', '.join(_NAMES)}", key=True)
    for path in ("item.type", "item.user_id"):
        if path not in read:
            hint = f'write "{{{{ {path} }}}}" where it belongs'
            yield section.mistake((), f"regulations.body: {path} is missing", hint, key=True)
