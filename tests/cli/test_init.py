"""`connector init`: a configuration that works, and nothing overwritten."""

import os
import pty
import stat
import sys
from pathlib import Path

import pytest

from tests.cli.house import CANARY, House, connector


@pytest.fixture
def empty(house: House) -> House:
    """An empty folder."""
    for name in ("connector.yaml", ".env", "recipes/trial-click.yaml"):
        (house.folder / name).unlink()
    (house.folder / "recipes").rmdir()
    return house


def _recipes(house: House) -> set[str]:
    return {file.stem for file in (house.folder / "recipes").glob("*.yaml")}


def test_the_sandbox_needs_no_answer_and_checks_clean(empty: House) -> None:
    said = empty.run("init", "--sandbox", "--yes")
    assert (0, True) == (said.code, "connector sandbox" in said.out)
    assert "egress: {allow: [127.0.0.1]}" in (empty.folder / "connector.yaml").read_text()
    assert 0o600 == stat.S_IMODE((empty.folder / ".env").stat().st_mode)
    assert len(_recipes(empty)) >= 6
    checked = empty.run("check")
    assert (0, "no mistakes\n") == (checked.code, checked.out)
    assert 0 == empty.run("test").code


def test_an_account_gets_its_own_configuration(empty: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTILERY_TOKEN", f"{CANARY} #1'\"\\")
    said = empty.run(
        *("init", "--account", "larder/uk/LARDER", "--slack", f"https://hooks.slack.com/services/{CANARY}"),
        *("--webhook", "https://crm.example.com/hooks", "--start", "7d", "--recipes", "all"),
    )
    monkeypatch.delenv("INTILERY_TOKEN")
    text = (empty.folder / "connector.yaml").read_text()
    assert 0 == said.code
    for part in ("client_id: larder", "brand_id: LARDER", 'start: "7d"', "crm.example.com", "mode: dry_run"):
        assert part in text
    assert CANARY not in text + said.out + said.err
    checked = empty.run("check")
    assert (0, "no mistakes\n") == (checked.code, checked.out)
    from connector.secrets import Vault

    assert f"{CANARY} #1'\"\\" == Vault({}, empty.folder / ".env", None).get("INTILERY_TOKEN")


def test_only_recipes_whose_destinations_there_are_are_copied(empty: House) -> None:
    empty.run("init", "--account", "larder/uk/LARDER", "--webhook", "https://crm.example.com/hooks")
    assert "order-to-crm" in _recipes(empty)
    assert "trial-click" not in _recipes(empty)
    checked = empty.run("check")
    assert (0, "1 warning") == (checked.code, checked.out.splitlines()[-1])


def test_what_is_left_out_is_named_with_what_it_needs(empty: House) -> None:
    slack = ("--slack", "https://hooks.slack.com/services/T/B/x")
    said = empty.run("init", "--account", "larder/uk/LARDER", *slack)
    assert " recipes were left out: they need a webhook destination called crm (" in said.out
    assert "to add one later: name that in connector.yaml, then cp " in said.out


def test_the_examples_send_nothing_to_anybody_real_until_told(empty: House) -> None:
    slack = ("--slack", "https://hooks.slack.com/services/T/B/x")
    said = empty.run("init", "--account", "larder/uk/LARDER", "--recipes", "trial-click", *slack)
    assert "\nmode: shadow " in (empty.folder / "recipes/trial-click.yaml").read_text()
    assert "the recipes are in shadow: they decide and send nothing" in said.out
    assert 0 == empty.run("test").code


def test_without_destinations_it_still_checks(empty: House) -> None:
    said = empty.run("init", "--account", "larder/uk/LARDER")
    assert (0, True) == (said.code, "fill in INTILERY_TOKEN" in said.out)
    assert 0 == empty.run("check").code


@pytest.mark.parametrize(
    ("asked", "copied"),
    [("none", set()), ("trial-click", {"trial-click"}), ("trial-click, vip-basket", {"trial-click", "vip-basket"})],
)
def test_examples_are_chosen(empty: House, asked: str, copied: set[str]) -> None:
    assert 0 == empty.run("init", "--sandbox", "--recipes", asked).code
    assert copied == _recipes(empty)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--account", "larder"), "an account is client/account/BRAND"),
        (("--account", "Larder/uk/LARDER"), "connector.yaml:3:16: connections.intilery.client_id: expected lower case"),
        (("--account", "larder/uk/LARDER", "--start", "soon"), "expected now, a duration such as 7d"),
        (("--account", "larder/uk/LARDER", "--webhook", "crm.example.com"), "crm"),
        (("--account", "larder/uk/LARDER", "--slack", "#sales"), "the Slack address begins with"),
        (("--sandbox", "--slack", "https://hooks.slack.com/services/T/B/x"), "--slack is for an account of your own"),
        (("--start", "7d"), "--start is for an account of your own"),
        (("--sandbox", "--account", "larder/uk/LARDER"), "exclude each other"),
        (("--sandbox", "--recipes", "nothing"), "there is no example 'nothing'"),
    ],
)
def test_an_answer_that_cannot_be_writes_nothing(empty: House, arguments: tuple[str, ...], told: str) -> None:
    said = empty.run("init", *arguments)
    assert (2, True) == (said.code, told in said.err), said.err
    assert [] == list(empty.folder.iterdir())


