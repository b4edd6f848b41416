"""Which rows are held out together: whole sources where there are several, else threads, else single texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PARTS = 5


@dataclass(frozen=True, slots=True)
class FoldPart:
    """Rows that are scored by a model that saw none of them; `name` says what they are."""

    name: str
    rows: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class FoldParts:
    """All rows, in parts. `unit` is what a part never shares with another: a source, a thread or a text."""

    unit: str
    parts: tuple[FoldPart, ...]

    @property
    def judged_by(self) -> str:
        """How a card calls it."""
        return {
            "source": "leave-one-source-out",
            "thread": "folds that share no thread, of one source: on another source it will do worse",
            "text": "folds of single comments of one source: on other threads and sources it will do worse",
        }[self.unit]


def fold_parts(
    source: NDArray[np.str_],
    thread: NDArray[np.str_],
    text: NDArray[np.str_],
    labels: NDArray[np.int8],
    together: Sequence[Sequence[str]] = (),
    seed: int = 0,
) -> FoldParts:
    """Divide rows for out-of-fold scores.

    Each source is a part, small ones that are named in `together` share one. A single source is divided by threads
    into at most `PARTS` parts, and if it has but one thread, or one for each row, by texts; there, threads or texts
    with a rare yes are dealt out first, so that each part and each rest has some as long as there are two.

    Args:
        source: of each row.
        thread: of each row.
        text: hash of each row's text; equal texts are never in two parts.
        labels: 0 or 1, rows × levels.
        together: sources that are held out together.
        seed: of the order in which units without a difference are dealt out.

    Returns:
        Parts that cover all rows once; there are at least two unless there is a single text.
    """
    names = [str(name) for name in np.unique(source)]
    groups = [tuple(name for name in group if name in names) for group in together]
    groups = [group for group in groups if group]
    groups += [(name,) for name in names if not any(name in group for group in groups)]
    if len(groups) > 1:
        parts = [FoldPart(", ".join(group), np.flatnonzero(np.isin(source, group))) for group in groups]
        return FoldParts("source", tuple(parts))
    threads, texts = len(np.unique(thread)), len(np.unique(text))
    unit = "thread" if 2 <= threads < texts else "text"
    parts = _dealt(thread if unit == "thread" else text, labels, seed)
    if unit == "thread" and _starved(parts, labels) and not _starved(_dealt(text, labels, seed), labels):
        unit, parts = "text", _dealt(text, labels, seed)
    return FoldParts(unit, tuple(FoldPart(f"{unit} part {n + 1}", rows) for n, rows in enumerate(parts)))


def _dealt(unit: NDArray[np.str_], labels: NDArray[np.int8], seed: int) -> list[NDArray[np.int64]]:
    """Deal whole units to parts, those with the rarest yes first, each to the part that lacks it most."""
    _, number = np.unique(unit, return_inverse=True)
    count = int(number.max()) + 1
    yes = np.zeros((count, labels.shape[1]))
    np.add.at(yes, number, labels)
    rarity = (yes / np.maximum(labels.sum(0), 1)).max(1)
    shuffled = np.random.default_rng(seed).permutation(count)
    order = shuffled[np.argsort(-rarity[shuffled], kind="stable")]
    size = np.bincount(number, minlength=count)
    parts = min(PARTS, count)
    held, rows = np.zeros((parts, labels.shape[1])), np.zeros(parts)
    place = np.zeros(count, np.int64)
    for each in order:
        want = (held * (yes[each] > 0)).sum(1)
        place[each] = min(range(parts), key=lambda part, want=want: (want[part], rows[part]))
        held[place[each]] += yes[each]
        rows[place[each]] += size[each]
    found = [np.flatnonzero(place[number] == part) for part in range(parts)]
    return [part for part in found if len(part)]


def _starved(parts: Sequence[NDArray[np.int64]], labels: NDArray[np.int8]) -> bool:
    """Say whether a model that does not see some part would see one class only."""
    total = labels.sum(0)
    for rows in parts:
        yes, seen = total - labels[rows].sum(0), len(labels) - len(rows)
        if (yes == 0).any() or (yes == seen).any():
            return True
    return len(parts) < 2
