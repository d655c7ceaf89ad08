"""A file's bytes → text, strictly UTF-8."""

import os
import stat
from pathlib import Path
from typing import Final

from connector.document.reader import LIMIT, read
from connector.document.tree import Document
from connector.errors import ConfigurationError, Mistake

_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


def read_file(path: Path, name: str = "") -> Document:
    """Read one regular file (no pipe, device or folder) of at most 256 KiB. name: how mistakes call it.

    Raises ConfigurationError.
    """
    file = name or str(path)
    return read(_decoded(_content(path, file), file), file)


def _content(path: Path, file: str) -> bytes:
    try:
        with open(path, "rb", opener=_at_once) as opened:
            if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
                raise _refused(file, "this is not a regular file")
            return opened.read(LIMIT + 1)
    except FileNotFoundError:
        raise _refused(file, "there is no such file") from None
    except OSError as error:
        raise _refused(file, f"the file cannot be read: {error.strerror}") from None


def _at_once(path: str, flags: int) -> int:
    """Open without waiting: a pipe that nobody writes to would wait for ever."""
    return os.open(path, flags | os.O_NONBLOCK)


def _decoded(raw: bytes, file: str) -> str:
    if len(raw) > LIMIT:
        raise _refused(file, f"the file is larger than {LIMIT // 1024} KiB", "split it")
    if raw.startswith(_UTF16) or b"\0" in raw:
        raise _refused(file, "the file is not UTF-8 text", "save it as UTF-8")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode()) + 1
        message = f"byte 0x{raw[error.start]:02x} is not UTF-8 text"
        raise ConfigurationError([Mistake(file, line, column, message, "save the file as UTF-8")]) from None


def _refused(file: str, message: str, hint: str = "") -> ConfigurationError:
    return ConfigurationError([Mistake(file, 0, 0, message, hint)])
