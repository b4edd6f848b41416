"""The cascade: which comments the static tier may answer, so that few of the encoder's answers are changed.

Per frame two losses are kept: encoder-yes that the static tier calls no, and encoder-no that it calls yes. Each is
controlled in expectation by conformal risk control (Angelopoulos, Bates, Fisch, Lei & Schuster 2024) with threads as
units, on scores of models that did not see the comments.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from discourse.config import explain
from discourse.errors import BundleError
from discourse.models.bundle import Bundle, Calibration
from discourse.models.calibration import probability

FILE = "cascade.json"
LOST = 0.05
TURNED = 0.002
ROOM = 8.0  # how many times the cap must fit into what may be lost

Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]


class CutOffs(BaseModel):
    """Static scores below `low` are answered no, those of at least `high` yes; None: nothing is answered so.

    lost, turned: the shares of the calibration comments that the cut-offs change, weighted as they were controlled.
    yes_threads, no_threads: in how many threads the encoder said yes, and no.
    yes_cap, no_cap: a thread counts for at most so many comments; None: for all it has.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    low: float | None
    high: float | None
    lost: Annotated[float, Field(ge=0, le=1)]
    turned: Annotated[float, Field(ge=0, le=1)]
    yes_threads: int
    no_threads: int
    yes_cap: float | None
    no_cap: float | None

    @property
    def whole(self) -> bool:
        """Whether the frame goes up whole: no score is low enough to be answered no."""
        return self.low is None


