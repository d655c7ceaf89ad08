"""References such as `${NAME}` and `${NAME:default}`, and the values they stand for.

A value is looked up in the environment, then in `.env`, then in a folder with one file a name (systemd credentials,
Docker secrets); an empty one counts as not set. Files are read again when they changed, so a rotated secret counts at
once.
"""

import base64
import functools
import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import quote, quote_plus

from connector.errors import ConfigurationError, Mistake, SecretMissing

_REFERENCE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::((?:(?!\$\{)[^}])*))?\}")
_NAME: Final = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)")
_QUOTED: Final = re.compile(r"(?:'([^']*)'|\"((?:[^\"\\]|\\.)*)\")\s*(?:#.*)?")
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t"}
_SHORTEST: Final = 6  # characters; shorter values would be found in any text
_SHORTEST_PART: Final = 4  # of a value that was cut off
_HIDDEN: Final = "***"
CUT: Final = "…"
"""Stands where a text was cut before it could be redacted: what of a value may stand before it is hidden too."""
_ODD: Final = "surrogateescape"  # bytes of an environment that are not UTF-8
_CAP: Final = 256 * 1024  # bytes of one file

Stamp: TypeAlias = tuple[int, int, int] | None  # inode, mtime, size


class Vault:
    """The environment, a `.env` file and a secrets folder, as one place to look names up.

    Raises ConfigurationError for a `.env` that cannot be read, naming the line but never its content. If it breaks
    later, the values read last stay, and `mistakes` tells.
    """

    def __init__(self, environ: Mapping[str, str], dotenv: Path | None, folder: Path | None) -> None:
        self._environ = environ
        self._dotenv = dotenv
        self._folder = folder
        self._stamp: Stamp = None
        self._entries: dict[str, str] = {}
        self._files: dict[str, tuple[Stamp, str]] = {}
        self._revealed: set[str] = set()
        self._forms: list[str] = []  # their spellings, the longest first
        self.mistakes: list[Mistake] = []
        self._read_dotenv()
        if self.mistakes:
            raise ConfigurationError(self.mistakes)

    def __repr__(self) -> str:
        return f"Vault(dotenv={str(self._dotenv)!r}, folder={str(self._folder)!r})"

    def get(self, name: str) -> str | None:
        """The value, or None if it is set nowhere. Raises SecretMissing for a file that is there but unreadable."""
        value = self._environ.get(name)
        if value:
            return value
        self._read_dotenv()
        return self._entries.get(name) or self._file(name) or None

    def variables(self) -> dict[str, str]:
        """Everything `.env` and the environment set; the environment wins."""
        self._read_dotenv()
        return {**self._entries, **self._environ}

    def expand(self, text: str, *, secret: bool = True) -> str:
        """The text with every reference replaced. secret: `redact` hides the values from now on.

        Raises SecretMissing for a name that is set nowhere and has no default.
        """
        return _REFERENCE.sub(functools.partial(self._value, secret=secret), text)

    def _value(self, match: re.Match[str], *, secret: bool) -> str:
        value = self.get(match[1])
        if value is None:
            value = match[2]
        if value is None:
            raise SecretMissing(match[1])
        if secret:
            self.hide(value)
        return value

    @staticmethod
    def names(text: str) -> tuple[str, ...]:
        """The names that the text refers to, in order."""
        return tuple(match[1] for match in _REFERENCE.finditer(text))

    @staticmethod
    def malformed(text: str) -> bool:
        """Whether a `${` in the text is no reference: `${my-name}`, `${NAME`."""
        return "${" in _REFERENCE.sub("", text)

    # ── hiding ──────────────────────────────────────────────────────────────────────────────────

    def hide(self, value: str) -> None:
        """Have `redact` hide this value too: one that was revealed, or made of one."""
        if value in self._revealed or len(value) < _SHORTEST:
            return
        self._revealed.add(value)
        self._forms = sorted({*self._forms, *_forms(value)}, key=len, reverse=True)

    def redact(self, text: str) -> str:
        """The text with every value revealed so far as `***`: plain, URL-quoted, base64 or escaped as in JSON."""
        for form in self._forms:
            if form in text:
                text = text.replace(form, _HIDDEN)
        if CUT not in text:
            return text
        *cut, last = text.split(CUT)
        return CUT.join([*map(self._without_part, cut), last])

    def _without_part(self, text: str) -> str:
        """The text without the beginning of a value at its end."""
        longest = max((_shared(text, form) for form in self._forms), default=0)
        return text[:-longest] + _HIDDEN if longest >= _SHORTEST_PART else text

    # ── files ───────────────────────────────────────────────────────────────────────────────────

    def _read_dotenv(self) -> None:
        if self._dotenv is None:
            return
        now = stamp(self._dotenv)
        if now == self._stamp:
            return
        try:
            entries = {} if now is None else parse_dotenv(_read(self._dotenv), str(self._dotenv))
        except ConfigurationError as error:
            self.mistakes = error.mistakes
        except (OSError, ValueError) as error:
            self.mistakes = [Mistake(str(self._dotenv), 0, 0, f"the file cannot be read: {_why(error)}")]
        else:
            self.mistakes, self._entries = [], entries
        self._stamp = now

    def _file(self, name: str) -> str | None:
        if self._folder is None or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            return None
        path = self._folder / name
        now = stamp(path)
        if now is None:
            return None
        known = self._files.get(name)
        if known is None or known[0] != now:
            try:
                known = self._files[name] = (now, _read(path).rstrip("\r\n"))
            except (OSError, ValueError) as error:
                raise SecretMissing(name, f"cannot be read from {path}: {_why(error)}") from None
        return known[1]