@pytest.mark.parametrize("name", ["connector.yaml", ".env"])
def test_nothing_is_overwritten(empty: House, name: str) -> None:
    empty.write(name, "# mine\n")
    said = empty.run("init", "--sandbox")
    assert (2, True) == (said.code, "is there already and stays as it is" in said.err)
    assert ("# mine\n", [name]) == ((empty.folder / name).read_text(), [file.name for file in empty.folder.iterdir()])


def test_a_recipe_of_the_same_name_stays(empty: House) -> None:
    empty.write("recipes/trial-click.yaml", "# mine\n")
    empty.run("init", "--sandbox")
    assert "# mine\n" == (empty.folder / "recipes/trial-click.yaml").read_text()
    assert "vip-basket" in _recipes(empty)


def test_another_folder_is_made(empty: House) -> None:
    assert 0 == empty.run("--config", "deep/er/connector.yaml", "init", "--sandbox").code
    assert 0 == empty.run("--config", "deep/er/connector.yaml", "check").code


def test_on_a_terminal_four_questions_are_asked_and_the_token_is_not_shown(empty: House) -> None:
    address = "https://hooks.slack.com/services/T/B/x"
    wrong = "larder", "Larder/uk/LARDER"
    screen = _typed(empty.folder, *wrong, "larder/uk/LARDER", CANARY, address, "trial-clik", "trial-click", "7d")
    assert CANARY not in screen
    for told in ("an account is client/account/BRAND", "expected lower case", "there is no example 'trial-clik'"):
        assert told in screen
    assert {"trial-click"} == _recipes(empty)
    assert 'start: "7d"' in (empty.folder / "connector.yaml").read_text()
    assert f"INTILERY_TOKEN={CANARY}" in (empty.folder / ".env").read_text()
    assert (0, "no mistakes\n") == ((checked := empty.run("check")).code, checked.out)


def _typed(folder: Path, *answers: str) -> str:
    """The screen of a person at a terminal, who answers each question once it is there."""
    pid, descriptor = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.environ["PYTHONPATH"] = str(Path(__file__).parents[2])
        os.execv(sys.executable, [sys.executable, "-m", "connector", "init"])  # noqa: S606  a terminal of its own
    screen, waiting = "", list(answers)
    try:
        while piece := os.read(descriptor, 4096):
            screen += piece.decode(errors="replace")
            if waiting and screen.endswith(": "):
                os.write(descriptor, f"{waiting.pop(0)}\n".encode())
    except OSError:  # Linux says so when the other end is gone
        pass
    finally:
        os.close(descriptor)
        os.waitpid(pid, 0)
    return screen


def test_no_terminal_no_questions(empty: House) -> None:
    said = connector("init", cwd=empty.folder)
    assert (0, "") == (said.code, said.err)
    assert "base_url: http://127.0.0.1:8300" in (empty.folder / "connector.yaml").read_text()
