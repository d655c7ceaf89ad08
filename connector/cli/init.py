"""`connector init`: four questions, and a configuration that works."""

import json
import os
import re
import secrets
import sys
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final

import typer

from connector.cli.gallery import gallery
from connector.cli.options import WrongUse, Yes
from connector.cli.output import plural, say
from connector.cli.session import config_file
from connector.errors import ConfigurationError

_PLAIN: Final = re.compile(r"[A-Za-z0-9+/=._:-]*")  # what needs no quotes in .env

_REAL: Final = """\
connections:
  intilery:
    client_id: {client}
    account_id: {account}
    brand_id: {brand}
    auth_token: ${{INTILERY_TOKEN}}          # from .env, the environment, or a secrets folder
    feeds:
      events: {{poll: 10s, start: {start}}}   # start: where the very first run begins
"""
_EMULATED: Final = """\
connections:
  intilery:                                # `connector sandbox` plays this account
    client_id: acme
    account_id: acme
    brand_id: ACME
    auth_token: ${INTILERY_TOKEN}          # any but `invalid`
    base_url: http://127.0.0.1:8300
    feeds:
      events: {poll: 2s, lag: 2s, start: now}
destinations:                              # its receivers: see http://127.0.0.1:8300/sandbox
  sales: {slack: "http://127.0.0.1:8300/slack/sales"}
  ops: {slack: "http://127.0.0.1:8300/slack/ops"}
  crm: {webhook: "http://127.0.0.1:8300/receiver/crm", sign: "${CRM_SECRET}"}
egress: {allow: [127.0.0.1]}               # private and loopback addresses are refused unless named here
"""
_REGULATIONS: Final = """\
regulations: {mode: dry_run}               # privacy requests are only noted; see docs/operating.md before changing it
"""


@dataclass(slots=True)
class Answers:
    """What a person wants. account: client/account/BRAND, "" for the sandbox. recipes: `all`, `none` or names."""

    account: str = ""
    slack: str = ""
    webhook: str = ""
    recipes: str = "all"
    start: str = "now"
    secrets: dict[str, str] = field(default_factory=dict)


def init(
    sandbox: Annotated[bool, typer.Option("--sandbox", help="No credentials: use `connector sandbox`.")] = False,
    account: Annotated[
        str | None, typer.Option(metavar="CLIENT/ACCOUNT/BRAND", help="Your Intilery account.", show_default=False)
    ] = None,
    slack: Annotated[
        str | None, typer.Option(metavar="URL", help="A Slack incoming-webhook address.", show_default=False)
    ] = None,
    webhook: Annotated[
        str | None, typer.Option(metavar="URL", help="An address that takes webhooks.", show_default=False)
    ] = None,
    recipes: Annotated[
        str | None, typer.Option(metavar="NAMES", help="Example recipes: all, none, or ids with commas between.")
    ] = None,
    start: Annotated[
        str | None, typer.Option(metavar="MOMENT", help="Where the first run begins: now, 7d or a time.")
    ] = None,
    yes: Yes = False,
) -> None:
    """Write connector.yaml, .env and example recipes. What is there already stays."""
    file = config_file.get()
    env = file.parent / ".env"
    for each in (file, env):
        if each.exists():
            raise WrongUse(f"{each} is there already and stays as it is: edit it, or name another with --config FILE")
    given = {"slack": slack, "webhook": webhook, "recipes": recipes, "start": start}
    answers = _answers({"account": "" if sandbox else account, **given}, ask=not yes and sys.stdin.isatty())
    text = _configuration(answers)
    _try_out(text, answers.secrets, str(file))
    chosen = _chosen(answers)
    file.parent.mkdir(parents=True, exist_ok=True)
    _write(env, _dotenv(answers.secrets), 0o600)
    _write(file, text, 0o666)
    copied = _copy(chosen, file.parent / "recipes")
    _farewell(answers, file, env, copied)


# ── questions ─────────────────────────────────────────────────────────────────────────────────


def _answers(given: Mapping[str, str | None], *, ask: bool) -> Answers:
    """What was not given is asked for, or has its default: the sandbox, every example, from now on."""

    def answer(name: str, question: str, default: str) -> str:
        value = given[name]
        if value is None:
            value = typer.prompt(question, default=default, show_default=bool(default)) if ask else default
        return str(value).strip()

    answers = Answers(answer("account", "Your Intilery account as client/account/BRAND (Enter: the sandbox)", ""))
    answers.secrets = {"INTILERY_TOKEN": "sandbox" if not answers.account else _token(ask=ask)}
    if answers.account:
        if not re.fullmatch(r"[^/\s]+/[^/\s]+/[^/\s]+", answers.account):
            raise WrongUse(f"an account is client/account/BRAND, such as acme/acme/ACME, not {answers.account!r}")
        _destinations(answers, given, ask=ask)
    answers.recipes = answer("recipes", "Which example recipes: all, none, or ids with commas between", "all")
    if answers.account:
        answers.start = answer("start", "Where shall the first run begin: now, 7d, or a time", "now")
    if answers.webhook or not answers.account:
        answers.secrets["CRM_SECRET"] = "whsec_" + b64encode(secrets.token_bytes(32)).decode()
    return answers


