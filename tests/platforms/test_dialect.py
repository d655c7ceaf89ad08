"""What the documents leave open can be told by the configuration, and every mistake in it has a place."""

from pathlib import Path

import pytest

from connector.errors import ConfigurationError
from connector.feeds import feeds_of
from connector.platforms import dialect
from connector.settings import load
from tests.platforms.conftest import Make

YAML = """\
connections:
  intilery:
    client_id: acme
    account_id: acme
    brand_id: ACME
    auth_token: t0ken
    dialect:
      {dialect}
  intempt:
    organization: acme
    api_key: pfx.secret
    dialect: {intempt}
"""


def _mistakes(folder: Path, said: str = "{}", intempt: str = "{}") -> list[str]:
    file = folder / "connector.yaml"
    file.write_text(YAML.format(dialect=said, intempt=intempt))
    found = []
    for connection in load(file, {}).connections.values():
        try:
            feeds_of(connection)
        except ConfigurationError as error:
            found += [f"{one.line}:{one.column} {one.message} {one.hint}".strip() for one in error.mistakes]
    return found


@pytest.mark.parametrize(
    ("said", "mistake"),
    [
        ("{form: hits}", "8:8 unknown key form did you mean 'from'?"),
        ("{meta: metas}", "8:14 expected one of auto, meta, metadata"),
        ("{second_host: 7}", "8:21 expected text"),
        ("{regulation_types: [Suppress]}", f"8:26 expected texts under the keys {', '.join(dialect.REGULATIONS)}"),
        ("{regulation_types: {supress: X}}", "8:27 unknown key supress did you mean 'suppress'?"),
        ("{auth: basic}", "8:8 unknown key auth"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place(tmp_path: Path, said: str, mistake: str) -> None:
    assert [mistake] == _mistakes(tmp_path, said)


def test_both_platforms_are_looked_at_and_each_has_its_own_keys(tmp_path: Path) -> None:
    assert 2 == len(_mistakes(tmp_path, "{slash: maybe}", "{reads: nowhere}"))
    assert [] == _mistakes(tmp_path, "{slash: 'yes', scroll: scrollid}", "{auth: query, reads: project}")


def test_every_key_has_a_default_and_a_word_about_it(make: Make) -> None:
    for platform in ("intilery", "intempt"):
        connection = make(platform)
        for name, key in dialect.keys(platform).items():
            assert key.about
            assert key.mapping or dialect.of(connection, name)


def test_a_text_may_come_from_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "connector.yaml"
    file.write_text(YAML.format(dialect='{second_host: "${HOST}"}', intempt="{}"))
    connection = load(file, {"HOST": "https://events.example.com"}).connections["intilery"]
    assert "https://events.example.com" == dialect.of(connection, "second_host")
