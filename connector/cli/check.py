"""`connector check`: every mistake of the configuration and the recipes at once."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli import failure
from connector.cli.options import AsJson, Format, WrongUse
from connector.cli.output import emit_json, plural, say
from connector.cli.session import config_file

if TYPE_CHECKING:
    from connector.errors import Mistake


def check(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH…", help="Recipes or folders, instead of those of the configuration."),
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="For people, programs, or GitHub's annotations.")] = "text",
    as_json: AsJson = False,
) -> None:
    """Every mistake, with its place. Exits 1 when there is one; warnings alone are well."""
    from connector.check import check as look  # noqa: PLC0415
    from connector.check import printed, well  # noqa: PLC0415

    form = "json" if as_json else form
    config: Path | None = config_file.get()
    if config is not None and not config.exists():
        if not paths:
            raise WrongUse(
                f"there is no {config}: `connector init` writes one, `--config FILE` names another, "
                "or name recipes: connector check PATH"
            )
        config = None
    mistakes = look(config, os.environ, paths or ())
    if form == "json":
        emit_json([asdict(mistake) for mistake in mistakes])
    else:
        for line in printed(mistakes, form).splitlines():
            say(line)
    if form == "text":
        say(_sum(mistakes), "" if mistakes else "green")
    if not well(mistakes):
        raise typer.Exit(failure.NOT_WELL)


def _sum(mistakes: "list[Mistake]") -> str:
    errors = sum(mistake.severity == "error" for mistake in mistakes)
    warnings = len(mistakes) - errors
    counts = [plural(n, word) for n, word in ((errors, "mistake"), (warnings, "warning")) if n]
    return ", ".join(counts) or "no mistakes"
