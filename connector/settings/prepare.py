"""The raw tree → what the models take: references replaced, secrets wrapped, platforms' defaults, owned sections."""

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from connector.document import Where, did_you_mean
from connector.errors import Mistake, SecretMissing
from connector.model import Json
from connector.secrets import Secret, Vault
from connector.settings.layers import Layers, Loose, at, dotted
from connector.settings.section import Section, Severity

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_SECRETS: Final[tuple[Where, ...]] = (("database",), ("web", "token"), ("alarms", "heartbeat"))


@dataclass(frozen=True, slots=True)
class _Platform:
    ids: tuple[str, ...]  # required
    token: str  # the key of the secret, required
    base_url: str
    rate: str
    burst: int
    optional_ids: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        return (*self.ids, *self.optional_ids, self.token, "platform", *self.defaults)

    @property
    def defaults(self) -> dict[str, Json]:
        return {"base_url": self.base_url, "rate": self.rate, "burst": self.burst, "feeds": {}, "dialect": {}}


PLATFORMS: Final = {
    # Intilery documents 100 requests a second with bursts of 500.
    "intilery": _Platform(
        ("client_id", "account_id", "brand_id"), "auth_token", "https://tracking.intilery.com", "100/1s", 500
    ),
    # Intempt documents no figure; its limit depends on the plan.
    "intempt": _Platform(("organization",), "api_key", "https://api.intempt.com", "5/1s", 5, ("project",)),
}


def prepare(layers: Layers, vault: Vault, missing: Severity) -> tuple[dict[str, Json], list[Mistake]]:
    """The tree for the models, and what is wrong. missing: the severity of a name that is set nowhere."""
    preparation = _Preparation(layers, vault, missing)
    return preparation.tree, preparation.mistakes


class _Preparation:
    """Prepares one tree; the layers' own stays as it was written."""

    def __init__(self, layers: Layers, vault: Vault, missing: Severity) -> None:
        self.tree: dict[str, Json] = copy.deepcopy(layers.tree)
        self.mistakes: list[Mistake] = []
        self._layers = layers
        self._vault = vault
        self._missing = missing
        self._unset: dict[Where, str] = {}
        for path, text in _references((), self.tree):
            self._judge(path, text)
        self._named(("connections",))
        self._named(("destinations",))
        for name, values in _mappings(at(self.tree, ("connections",))):
            self._connection(name, values)
        self._sections(("destinations",))
        for key in ("body", "list"):
            self._section(("regulations", key))
        for path in _SECRETS:
            self._wrap(path)
        self.tree = self._expanded((), self.tree)

    # ── references ──────────────────────────────────────────────────────────────────────────────

    def _judge(self, path: Where, text: str) -> None:
        """Refuse references that are none, or are set nowhere."""
        if Vault.malformed(text):
            self._refuse(path, f"{dotted(path)}: a '${{' that begins no reference", "write ${NAME} or ${NAME:default}")
            self._unset[path] = ""
        try:
            self._vault.expand(text, secret=False)
        except SecretMissing as error:
            self._refuse(path, f"{dotted(path)}: {error}", severity=self._missing)
            self._unset[path] = error.name

    def _refuse(
        self, path: Where, message: str, hint: str = "", *, key: bool = False, severity: Severity = "error"
    ) -> None:
        self.mistakes.append(self._layers.mistake(path, message, hint, key=key, severity=severity))

    def _expanded(self, path: Where, value: Json) -> Json:
        """The value with its references replaced; entries that cannot be are left out, so their defaults hold."""
        if isinstance(value, dict):
            return {k: self._expanded((*path, k), v) for k, v in value.items() if (*path, k) not in self._unset}
        if isinstance(value, list):
            return [self._expanded((*path, n), v) for n, v in enumerate(value) if (*path, n) not in self._unset]
        if isinstance(value, str) and "${" in value:
            return Loose(self._vault.expand(value, secret=False))
        return value

    def _wrap(self, path: Where) -> None:
        """Make a Secret of the text at the path."""
        parent, text = at(self.tree, path[:-1]), at(self.tree, path)
        if isinstance(text, str) and text != "null":
            parent[path[-1]] = Secret(text, self._vault)
            if path != ("database",):  # the only one that is read now
                self._unset.pop(path, None)

    def _named(self, path: Where) -> None:
        """Refuse names that no template or variable could spell."""
        names = at(self.tree, path)
        for name in names if isinstance(names, dict) else ():
            if not _NAME.fullmatch(name):
                message = f"{name[:40]!r} cannot be a name in {path[0]}"
                self._refuse((*path, name), message, "lower-case letters and digits, words joined by '_'", key=True)

    # ── connections ─────────────────────────────────────────────────────────────────────────────

    def _connection(self, name: str, values: dict[str, Json]) -> None:
        path: Where = ("connections", name)
        if (*path, "platform") in self._unset:  # told already
            values.pop("platform")
        word = values["platform"] = self._expanded((*path, "platform"), values.get("platform", name))
        platform = PLATFORMS.get(word) if isinstance(word, str) else None
        if platform is None:
            hint = did_you_mean(str(word), PLATFORMS) or "expected intilery or intempt"
            self._refuse((*path, "platform"), f"connections.{name} needs a platform", hint)
            del self.tree["connections"][name]
            return
        for key in [key for key in values if key not in platform.keys]:
            self.mistakes.append(self._layers.unknown((*path, key), platform.keys))
            del values[key]
        self._required(path, values, platform)
        values.update({"name": name} | {key: values.get(key, default) for key, default in platform.defaults.items()})
        self._sections((*path, "feeds"))
        self._section((*path, "dialect"))

    def _required(self, path: Where, values: dict[str, Json], platform: _Platform) -> None:
        for key in (*platform.ids, platform.token):
            if key not in values:
                self._refuse((*path, key), f"{dotted(path)} lacks the key {key!r}")
        for key in [key for key in values if (*path, key) in self._unset and key != platform.token]:
            text = self._unset.pop((*path, key)) or "unset"
            del values[key]
            if key in platform.ids:  # any that suits, so that `check` can go on
                values[key] = text.upper() if key == "brand_id" else text.lower()
        text = values.pop(platform.token, "")
        values["token"] = Secret(text, self._vault) if isinstance(text, str) else text

    # ── sections ────────────────────────────────────────────────────────────────────────────────

    def _sections(self, path: Where) -> None:
        for name, _ in _mappings(at(self.tree, path)):
            self._section((*path, name))

    def _section(self, path: Where) -> None:
        values = at(self.tree, path)
        if isinstance(values, dict):
            at(self.tree, path[:-1])[path[-1]] = Section(path, _typed(values), self._vault, self._layers)


def _typed(value: Json) -> Json:
    """The values of a section as YAML would have them: only YAML's own texts stay as they are."""
    if isinstance(value, dict):
        return {key: _typed(inner) for key, inner in value.items()}
    return value.typed() if isinstance(value, Loose) else value


def _mappings(value: Json) -> list[tuple[str, dict[str, Json]]]:
    return [(k, v) for k, v in value.items() if isinstance(v, dict)] if isinstance(value, dict) else []


def _references(path: Where, value: Json) -> Iterator[tuple[Where, str]]:
    """Every text with a `${` in it."""
    if isinstance(value, str):
        if "${" in value:
            yield path, value
    elif isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _references((*path, key), inner)
