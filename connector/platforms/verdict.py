"""What a platform's answer to a call that writes means for its delivery."""

from typing import Final

from connector.errors import FeedError
from connector.model import Answer, Verdict
from connector.platforms.answers import Clues, accepted, refusal, request_id, spoken, wait

_UNSURE: Final = frozenset({400, 413, 422})  # of which Intempt gives some to bytes that it takes a moment later
_ACCOUNT: Final = frozenset({401, 402, 403, 410})  # the account is at fault, not the delivery
_LATER: Final = frozenset({408, 425})


def judge(answer: Answer, clues: Clues, *, refusals: int = 0, patience: int = 1) -> Verdict:
    """The verdict on one attempt.

    refusals: how many attempts directly before this one got 400, 413 or 422; patience: how many of them are final.
    """
    status = answer.status
    if 200 <= status < 300:
        return _taken(answer, clues)
    reason = _reason(answer, clues)
    if status == 429:
        return Verdict("throttled", reason, wait(answer))
    if status in _ACCOUNT:
        return Verdict("refused", reason)
    if status in _LATER or status >= 500 or status < 200:
        return Verdict("retry", reason, wait(answer))
    if status in _UNSURE and refusals + 1 < patience:
        return Verdict("retry", f"{reason}; {refusals + 1} of {patience} in a row, after which it is final")
    return Verdict("dead", reason)


def _taken(answer: Answer, clues: Clues) -> Verdict:
    """Of a success: some are none, by what their body says; a body that is no JSON is not the platform's."""
    try:
        accepted(answer, "an acknowledgement", clues)
    except FeedError as error:
        says_no = error.message.startswith("the platform says no")
        return Verdict("dead" if says_no else "retry", f"HTTP {answer.status}: {error.message}")
    return Verdict("delivered", f"HTTP {answer.status}")


def _reason(answer: Answer, clues: Clues) -> str:
    refused = refusal(answer, clues)
    words, known = spoken(answer.body), request_id(answer)
    said = words or (refused.message if refused else "")
    return f"HTTP {answer.status}: {said}" + (f" [x-amzn-RequestId {known}]" if known else "")
