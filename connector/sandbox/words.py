"""What a person may have meant by a word that nobody knows."""

import difflib
from collections.abc import Iterable, Sequence

from connector.errors import ConfigurationError, Mistake


def meant(word: str, known: Sequence[str]) -> str:
    """`did you mean 'lag'?`, or else everything that is known."""
    close = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"


def refuse_unknown(words: Iterable[str], known: Iterable[str], what: str) -> None:
    """Raises ConfigurationError with every word that is none of the known ones."""
    names = sorted(known)
    mistakes = [
        Mistake("sandbox", 0, 0, f"there is no {what} {word!r}", meant(word, names))
        for word in words
        if word not in names
    ]
    if mistakes:
        raise ConfigurationError(mistakes)
