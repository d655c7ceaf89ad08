"""Intilery's second host, events.intilery.com: Segment's messages, and marketing preferences. Here on the same port.

A message says whose it is by its `writeKey`: client, account and brand, encoded. A subscriptionId opens one customer's
preferences without any key: it is the secret. What is answered to messages is not documented.
"""

import base64
import re
from collections.abc import Callable, Iterable
from typing import Any, Final
from urllib.parse import unquote

from connector.sandbox.intilery.account import Account
from connector.sandbox.intilery.events import AccountName
from connector.sandbox.intilery.profiles import Profile
from connector.sandbox.intilery.writing import Writing, as_call, read
from connector.sandbox.replies import Refusal, Reply, json_reply
from connector.sandbox.request import Request
from connector.sandbox.switches import Switches

_ONE: Final = "/cdp/events/segment/t"
_MANY: Final = "/cdp/events/segment/mobile/batch"
_PREFERENCES: Final = re.compile(r"/cdp/marketing-preferences/([^/]+)")


class SecondHost:
    """What it serves. account: gives the account of a name; accounts: all of them."""

    def __init__(
        self,
        account: Callable[[AccountName], Account],
        accounts: Callable[[], Iterable[Account]],
        writing: Writing,
    ) -> None:
        self._account = account
        self._accounts = accounts
        self._writing = writing

    def operation(self, path: str) -> str:
        """`segment`, `segment_batch`, `preferences`, or empty."""
        if _PREFERENCES.fullmatch(path):
            return "preferences"
        return {_ONE: "segment", _MANY: "segment_batch"}.get(path, "")

    def answer(self, asked: Request, switches: Switches, limit: int) -> Reply:
        """What it answers. limit: bytes of the largest request."""
        try:
            return self._serve(asked, limit)
        except Refusal as refusal:
            return refusal.reply(switches, writing=asked.method != "GET")

    def _serve(self, asked: Request, limit: int) -> Reply:
        if len(asked.body) > limit:
            raise Refusal(413)
        match asked.method, self.operation(asked.path):
            case "POST", "segment":
                return self._one(read(asked))
            case "POST", "segment_batch":
                return self._many(read(asked))
            case "GET", "preferences":
                return _preferences(*self._subscriber(asked.path))
            case "POST", "preferences":
                return _prefer(self._subscriber(asked.path)[1], read(asked))
        raise Refusal(404)

    def _one(self, body: Any) -> Reply:
        account = self._of_key(body)
        call, method = as_call({name: value for name, value in body.items() if name != "writeKey"})
        self._writing.take(account, call, method)
        return json_reply({"success": True})

    def _many(self, body: Any) -> Reply:
        self._writing.take_many(self._of_key(body), body)
        return json_reply({"success": True})

    def _of_key(self, body: Any) -> Account:
        key = _decoded(body.get("writeKey") if isinstance(body, dict) else None)
        if len(key) != 3 or not all(key):
            raise Refusal(400, "writeKey must not be empty")
        return self._account((key[0], key[1], key[2]))

    # ── marketing preferences ─────────────────────────────────────────────────────────────────

    def _subscriber(self, path: str) -> tuple[Account, Profile]:
        match = _PREFERENCES.fullmatch(path)
        wanted = unquote(match[1]) if match else ""
        names = tuple(_decoded(wanted)[:2])
        for account in self._accounts():
            for profile in account.profiles if account.name[:2] == names else ():
                if profile.subscription_id(account.name) == wanted:
                    return account, profile
        raise Refusal(404)


def _preferences(account: Account, profile: Profile) -> Reply:
    shown = {
        "writeKey": base64.b64encode(":".join(account.name).encode()).decode(),
        "customerId": profile.id,
        "channels": profile.channels,
        "categories": profile.categories,
        "unsubscribeAll": profile.unsubscribed_from_all,
    }
    return json_reply(shown)


def _prefer(profile: Profile, wanted: Any) -> Reply:
    if not isinstance(wanted, dict):
        raise Refusal(400, "body must be a JSON object")
    for name in ("channels", "categories"):
        if not isinstance(wanted.get(name, []), list):
            raise Refusal(400, f"{name} must be an array")
    profile.set_channels(one for one in wanted.get("channels", ()) if isinstance(one, dict))
    profile.categories = wanted.get("categories", profile.categories)
    profile.unsubscribed_from_all = wanted.get("unsubscribeAll") is True
    if profile.unsubscribed_from_all:
        profile.set_channels([{**one, "subscribed": False} for one in profile.channels])
    return json_reply({})


def _decoded(key: Any) -> list[str]:
    """The parts of a writeKey or subscriptionId; none where it is neither."""
    try:
        return base64.b64decode(str(key or ""), validate=True).decode().split(":")
    except ValueError:
        return []
