"""Names, exit codes, and what is said when something is wrong."""

import time
from pathlib import Path

import pytest

from connector import __version__
from connector.cli import failure
from connector.cli.app import COMMANDS
from tests.cli.house import CANARY, CONFIGURATION, House, connector


def test_the_version_is_one_line_and_json(house: House) -> None:
    assert f"connector {__version__}\n" == house.run("version").out
    assert {"version": __version__} == house.run("version", "--json").json


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(house: House, name: str) -> None:
    said = house.run(name, "--help")
    assert (0, True) == (said.code, said.out.startswith(f"Usage: connector {name}"))


def test_help_names_every_command_under_its_heading(house: House) -> None:
    said = house.run("--help")
    assert set() == {name for name in COMMANDS if f"\n  {name} " not in said.out}
    assert "\nSee what happens:\n" in said.out


def test_help_cuts_no_sentence_short(house: House) -> None:
    lines = [line for name in COMMANDS for line in house.run(name, "--help").out.splitlines()]
    assert [] == [line for line in lines if line.startswith("  ") and line.endswith("...")]


def test_an_unknown_command_is_wrong_usage_with_a_guess(house: House) -> None:
    said = house.run("statsu")
    assert failure.WRONG == said.code
    assert "Did you mean 'status'?" in said.err


def test_every_mistake_of_the_configuration_is_a_line_of_its_own_and_exits_2(house: House) -> None:
    house.write(
        "connector.yaml", "connections:\n  intilery: {client_id: ACME, account_id: acme, brand_id: acme}\nrecips: x\n"
    )
    said = house.run("status")
    lines = said.err.splitlines()
    assert (2, "") == (said.code, said.out)
    assert len(lines) > 1
    assert all(line.startswith("connector.yaml:") for line in lines)
    assert any("did you mean 'recipes'" in line for line in lines)


def test_a_missing_secret_names_file_line_and_key(house: House) -> None:
    house.write(".env", "")
    said = house.run("backfill", "trial-click")
    assert 2 == said.code
    assert "connector.yaml:6:17: connections.intilery.auth_token: INTILERY_TOKEN is not set" in said.err


def test_a_secret_that_says_where_the_database_is_must_be_there_for_every_command(house: House) -> None:
    house.write("connector.yaml", CONFIGURATION + "database: ${DATABASE}\n")
    said = house.run("deliveries", "list")
    assert (2, True) == (said.code, "database: DATABASE is not set" in said.err)


def test_a_missing_configuration_says_how_to_make_one(house: House) -> None:
    (house.folder / "connector.yaml").unlink()
    said = house.run("check")
    assert 2 == said.code
    assert "`connector init`" in said.err


def test_a_defect_exits_70_and_keeps_data_out_of_what_it_says(
    house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(f"personal data and {CANARY}")

    monkeypatch.setattr("connector.store.history.deliveries", broken)
    said = house.run("deliveries", "list")
    (details,) = tmp_path.glob("connector-defect-*.txt")
    assert 70 == said.code
    assert str(details) in said.err
    assert "Traceback" not in said.err
    for text in (said.err, details.read_text()):
        assert "RuntimeError" in text
        assert CANARY not in text


def test_the_configuration_is_named_before_the_command_or_by_the_environment(house: House, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    assert 0 == connector("--config", str(house.folder / "connector.yaml"), "deliveries", "list", cwd=other).code
    environ = {"CONNECTOR_CONFIG": str(house.folder / "connector.yaml")}
    assert 0 == connector("deliveries", "list", cwd=other, **environ).code
    assert 2 == connector("deliveries", "list", cwd=other).code


def test_before_the_first_run_lists_are_empty_and_no_database_is_made(house: House) -> None:
    said = house.run("deliveries", "list", "--json")
    assert (0, []) == (said.code, said.json)
    assert "`connector run` makes it" in said.err
    assert not (house.folder / "connector.db").exists()


def test_an_older_database_is_left_alone_by_commands_that_look(house: House) -> None:
    house.store().close()
    house.change("UPDATE alembic_version SET version_num = '0000'")
    said = house.run("events")
    assert 2 == said.code
    assert "connector db upgrade" in said.err


def test_a_closed_pipe_is_no_defect(house: House) -> None:
    house.see(*(house.event(n, name=f"name_{n}") for n in range(3000)))
    command = f"{__import__('sys').executable} -m connector events --json | head -1"
    said = connector_in_shell(command, house.folder)
    assert ("[\n", "") == said


def connector_in_shell(command: str, folder: Path) -> tuple[str, str]:
    import os
    import subprocess

    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, shell=True, cwd=folder, env=environ, capture_output=True, text=True, check=False)  # noqa: S602  a pipe is what is tested
    return done.stdout, done.stderr


def test_version_and_help_import_none_of_the_heavy_modules(house: House) -> None:
    heavy = "sqlalchemy sqlmodel aiohttp jinja2 apscheduler alembic yaml connector.settings connector.store"
    for argument in ("version", "--help"):
        code = (
            "import sys; from connector.cli.app import run_command; run_command([sys.argv[1]]); "
            "print([name for name in sys.argv[2].split() if name in sys.modules], file=sys.stderr)"
        )
        import subprocess
        import sys

        begun = time.monotonic()
        done = subprocess.run([sys.executable, "-c", code, argument, heavy], capture_output=True, text=True, check=True)
        assert "[]" == done.stderr.strip()
        assert time.monotonic() - begun < 3  # 0.3 s on a machine of its own


def test_run_imports_nothing_that_only_other_commands_need(house: House) -> None:
    import subprocess
    import sys

    code = "import sys, connector.cli.app, connector.cli.run; print(*sys.modules, sep='\\n')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert set() == loaded & {"alembic", "rich", "connector.sandbox", "connector.cli.status", "connector.replay"}
