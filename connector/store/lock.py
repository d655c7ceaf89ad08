"""One daemon a database: a lock the kernel lets go of when the process ends, however it ends.

It is taken on a file of its own: opening and closing the database file itself would drop SQLite's locks.
"""

import fcntl
import os
from pathlib import Path

from connector.errors import DatabaseBusy


def hold(database: Path) -> int:
    """Take the lock and write our process number into it; the descriptor to keep open. Raises DatabaseBusy."""
    file = database.with_name(database.name + ".lock")
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
        os.close(descriptor)
        message = f"{database} is in use by another connector (process {holder}): stop it first"
        raise DatabaseBusy(message) from error
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode())
    return descriptor


def holder(database: Path) -> int | None:
    """The process that holds the lock, or None when no daemon runs on this database."""
    file = database.with_name(database.name + ".lock")
    try:
        descriptor = os.open(file, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        text = os.read(descriptor, 32).decode(errors="replace").strip()
        return int(text) if text.isdigit() else 0
    finally:
        os.close(descriptor)
    return None
