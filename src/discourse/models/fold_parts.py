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
            "thread": "folds that share no thread but sources: on another source it will do worse",
            "text": "folds of single comments that share threads and sources: elsewhere it will do worse",
        }[self.unit]


def fold_parts(
    source: NDArray[np.str_],
    thread: NDArray[np.str_],
    text: NDArray[np.str_],
    labels: NDArray[np.int8],
    together: Sequence[Sequence[str]] = (),
    always: NDArray[np.int8] | None = None,
    seed: int = 0,
) -> FoldParts:
    """Divide rows for out-of-fold scores.

    Each source is a part, small ones that are named in `together` share one. A single source, or sources one of which
    alone has all yes or all no of a label, are divided by threads into at most `PARTS` parts; if there is but one
    thread, or one for each row, or one has all yes, by texts. There, threads or texts with a rare yes are dealt out
    first, so that each part and each rest has some as long as there are two.

    Args:
        source: of each row.
        thread: of each row.
        text: hash of each row's text; equal texts are never in two parts where parts are threads or texts.
        labels: 0 or 1, rows × levels.
        together: sources that are held out together.
        always: labels of further rows, which every model sees.
        seed: of the order in which units without a difference are dealt out.

    Returns:
        Parts that cover all rows once; there are at least two unless there is a single text.
    """
    seen = np.zeros((0, labels.shape[1]), np.int8) if always is None else always
    by_source = _by_source(source, together)
    if len(by_source) > 1 and not _starved([part.rows for part in by_source], labels, seen):
        return FoldParts("source", by_source)
    joint = np.array([f"{a}\x1f{b}" for a, b in zip(source, thread, strict=True)])
    threads, texts = len(np.unique(joint)), len(np.unique(text))
    by_text = _dealt(text, labels, seed)
    if 2 <= threads < texts:
        by_thread = _dealt(_linked(joint, text), labels, seed)
        if not _starved(by_thread, labels, seen) or _starved(by_text, labels, seen):
            return _named("thread", by_thread)
    return _named("text", by_text)


def _by_source(source: NDArray[np.str_], together: Sequence[Sequence[str]]) -> tuple[FoldPart, ...]:
    names = [str(name) for name in np.unique(source)]
    groups = [tuple(name for name in group if name in names) for group in together]
    groups = [group for group in groups if group]
    groups += [(name,) for name in names if not any(name in group for group in groups)]
    return tuple(FoldPart(", ".join(group), np.flatnonzero(np.isin(source, group))) for group in groups)


def _named(unit: str, parts: list[NDArray[np.int64]]) -> FoldParts:
    return FoldParts(unit, tuple(FoldPart(f"{unit}s, part {n + 1}", rows) for n, rows in enumerate(parts)))


def _linked(thread: NDArray[np.str_], text: NDArray[np.str_]) -> NDArray[np.str_]:
    """Name threads that share a text by one of them, so that no text is in two parts."""
    first: dict[str, str] = {}
    root = {str(name): str(name) for name in np.unique(thread)}

    def find(name: str) -> str:
        while root[name] != name:
            name = root[name]
        return name

    for name, words in zip(thread.tolist(), text.tolist(), strict=True):
        root[find(name)] = find(first.setdefault(words, name))
    return np.array([find(name) for name in thread.tolist()])


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


def _starved(parts: Sequence[NDArray[np.int64]], labels: NDArray[np.int8], always: NDArray[np.int8]) -> bool:
    """Say whether a model that does not see some part would see one class only."""
    total, number = labels.sum(0) + always.sum(0), len(labels) + len(always)
    for rows in parts:
        yes, seen = total - labels[rows].sum(0), number - len(rows)
        if (yes == 0).any() or (yes == seen).any():
            return True
    return len(parts) < 2
