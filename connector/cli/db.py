"""`connector db`: the database file: bring up to date, back up, restore, let go, verify."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli import failure
from connector.cli.options import AsJson, WrongUse, Yes, confirm, noun
from connector.cli.output import Column, emit_json, plural, say, table
from connector.cli.session import daemon, opened, reading, settings
from connector.engines.clock import now as clock
from connector.errors import DatabaseBusy

if TYPE_CHECKING:
    from connector.settings import Settings

app = noun("The database: back up, restore, let go, verify.")


@app.command()
def upgrade() -> None:
    """Make the database, or bring an older one up to date. The daemon must be stopped."""
    from connector.store import schema  # noqa: PLC0415

    of = settings("warn")
    _refuse_beside_a_daemon(of)
    with opened(of):
        say(f"the database is at version {schema.HEAD}")


@app.command()
def backup(file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to; it must not be there yet.")]) -> None:
    """Write a verified copy, while the daemon runs."""
    from connector.store import file as copies  # noqa: PLC0415

    copies.back_up(settings("warn").database, file)
    say(f"backed up to {file} ({file.stat().st_size / 1_000_000:.1f} MB, verified)")
    say("it holds personal data, as the database does: keep it where only its keeper can read it")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that `db backup` wrote.")], yes: Yes = False
) -> None:
    """Put a backup in the database's place; the old one is kept aside."""
    from connector.store import file as copies  # noqa: PLC0415

    of = settings("warn")
    _refuse_beside_a_daemon(of)
    if not file.is_file():
        raise WrongUse(f"there is no backup at {file}")
    if not yes:
        say("Restoring goes back to the moment of the backup:")
        say("- events since then are polled again, as far back as the platform shows them")
        say("- what was delivered since then is delivered again, under the same ids: receivers can tell")
        say("- what people decided since then (approvals, retries, discards) is forgotten")
        confirm("Restore?", yes=yes)
    aside = copies.restore(of.database, file, clock())
    say(f"restored from {file}" + (f"; the database before it is {aside}" if aside else ""))
    say("next: connector db verify, then connector run")


@app.command()
def prune() -> None:
    """Let go now of what is older than `privacy.keep` says, and give the room back."""
    from connector.store import file, retention  # noqa: PLC0415

    of = settings("warn")
    kept = of.privacy.keep
    keep = retention.Keep(kept.events, kept.ids, kept.deliveries)
    looked_at = 0
    with opened(of) as store:
        while True:
            with store.write() as tx:
                some = retention.forget(tx, keep, clock())
            if not some:
                break
            looked_at += some
    say(f"{plural(looked_at, 'row')} older than the configuration keeps, gone through")
    if daemon(of) is not None:
        say("the file keeps its size while the daemon runs: stop it and run this again to shrink the file")
        return
    file.shrink(of.database)
    say("the file gave back what it no longer needs")


@app.command()
def verify(as_json: AsJson = False) -> None:
    """Check that the database is sound. Exits 1 when it is not."""
    from connector.store.verify import verify as look  # noqa: PLC0415

    with reading(settings("warn")) as tx:
        checks = look(tx)
    if as_json:
        emit_json([{"check": one.name, "ok": not one.fault, "fault": one.fault} for one in checks])
    else:
        table(
            ["", "check", Column("fault", rigid=False)], [("no" if c.fault else "ok", c.name, c.fault) for c in checks]
        )
    if any(one.fault for one in checks):
        raise typer.Exit(failure.NOT_WELL)


def _refuse_beside_a_daemon(of: "Settings") -> None:
    process = daemon(of)
    if process is not None:
        raise DatabaseBusy(f"`connector run` uses the database (process {process}): stop it first")
