"""What is read: the account's events, the profiles, and what one profile holds.

Events API (GET events), Profiles API (GET profiles, profiles/{idType}:{id}/traits|meta|events).
"""

import base64
import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

from connector.sandbox.intilery.account import Account
from connector.sandbox.intilery.events import Event
from connector.sandbox.intilery.feed import Query
from connector.sandbox.intilery.profiles import ID_TYPES, Profile, Scroll
from connector.sandbox.replies import Refusal, Reply, json_reply
from connector.sandbox.request import Request
from connector.sandbox.switches import Switches
from connector.sandbox.times import read_time

REACH: Final = 10_000  # results that paging gets to
_OLD_SCROLL_ID: Final = "DnF1ZXJ5VGhlbkZldGNoBQAAAAAAMzh3FmNJLUxtbGYyVFV5WVU1Uk9TcnM5NVE"
_DAY: Final = 86_400_000
_PAGE: Final = 100  # profiles in an answer


class Reading:
    """The reading routes. now: the platform's clock, milliseconds."""

    def __init__(self, switches: Switches, now: Callable[[], int]) -> None:
        self._switches = switches
        self._now = now
        self.routes = {
            ("GET", "events"): self.events,
            ("GET", "profiles"): self.profiles,
            ("GET", "traits"): self.traits,
            ("GET", "meta"): self.meta,
            ("GET", "profile_events"): self.profile_events,
        }

    # ── events ────────────────────────────────────────────────────────────────────────────────

    def events(self, account: Account, asked: Request, _: tuple[str, ...]) -> Reply:
        """The account's feed: `{"data":[…]}`, most recent first unless told otherwise."""
        query = self._query(asked.parameters)
        found = account.feed.page(query, self._now()) if self._within_reach(query) else []
        return Reply(body=self._data([event.text for event in found]))

    def profile_events(self, account: Account, asked: Request, arguments: tuple[str, ...]) -> Reply:
        """As the feed, for one customer or for all with an address; each event with id, externalId and email."""
        profiles = self._found(account, arguments[0], "Profile was not found.")
        query = self._query(asked.parameters)
        people = {profile.id: profile for profile in profiles}
        found = account.feed.page_of(people, query, self._now()) if self._within_reach(query) else []
        return Reply(body=self._data([_with_ids(event, people) for event in found]))

    def _within_reach(self, query: Query) -> bool:
        if query.skip + query.size <= REACH:
            return True
        if self._switches["beyond"] == "400":
            raise Refusal(400, f"from + size must be less than or equal to {REACH}")
        return False

    def _data(self, texts: list[bytes]) -> bytes:
        members = [f'"scrollId":"{_OLD_SCROLL_ID}"'.encode()] if self._switches["scroll_id"] == "present" else []
        empty = self._switches["data_on_empty"]
        if texts or empty == "list":
            members.append(b'"data":[' + b",".join(texts) + b"]")
        elif empty == "null":
            members.append(b'"data":null')
        return b"{" + b",".join(members) + b"}"

    def _query(self, given: Mapping[str, str]) -> Query:
        size = _count(given, "size", int(self._switches["size_default"]), 1, 100)
        skip = _count(given, "from", 0, 0, 10**9)
        if given.get("sort", "desc") not in {"asc", "desc"}:
            raise Refusal(400, "sort must be asc or desc", "validation_error")
        include, retention = given.get("include"), self._switches.span("retention")
        names = include.split(",") if include and self._switches["include"] == "list" else [include]
        return Query(
            clock="eventTime" if self._switches["time_field"] == "eventTime" else "receivedTime",
            start=self._moment(given, "start"),
            end=self._moment(given, "end"),
            edges=self._switches["edges"],
            includes=[name for name in names if name] if include else None,
            excludes=frozenset(filter(None, given.get("exclude", "").split(","))),
            descending=given.get("sort", "desc") == "desc",
            skip=skip * size if self._switches["from"] == "pages" else skip,
            size=size,
            ties=self._switches["ties"],
            lag=self._switches.span("lag") or 0,
            since=None if retention is None else self._now() - retention,
        )

    def _moment(self, given: Mapping[str, str], name: str) -> int | None:
        text = given.get(name)
        if not text:
            return None
        reading = self._switches["datetime"]
        try:
            at = read_time(text)
        except ValueError:
            raise Refusal(400, f"{name} must be an ISO 8601 date", "validation_error") from None
        if reading == "refused" and len(text) > len("2006-01-02"):
            raise Refusal(400, f"{name} must be a date such as 2006-01-02", "validation_error")
        return at - at % _DAY if reading == "date" else at

    # ── profiles ──────────────────────────────────────────────────────────────────────────────

    def profiles(self, account: Account, asked: Request, _: tuple[str, ...]) -> Reply:
        """A hundred profiles by recent activity, and the `scrollId` that goes on; no more when `data` is empty."""
        now = self._now()
        given = asked.parameters.get(self._switches["scroll_name"])
        if given is None:
            scroll = Scroll([profile.id for profile in account.profiles.by_activity(now)], 0, now)
        else:
            scroll = self._scroll(account, given, now)
        page = scroll.ids[scroll.place : scroll.place + _PAGE]
        if self._switches["scroll_repeat"] == "same":  # each id stands for a place of its own
            scroll = Scroll(scroll.ids, scroll.place, now)
        scroll.place, scroll.touched = scroll.place + _PAGE, now
        following = base64.b64encode(uuid.uuid4().bytes * 4).decode()
        account.scrolls[following] = scroll
        found = account.profiles.of(page)
        shown = [profile.traits_shown() if self._switches["profile_list"] == "traits" else _meta(account, profile)
                 for profile in found]  # fmt: skip
        return json_reply({"scrollId": following, "data": shown})

    def _scroll(self, account: Account, scroll_id: str, now: int) -> Scroll:
        longest = self._switches.span("scroll_timeout") or 0
        for each, scroll in list(account.scrolls.items()):
            if now - scroll.touched > longest:
                del account.scrolls[each]
        if scroll_id not in account.scrolls:
            raise Refusal(400, "scrollId is invalid or has timed out", "invalid_request_error")
        return account.scrolls[scroll_id]

    def traits(self, account: Account, _: Request, arguments: tuple[str, ...]) -> Reply:
        """Who a customer is; of an address, all that have it."""
        found = self._found(account, arguments[0], "Custmer not found.")  # the document's spelling
        return _one_or_all(arguments[0], [profile.traits_shown() for profile in found])

    def meta(self, account: Account, _: Request, arguments: tuple[str, ...]) -> Reply:
        """Traits, and where they come from, first and last events, audiences, the last activity."""
        who, word = arguments
        if word != self._switches["meta_path"]:
            raise Refusal(404)
        found = self._found(account, who, "Profile was not found.")
        return _one_or_all(who, [_meta(account, profile) for profile in found])

    def _found(self, account: Account, who: str, otherwise: str) -> list[Profile]:
        kind, colon, value = who.partition(":")
        if kind not in ID_TYPES or not colon or not value:
            raise Refusal(400, "ProfileID must be in format of id_type:id", "validation_error")
        found = account.profiles.find(kind, value, self._now())
        if not found and not (kind == "email" and self._switches["email_unknown"] == "empty"):
            raise Refusal(404, otherwise)
        return found