@dataclass(frozen=True, slots=True)
class Secret:
    """A text with references whose value is read only where it is used. Shown as its `${NAME}`s, or `***`.

    Two are equal when their templates are.
    """

    template: str
    vault: Vault = field(compare=False)

    def reveal(self) -> str:
        """The value. Raises SecretMissing."""
        value = self.vault.expand(self.template)
        self.vault.hide(value)
        return value

    def fingerprint(self) -> str:
        """16 hex digits that change when the value does, the same in every process; "" while it is not set.

        Stretched, so that a weak value cannot be guessed from a stored one.
        """
        try:
            return _fingerprint(self.reveal())
        except SecretMissing:
            return ""

    def __repr__(self) -> str:
        return " ".join(f"${{{name}}}" for name in Vault.names(self.template)) or _HIDDEN

    __str__ = __repr__


@functools.lru_cache(maxsize=256)
def _fingerprint(value: str) -> str:
    return hashlib.scrypt(value.encode(errors=_ODD), salt=b"connector", n=4096, r=8, p=1, dklen=8).hex()


def _shared(text: str, form: str) -> int:
    """How many characters at the end of the text are a value's first."""
    most = min(len(text), len(form) - 1)
    return next((n for n in range(most, _SHORTEST_PART - 1, -1) if text.endswith(form[:n])), 0)


def _forms(value: str) -> Iterator[str]:
    """The spellings a value may appear in. Base64 has three, by where in the encoded text the value begins."""
    yield value
    for safe in ("", "/", "!$&'()*+,;=:@/?"):
        yield quote(value, safe=safe, errors=_ODD)
        yield re.sub("%[0-9A-F]{2}", lambda escape: escape[0].lower(), quote(value, safe=safe, errors=_ODD))
    yield quote_plus(value, errors=_ODD)
    for ascii_only in (True, False):
        escaped = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
        yield escaped
        yield escaped.replace("/", "\\/")
    raw = value.encode(errors=_ODD)
    yield from (base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode())
    for shift in range(3):
        shifted = base64.b64encode(bytes(shift) + raw).decode()
        # Digits that share bits with what stands before or after the value are not the value's own.
        first, last = (0, 2, 3)[shift], len(shifted) - (0, 3, 2)[(shift + len(raw)) % 3]
        if last - first >= _SHORTEST:
            yield shifted[first:last]
            yield shifted[first:last].translate({ord("+"): "-", ord("/"): "_"})


def parse_dotenv(text: str, file: str) -> dict[str, str]:
    r"""The `NAME=value` lines of a `.env`: `export`, comments and quotes are read; double quotes know `\n`, `\r`, `\t`.

    Raises ConfigurationError naming lines, never their content: they hold secrets.
    """
    entries: dict[str, str] = {}
    lines: dict[str, int] = {}
    mistakes = []
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, equals, rest = line.partition("=")
        match = _NAME.fullmatch(name.strip())
        value = _unquoted(rest)
        if not match or not equals or value is None:
            mistakes.append(Mistake(file, number, 1, "this line is not NAME=value", "close quotes on their line"))
        elif match[1] in entries:
            mistakes.append(Mistake(file, number, 1, f"this name is set at line {lines[match[1]]} already"))
        else:
            entries[match[1]], lines[match[1]] = value, number
    if mistakes:
        raise ConfigurationError(mistakes)
    return entries


def _unquoted(text: str) -> str | None:
    """What stands right of the `=`, without its quotes and comment; None if a quote is not closed."""
    if text.strip()[:1] not in {"'", '"'}:
        return re.split(r"\s#", text, maxsplit=1)[0].strip()
    match = _QUOTED.fullmatch(text.strip())
    if not match:
        return None
    if match[2] is None:
        return match[1]
    return re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[1]), match[2])


def stamp(path: Path) -> Stamp:
    """What changes when the file does; None if there is no such file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def _read(path: Path) -> str:
    with open(path, "rb", opener=_at_once) as opened:
        if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
            raise ValueError("it is not a regular file")
        raw = opened.read(_CAP + 1)
    if len(raw) > _CAP:
        raise ValueError(f"it is larger than {_CAP // 1024} KiB")
    return raw.decode()


def _at_once(path: str, flags: int) -> int:
    """Open without waiting: a pipe that nobody writes to would wait for ever."""
    return os.open(path, flags | os.O_NONBLOCK)


def _why(error: OSError | ValueError) -> str:
    """The reason without the content, which the text of a decoding error would repeat."""
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8 text"
    return error.strerror or type(error).__name__ if isinstance(error, OSError) else str(error)
