"""One code from several runs: what more than half of them say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from discourse.models.judge.answers import Invalid, Vote

UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class Code:
    """The consensus on one level of one comment.

    value: an answer, or `unsure`. reason: of unsure: `model` (most runs are unsure), `runs` (they differ), or why most
    answers were invalid. shares: of the valid answers, by answer. The span is the passage that most of the agreeing
    runs quote.
    """

    value: str
    reason: str | None
    shares: dict[str, float]
    start: int | None = None
    end: int | None = None
    unanimous: bool = False


def consensus(votes: Sequence[Vote | Invalid]) -> Code:
    """Return what more than half of the runs say; without such a majority the code is `unsure`.

    Args:
        votes: one for each run that was asked, at least one.
    """
    valid = [vote for vote in votes if isinstance(vote, Vote)]
    faults = Counter(vote.value for vote in votes if isinstance(vote, Invalid))
    counts = Counter(vote.value for vote in valid)
    shares = {value: number / len(valid) for value, number in counts.items()}
    if faults and max(faults.total(), 1) * 2 >= len(votes):
        return Code(UNSURE, faults.most_common(1)[0][0], shares)
    value, number = counts.most_common(1)[0]
    if number * 2 <= len(votes):
        return Code(UNSURE, "runs", shares)
    if value == UNSURE:
        return Code(UNSURE, "model", shares)
    spans = Counter((vote.start, vote.end) for vote in valid if vote.value == value)
    start, end = spans.most_common(1)[0][0]
    return Code(value, None, shares, start, end, unanimous=number == len(votes))
