"""`connector version`."""

from connector import __version__
from connector.cli.options import AsJson
from connector.cli.output import emit_json


def version(as_json: AsJson = False) -> None:
    """The version of this connector."""
    if as_json:
        emit_json({"version": __version__})
    else:
        print(f"connector {__version__}")  # noqa: T201  without Rich, at once