def _count(given: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = given.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):
        limits = f"between {least} and {most}" if name == "size" else "an integer from 0"
        raise Refusal(400, f"{name} must be {limits}", "validation_error")
    return int(text)


def _one_or_all(who: str, found: list[dict[str, Any]]) -> Reply:
    return json_reply({"data": found} if who.startswith("email:") else found[0])


def _with_ids(event: Event, people: Mapping[str, Profile]) -> bytes:
    """The event as a profile's events print it: with whose it is in front."""
    whose = next(people[person] for person in event.people if person in people)
    ids = {"id": whose.id, "externalId": whose.user_id, "email": whose.traits.get("email")}
    return json.dumps(ids, separators=(",", ":")).encode()[:-1] + b"," + event.text[1:]


def _meta(account: Account, profile: Profile) -> dict[str, Any]:
    events = account.feed.of(profile.id)
    first = {event.action: event for event in reversed(events)}
    last = {event.action: event for event in events}
    return {
        **profile.meta_shown(account.name),
        "firstEvent": {action: _brief(event) for action, event in first.items()},
        "lastEvent": {action: _brief(event) for action, event in last.items()},
    }


def _brief(event: Event) -> dict[str, Any]:
    """What was sent, and when it came: as firstEvent and lastEvent print it."""
    entry = json.loads(event.text)
    raw = entry.get("rawData")
    return {**(raw if isinstance(raw, dict) else {}), **{name: entry.get(name) for name in _OF_AN_ENTRY}}


_OF_AN_ENTRY: Final = ("eventId", "eventTime", "receivedTime")
