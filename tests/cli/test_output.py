"""What reaches the terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.cli import output
from connector.cli.output import Column
from connector.model import DAY, HOUR, MINUTE, SECOND
from tests.cli.house import House

HOSTILE = "\x1b[31mred\x1b]0;title\x07 [bold red]markup[/] \u202eevil\r\n\ud800"


@given(st.text())
def test_no_text_can_steer_the_terminal(text: str) -> None:
    assert output.clean(text).isprintable()


def test_markup_and_escapes_of_events_are_inert(house: House) -> None:
    house.see(house.event(1, note=HOSTILE))
    said = house.run("events", "email_link_clicked")
    assert r"\x1b[31mred" in said.out
    assert "[bold red]markup[/]" in said.out
    assert "\x1b" not in said.out
    assert "\u202e" not in said.out


def test_json_is_ascii(house: House) -> None:
    house.see(house.event(1, note="Größe \x9b31m"))
    said = house.run("events", "email_link_clicked", "--json")
    assert said.out.isascii()
    assert r"Gr\u00f6\u00dfe" in said.out


def test_a_piped_table_cuts_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    ids = [f"dlv_{n:032x}" for n in range(3)]
    output.table(["id", Column("why", rigid=False)], [(id, "word " * 60) for id in ids])
    lines = capsys.readouterr().out.splitlines()
    assert 4 == len(lines)
    assert [f"{id}  {' '.join(['word'] * 60)}" for id in ids] == lines[1:]


def test_ids_are_whole_even_where_they_are_wider_than_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(["one", "other", Column("why", rigid=False)], [("a" * 90, "b" * 90, "because")])
    assert f"{'a' * 90}  {'b' * 90}  because" == capsys.readouterr().out.splitlines()[1]


@pytest.mark.parametrize(
    ("distance", "said"),
    [
        (0, "now"),
        (999, "now"),
        (-5 * SECOND, "5s ago"),
        (-(3 * MINUTE + 7 * SECOND), "3m7s ago"),
        (2 * HOUR, "in 2h"),
        (-(2 * DAY + 3 * HOUR + 4 * MINUTE), "2d3h ago"),
    ],
)
def test_times_are_told_from_now(distance: int, said: str) -> None:
    at = 1_795_569_980_000
    assert said == output.relative(at + distance, at)


def test_a_time_is_told_absolute_too() -> None:
    assert "2026-11-01 12:00:00Z (5m ago)" == output.when(1_793_534_400_000, 1_793_534_700_000)
    assert "never" == output.when(None, 0)
