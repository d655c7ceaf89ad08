"""What is written: identify, track, page, screen and batch, and the commands among what is tracked.

Tracking API; the commands are the Track Action Commands that it refers to.
"""

import json
import uuid
from typing import Any, Final

from connector.sandbox.intilery.account import Account
from connector.sandbox.replies import Refusal, Reply, json_reply
from connector.sandbox.request import Request
from connector.sandbox.switches import Switches
from connector.sandbox.times import read_time

_ITEM_LIMIT: Final = 32_000  # bytes of one call of a batch
_METHODS: Final = frozenset({"identify", "page", "screen", "group", "alias"})
_SENDING: Final = frozenset({"send_email", "send_sms", "send_print", "send_push"})
_JOURNEY: Final = "start_journey"


class Writing:
    """The writing routes. Each answers `{"success":true,"eventId":…}`, or is refused."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches
        self.routes = {
            ("POST", "identify"): self.identify,
            ("POST", "track"): self.track,
            ("POST", "page"): self.page,
            ("POST", "screen"): self.screen,
            ("POST", "batch"): self.batch,
        }

    def identify(self, account: Account, asked: Request, _: tuple[str, ...]) -> Reply:
        """Ties a user to traits."""
        return self._write(account, asked, "identify")

    def track(self, account: Account, asked: Request, _: tuple[str, ...]) -> Reply:
        """Records what a user did, or does what a command says."""
        return self._write(account, asked, "track")

    def page(self, account: Account, asked: Request, _: tuple[str, ...]) -> Reply:
        """Records a page that was seen."""
        return self._write(account, asked, "page")

    def screen(self, account: Account, asked: Request, _: tuple[str, ...]) -> Reply:
        """Records a screen of an app that was seen; its `event` may be left out."""
        return self._write(account, asked, "screen")

    def _write(self, account: Account, asked: Request, method: str) -> Reply:
        return _accepted(self.take(account, read(asked), method))

    def take(self, account: Account, body: Any, method: str) -> str:
        """Take in one call; gives its eventId. Raises Refusal for what the page does not allow."""
        call = _checked(body, method)
        command = self._command(call) if method == "track" else ""
        event_id = account.write(call)
        if command:
            account.command(command, call)
        return event_id

    def _command(self, call: dict[str, Any]) -> str:
        """The command that a tracked event is, empty for none."""
        name, spelling = call["event"], self._switches["command_names"]
        command: str = name.lower()
        if command not in _SENDING | {_JOURNEY} or (spelling != "any" and name != getattr(command, spelling)()):
            return ""
        properties = call.get("properties") or {}
        if not call.get("userId"):
            raise Refusal(400, "userId must not be empty")
        if command in _SENDING and not call.get("assetId"):
            raise Refusal(400, "assetId must not be empty")
        if command == _JOURNEY and not properties.get("journeyIdToTrigger"):
            raise Refusal(400, "properties.journeyIdToTrigger must not be empty")
        return command

    # ── batch ─────────────────────────────────────────────────────────────────────────────────

    def batch(self, account: Account, asked: Request, _: tuple[str, ...]) -> Reply:
        """`{"batch":[…],"context":{}}`: items say what they are by `event`, or by Segment's `type`."""
        body = read(asked)
        self.take_many(account, body)
        return _accepted(str(uuid.uuid4()))

    def take_many(self, account: Account, body: Any) -> None:
        """Take in every call of a batch. Raises Refusal, and then took none, unless `batch_mistake` says otherwise."""
        items = body.get("batch") if isinstance(body, dict) else None
        if not isinstance(items, list):
            raise Refusal(400, "batch must be an array")
        calls = []
        for n, item in enumerate(items):
            try:
                calls.append(self._item(item, body.get("context")))
            except Refusal as refusal:
                if self._switches["batch_mistake"] == "refused":
                    raise Refusal(refusal.status, f"batch[{n}]: {refusal.message}") from None
        for call, method in calls:
            self.take(account, call, method)

    def _item(self, item: Any, context: Any) -> tuple[dict[str, Any], str]:
        if len(json.dumps(item, separators=(",", ":"))) > _ITEM_LIMIT:
            raise Refusal(int(self._switches["item_limit"]), f"a call must not be larger than {_ITEM_LIMIT} bytes")
        call, method = as_call(item)
        own = call.get("context") or {}
        if isinstance(context, dict) and isinstance(own, dict):
            call = {**call, "context": {**context, **own}}
        _checked(call, method)
        return call, method


def read(asked: Request) -> Any:
    """The body of a call. Raises Refusal for what is no JSON."""
    try:
        return asked.json()
    except ValueError:
        raise Refusal(400, "body must be JSON") from None


def as_call(item: Any) -> tuple[dict[str, Any], str]:
    """An item of a batch, or a message of Segment's, as a call and its method."""
    if not isinstance(item, dict):
        raise Refusal(400, "body must be a JSON object")
    said = item.get("type", item.get("event"))
    method = said if isinstance(said, str) and said in _METHODS else "track"
    return (item if method == "track" else {**item, "event": method}), method


def _accepted(event_id: str) -> Reply:
    return json_reply({"success": True, "eventId": event_id})


def _checked(body: Any, method: str) -> dict[str, Any]:
    """The body of a call, found to have what the Tracking API page requires of this method."""
    if not isinstance(body, dict):
        raise Refusal(400, "body must be a JSON object")
    _check_types(body)
    call: dict[str, Any] = {"event": "screen", **body} if method == "screen" else body
    if not call.get("userId") and not call.get("anonymousId"):
        raise Refusal(400, "userId must not be empty")
    if not call.get("event"):
        raise Refusal(400, "event must not be empty")
    if method != "track" and call["event"] != method:
        raise Refusal(400, f"event must be {method}")
    if method == "identify" and call.get("traits") is None:
        raise Refusal(400, "traits must not be empty")
    return call


def _check_types(body: dict[str, Any]) -> None:
    for name in ("userId", "anonymousId", "event", "timestamp", "name"):
        if not isinstance(body.get(name), str | None):
            raise Refusal(400, f"{name} must be a string")
    for name in ("traits", "properties", "context"):
        if not isinstance(body.get(name), dict | None):
            raise Refusal(400, f"{name} must be an object")
    try:
        read_time(body.get("timestamp") or "2019-11-18T13:30:11.444Z")
    except ValueError:
        raise Refusal(400, "timestamp must be ISO-8601, e.g. 2019-11-18T13:30:11.444Z") from None