class Cascade(BaseModel):
    """The contents of `cascade.json`.

    lost, turned: the bounds. comments, threads: on which the cut-offs were found. answered: the share of these comments
    that the static tier answers, each counting by its weight. levels: the cut-offs of each frame. alone: those where
    the text is read without title and parent. calibration: from static scores to probabilities.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    lost: Annotated[float, Field(gt=0, lt=1)]
    turned: Annotated[float, Field(gt=0, lt=1)]
    comments: int
    threads: int
    answered: Annotated[float, Field(ge=0, le=1)]
    levels: dict[str, CutOffs]
    alone: dict[str, CutOffs]
    calibration: dict[str, Calibration]

    @property
    def whole(self) -> tuple[str, ...]:
        """The frames that go up whole; if there is any, so does every comment."""
        return tuple(level for level, found in self.levels.items() if found.whole)

    @property
    def said(self) -> str:
        """What a person should know of it, in a sentence."""
        if self.whole:
            return (
                f"every comment goes up to the encoder: {', '.join(self.whole)} cannot keep the bounds of the cascade"
            )
        return f"the static tier answers {self.answered:.0%} of {self.comments:,} comments in {self.threads:,} threads"


def load_cascade(bundle: Bundle) -> Cascade | None:
    """Return what a bundle says of its static tier, None where it has none.

    Raises:
        BundleError: the file is damaged or speaks of other frames.
    """
    if FILE not in bundle.manifest.files:
        return None
    path = bundle.folder / FILE
    try:
        found = Cascade.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except ValidationError as e:
        raise BundleError(f"{path}: {explain(e, Cascade)}") from e
    except (OSError, ValueError) as e:
        raise BundleError(f"{path}: is no table of cut-offs; fetch the bundle again") from e
    if any({*told} != {*bundle.manifest.labels} for told in (found.levels, found.alone, found.calibration)):
        raise BundleError(f"{path}: speaks of other frames than the bundle has; fetch the bundle again")
    return found


def static_probability(scores: Reals, cut: CutOffs, own: Calibration, encoder: Calibration) -> Reals:
    """Return the probabilities of one frame that static scores stand for, on the side of the answer.

    Args:
        scores: of comments that the static tier answers.
        cut: the frame's cut-offs.
        own: the calibration of static scores.
        encoder: the calibration whose threshold tells yes from no.
    """
    p = probability(scores, own)
    under = np.nextafter(encoder.threshold, -np.inf)
    return np.where(_reached(scores, cut.high), np.maximum(p, encoder.threshold), np.minimum(p, under)).clip(0, 1)


class _Bound(NamedTuple):
    """The score up to which rows may be passed, the share that is, the threads, and the cap (None: none)."""

    value: float | None
    share: float
    threads: int
    cap: float | None


def cut_offs(
    static: Reals,
    encoder_yes: Flags,
    thread: NDArray[np.str_],
    weight: Reals,
    lost: float = LOST,
    turned: float = TURNED,
) -> CutOffs:
    """Find the cut-offs of one frame.

    Args:
        static: out-of-fold scores of the static tier, float64 (rows,).
        encoder_yes: what the encoder of the same fold said.
        thread: the thread of each row; threads are the units that a new thread is like.
        weight: how many comments a row stands for; rows of weight 0 are left out.
        lost: bound on the expected share of encoder-yes that are answered no.
        turned: bound on the expected share of encoder-no that are answered yes.

    Returns:
        The cut-offs. Where a bound cannot be kept with so few threads, that side answers nothing.
    """
    kept = (weight > 0) & ~np.isnan(weight)
    static, encoder_yes, thread, weight = static[kept], encoder_yes[kept], thread[kept], weight[kept]
    low = _controlled(static[encoder_yes], thread[encoder_yes], weight[encoder_yes], lost)
    high = _controlled(-static[~encoder_yes], thread[~encoder_yes], weight[~encoder_yes], turned)
    # Passing a score turns what lies beyond it, not the score itself: yes begins just above.
    top = None if high.value is None else float(np.nextafter(-high.value, np.inf))
    bottom = low.value
    if bottom is not None and top is not None and bottom > top:
        # Lowering a low cut-off only lessens its loss.
        bottom = top
    return CutOffs(
        low=bottom,
        high=top,
        lost=low.share,
        turned=high.share,
        yes_threads=low.threads,
        no_threads=high.threads,
        yes_cap=low.cap,
        no_cap=high.cap,
    )


def goes_up(scores: Reals, cut: Sequence[CutOffs]) -> Flags:
    """Tell which comments the encoder must answer: those that lie between the cut-offs of any frame.

    Args:
        scores: static scores, rows × frames.
        cut: the cut-offs of each frame.
    """
    up = np.zeros(len(scores), bool)
    for k, found in enumerate(cut):
        up |= ~(_below(scores[:, k], found.low) | _reached(scores[:, k], found.high))
    return up


def says_yes(scores: Reals, cut: Sequence[CutOffs]) -> Flags:
    """Return what the static tier answers, rows × frames; it holds for rows that do not go up."""
    return np.column_stack([_reached(scores[:, k], found.high) for k, found in enumerate(cut)])


def _below(scores: Reals, low: float | None) -> Flags:
    return np.zeros(len(scores), bool) if low is None else scores < low


def _reached(scores: Reals, high: float | None) -> Flags:
    return np.zeros(len(scores), bool) if high is None else scores >= high


def _controlled(score: Reals, thread: NDArray[np.str_], weight: Reals, bound: float) -> _Bound:
    """Find the highest score such that rows below it are, in a thread like these, an expected share of at most `bound`.

    A thread t counts V_t = min(W_t, c) comments, W_t its weight and c the cap, and loses V_t times the weighted share
    of its rows below the cut-off. With A_t = loss_t - bound · V_t, which grows with the cut-off and is at most
    (1 - bound) · c, the rule Σ A_t + (1 - bound) · c ≤ 0 keeps E[A] ≤ 0 for the next exchangeable thread (theorem 1 of
    the paper, applied to A), that is E[loss] ≤ bound · E[V]. With one comment a thread it is the paper's
    (n · R + 1) / (n + 1) ≤ bound.
    """
    if not len(score):
        return _Bound(None, 0.0, 0, None)
    _, unit = np.unique(thread, return_inverse=True)
    total: Reals = np.bincount(unit, weight).astype(np.float64)
    cap = _cap(total, ROOM * (1 - bound) / bound)
    each = weight * (np.minimum(total, cap) / total)[unit]
    order = np.argsort(score, kind="stable")
    ordered, passed = score[order], np.cumsum(each[order])
    # What lies strictly below each row's score, rows of equal score together.
    before = np.concatenate([[0.0], passed])[np.searchsorted(ordered, ordered, side="left")]
    allowed = before + cap <= bound * (each.sum() + cap) + 1e-12
    largest = None if cap >= total.max() else float(cap)
    if not allowed.any():
        return _Bound(None, 0.0, len(total), largest)
    last = int(np.flatnonzero(allowed)[-1])
    return _Bound(float(ordered[last]), float(before[last] / each.sum()), len(total), largest)


def _cap(total: Reals, room: float) -> float:
    """Return the highest cap c, among the threads' weights, for which all threads count at least `room` times c.

    Without a cap one long thread, or one comment that stands for many, would leave nothing that may be lost. Where
    even equal threads are too few the cap is the smallest weight, which makes all threads equal.
    """
    candidates = np.sort(total)[::-1]
    above = np.arange(1, len(total) + 1)
    # Of threads sorted downwards, the first i are cut to the i-th weight, the rest count whole.
    rest = candidates.sum() - np.cumsum(candidates)
    fits = above * candidates + rest >= room * candidates
    return float(candidates[int(np.argmax(fits))]) if fits.any() else float(candidates[-1])
