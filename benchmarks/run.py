"""Measures the connector, beside a 60-line script that does the same job, and prints a table.

    python benchmarks/run.py [ingest | deliver | latency | memory | idle | start | watch | all] [--markdown] …

Feed and receiver are one process, the sandbox, on the same machine. Ratios are of one run, the script and the daemon by
turns: what else the machine does moves both.
"""

import argparse
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import speed
import standing
import watch

MEASURES = ("ingest", "deliver", "latency", "memory", "idle", "start", "watch")


@dataclass(frozen=True)
class Row:
    """One line of the table. bar: what is asked for; met: whether it holds."""

    what: str
    script: str
    connector: str
    ratio: str
    bar: str
    met: bool


def main() -> int:
    """Measure what was asked for; 1 when a bar was not met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", choices=[*MEASURES, "all"], default=["all"])
    parser.add_argument("--markdown", action="store_true", help="as docs/performance.md has it")
    parser.add_argument("--events", type=int, default=100_000, help="of ingest; a tenth of them is delivered")
    parser.add_argument("--rounds", type=int, default=3, help="of ingest and deliver")
    parser.add_argument("--sizes", nargs="+", choices=["usual", "large"], default=["usual", "large"])
    parser.add_argument("--minutes", type=float, default=3, help="of latency; the bar is meant for 20")
    parser.add_argument("--poll", default="10s", help="of latency: the poll interval")
    parser.add_argument("--backlog", type=int, default=200_000, help="of memory; the bar is meant for 1000000")
    parser.add_argument("--seconds", type=int, default=60, help="of idle")
    chosen = parser.parse_args()
    wanted = MEASURES if "all" in chosen.what else chosen.what
    rows = []
    for row in _rows(wanted, chosen):
        rows.append(row)
        print(f"{row.what}: {row.connector}", file=sys.stderr, flush=True)
    print(_markdown(rows) if chosen.markdown else _plain(rows))
    return 0 if all(row.met for row in rows) else 1


def _rows(wanted: list[str], chosen: argparse.Namespace) -> Iterator[Row]:
    if {"ingest", "deliver"} & set(wanted):
        for size in chosen.sizes:
            yield from _speeds(size, wanted, chosen)
    if "latency" in wanted:
        yield from _latency(chosen)
    if "memory" in wanted:
        found = standing.memory(chosen.backlog)
        text = f"{found.peak:.0f} MB at most, {found.after:.0f} MB after it ({found.seconds:.0f} s)"
        yield Row(f"resident while {chosen.backlog:,} events drain", "", text, "", "< 200 MB", found.peak < 200)
    if "idle" in wanted:
        share = standing.idle(chosen.seconds)
        yield Row("an idle daemon, poll 10 s", "", f"{share:.2%} of a core", "", "< 1 %", share < 0.01)
    if "watch" in wanted:
        found = watch.commits(100_000, turns=60)
        text = f"{found.median:.1f} ms (p99 {found.p99:.1f}; {found.rows} rows at most, {found.commits:,} commits)"
        yield Row("a commit where 100,000 ids are watched", "", text, "", "< 5 ms", found.median < 5)
    if "start" in wanted:
        for name, found in zip(("a new", "an existing"), standing.start(chosen.rounds), strict=True):
            took, busy = (
                statistics.median(each) for each in ([one.took for one in found], [one.busy for one in found])
            )
            yield Row(
                f"start to first request, {name} database",
                "",
                f"{took:.2f} s, busy {busy:.2f} s",
                "",
                "< 1 s",
                took < 1,
            )


def _speeds(size: str, wanted: list[str], chosen: argparse.Namespace) -> Iterator[Row]:
    kilobytes = {"usual": "0.9", "large": "2.4"}[size]
    ingest, deliver = speed.measure(chosen.events, chosen.rounds, size)
    for name, speeds, bar in (
        (f"ingest, events of {kilobytes} kB, 100 recipes", ingest, 1.6),
        (f"deliveries, of events of {kilobytes} kB", deliver, 3.7),
    ):
        if name.startswith("ingest") and "ingest" not in wanted:
            continue
        if name.startswith("deliver") and "deliver" not in wanted:
            continue
        texts = [
            f"{statistics.median(rate):,.0f}/s, {1e6 / statistics.median(busy):,.0f} µs busy each"
            for rate, busy in ((speeds.script, speeds.script_busy), (speeds.ours, speeds.ours_busy))
        ]
        ratio = speeds.ratio()
        yield Row(name, *texts, f"{ratio:.2f}", f"≥ {bar}", ratio >= bar)


def _latency(chosen: argparse.Namespace) -> Iterator[Row]:
    from connector.model import span

    found, bar = standing.latency(chosen.minutes, chosen.poll), span(chosen.poll) + 100
    what = f"visible to arrived, 50/s for {chosen.minutes:g} min, poll {chosen.poll}"
    text = f"p99 {found.p99:,} ms (median {found.median:,}, worst {found.worst:,}; {found.events:,} events)"
    yield Row(what, "", text, "", f"p99 ≤ {bar:,} ms", found.p99 <= bar)
    yield Row("the daemon meanwhile", "", f"{found.share:.1%} of a core", "", "", met=True)
    text = f"{found.resident:.0f} MB ({found.peak:.0f} at most)"
    yield Row("resident meanwhile", "", text, "", "< 150 MB", found.resident < 150)


TITLES = ("what", "script", "connector", "ratio", "bar", "met")


def _cells(row: Row) -> tuple[str, ...]:
    return (row.what, row.script, row.connector, row.ratio, row.bar, ("yes" if row.met else "no") if row.bar else "")


def _plain(rows: list[Row]) -> str:
    lines = [TITLES, *map(_cells, rows)]
    widths = [max(len(line[n]) for line in lines) for n in range(len(TITLES))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)


def _markdown(rows: list[Row]) -> str:
    lines = [TITLES, ("---",) * len(TITLES), *map(_cells, rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
