"""Hidden texts that are made of others. They are revealed at the door to the network, never by a builder."""

from dataclasses import dataclass
from urllib.parse import quote

from connector.model import Hidden


@dataclass(frozen=True, slots=True)
class Veiled:
    """A text that is a secret itself, such as a signed address. Shown as `***`."""

    text: str

    def reveal(self) -> str:
        """The text."""
        return self.text

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__


@dataclass(frozen=True, slots=True)
class Around:
    """A hidden text with open ones around it: `ApiKey …`, or an address with a key in it. Shown with `***` inside.

    quoted: percent-encode it, as a part of an address must be.
    """

    before: str
    hidden: Hidden
    after: str = ""
    quoted: bool = False

    def reveal(self) -> str:
        """The whole. Raises SecretMissing."""
        inner = self.hidden.reveal()
        return f"{self.before}{quote(inner, safe='', errors='surrogateescape') if self.quoted else inner}{self.after}"

    def __repr__(self) -> str:
        return f"{self.before}***{self.after}"

    __str__ = __repr__
