"""The regulations API as Intilery's site documented it for 17 days in 2021, or the 404 that there may be today.

POST regulations takes a request, GET lists them or tells how one fares, DELETE takes one back that has not begun.
"""

from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qs

from connector.sandbox.intilery.account import Account
from connector.sandbox.intilery.requested import KINDS, STATES, Regulation
from connector.sandbox.replies import Refusal, Reply, json_reply
from connector.sandbox.request import Request
from connector.sandbox.switches import Switches
from connector.sandbox.times import print_time

_MOST: Final = 5_000  # ids in a request
_PAGE: Final = 100


class Regulating:
    """The routes. now: the platform's clock, milliseconds."""

    def __init__(self, switches: Switches, now: Callable[[], int]) -> None:
        self._switches = switches
        self._now = now
        self.routes = {
            ("POST", "regulations"): self.request,
            ("GET", "regulations"): self.show,
            ("DELETE", "regulations"): self.cancel,
        }

    def request(self, account: Account, asked: Request, arguments: tuple[str, ...]) -> Reply:
        """`{"regulation_type", "attributes": {"name": "userId", "values": […]}}` → `{"regulate_id"}`."""
        if self._gone or arguments:
            raise Refusal(404)
        try:
            body = asked.json()
        except ValueError:
            raise Refusal(400, "body must be JSON") from None
        attributes = body.get("attributes") if isinstance(body, dict) else None
        if not isinstance(attributes, dict) or body.get("regulation_type") not in KINDS:
            raise Refusal(400, f"regulation_type must be one of {', '.join(KINDS)}, with attributes")
        values = attributes.get("values")
        if attributes.get("name") != "userId" or not isinstance(values, list) or not values:
            raise Refusal(400, "attributes must have the name userId and values")
        if len(values) > _MOST:
            raise Refusal(400, f"at most {_MOST} values in a request")
        users = [str(one) for one in values]
        self._check_suppressed(account, body["regulation_type"], users)
        made = account.regulations.request(body["regulation_type"], users, self._now())
        return json_reply({"regulate_id": made.id})

    def show(self, account: Account, asked: Request, arguments: tuple[str, ...]) -> Reply:
        """How one fares, or a list: `?status=failed&regulation_types=A&regulation_types=B`."""
        if self._gone:
            raise Refusal(404)
        if arguments:
            return json_reply(self._named(account, arguments[0]).status("/".join(account.name)))
        given = parse_qs(asked.query)
        states, kinds = given.get("status", STATES), given.get("regulation_types", KINDS)
        since = given.get("next_page_token", [""])[0]
        found = [
            one
            for one in account.regulations.all.values()
            if one.state in states and one.kind in kinds and print_time(one.created) >= since
        ]
        following = print_time(found[_PAGE].created) if len(found) > _PAGE else ""
        return json_reply({"entries": [one.entry() for one in found[:_PAGE]], "next_page_token": following})

    def cancel(self, account: Account, _: Request, arguments: tuple[str, ...]) -> Reply:
        """Take one back while it is `initialized`."""
        if self._gone or not arguments:
            raise Refusal(404)
        one = self._named(account, arguments[0])
        if one.state != "initialized":
            raise Refusal(400, f"a regulation that is {one.state} cannot be deleted")
        del account.regulations.all[one.id]
        return json_reply({})

    def _check_suppressed(self, account: Account, kind: str, users: list[str]) -> None:
        if kind == "Delete" and self._switches["regulation_delete"] == "suppressed":
            others = set(users) - account.regulations.suppressed
            if others:
                raise Refusal(400, f"{min(others)} is not suppressed")

    @property
    def _gone(self) -> bool:
        return self._switches["regulations"] == "404"

    def _named(self, account: Account, name: str) -> Regulation:
        if name not in account.regulations.all:
            raise Refusal(404)
        return account.regulations.all[name]
