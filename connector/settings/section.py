"""The part of `connector.yaml` that a feed, a dialect or a destination owns."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, Protocol

from connector.document import Where
from connector.errors import Mistake
from connector.model import Json
from connector.secrets import Vault

Severity = Literal["error", "warning"]


class Places(Protocol):
    """Whoever knows where a setting was written: a file, a variable or the command line. folder: the file's."""

    @property
    def folder(self) -> Path:
        """Where the file is: paths are relative to it."""
        ...

    def mistake(
        self, path: Where, message: str, hint: str = "", *, key: bool = False, severity: Severity = "error"
    ) -> Mistake:
        """A Mistake at the setting."""
        ...


class Section(Mapping[str, Json]):
    """Keys whose owner validates them. name: its key. vault: makes Secrets of texts with references in them.

    Values are as written: a text that holds `${NAME}` is not expanded. Shown without its values.
    """

    def __init__(self, path: Where, values: Mapping[str, Json], vault: Vault, places: Places) -> None:
        self.name = str(path[-1])
        self.vault = vault
        self._path = path
        self._values = values
        self._places = places

    def __getitem__(self, key: str) -> Json:
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Section({'.'.join(map(str, self._path))}: {', '.join(self)})"

    @property
    def folder(self) -> Path:
        """The folder that paths in it are relative to."""
        return self._places.folder

    def mistake(
        self, path: Where, message: str, hint: str = "", *, key: bool = False, severity: Severity = "error"
    ) -> Mistake:
        """A Mistake at a path inside the section, `()` for the section itself."""
        return self._places.mistake((*self._path, *path), message, hint, key=key, severity=severity)
