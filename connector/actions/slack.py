"""`slack`: a message through an incoming webhook, or through chat.postMessage.

What an event says is escaped while it is put in, so it can mention no channel and hide no link; the recipe's own text
may. Answers and limits: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks and
https://docs.slack.dev/reference/methods/chat.postMessage.
"""

import json
import re
from functools import partial
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, PlainValidator, ValidationInfo, field_validator

from connector.actions import (
    Action,
    Destination,
    RateSetting,
    Scope,
    SecretText,
    TextSetting,
    judge_status,
    read_secret,
)
from connector.errors import RenderError
from connector.model import DAY, MINUTE, SECOND, Answer, Event, Instant, Message, Rate, Request, Verdict
from connector.platforms.answers import retry_after
from connector.platforms.hidden import Around
from connector.secrets import Secret
from connector.settings.values import is_loopback
from connector.template import Template
from connector.template.field import read_template, wrong

LONGEST: Final = 3_900  # characters; Slack shows 4,000 well and cuts at 40,000

_ERROR: Final = re.compile("[a-z_]{3,60}")
_API: Final = "https://slack.com/api"
_ADDRESS: Final = "give the destination another incoming-webhook address"
_KEY: Final = "mend the token of the destination"
_CHANNEL: Final = "mend the channel of the destination, or invite the app into it"
_GONE: Final = {  # the destination is at fault, and how it is mended
    **dict.fromkeys(("no_service", "no_service_id", "no_team", "team_disabled", "invalid_token"), _ADDRESS),
    **dict.fromkeys(("not_authed", "invalid_auth", "account_inactive", "token_revoked", "token_expired"), _KEY),
    **dict.fromkeys(("missing_scope", "no_permission", "not_allowed_token_type", "access_denied"), _KEY),
    **dict.fromkeys(("team_access_not_granted", "ekm_access_denied", "two_factor_setup_required"), _KEY),
    **dict.fromkeys(("channel_not_found", "not_in_channel", "is_archived", "restricted_action"), _CHANNEL),
}
_SLOWER: Final = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
_AGAIN: Final = frozenset(
    {"rollup_error", "internal_error", "fatal_error", "service_unavailable", "request_timeout", "org_login_required"}
)


def escaped(text: str) -> str:
    """The three characters that Slack gives a meaning, as entities; half a surrogate pair as `?`."""
    sound = text.encode(errors="replace").decode()
    return sound.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def cut(text: str) -> str:
    """The text in at most LONGEST characters, ending in `…` where it was longer, never within `&amp;` or `<link>`."""
    if len(text) <= LONGEST:
        return text
    return re.sub(r"(?:&[a-z]{0,3}|<[^>]*)\Z", "", text[: LONGEST - 1]) + "…"


class Slack(Action):
    """Post a message. text: what it says, in Slack's mrkdwn; interpolated values are escaped."""

    kind = "slack"
    needs_destination = "slack"
    guard = Rate(100, 10 * MINUTE)
    expires = DAY
    example = """
slack: {to: sales, text: "*{{ traits.firstName | default('Someone') }}* left {{ properties.name }} behind"}
"""

    text: Annotated[Template, PlainValidator(partial(read_template, escape=escaped), json_schema_input_type=str)]

    def render(self, scope: Scope, event: Event) -> Message:  # noqa: ARG002  the scope holds all of it
        """The body of the incoming webhook; mentions by bare names, link previews and guessed links are off."""
        text = cut(self.text.text(scope))
        if not text.strip():
            raise RenderError("the text is empty")
        body = {"text": text, "link_names": False, "parse": "none", "unfurl_links": False, "unfurl_media": False}
        return Message(
            headers=(("Content-Type", "application/json"),), body=json.dumps(body, separators=(",", ":")).encode()
        )

    @classmethod
    def judge(cls, answer: Answer, refusals: int = 0) -> Verdict:  # noqa: ARG003  Slack means what it says
        """By Slack's error word where it gives one, else by the status."""
        fine = 200 <= answer.status < 300
        word = _error(answer.body) if fine else _word(answer.body)
        reason = f"HTTP {answer.status}: {word}" if word else f"HTTP {answer.status}"
        if word in _SLOWER:
            return Verdict("throttled", reason, retry_after(answer))
        if word in _AGAIN:
            return Verdict("retry", reason, retry_after(answer))
        if word in _GONE or answer.status in (404, 410):
            return Verdict("refused", f"{reason}: {_GONE.get(word, _ADDRESS)}")
        if word and fine:
            return Verdict("dead", reason)
        verdict = judge_status(answer)
        return Verdict(verdict.outcome, reason if word else verdict.reason, verdict.after)


