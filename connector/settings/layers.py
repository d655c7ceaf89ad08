"""`connector.yaml`, then `CONNECTOR_…` variables, then the command line: one tree, and where each part came from."""

import copy
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from connector.document import Document, Where, did_you_mean, read, scalar
from connector.errors import ConfigurationError, Mistake
from connector.model import Json
from connector.settings.section import Severity

PREFIX: Final = "CONNECTOR_"
_VERBATIM: Final = frozenset(
    {"auth_token", "api_key", "token", "heartbeat", "database"}
)  # may begin with any character
_COMMAND_LINE: Final = "command line"


def dotted(path: Where) -> str:
    """The path as messages show it."""
    return ".".join(map(str, path))


def at(tree: Json, path: Where) -> Json:
    """The value at a path; None where nothing stands."""
    for step in path:
        try:
            tree = tree[step]
        except (KeyError, IndexError, TypeError):
            return None
    return tree


class Loose(str):
    """A text from outside YAML, which has no types: read as what its setting wants."""

    __slots__ = ()

    def typed(self) -> Json:
        """What the text would be as a plain YAML value."""
        try:
            return scalar(str(self))
        except ValueError:  # a number out of range
            return str(self)


class Layers:
    """tree: the settings as they apply, not yet validated. mistakes: of variables that cannot be read.

    keys: the top-level settings. overrides: nested like the file.
    """

    def __init__(
        self, document: Document, variables: Mapping[str, str], overrides: Mapping[str, Json], keys: Collection[str]
    ) -> None:
        self.tree: dict[str, Json] = copy.deepcopy(document.data) if isinstance(document.data, dict) else {}
        self.mistakes: list[Mistake] = []
        self._document = document
        self._origins: dict[Where, str] = {}
        if not isinstance(document.data, dict):
            self.mistakes.append(document.mistake((), "expected keys such as 'connections:'"))
        for name, value in sorted(variables.items()):
            self._variable(name, value, keys)
        self._override((), overrides)
        for key in [key for key in self.tree if key not in keys]:
            self.mistakes.append(self.unknown((key,), keys))
            del self.tree[key]

    @property
    def folder(self) -> Path:
        """Where the file is: paths are relative to it."""
        return Path(self._document.file).parent

    def mistake(
        self, path: Where, message: str, hint: str = "", *, key: bool = False, severity: Severity = "error"
    ) -> Mistake:
        """A Mistake where the setting was written: `file:line:col`, a variable's name or `command line`."""
        for end in range(len(path), 0, -1):
            origin = self._origins.get(path[:end])
            if origin:
                return Mistake(origin, 0, 0, message, hint, severity)
        return self._document.mistake(path, message, hint, key=key, severity=severity)

    def unknown(self, path: Where, known: Collection[str]) -> Mistake:
        """A Mistake at a key that is none of the known."""
        name = str(path[-1])
        where = f" in {dotted(path[:-1])}" if path[1:] else ""
        return self.mistake(path, f"unknown key {name[:40]!r}{where}", did_you_mean(name, known), key=True)

    def _variable(self, name: str, text: str, keys: Collection[str]) -> None:
        if not name.upper().startswith(PREFIX) or not text:
            return
        path = name[len(PREFIX) :].lower().split("__")
        if path[0] not in keys or "" in path:
            if len(path) > 1:  # others may well be somebody else's, such as Kubernetes' CONNECTOR_PORT
                near = [key for key in keys if key != path[0] and did_you_mean(path[0], [key])]
                known = [f"{PREFIX}{'__'.join([key, *path[1:]]).upper()}" for key in near]
                self.mistakes.append(Mistake(name, 0, 0, "no setting has this name", did_you_mean(name, known)))
            return
        value: Json = Loose(text)
        if text[0] in '[{"' and path[-1] not in _VERBATIM:
            try:
                value = read(text, name).data
            except ConfigurationError as error:
                self.mistakes.extend(error.mistakes)
                return
        self._set(tuple(path), value, name)

    def _override(self, path: Where, value: Json) -> None:
        if isinstance(value, Mapping):
            for key, inner in value.items():
                self._override((*path, key), inner)
        else:
            self._set(path, Loose(value) if isinstance(value, str) else value, _COMMAND_LINE)

    def _set(self, path: Where, value: Json, origin: str) -> None:
        parent = self.tree
        for step in path[:-1]:
            if not isinstance(parent.get(str(step)), dict):
                parent[str(step)] = {}
            parent = parent[str(step)]
        parent[str(path[-1])] = value
        self._origins[path] = origin
