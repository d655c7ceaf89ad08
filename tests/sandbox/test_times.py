"""The sandbox's own reading of times."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connector.sandbox.times import print_date_header, print_time, read_instant, read_rate, read_span, read_time

MOMENTS = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001


def milliseconds(when: datetime) -> int:
    return (when - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


@given(MOMENTS)
def test_what_is_printed_is_read_back(when: datetime) -> None:
    assert milliseconds(when) == read_time(print_time(milliseconds(when)))


@given(MOMENTS, st.integers(-14 * 60, 14 * 60))
@example(datetime(2000, 2, 29, tzinfo=UTC), 0)
def test_zones_are_read(when: datetime, minutes: int) -> None:
    local = when.replace(year=2024).astimezone(timezone(timedelta(minutes=minutes)))
    assert milliseconds(local) == read_time(local.isoformat())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2006-01-02", "2006-01-02T00:00:00.000Z"),
        ("2015-2-02T00:30:08.276Z", "2015-02-02T00:30:08.276Z"),
        ("2019-11-18T13:30:11.444Z", "2019-11-18T13:30:11.444Z"),
        ("2019-11-18T13:30Z", "2019-11-18T13:30:00.000Z"),
        ("2019-11-18T13:30:11", "2019-11-18T13:30:11.000Z"),
        ("2019-11-18T13:30:11.9999999Z", "2019-11-18T13:30:11.999Z"),
        ("2019-11-18T13:30:11.444+0100", "2019-11-18T12:30:11.444Z"),
    ],
)
def test_spellings_of_the_documents_are_read(text: str, expected: Any) -> None:
    assert expected == print_time(read_time(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "1714631904000",
        "2026-13-01",
        "2026-02-30",
        "2026-01-01T25:00:00Z",
        "2026-01-01T00:00:00+",
        "0000-01-01",
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read_time(text)


def test_the_date_header_is_english_and_gmt() -> None:
    assert "Mon, 01 Jul 2013 17:27:06 GMT" == print_date_header(read_time("2013-07-01T17:27:06Z"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0", 0), ("250ms", 250), ("10s", 10_000), ("1h30m", 5_400_000), ("-5m", -300_000), ("2w", 1_209_600_000)],
)
def test_spans_are_read(text: str, expected: Any) -> None:
    assert expected == read_span(text)


@pytest.mark.parametrize("text", ["", "10", "s", "10 s", "1.5s", "5m-3s"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        read_span(text)


@pytest.mark.parametrize(("text", "expected"), [("2/1s", 2.0), ("30/1m", 0.5), ("50/500ms", 100.0)])
def test_rates_are_read(text: str, expected: Any) -> None:
    assert expected == read_rate(text)


@pytest.mark.parametrize("text", ["", "2", "2/", "/1s", "-2/1s", "2/0", "2/-1s"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read_rate(text)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, 1_000),
        (5, 5),
        ("-1s", 0),
        ("10s", 11_000),
        ("+10s", 11_000),
        ("1970-01-01T00:00:02Z", 2_000),
        ("0", 1_000),
    ],
)
def test_instants_of_control_routes_are_read(value: Any, expected: Any) -> None:
    assert expected == read_instant(value, 1_000)
