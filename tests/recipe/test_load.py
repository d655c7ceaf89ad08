"""A folder of recipes: which files count, and what stops none of the others."""

import os
import stat
from pathlib import Path

import pytest

from connector.recipe.load import MOST, Loaded, read_folder, stamp
from tests.recipe.samples import KNOWN


def text(id: str) -> str:
    trigger, actions = "{feed: intilery.events, event: x}", "[{slack: {to: sales, text: hi}}]"
    return f"id: {id}\ntrigger: {trigger}\nactions: {actions}\ntests: []\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.yaml").write_text(text("good"))
    return tmp_path


def ids(loaded: Loaded) -> list[str]:
    return sorted(recipe.id for recipe in loaded.recipes)


def messages(loaded: Loaded, folder: Path) -> list[str]:
    return [str(mistake).replace(f"{folder}/", "") for mistake in loaded.mistakes]


def test_folders_are_read_with_all_their_folders(folder: Path) -> None:
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "a" / "b" / "deep.yml").write_text(text("deep"))
    assert ["deep", "good"] == ids(read_folder(folder, KNOWN))


def test_one_file_can_be_read_alone(folder: Path) -> None:
    assert ["good"] == ids(read_folder(folder / "good.yaml"))


@pytest.mark.parametrize(
    "name",
    [
        ".hidden.yaml",
        "#good.yaml#",
        ".#good.yaml",
        "good.yaml~",
        ".good.yaml.swp",
        "good.yaml.bak",
        "4913",
        ".git/x.yaml",
    ],
)
def test_hidden_files_backups_and_swap_files_are_no_recipes(folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(text("other"))
    loaded = read_folder(folder)
    assert (["good"], []) == (ids(loaded), loaded.mistakes)


def test_a_broken_file_stops_no_other_and_still_tells_its_id(folder: Path) -> None:
    (folder / "bad.yaml").write_text(text("bad").replace("slack", "slak"))
    loaded = read_folder(folder)
    assert ["good"] == ids(loaded)
    assert ["bad.yaml:3:12: unknown action 'slak' - did you mean 'slack'?"] == messages(loaded, folder)
    assert [("bad.yaml", "bad", False), ("good.yaml", "good", True)] == [
        (Path(each.file).name, each.id, each.recipe is not None) for each in loaded.files
    ]


def test_of_two_files_with_one_id_neither_is_taken(folder: Path) -> None:
    (folder / "copy.yaml").write_text("description: a copy\n" + text("good"))
    (folder / "other.yaml").write_text(text("other"))
    loaded = read_folder(folder)
    assert ["other"] == ids(loaded)
    assert [
        f"copy.yaml:2:5: the id 'good' is also that of {folder}/good.yaml - give each its own",
        f"good.yaml:1:5: the id 'good' is also that of {folder}/copy.yaml - give each its own",
    ] == [str(mistake).removeprefix(f"{folder}/") for mistake in loaded.mistakes]


def test_a_file_that_everyone_may_write_is_refused(folder: Path) -> None:
    open_file = folder / "open.yaml"
    open_file.write_text(text("open"))
    open_file.chmod(open_file.stat().st_mode | stat.S_IWOTH)
    assert ["open.yaml: everyone may write this file - run: chmod o-w open.yaml"] == messages(
        read_folder(folder), folder
    )


def test_a_link_may_not_lead_out_of_the_folder(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "x.yaml").write_text(text("outside"))
    (folder / "out.yaml").symlink_to(outside / "x.yaml")
    (folder / "folder").symlink_to(outside)
    (folder / "gone.yaml").symlink_to(folder / "nowhere.yaml")
    loaded = read_folder(folder)
    assert ["good"] == ids(loaded)
    assert [
        "folder: this link leads out of the recipes folder - copy the file here",
        "gone.yaml: the file cannot be read: No such file or directory",
        "out.yaml: this link leads out of the recipes folder - copy the file here",
    ] == messages(loaded, folder)


def test_links_within_the_folder_are_followed(folder: Path) -> None:
    (folder / "..data").mkdir()
    (folder / "..data" / "mounted.yaml").write_text(text("mounted"))
    (folder / "mounted.yaml").symlink_to(folder / "..data" / "mounted.yaml")
    assert ["good", "mounted"] == ids(read_folder(folder))


def test_a_pipe_does_not_hang_anything(folder: Path) -> None:
    os.mkfifo(folder / "pipe.yaml")
    loaded = read_folder(folder)
    assert (["good"], ["pipe.yaml: this is not a regular file"]) == (ids(loaded), messages(loaded, folder))


def test_a_file_that_is_too_large_or_no_text_is_refused(folder: Path) -> None:
    (folder / "large.yaml").write_text(text("large") + "#" * 262_144)
    (folder / "latin.yaml").write_bytes(b"id: caf\xe9\n")
    assert [
        "large.yaml: the file is larger than 256 KiB - split it",
        "latin.yaml:1:8: byte 0xe9 is not UTF-8 text - save the file as UTF-8",
    ] == messages(read_folder(folder), folder)


def test_there_is_an_end_to_how_many_files_are_read(tmp_path: Path) -> None:
    for n in range(MOST + 1):
        (tmp_path / f"r{n:04}.yaml").write_text("id: a")
    loaded = read_folder(tmp_path)
    assert len(loaded.files) == MOST
    assert f"{tmp_path}: more than {MOST} recipe files: the rest is not read - use several" in map(str, loaded.mistakes)


def test_a_folder_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    assert [f"{tmp_path}/none: there is no such folder or file"] == list(
        map(str, read_folder(tmp_path / "none").mistakes)
    )


def test_the_version_is_that_of_the_content(folder: Path) -> None:
    (first,) = read_folder(folder).recipes
    (folder / "good.yaml").rename(folder / "renamed.yaml")
    (renamed,) = read_folder(folder).recipes
    (folder / "renamed.yaml").write_text(text("good") + "# edited\n")
    (edited,) = read_folder(folder).recipes
    assert (True, False, 16) == (first.version == renamed.version, first.version == edited.version, len(first.version))


def test_the_stamp_changes_with_every_save(folder: Path) -> None:
    seen = [stamp(folder)]
    (folder / "good.yaml").write_text(text("good") + "\n")
    seen.append(stamp(folder))
    (folder / "new.yaml").write_text(text("new"))
    seen.append(stamp(folder))
    (folder / "good.yaml").rename(folder / "old.yaml")
    seen.append(stamp(folder))
    (folder / "notes.txt").write_text("no recipe")
    assert len(set(seen)) == 4
    assert seen[-1] == stamp(folder)
