"""`connector init`: four questions, and a configuration that works."""

import json
import os
import re
import secrets
import sys
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final

import typer

from connector.cli.gallery import gallery
from connector.cli.options import WrongUse, Yes
from connector.cli.output import complain, plural, say
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
  intempt:                                 # and this one
    organization: acme
    project: shop
    api_key: any.key
    base_url: http://127.0.0.1:8300
    feeds:
      matches:                             # looks at each watched profile: here those that identified themselves
        poll: 5s
        watch: {from: [{feed: intilery.events, path: traits.intemptProfileId, keep: {email: traits.email}}]}
destinations:                              # its receivers: see http://127.0.0.1:8300/sandbox
  sales: {slack: "http://127.0.0.1:8300/slack/sales"}
  ops: {slack: "http://127.0.0.1:8300/slack/ops"}
  crm: {webhook: "http://127.0.0.1:8300/receiver/crm", sign: "${CRM_SECRET}"}
egress: {allow: [127.0.0.1]}               # private and loopback addresses are refused unless named here
"""
_REGULATIONS: Final = """\
regulations: {mode: dry_run}               # privacy requests are only noted; see docs/operating.md before changing it
"""
_NEEDED: Final = {  # kind → what recipes need of it, and the names of the destinations that the examples use
    "webhook": ("a webhook destination called crm", ("crm",)),
    "slack": ("Slack destinations called sales and ops", ("sales", "ops")),
    "intempt": ("an Intempt connection called intempt, with the feed matches", ()),
}


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
    for each, way in ((file, "edit it, or name another with --config FILE"), (env, "move it aside")):
        if each.exists():
            raise WrongUse(f"{each} is there already and stays as it is: {way}")
    if sandbox and account:
        raise WrongUse("--sandbox and --account exclude each other: leave one of them out")
    given = {"account": "" if sandbox else account, "slack": slack, "webhook": webhook, "recipes": recipes}
    answers = _Interview({**given, "start": start}, file, ask=not yes and sys.stdin.isatty()).answers()
    chosen, left_out = _chosen(answers)
    file.parent.mkdir(parents=True, exist_ok=True)
    _write(env, _dotenv(answers.secrets), 0o600)
    _write(file, _configuration(answers), 0o666)
    copied = _copy(chosen, file.parent / "recipes", shadow=bool(answers.account))
    _farewell(answers, file, env, copied)
    _tell_left_out(left_out, file.parent / "recipes")
    _tell_next(answers)


# ── questions ─────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class _Interview:
    """What was not given is asked for, or has its default: the sandbox, every example, from now on.

    A given answer that will not do raises WrongUse or ConfigurationError; a typed one is asked for again at once.
    """

    given: Mapping[str, str | None]
    file: Path
    ask: bool

    def answers(self) -> Answers:
        """All of them."""
        answers = Answers()
        self._answer(answers, "account", "Your Intilery account as client/account/BRAND (Enter: the sandbox)", "")
        if not answers.account:
            for name in ("slack", "webhook", "start"):
                if self.given[name]:
                    raise WrongUse(f"--{name} is for an account of your own: add --account CLIENT/ACCOUNT/BRAND")
        answers.secrets = {"INTILERY_TOKEN": "sandbox" if not answers.account else _token(ask=self.ask)}
        if answers.account:
            self._destinations(answers)
        self._answer(answers, "recipes", "Which example recipes: all, none, or ids with commas between", "all")
        if answers.account:
            self._answer(answers, "start", "Where shall the first run begin: now, 7d, or a time", "now")
        if answers.slack:
            answers.secrets |= {"SLACK_SALES": answers.slack, "SLACK_OPS": answers.slack}
        if answers.webhook or not answers.account:
            answers.secrets["CRM_SECRET"] = "whsec_" + b64encode(secrets.token_bytes(32)).decode()
        self._check(answers)
        return answers

    def _answer(self, answers: Answers, name: str, question: str, default: str) -> None:
        if self.given[name] is not None or not self.ask:
            setattr(answers, name, str(default if self.given[name] is None else self.given[name]).strip())
            self._check(answers)
        else:
            self._until_it_will_do(answers, question, default, lambda text: setattr(answers, name, text))

    def _destinations(self, answers: Answers) -> None:
        answers.slack, answers.webhook = self.given["slack"] or "", self.given["webhook"] or ""
        if answers.slack or answers.webhook or not self.ask:
            self._check(answers)
            return

        def put(text: str) -> None:
            answers.slack = answers.webhook = ""
            for address in text.split():
                setattr(answers, "slack" if "slack.com/" in address else "webhook", address)

        question = "Where to: a Slack incoming-webhook address, one that takes webhooks, or both (Enter: later)"
        self._until_it_will_do(answers, question, "", put)

    def _until_it_will_do(self, answers: Answers, question: str, default: str, put: Callable[[str], None]) -> None:
        while True:
            put(str(typer.prompt(question, default=default, show_default=bool(default))).strip())
            try:
                return self._check(answers)
            except ConfigurationError as error:
                complain("; ".join(mistake.message for mistake in error.mistakes))
            except WrongUse as error:
                complain(str(error))

    def _check(self, answers: Answers) -> None:
        """Raises WrongUse and ConfigurationError for what was answered so far."""
        if answers.account and not re.fullmatch(r"[^/\s]+/[^/\s]+/[^/\s]+", answers.account):
            raise WrongUse(f"an account is client/account/BRAND, such as acme/acme/ACME, not {answers.account!r}")
        if answers.slack and not re.fullmatch(r"https?://\S+", answers.slack):
            raise WrongUse("the Slack address begins with https://hooks.slack.com/services/")
        _wanted(answers)
        _try_out(_configuration(answers), answers.secrets, str(self.file))


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
    from connector.feeds import all_feeds  # noqa: PLC0415
    from connector.settings import load  # noqa: PLC0415

    with TemporaryDirectory(prefix="connector-") as folder:
        file = Path(folder) / "connector.yaml"
        file.write_text(text)
        try:
            loaded = load(file, values, secrets="warn")
            for section in loaded.destinations.values():
                Destination.read(section)
            all_feeds(loaded.connections)
        except ConfigurationError as error:
            found = [mistake for mistake in error.mistakes if mistake.severity == "error"]
            raise ConfigurationError([replace(mistake, file=name) for mistake in found]) from None


def _wanted(answers: Answers) -> list[Path]:
    """The examples that were asked for. Raises WrongUse for an unknown name."""
    examples = {path.stem: path for path in sorted(gallery().rglob("*.yaml"))}
    if answers.recipes == "all":
        return list(examples.values())
    names = [] if answers.recipes in {"none", ""} else [name.strip() for name in answers.recipes.split(",")]
    if unknown := sorted(set(names) - set(examples)):
        raise WrongUse(f"there is no example {unknown[0]!r}; there are {', '.join(examples)}")
    return [path for name, path in examples.items() if name in names]


def _chosen(answers: Answers) -> tuple[list[Path], dict[str, list[Path]]]:
    """The examples that have what they need, and the others by what they lack."""
    have = {kind for kind, there in (("slack", answers.slack), ("webhook", answers.webhook)) if there}
    if not answers.account:
        have = set(_NEEDED)
    ways = [set(way) for n in range(1, len(_NEEDED) + 1) for way in combinations(_NEEDED, n)]
    chosen, left_out = [], dict[str, list[Path]]()
    for path in _wanted(answers):
        if _fits(path, have):
            chosen.append(path)
            continue
        way = next((way for way in ways if _fits(path, have | way)), set(_NEEDED))
        needed = " and ".join(words for kind, (words, _) in _NEEDED.items() if kind in way - have)
        left_out.setdefault(needed, []).append(path)
    return chosen, left_out


def _fits(path: Path, have: Iterable[str]) -> bool:
    """Whether a recipe loads where there are these of `_NEEDED`."""
    from connector.recipe.load import read_folder  # noqa: PLC0415
    from connector.recipe.recipe import Known  # noqa: PLC0415

    kinds = {name: kind for kind in have for name in _NEEDED[kind][1]}
    connections = {name: name for name in ("intilery", "intempt") if name == "intilery" or name in have}
    feeds = {"intilery.events", *(("intempt.matches",) if "intempt" in have else ())}
    known = Known(frozenset(feeds), kinds, connections)
    return bool(read_folder(path, known).recipes)


def _copy(chosen: list[Path], folder: Path, *, shadow: bool) -> int:
    """Copy what is not there yet; how many. shadow: so that they send nothing until a person says so."""
    folder.mkdir(exist_ok=True)
    missing = [path for path in chosen if not (folder / path.name).exists()]
    for path in missing:
        text = path.read_text()
        mode = "mode: shadow                # decides and sends nothing; take this line away to go live"
        text = re.sub(r"^id: .*$", rf"\g<0>\n{mode}", text, count=1, flags=re.MULTILINE) if shadow else text
        (folder / path.name).write_text(text)
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
    if answers.account and copied:
        say(
            "the recipes are in shadow: they decide and send nothing, until you take `mode: shadow` out of them",
            "yellow",
        )


def _tell_left_out(left_out: Mapping[str, list[Path]], folder: Path) -> None:
    for needed, paths in left_out.items():
        one = len(paths) == 1
        names = ", ".join(path.stem for path in paths)
        was, needs = ("was", "it needs") if one else ("were", "they need")
        say(f"{plural(len(paths), 'recipe')} {was} left out: {needs} {needed} ({names})", "yellow")
    if left_out:
        (first, *_), *_ = left_out.values()
        say(f"  to add one later: name that in connector.yaml, then cp {first} {folder}/")


def _tell_next(answers: Answers) -> None:
    say("next:")
    if not answers.account:
        say("  connector sandbox     in a window of its own: the platform, emulated")
    say("  connector check       every mistake, with its place")
    say("  connector test        the recipes' own tests")
    say("  connector run         until Ctrl-C")
    say("  connector status      whether all is well")