def _destinations(answers: Answers, given: Mapping[str, str | None], *, ask: bool) -> None:
    answers.slack, answers.webhook = given["slack"] or "", given["webhook"] or ""
    if ask and not (answers.slack or answers.webhook):
        question = "Where to: a Slack incoming-webhook address, one that takes webhooks, or both (Enter: later)"
        for address in str(typer.prompt(question, default="", show_default=False)).split():
            kind = "slack" if "slack.com/" in address else "webhook"
            setattr(answers, kind, address)
    if answers.slack:
        if not re.fullmatch(r"https?://\S+", answers.slack):
            raise WrongUse("the Slack address begins with https://hooks.slack.com/services/")
        answers.secrets |= {"SLACK_SALES": answers.slack, "SLACK_OPS": answers.slack}


def _token(*, ask: bool) -> str:
    """The auth token: never an option, since other users of the machine see those."""
    set_already = os.environ.get("INTILERY_TOKEN", "")
    if set_already or not ask:
        return set_already
    return str(typer.prompt("Its auth token (Enter: later, in .env)", default="", show_default=False, hide_input=True))


# ── files ─────────────────────────────────────────────────────────────────────────────────────


def _configuration(answers: Answers) -> str:
    if not answers.account:
        return _EMULATED + _REGULATIONS
    client, account, brand = answers.account.split("/")
    parts = [_REAL.format(client=client, account=account, brand=brand, start=json.dumps(answers.start))]
    destinations = []
    if answers.slack:
        destinations += ['  sales: {slack: "${SLACK_SALES}"}', '  ops: {slack: "${SLACK_OPS}"}']
    if answers.webhook:
        destinations.append(f'  crm: {{webhook: {json.dumps(answers.webhook)}, sign: "${{CRM_SECRET}}"}}')
    if destinations:
        parts.append("\n".join(["destinations:", *destinations, ""]))
    else:
        parts.append(
            '# destinations:\n#   sales: {slack: "${SLACK_SALES}"}          # then: SLACK_SALES=https://… in .env\n'
        )
    return "".join(parts) + _REGULATIONS


def _dotenv(values: Mapping[str, str]) -> str:
    return "".join(f"{name}={_quoted(value)}\n" for name, value in values.items())


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return value if _PLAIN.fullmatch(value) else f'"{escaped}"'


def _try_out(text: str, values: Mapping[str, str], name: str) -> None:
    """Load it elsewhere before anything is written. Raises ConfigurationError as if it stood in the file `name`."""
    from connector.actions import Destination  # noqa: PLC0415
    from connector.feeds import feeds_of  # noqa: PLC0415
    from connector.settings import load  # noqa: PLC0415

    with TemporaryDirectory(prefix="connector-") as folder:
        file = Path(folder) / "connector.yaml"
        file.write_text(text)
        try:
            loaded = load(file, values, secrets="warn")
            for section in loaded.destinations.values():
                Destination.read(section)
            for connection in loaded.connections.values():
                feeds_of(connection)
        except ConfigurationError as error:
            found = [mistake for mistake in error.mistakes if mistake.severity == "error"]
            raise ConfigurationError([replace(mistake, file=name) for mistake in found]) from None


def _chosen(answers: Answers) -> list[Path]:
    """The examples that were asked for and whose destinations there are. Raises WrongUse for an unknown name."""
    from connector.recipe.load import read_folder  # noqa: PLC0415
    from connector.recipe.recipe import Known  # noqa: PLC0415

    examples = {path.stem: path for path in sorted(gallery().rglob("*.yaml"))}
    wanted = set(examples) if answers.recipes == "all" else set()
    if answers.recipes not in {"all", "none", ""}:
        wanted = {name.strip() for name in answers.recipes.split(",")}
    if unknown := sorted(wanted - set(examples)):
        raise WrongUse(f"there is no example {unknown[0]!r}; there are {', '.join(examples)}")
    kinds = {"sales": "slack", "ops": "slack"} if answers.slack or not answers.account else {}
    kinds |= {"crm": "webhook"} if answers.webhook or not answers.account else {}
    known = Known(frozenset({"intilery.events"}), kinds, {"intilery": "intilery"})
    return [path for name, path in examples.items() if name in wanted and read_folder(path, known).recipes]


def _copy(chosen: list[Path], folder: Path) -> int:
    """Copy what is not there yet; how many."""
    folder.mkdir(exist_ok=True)
    missing = [path for path in chosen if not (folder / path.name).exists()]
    for path in missing:
        (folder / path.name).write_bytes(path.read_bytes())
    return len(missing)


def _write(file: Path, text: str, mode: int) -> None:
    """Write a file that is not there yet."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w") as opened:
        opened.write(text)


def _farewell(answers: Answers, file: Path, env: Path, copied: int) -> None:
    say(f"wrote {file}, {env} (readable by you alone) and {plural(copied, 'recipe')} in {file.parent / 'recipes'}")
    empty = [name for name, value in answers.secrets.items() if not value]
    if empty:
        say(f"fill in {', '.join(empty)} in {env}", "yellow")
    if answers.webhook:
        say(f"deliveries to {answers.webhook} are signed: give its keeper CRM_SECRET of {env}")
    say("next:")
    if not answers.account:
        say("  connector sandbox     in a window of its own: the platform, emulated")
    say("  connector check       every mistake, with its place")
    say("  connector test        the recipes' own tests")
    say("  connector run         until Ctrl-C")
    say("  connector status      whether all is well")
