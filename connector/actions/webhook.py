"""`webhook`: any HTTP request to a named destination, signed by Standard Webhooks where the destination says so.

Scheme and host stand in the configuration and nowhere else; what an event says can fill in parts of the path, of header
values and of the body, and never leaves its place.
"""

import json
import re
from collections.abc import Callable
from typing import Annotated, Final, Literal, TypeVar
from urllib.parse import quote, unquote

from pydantic import Field, PlainValidator, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from connector.actions import (
    BODY,
    Action,
    Destination,
    JsonTree,
    Scope,
    SecretText,
    read_secret,
    wrong_at,
)
from connector.errors import RenderError
from connector.model import Event, Instant, Json, Message, Request
from connector.secrets import Secret
from connector.template import Template
from connector.template.field import Text, read_template, wrong

T = TypeVar("T")

LONGEST_HEADER: Final = 8_192
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 §5.6.2
_HEADER_VALUE: Final = re.compile(r"[\t\x20-\x7e\xa0-\xff]*")
_RESERVED: Final = frozenset(
    {
        "accept-encoding", "connection", "content-length", "expect", "host", "idempotency-key", "keep-alive",
        "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    }
)  # fmt: skip
_ADDRESS: Final = re.compile(r"https?://[A-Za-z0-9._\[\]:-]+(?:[/?][!-~]*)?")
_PATH_TEXT: Final = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*")
_SLASH: Final = re.compile(r"[/\\]")
_DECODINGS: Final = 5
_SIGNING: Final = re.compile(r"whsec_[A-Za-z0-9+/]{32,88}={0,2}")
_ENCODE: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def encoded(text: str) -> str:
    """A value within a path: percent-encoded, `/` too, so that it stays one segment. Raises RenderError when empty."""
    if not text:
        raise RenderError("a value in the path is empty")
    return quote(text, safe="")


def _read_path(value: object) -> Template:
    path = read_template(value, encoded)
    own = re.sub(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", "", path.source, flags=re.DOTALL)
    if not path.source.startswith("/"):
        raise wrong("a path starts with /", "it is appended to the destination's own path")
    if not _PATH_TEXT.fullmatch(own):
        raise wrong("a path holds no spaces and no characters outside a URL", "percent-encode them: a space is %20")
    if path.constant is not None and _climbs(path.constant):
        raise wrong("a path has no . or .. segments")
    return path


def _climbs(path: str) -> bool:
    """Whether a receiver could take the path for another one: some decode before they look for `..`, some twice."""
    return any(_leaves(segment) for segment in path.partition("?")[0].split("/"))


def _leaves(segment: str) -> bool:
    for _ in range(_DECODINGS):
        if segment in (".", "..") or ".." in (part.partition(";")[0] for part in _SLASH.split(segment)):
            return True
        segment = unquote(segment)
    return "%" in segment and unquote(segment) != segment  # encoded over and over: nobody means that


def _check_name(name: str, others: list[str]) -> None:
    if not _HEADER_NAME.fullmatch(name):
        raise wrong(f"{name!r} is no header name", "names are literal: letters, digits and -")
    if name.lower() in _RESERVED or name.lower().startswith("webhook-"):
        raise wrong(f"the header {name} is set by the connector itself", "leave it out")
    if name.lower() in others:
        raise wrong(f"the header {name} stands there twice")


def _read_each(headers: object, read: Callable[[object], T]) -> dict[str, T]:
    """The headers with their values read; every mistake has its header's place."""
    if not isinstance(headers, dict):
        raise wrong("headers are a mapping of names to values", "{X-Source: connector}")
    values: dict[str, T] = {}
    mistakes = []
    for name, value in headers.items():
        try:
            _check_name(name, [other.lower() for other in values])
            values[name] = read(value)
        except PydanticCustomError as error:
            mistakes.append(((name,), error))
    if mistakes:
        raise wrong_at(*mistakes)
    return values


def _read_template(value: object) -> Template:
    found = read_template(value)
    if re.search(r"\$\{[A-Za-z_]", found.source):
        raise wrong("secrets are not read in recipes", "put this header under the destination's `headers`")
    return found


def _read_headers(value: object) -> dict[str, Template]:
    return _read_each(value, _read_template)


def _read_secret_headers(value: object, info: ValidationInfo) -> dict[str, Secret]:
    return _read_each(value, lambda text: read_secret(text, info))


class Webhook(Action):
    """Send an HTTP request. The body is `json` (a tree whose texts may be templates), or `text`, or none.

    method: POST by default. path: appended to the destination's address; rendered values in it are percent-encoded,
    and none may be or hold a `..` segment.
    headers: literal names, values may be templates; the destination's own win.
    """

    kind = "webhook"
    needs_destination = "webhook"
    example = """
webhook:
  to: crm
  method: POST
  path: /customers/{{ event.userId }}/notes
  headers: {X-Source: connector}
  json:
    id: "{{ event.eventId }}"
    price: "{{ properties.price }}"
    phone: "{{ traits.phone | default(omit) }}"
"""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    path: Annotated[Template, PlainValidator(_read_path, json_schema_input_type=str)] | None = None
    headers: Annotated[dict[str, Template], PlainValidator(_read_headers, json_schema_input_type=dict[str, str])] = (
        Field(default_factory=dict)
    )
    tree: JsonTree | None = Field(default=None, alias="json")
    text: Text | None = None

    @model_validator(mode="after")
    def _one_body(self) -> "Webhook":
        if self.tree is not None and self.text is not None:
            raise wrong_at((("text",), wrong("a webhook has `json` or `text`, not both", "leave one of them out")))
        if self.method == "GET" and (self.tree is not None or self.text is not None):
            raise wrong_at((("method",), wrong("a GET carries no body", "use POST, or leave json and text out")))
        return self

    def render(self, scope: Scope, event: Event) -> Message:  # noqa: ARG002  the scope holds all of it
        """The request without its destination. Raises RenderError."""
        path = self.path.text(scope) if self.path else ""
        if path and _climbs(path):
            raise RenderError(
                "a value in the path is . or .., or holds a .. segment: it would climb to another address"
            )
        headers = [(name, _header(name, value.text(scope))) for name, value in self.headers.items()]
        body, content_type = self._body(scope)
        if body and "content-type" not in {name.lower() for name in self.headers}:
            headers.append(("Content-Type", content_type))
        if len(body) > BODY:
            raise RenderError(f"the body is too large: {len(body)} bytes, at most {BODY} are sent")
        return Message(self.method, path, tuple(headers), body)

    def _body(self, scope: Scope) -> tuple[bytes, str]:
        if self.tree is not None:
            return _json(self.tree.render(scope)), "application/json"
        if self.text is not None:
            return self.text.text(scope).encode(errors="replace"), "text/plain; charset=utf-8"
        return b"", ""


def _json(value: Json) -> bytes:
    """Compact JSON in UTF-8, integers exact; half a surrogate pair, which no text may hold, becomes `?`."""
    try:
        return _ENCODE(value).encode(errors="replace")
    except ValueError as error:  # NaN and infinity are no JSON
        raise RenderError(f"the body cannot be written as JSON: {error}") from None


def _header(name: str, value: str) -> str:
    if not _HEADER_VALUE.fullmatch(value) or len(value) > LONGEST_HEADER:
        raise RenderError(
            f"the header {name} cannot carry this value: a line break, a character beyond Latin-1, or more than"
            f" {LONGEST_HEADER} characters; urlencode carries anything"
        )
    return value


def _read_address(value: object, info: ValidationInfo) -> Secret | str:
    address = read_secret(value, info)
    literal = address.template.partition("${")[0]
    if literal != address.template and not re.match(r"https?://[^/?#]+[/?]", literal):
        raise wrong("scheme and host of a webhook are literal", "https://crm.example.com/hooks/${CRM_KEY}")
    if "@" in re.split(r"[/?]", literal.partition("://")[2], maxsplit=1)[0]:
        raise wrong("no user or password in an address", "put it under `headers`: {Authorization: ...}")
    if not _ADDRESS.fullmatch(literal):
        raise wrong("a webhook needs an absolute address", "https://crm.example.com/hooks")
    if "#" in address.template:
        raise wrong("an address has no #fragment", "leave it out")
    return address if literal != address.template else literal


def _read_signing(value: object, info: ValidationInfo) -> Secret:
    secret = read_secret(value, info)
    words = secret.template.split()
    if not words or not all("${" in word or _SIGNING.fullmatch(word) for word in words):
        raise wrong("a signing secret is whsec_ and the base64 of 24 to 64 random bytes", 'write sign: "${CRM_SECRET}"')
    return secret


class WebhookDestination(Destination):
    """An HTTP receiver. webhook: its address. sign: its Standard Webhooks secret; headers: win over an action's."""

    kind = "webhook"
    example = """
crm: {webhook: "https://crm.example.com/hooks", sign: "${CRM_SECRET}", headers: {Authorization: "Bearer ${CRM_KEY}"},
      rate: 20/1s, retry: {attempts: 10}, order_by: event.userId}
"""

    webhook: Annotated[Secret | str, PlainValidator(_read_address, json_schema_input_type=str)]
    sign: Annotated[Secret, PlainValidator(_read_signing, json_schema_input_type=str)] | None = None
    headers: Annotated[
        dict[str, SecretText], PlainValidator(_read_secret_headers, json_schema_input_type=dict[str, str])
    ] = Field(default_factory=dict)

    def secrets(self) -> tuple[Secret, ...]:
        """Address, signing secret and headers, as far as they are hidden."""
        return tuple(each for each in (self.webhook, self.sign, *self.headers.values()) if isinstance(each, Secret))

    def request(self, message: Message, *, id: str, at: Instant) -> Request:
        """The stored message, sent to the address as it is now; signed by the door."""
        own = {name.lower() for name in self.headers}
        return Request(
            message.method,
            self.webhook,
            (
                *(header for header in message.headers if header[0].lower() not in own),
                *self.headers.items(),
                ("Idempotency-Key", id),
            ),
            message.body,
            deadline=self.deadline,
            sign=self.sign,
            id=id,
            at=at,
            path=message.path,
        )
