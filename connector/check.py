"""`connector check`: every mistake of the configuration and of every recipe at once, and how they are printed."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final, Literal, TypeAlias

from connector.actions import Destination
from connector.actions.regulating import Api
from connector.document import did_you_mean
from connector.errors import AddressRefused, ConfigurationError, Mistake, SecretMissing
from connector.feeds import Feed, all_feeds
from connector.feeds import load_all as load_feeds
from connector.http.guard import Guard, parse_egress
from connector.http.place import read
from connector.model import Hidden, Message
from connector.recipe.load import read_folder
from connector.recipe.recipe import Known
from connector.settings import Settings, load

Format: TypeAlias = Literal["text", "json", "github"]

_PROBE: Final = Message(body=b"{}")
_NOT_CALLED: Final = re.compile(r"(\S+) was not called: (.+)\. If it is meant, add (\S+) to egress\.allow.*")
_GITHUB_TEXT: Final = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_GITHUB_PROPERTY: Final = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def check(config: Path | None, environ: Mapping[str, str], paths: Sequence[Path] = ()) -> list[Mistake]:
    """Every mistake, by file and place; warnings too, such as secrets that are set nowhere.

    config: the configuration file, None for recipes without one. paths: recipes or folders instead of its `recipes`.
    """
    mistakes: list[Mistake] = []
    settings = _settings(config, environ, mistakes) if config is not None else None
    folders = list(paths) or ([settings.recipes] if settings is not None else [])
    known = _known(settings) if settings is not None else None
    for folder in folders:
        if settings is not None and not paths and not folder.exists():
            mistakes.append(_no_recipes(settings))
        else:
            mistakes += read_folder(folder, known).mistakes
    return sorted(set(mistakes))


def _known(settings: Settings) -> Known:
    """What recipes may name. A feed that is mistyped in the configuration is told there: recipes may name any."""
    load_feeds()
    known = Known.of(settings)
    there = {f"{name}.{kind}" for name, on in known.connections.items() for of, kind in Feed.kinds if of == on}
    wrong = {feed.partition(".")[0] for feed in known.feeds - there}
    meant = {feed for feed in there if feed.partition(".")[0] in wrong}
    return replace(known, feeds=known.feeds & there | meant)


def _no_recipes(settings: Settings) -> Mistake:
    folder, document = settings.recipes, settings.document
    beside = [each.name for each in folder.parent.iterdir() if each.is_dir()] if folder.parent.is_dir() else []
    hint = did_you_mean(folder.name, beside) or "make it, or name the one that is there"
    message = f"recipes: there is no folder or file {str(folder)!r}"
    written = document.data.get("recipes") if isinstance(document.data, dict) else None
    if isinstance(written, str) and settings.file.parent / written == folder:
        return document.mistake(("recipes",), message, hint)
    return Mistake(str(settings.file), 0, 0, message, hint)


def _settings(config: Path, environ: Mapping[str, str], mistakes: list[Mistake]) -> Settings | None:
    try:
        settings = load(config, environ, secrets="warn")
    except ConfigurationError as error:
        mistakes += error.mistakes
        return None
    mistakes += settings.warnings
    guard = _guard(settings, mistakes)
    for connection in settings.connections.values():
        if why := _refused(guard, connection.base_url):
            place = ("connections", connection.name, "base_url")
            mistakes.append(settings.document.mistake(place, f"base_url: {why[0]}", why[1]))
    for section in settings.destinations.values():
        try:
            destination = Destination.read(section)
        except ConfigurationError as error:
            mistakes += error.mistakes
            continue
        if why := _refused(guard, destination.request(_PROBE, id="", at=0).url):
            mistakes.append(section.mistake((destination.kind,), *why))
    try:
        Api.of(settings)
    except ConfigurationError as error:
        mistakes += error.mistakes
    try:
        all_feeds(settings.connections)
    except ConfigurationError as error:
        mistakes += error.mistakes
    return settings


# ── addresses ─────────────────────────────────────────────────────────────────────────────────


def _guard(settings: Settings, mistakes: list[Mistake]) -> Guard:
    """Who will decide what is called; entries of `egress.allow` that it cannot read are recorded."""
    sound = []
    for n, entry in enumerate(settings.egress.allow):
        try:
            parse_egress(entry)
        except ValueError as error:
            place = ("egress", "allow", n)
            as_written = settings.document.source_text(place) == entry  # else a secret may have gone astray
            message = str(error) if as_written else "egress.allow: this is not a network, address or host name"
            mistakes.append(settings.document.mistake(place, message))
        else:
            sound.append(entry)
    return Guard(sound)


def _refused(guard: Guard, address: Hidden | str) -> tuple[str, str] | None:
    """Why an address will not be called, as far as its spelling tells, and what to edit; None when it will be."""
    try:
        guard.admit(read(address if isinstance(address, str) else address.reveal()))
    except SecretMissing:  # told already
        return None
    except AddressRefused as error:
        told = _NOT_CALLED.fullmatch(str(error))
        if told:
            return f"{told[1]} will not be called: {told[2]}", f"if it is meant, add {told[3]} to egress.allow"
        return (str(error) if isinstance(address, str) else "this is no address that can be called"), ""
    return None


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
