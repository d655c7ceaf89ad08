"""How commands end: exit codes, and what is said when something is wrong (design §8)."""

import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Final

import typer
from typer.exceptions import TyperException

from connector.cli.output import complain
from connector.errors import ConfigurationError, ConnectorError, DatabaseBusy

NOT_WELL: Final = 1
WRONG: Final = 2
BUSY: Final = 3
DEFECT: Final = 70
INTERRUPTED: Final = 130


def guarded(command: Callable[[], object]) -> int:
    """Run a command and give its exit code; every error becomes plain lines on standard error."""
    try:
        code = command()
        sys.stdout.flush()
    except BrokenPipeError:  # `connector events | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001  the last stop: what gets here is ours to answer for
        return _code(error)
    return code if isinstance(code, int) else 0


def _code(error: Exception) -> int:
    if isinstance(error, TyperException):
        return _usage(error)
    if isinstance(error, typer.Abort):
        complain("stopped: nothing was changed")
        return INTERRUPTED
    if isinstance(error, ConfigurationError):
        for mistake in error.mistakes:
            complain(str(mistake))
        return WRONG
    if isinstance(error, ConnectorError):
        complain(str(error))
        return BUSY if isinstance(error, DatabaseBusy) else WRONG
    trouble = _database_trouble(error)
    if trouble:
        complain(f"the database cannot be used: {trouble}")
        return WRONG
    return _defect(error)


def _database_trouble(error: Exception) -> str:
    """What SQLite says of the machine or the file (locked, full, damaged …); "" for a mistake in what it was asked."""
    said = getattr(error, "orig", None)
    name = getattr(said, "sqlite_errorname", "SQLITE_ERROR")
    return (
        "" if name.startswith(("SQLITE_ERROR", "SQLITE_CONSTRAINT", "SQLITE_MISMATCH", "SQLITE_RANGE")) else str(said)
    )


def _usage(error: TyperException) -> int:
    show = getattr(error, "show", None)
    if show is None:
        complain(str(error))
    else:
        show()
    return error.exit_code


def _defect(error: Exception) -> int:
    """A mistake of ours. The places it passed are written down; no value is, since it may be data or a secret."""
    kind = type(error).__name__
    lines = [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    try:
        descriptor, name = tempfile.mkstemp(prefix="connector-defect-", suffix=".txt")
        with os.fdopen(descriptor, "w") as file:
            file.write("\n".join([f"{kind} (values are left out: they may be personal)", *lines, ""]))
        told = f"details, without data, are in {Path(name)}"
    except OSError:
        told = lines[-1] if lines else "no details"
    complain(f"this is a mistake in the connector ({kind}), not yours: {told} - please report it")
    return DEFECT