def _word(body: bytes) -> str:
    """The bare word that an incoming webhook's error consists of, or `_error`."""
    text = body[:4096].decode(errors="replace").strip()
    return text if _ERROR.fullmatch(text) else _error(body)


def _error(body: bytes) -> str:
    """The `error` of a JSON object whose `ok` is false, as Slack's Web API answers; "" for anything else."""
    try:
        answer = json.loads(body[:4096])
    except (ValueError, RecursionError):
        return ""
    if not isinstance(answer, dict) or answer.get("ok") is not False:
        return ""
    error = answer.get("error")
    return error if isinstance(error, str) and _ERROR.fullmatch(error) else "unknown_error"


class Posting(BaseModel):
    """Through chat.postMessage. token: a bot's. channel: `#sales`, or its id. api: where Slack's API is, for tests."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    token: SecretText
    channel: TextSetting
    api: TextSetting = _API

    @field_validator("channel")
    @classmethod
    def _some(cls, value: str) -> str:
        if not value.strip():
            raise wrong("needs a channel", 'write channel: "#sales", or its id')
        return value

    @field_validator("api")
    @classmethod
    def _own(cls, value: str) -> str:
        parts = urlsplit(value)
        if value != _API and not (parts.scheme in {"http", "https"} and is_loopback(parts.hostname or "")):
            raise wrong("the token is sent to Slack only, or to this machine for tests", "leave api out")
        return value.rstrip("/")

    def request(self, message: Message, destination: Destination, id: str, at: Instant) -> Request:
        """The stored message with the channel."""
        body = {"channel": self.channel, **json.loads(message.body)}
        bearer = ("Authorization", Around("Bearer ", self.token))
        return Request(
            "POST",
            f"{self.api}/chat.postMessage",
            (("Content-Type", "application/json; charset=utf-8"), bearer),
            json.dumps(body, separators=(",", ":")).encode(),
            deadline=destination.deadline,
            id=id,
            at=at,
        )


def _read_slack(value: object, info: ValidationInfo) -> Secret | Posting:
    if isinstance(value, dict):
        return Posting.model_validate(value, context=info.context)
    address = read_secret(value, info)
    if not re.match(r"https?://|\$\{", address.template):
        raise wrong("needs the address of an incoming webhook", 'write slack: "${SLACK_SALES}" and set that variable')
    return address


class SlackDestination(Destination):
    """A channel of Slack. slack: the address of an incoming webhook, which is itself a secret; or {token, channel}."""

    kind = "slack"
    example = """
sales: {slack: "${SLACK_SALES}"}
"""

    slack: Annotated[Secret | Posting, PlainValidator(_read_slack, json_schema_input_type=str | dict[str, str])]
    rate: RateSetting | None = Rate(1, SECOND)  # Slack's own limit for one channel

    def secrets(self) -> tuple[Secret, ...]:
        """The address, or the token."""
        return (self.slack if isinstance(self.slack, Secret) else self.slack.token,)

    def request(self, message: Message, *, id: str, at: Instant) -> Request:
        """The stored message, sent to the address, or with the token, as it is now."""
        if isinstance(self.slack, Posting):
            return self.slack.request(message, self, id, at)
        return Request(
            "POST", self.slack, message.headers, message.body, deadline=self.deadline, id=id, at=at, path=message.path
        )
