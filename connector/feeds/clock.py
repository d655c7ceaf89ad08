"""The platform's clock, as far as its answers tell it.

Windows end at the platform's now. Were ours ahead of it unnoticed, the next window would begin after moments that had
not yet happened there.
"""

from dataclasses import dataclass
from typing import Final

from connector.model import HOUR, SECOND, Answer, Instant, Now, span_text
from connector.platforms import answers

_LARGEST_SKEW: Final = HOUR
_SMALLEST_SKEW: Final = 2 * SECOND


@dataclass(slots=True)
class PlatformClock:
    """skew: milliseconds it is ahead of ours. notes: where goes what a person should know about it."""

    now: Now
    notes: set[str]
    skew: int = 0

    def time(self) -> Instant:
        """The platform's now."""
        return self.now() + self.skew

    def hear(self, answer: Answer) -> None:
        """Take in an answer's `Date`, which is cut to the second and was written at some moment of the exchange."""
        date = answers.date(answer)
        if date is None:
            return
        received = self.now()
        least, most = date - received, date + SECOND - (received - answer.elapsed)
        for believed in (self.skew, 0):
            if least - _SMALLEST_SKEW <= believed <= most + _SMALLEST_SKEW:
                self.skew = believed
                return
        skew = least if least > 0 else most
        if abs(skew) <= _LARGEST_SKEW:
            self.skew = skew
        else:
            away = f"{span_text(abs(skew) // SECOND * SECOND)} {'ahead of' if skew > 0 else 'behind'}"
            self.notes.add(
                f"the platform's clock seems to be {away} ours, which is not believed: set this machine's clock"
            )
