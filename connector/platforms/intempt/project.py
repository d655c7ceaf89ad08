"""Requests below one organization or project of Intempt, with the authentication of their generation; and refusals.

A key is `identifier.secret`. First-generation paths (`/v1/{org}/…`) take it as `Authorization: ApiKey`, the second
generation's (`/v1/{org}/projects/{project}/…`) as Basic; the server takes three forms for all, and logs the third, a
parameter of the address, as deprecated. Bodies are never gzipped: that gets 400.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal, TypeAlias
from urllib.parse import quote, urlencode

from connector.model import SECOND, Answer, Hidden, Json, Request, Verdict
from connector.platforms import answers, dialect
from connector.platforms.bodies import refused
from connector.platforms.hidden import Around
from connector.platforms.verdict import judge as judge_by
from connector.settings import Connection

Below: TypeAlias = Literal["organization", "project"]

DEADLINE: Final = 30 * SECOND
CAP: Final = 8 * 1024 * 1024
PATIENCE: Final = 3  # successive 400, 413 or 422 that are final: the vendor's Swift SDK drops a batch only then
JSON_TYPE: Final = ("Content-Type", "application/json")
_MEND: Final = "mend api_key in the configuration or the secrets"
CLUES: Final = {
    400: "the platform refuses the request",
    401: f"the platform does not know the key: {_MEND}",
    402: "the plan's limit is reached: nothing is wrong with the request; raise the plan, or wait for the next period",
    403: f"the key may not do this: {_MEND}, or organization and project",
    404: "nobody has this id, or nothing is at this address: see `reads` under `dialect`, and organization and project",
    410: "this endpoint is not available for this organization any more: see `reads` under `dialect`",
    413: "the request is too large: send less at a time",
    422: "the platform cannot work with the request",
    429: "the platform's rate limit was met",
}


def url(connection: Connection, below: Below, path: str) -> str:
    """`https://api.intempt.com/v1/{org}[/projects/{project}]/…`. Raises RequestRefused without a project."""
    parts = [connection.base_url.rstrip("/"), "v1", quote(connection.organization, safe="")]
    if below == "project":
        if not connection.project:
            raise refused(f"connections.{connection.name} has no project, which this needs: write project: NAME")
        parts += ["projects", quote(connection.project, safe="")]
    return "/".join([*parts, path])


def request(  # noqa: PLR0913  what a request has
    connection: Connection,
    method: str,
    below: Below,
    path: str,
    *,
    query: Mapping[str, Json] | Sequence[tuple[str, Json]] = (),
    body: bytes = b"",
    content: str = "",
    cap: int = CAP,
) -> Request:
    """A request with the connection's key. path: percent-encoded already. content: the type of the body."""
    asked = f"?{urlencode(query)}" if query else ""
    address, headers, basic = authorized(connection, below, url(connection, below, path) + asked)
    typed = ("Content-Type", content) if content else JSON_TYPE
    return Request(
        method=method,
        url=address,
        headers=(*headers, typed) if body or content else headers,
        body=body,
        deadline=DEADLINE,
        cap=cap,
        basic=basic,
    )


Headers: TypeAlias = tuple[tuple[str, str | Hidden], ...]


def authorized(connection: Connection, below: Below, address: str) -> tuple[str | Hidden, Headers, Hidden | None]:
    """Where the key goes: the address, the headers, and what becomes Basic; it is in exactly one of them."""
    form = dialect.of(connection, "auth")
    if form == "generation":
        form = "apikey" if below == "organization" else "basic"
    if form == "basic":
        return address, (), connection.token
    if form == "apikey":
        return address, (("Authorization", Around("ApiKey ", connection.token)),), None
    return Around(f"{address}{'&' if '?' in address else '?'}apiKey=", connection.token, quoted=True), (), None


def reads(connection: Connection) -> Below:
    """Below what events/matches and segmentations are."""
    return "project" if dialect.of(connection, "reads") == "project" else "organization"


# ── answers ───────────────────────────────────────────────────────────────────────────────────


def parse_taken(answer: Answer) -> Json:
    """What a success says: usually nothing, a 201 with an empty body. Raises FeedRefused and FeedUnavailable."""
    return answers.accepted(answer, "an acknowledgement", CLUES)


def judge(answer: Answer, *, refusals: int = 0) -> Verdict:
    """What an answer to a call that writes means for its delivery.

    refusals: how many attempts directly before this one got 400, 413 or 422. The third in a row is final, since bytes
    that were refused were taken a moment later. 402, like 401, is the account's trouble, not the delivery's.
    """
    return judge_by(answer, CLUES, refusals=refusals, patience=PATIENCE)
