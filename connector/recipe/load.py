"""A folder → its recipes, and every mistake of every file. One bad file stops no other."""

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from connector import document
from connector.errors import ConfigurationError, Mistake
from connector.recipe.parse import parse_document
from connector.recipe.recipe import Known, Recipe

MOST: Final = 1_000  # files in one folder
SUFFIXES: Final = (".yaml", ".yml")

_ID_LINE: Final = re.compile(rb"^id:[ \t]*[\"']?([a-z0-9-]{1,100})", re.MULTILINE)

Stamp: TypeAlias = frozenset[tuple[str, int, int, int, int]]


@dataclass(frozen=True, slots=True)
class RecipeFile:
    """One file of the folder. id: of a broken file, as far as it can be read. recipe: None when it has mistakes."""

    file: str
    id: str | None
    recipe: Recipe | None


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a folder holds. mistakes: warnings too. files: broken ones too, so that their last good version can stay."""

    recipes: list[Recipe]
    mistakes: list[Mistake]
    files: list[RecipeFile]


def read_folder(folder: Path, known: Known | None = None) -> Loaded:
    """Read every recipe in a folder and its folders, or in one file. Raises nothing: all that is wrong is a mistake."""
    mistakes: list[Mistake] = []
    files = [_read(path, known, mistakes) for path in _bounded(folder, mistakes)]
    twice = _same_ids(files, mistakes)
    files = [RecipeFile(each.file, each.id, None) if each.file in twice else each for each in files]
    recipes = [each.recipe for each in files if each.recipe is not None]
    mistakes += [warning for recipe in recipes for warning in recipe.warnings]
    return Loaded(recipes, sorted(mistakes), files)


def stamp(folder: Path) -> Stamp:
    """What changes when a recipe file is saved, added, renamed or removed; cheap enough to ask every second."""
    found = set()
    for path in _paths(folder, []):
        try:
            info = path.stat()
        except OSError:
            continue
        found.add((str(path), info.st_mtime_ns, info.st_size, info.st_ino, info.st_mode))
    return frozenset(found)


# ── which files ───────────────────────────────────────────────────────────────────────────────


def _bounded(folder: Path, mistakes: list[Mistake]) -> list[Path]:
    paths = sorted(_paths(folder, mistakes))
    if len(paths) > MOST:
        mistakes.append(
            Mistake(str(folder), 0, 0, f"more than {MOST} recipe files: the rest is not read", "use several")
        )
    return paths[:MOST]


def _paths(folder: Path, mistakes: list[Mistake]) -> Iterator[Path]:
    """Recipe files; hidden ones, editors' backups and swap files are none."""
    if folder.is_file():
        yield folder
        return
    if not folder.is_dir():
        mistakes.append(Mistake(str(folder), 0, 0, "there is no such folder or file"))
        return
    root = folder.resolve()

    def unreadable(error: OSError) -> None:
        mistakes.append(Mistake(str(error.filename), 0, 0, f"the folder cannot be read: {error.strerror}"))

    for parent, folders, names in os.walk(folder, onerror=unreadable):
        folders[:] = [name for name in folders if not _hidden(name)]
        for name in [*names, *folders]:
            path = Path(parent, name)
            is_recipe = name in names and name.endswith(SUFFIXES) and not _hidden(name)
            if path.is_symlink() and (is_recipe or name in folders) and not _leads_into(path, root):
                mistakes.append(
                    Mistake(str(path), 0, 0, "this link leads out of the recipes folder", "copy the file here")
                )
            elif is_recipe:
                yield path


def _leads_into(path: Path, root: Path) -> bool:
    """Whether a link stays inside; one that leads to itself does not."""
    try:
        return path.resolve().is_relative_to(root)
    except (OSError, RuntimeError):
        return False


def _hidden(name: str) -> bool:
    return name.startswith((".", "#", "~")) or not name.isprintable()  # nor names that are no text


# ── one file ──────────────────────────────────────────────────────────────────────────────────


def _read(path: Path, known: Known | None, mistakes: list[Mistake]) -> RecipeFile:
    try:
        _guard(path)
        recipe = parse_document(document.read_file(path), known)
    except ConfigurationError as error:
        mistakes += error.mistakes
        return RecipeFile(str(path), _guessed_id(path), None)
    return RecipeFile(str(path), recipe.id, recipe)


def _guard(path: Path) -> None:
    """Refuse what others may change under our hands. Raises ConfigurationError."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise ConfigurationError([Mistake(str(path), 0, 0, f"the file cannot be read: {error.strerror}")]) from None
    if stat.S_ISREG(mode) and mode & stat.S_IWOTH:
        raise ConfigurationError([Mistake(str(path), 0, 0, "everyone may write this file", f"run: chmod o-w {path}")])


def _guessed_id(path: Path) -> str | None:
    """The id of a broken file, so that its last good version is known."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return None
        with path.open("rb") as file:
            found = _ID_LINE.search(file.read(document.LIMIT))
    except OSError:
        return None
    return found[1].decode() if found else None


def _same_ids(files: list[RecipeFile], mistakes: list[Mistake]) -> set[str]:
    """The files whose id another file has too: which one is meant, nobody can tell."""
    by_id: dict[str, list[Recipe]] = {}
    for each in files:
        if each.recipe is not None:
            by_id.setdefault(each.recipe.id, []).append(each.recipe)
    twice = set()
    for recipes in by_id.values():
        for recipe in recipes if len(recipes) > 1 else ():
            others = ", ".join(other.file for other in recipes if other is not recipe)
            place = document.read(recipe.text, recipe.file)
            mistakes.append(
                place.mistake(("id",), f"the id {recipe.id!r} is also that of {others}", "give each its own")
            )
            twice.add(recipe.file)
    return twice
