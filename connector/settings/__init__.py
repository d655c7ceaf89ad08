"""`connector.yaml`, the environment and the command line → Settings, or every mistake with its place."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from connector.document import Document, read_file
from connector.errors import ConfigurationError, SecretMissing
from connector.model import Json
from connector.secrets import Vault
from connector.settings.checks import check, not_yet
from connector.settings.layers import Layers
from connector.settings.models import Connection, Regulations, Settings, Watched
from connector.settings.prepare import prepare
from connector.settings.section import Section
from connector.settings.wording import mistakes_of

__all__ = ["Connection", "Regulations", "Section", "Settings", "load"]


def load(
    path: Path,
    environ: Mapping[str, str],
    overrides: Mapping[str, Json] | None = None,
    *,
    secrets: Literal["error", "warn"] = "error",
) -> Settings:
    """Read the settings: the file, then `CONNECTOR_…` variables (of `.env` too), then overrides (nested like the file).

    secrets: what a `${NAME}` that is set nowhere is; "warn" puts it into `Settings.warnings` and goes on without.
    Raises ConfigurationError with every mistake, `file:line:col`.
    """
    dotenv = path.parent / ".env"
    watched = (Watched(path), Watched(dotenv))
    document, vault = _opened(path, environ, dotenv)
    layers = Layers(document, vault.variables(), overrides or {}, Settings.model_fields)
    vault = Vault(environ, dotenv, _folder(layers, vault, path.parent))
    tree, mistakes = prepare(layers, vault, "error" if secrets == "error" else "warning")
    mistakes += layers.mistakes
    settings = None
    try:
        settings = Settings(**tree)
    except ValidationError as error:
        mistakes += mistakes_of(error, layers)
    else:
        mistakes += check(settings, layers, document)
        if not any(mistake.severity == "error" for mistake in mistakes):
            mistakes += not_yet(settings, layers)
    if settings is None or any(mistake.severity == "error" for mistake in mistakes):
        raise ConfigurationError(mistakes)
    return settings.bound(document, vault, watched, sorted(mistakes))


def _opened(path: Path, environ: Mapping[str, str], dotenv: Path) -> tuple[Document, Vault]:
    mistakes = []
    try:
        document = read_file(path)
    except ConfigurationError as error:
        mistakes += error.mistakes
    try:
        vault = Vault(environ, dotenv, None)
    except ConfigurationError as error:
        mistakes += error.mistakes
    if mistakes:
        raise ConfigurationError(mistakes)
    return document, vault


def _folder(layers: Layers, vault: Vault, parent: Path) -> Path | None:
    """The secrets folder, which must be known before other references can be looked up."""
    text = layers.tree.get("secrets_dir")
    try:
        name = vault.expand(text, secret=False) if isinstance(text, str) else ""
    except SecretMissing:  # told with the others
        name = ""
    return parent / name if name and name != "null" else None
