"""Recipes as the database knows them: versions that were in service, and since when each recipe is live."""

from dataclasses import dataclass

from connector.model import Instant
from connector.store.database import Tx
from connector.store.tables import RecipeState


@dataclass(frozen=True, slots=True)
class Known:
    """One recipe's standing. error: what is wrong with its file now, while `version` stays in service."""

    id: str
    file: str
    version: str
    mode: str
    live_from: Instant
    present: int  # 1 while its file is in the folder
    error: str


def known(tx: Tx) -> dict[str, Known]:
    """Every recipe that was ever in service, by id."""
    rows = tx.rows("SELECT id, file, version, mode, live_from, present, error FROM recipes")
    return {row[0]: Known(*row) for row in rows}


def text(tx: Tx, version: str) -> tuple[str, str] | None:
    """(file, text) of a version, or None."""
    row = tx.one("SELECT file, text FROM recipe_versions WHERE version = ?", (version,))
    return None if row is None else (str(row[0]), str(row[1]))


def keep_version(tx: Tx, version: str, recipe: str, file: str, content: str, now: Instant) -> None:
    """Remember a version's text, once."""
    tx.run(
        "INSERT INTO recipe_versions (version, recipe, file, text, loaded) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (version) DO NOTHING",
        (version, recipe, file, content, now),
    )


def put(tx: Tx, place: Known) -> None:
    """Write one recipe's standing."""
    tx.run("DELETE FROM recipes WHERE id = ?", (place.id,))
    tx.insert(
        RecipeState,
        ("id", "file", "version", "mode", "live_from", "present", "error"),
        [(place.id, place.file, place.version, place.mode, place.live_from, place.present, place.error)],
    )
