"""`connector check`: every mistake of the configuration and of every recipe at once, and how they are printed."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final, Literal, TypeAlias

from connector.actions import Destination
from connector.actions.regulating import Api
from connector.errors import ConfigurationError, Mistake
from connector.feeds import feeds_of
from connector.recipe.load import read_folder
from connector.recipe.recipe import Known
from connector.settings import Settings, load

Format: TypeAlias = Literal["text", "json", "github"]

_GITHUB_TEXT: Final = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_GITHUB_PROPERTY: Final = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def check(config: Path | None, environ: Mapping[str, str], paths: Sequence[Path] = ()) -> list[Mistake]:
    """Every mistake, by file and place; warnings too, such as secrets that are set nowhere.

    config: the configuration file, None for recipes without one. paths: recipes or folders instead of its `recipes`.
    """
    mistakes: list[Mistake] = []
    settings = _settings(config, environ, mistakes) if config is not None else None
    folders = list(paths) or ([settings.recipes] if settings is not None else [])
    known = Known.of(settings) if settings is not None else None
    for folder in folders:
        mistakes += read_folder(folder, known).mistakes
    return sorted(set(mistakes))


def _settings(config: Path, environ: Mapping[str, str], mistakes: list[Mistake]) -> Settings | None:
    try:
        settings = load(config, environ, secrets="warn")
    except ConfigurationError as error:
        mistakes += error.mistakes
        return None
    mistakes += settings.warnings
    for section in settings.destinations.values():
        try:
            Destination.read(section)
        except ConfigurationError as error:
            mistakes += error.mistakes
    try:
        Api.of(settings)
    except ConfigurationError as error:
        mistakes += error.mistakes
    for connection in settings.connections.values():
        try:
            feeds_of(connection)
        except ConfigurationError as error:
            mistakes += error.mistakes
    return settings


def well(mistakes: Iterable[Mistake]) -> bool:
    """Whether there is nothing but warnings."""
    return all(mistake.severity == "warning" for mistake in mistakes)


def printed(mistakes: Sequence[Mistake], form: Format = "text") -> str:
    """The mistakes for people (a line each), for programs (JSON), or as annotations of a GitHub workflow."""
    if form == "json":
        return json.dumps([asdict(mistake) for mistake in mistakes], indent=2, ensure_ascii=False)
    return "\n".join(map(_annotation if form == "github" else str, mistakes))


def _annotation(mistake: Mistake) -> str:
    file = mistake.file.translate(_GITHUB_PROPERTY)
    place = f",line={mistake.line},col={mistake.column}" if mistake.line else ""
    text = f"{mistake.message} - {mistake.hint}" if mistake.hint else mistake.message
    return f"::{mistake.severity} file={file}{place}::{text.translate(_GITHUB_TEXT)}"
