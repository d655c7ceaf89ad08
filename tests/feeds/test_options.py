"""The feed's options: every mistake with its place and what was meant."""

from pathlib import Path

import pytest

from connector.errors import ConfigurationError
from connector.feeds import Feed, all_feeds, feeds_of, load_all
from connector.model import DAY, MINUTE, SECOND
from connector.platforms.intilery import check_dialect
from connector.settings import load
from tests.feeds.fake import URL, YAML, feed


def mistakes(tmp_path: Path, options: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        feed(tmp_path, options)
    return [f"{mistake.line}:{mistake.column} {mistake.message} {mistake.hint}" for mistake in caught.value.mistakes]


def test_the_defaults_are_the_documented_ones(tmp_path: Path) -> None:
    ours = feed(tmp_path)
    assert ("intilery.events", "intilery:acme/acme/ACME") == (ours.name, ours.account)
    assert (10 * SECOND, 10 * SECOND, 15 * MINUTE, 2 * MINUTE) == (ours.poll, ours.lag, ours.overlap, ours.settle)
    assert ("now", ()) == (ours.start, ours.exclude)


def test_every_option_can_be_set(tmp_path: Path) -> None:
    ours = feed(tmp_path, "{poll: 1m, lag: 30s, overlap: 1h, settle: 5m, start: 7d, exclude: [page, identify]}")
    assert (MINUTE, 30 * SECOND, 60 * MINUTE, 5 * MINUTE) == (ours.poll, ours.lag, ours.overlap, ours.settle)
    assert ("7d", ("page", "identify")) == (ours.start, ours.exclude)
    assert 60 * MINUTE == ours.ages["overlap"]
    assert 7 * DAY == max(ours.ages.values())


@pytest.mark.parametrize(
    ("options", "mistake"),
    [
        ("{pol: 10s}", "11:16 unknown key pol did you mean 'poll'?"),
        ("{poll: soon}", "11:22 expected a duration such as 10s, 15m, 24h or 7d "),
        ("{poll: 10}", "11:22 expected a duration such as 10s, 15m, 24h or 7d write 10s"),
        ("{poll: 0s}", "11:15 poll must be 1s or more "),
        ("{overlap: 30d}", "11:15 overlap must be between 1m and 7d, and no less than lag "),
        ("{lag: 20m}", "11:15 overlap must be between 1m and 7d, and no less than lag "),
        ("{start: yesterday}", "11:23 expected now, a duration such as 7d, or a time such as 2026-11-01T00:00:00Z "),
        ('{exclude: ["page,identify"]}', "11:26 expected one event action, such as page "),
        ("{exclude: [7]}", "11:26 expected text "),
        ("{exclude: page}", "11:25 expected a list "),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, options: str, mistake: str) -> None:
    assert [mistake] == mistakes(tmp_path, options)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    assert 3 == len(mistakes(tmp_path, "{poll: soon, lagg: 1s, start: later}"))


def test_an_unknown_feed_is_told_with_what_was_meant(tmp_path: Path) -> None:
    file = tmp_path / "connector.yaml"
    file.write_text(YAML.format(options="{}", dialect="{}", url=URL).replace("events:", "event:"))
    with pytest.raises(ConfigurationError, match=r":11:7: intilery has no feed event - did you mean 'events'\?"):
        feeds_of(load(file, {"INTILERY_TOKEN": "t"}).connections["intilery"])


@pytest.mark.parametrize(
    ("dialect", "mistake"),
    [
        ("{form: hits}", ":9:15: unknown key form - did you mean 'from'?"),
        ("{from: page}", ":9:21: expected one of auto, hits, pages"),
        ("{slash: true}", ":9:22: expected one of no, yes"),
    ],
)
def test_a_mistake_in_the_dialect_is_told_with_its_place(tmp_path: Path, dialect: str, mistake: str) -> None:
    file = tmp_path / "connector.yaml"
    file.write_text(YAML.format(options="{}", dialect=dialect, url=URL))
    with pytest.raises(ConfigurationError) as caught:
        check_dialect(load(file, {"INTILERY_TOKEN": "t"}).connections["intilery"].dialect)
    assert str(caught.value).endswith(mistake)


def test_every_feed_has_an_example_that_is_right(tmp_path: Path) -> None:
    load_all()
    assert {("intilery", "events"), ("intempt", "matches"), ("intempt", "segmentations")} <= set(Feed.kinds)
    for (platform, word), kind in Feed.kinds.items():
        assert kind.__doc__
        assert f"{word}: " == kind.example[: len(word) + 2]
        file = tmp_path / "connector.yaml"
        events = "    feeds:\n      events: {}\n" if (platform, word) != ("intilery", "events") else "    feeds:\n"
        file.write_text(
            "connections:\n"
            "  intilery:\n    client_id: a\n    account_id: a\n    brand_id: A\n    auth_token: t\n"
            + events
            + ("" if platform == "intilery" else "  intempt:\n    organization: a\n    api_key: a.b\n    feeds:\n")
            + f"      {kind.example}\n"
        )
        assert kind in {type(each) for _, each in all_feeds(load(file, {}).connections)}
