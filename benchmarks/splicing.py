"""Texts that read like those of real threads and are nobody's: runs of words from sentences of several real comments.

Each text follows the shape of a real comment (so many sentences of so many words) of one source, and takes its words
from others of that source. A short sentence that is less than half of its comment is a whole one of another comment;
all others are put together from runs of words of several sentences, the first from a beginning, the last from an end.
So two texts share most of their words only by a rare chance, however many are made.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

FILES = ("reddit_conspiracy_2025", "mtcsd_reddit", "reddit_music_2025", "discourse_iitm_tds", "reddit_cmv")
MOST_SENTENCES, MOST_WORDS = 40, 600
# With fewer words there are not enough different comments for a million.
FEWEST_WORDS = 4
# Of its comment's words: with more, comments that share the sentence would be near-duplicates.
LARGEST_SHARE = 0.45
# Longer sentences are never whole: the same ones in thousands of comments would make every comment like many others.
LONGEST_WHOLE = 7
LONGEST_RUN = 8
# Sentences of about one length, of which one is drawn.
FEWEST_CHOICES = 100
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
# An address is many words for whoever looks for near-duplicates: each one leads elsewhere.
_PATH = re.compile(r"(https?://[^/\s()\[\]]+)/[^\s()\[\]]*")

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """What texts of one community are made of.

    `share` is its part of all real comments; `sentences` are distinct ones as words, by their `lengths` (ascending);
    `shapes` holds for each real comment the words of its sentences; `threads` the number of comments of each thread.
    """

    name: str
    share: float
    sentences: Sequence[list[str]]
    lengths: NDArray[np.int64]
    shapes: Sequence[Shape]
    threads: NDArray[np.int64]


def load_sources(folder: Path) -> list[Source]:
    """Read the real threads of a folder that has any of `FILES` as Parquet files."""
    found: list[tuple[str, pl.DataFrame]] = []
    for name in FILES:
        path = folder / f"{name}.parquet"
        if path.is_file():
            frame = pl.read_parquet(path, columns=["thread_id", "text"]).drop_nulls("text")
            # What stands in many threads word by word is a bot's.
            found.append((name, frame.filter(pl.col("text").is_first_distinct())))
    total = sum(frame.height for _, frame in found)
    return [_source(name, frame, frame.height / total) for name, frame in found]


def _source(name: str, comments: pl.DataFrame, share: float) -> Source:
    parted = [[words for part in _SENTENCE.split(text) if (words := _words(part))] for text in comments["text"]]
    distinct = {" ".join(words): words for sentences in parted for words in sentences}
    sentences = sorted(distinct.values(), key=len)
    shapes = [tuple(map(len, each[:MOST_SENTENCES])) for each in parted if each]
    return Source(
        name,
        share,
        sentences,
        np.array([len(words) for words in sentences]),
        shapes,
        comments.group_by("thread_id").len().sort("thread_id")["len"].to_numpy().astype(np.int64),
    )


def _words(sentence: str) -> list[str]:
    return sentence.strip().lstrip("> ").split()


def splice(source: Source, count: int, rng: np.random.Generator) -> list[str]:
    """Return `count` texts of one source."""
    drawer = _Drawer(source, rng)
    return [drawer.text(source.shapes[place]) for place in rng.integers(0, len(source.shapes), count).tolist()]


class _Drawer:
    """Draws words; uniform numbers are drawn many at a time, as one at a time takes longer than all the rest."""

    def __init__(self, source: Source, rng: np.random.Generator) -> None:
        self._source, self._rng = source, rng
        self._left: list[float] = []
        longest = int(source.lengths[-1])
        self._from = np.searchsorted(source.lengths, np.arange(longest + 2)).tolist()

    def text(self, shape: Shape) -> str:
        """Return a text of about this shape."""
        total = max(FEWEST_WORDS, min(sum(shape), MOST_WORDS))
        if total == FEWEST_WORDS:
            shape = (total,)
        found: list[str] = []
        for words in shape:
            if len(found) >= MOST_WORDS:
                break
            short = words <= LONGEST_WHOLE and words < LARGEST_SHARE * total
            found += self._whole(words) if short else self._spliced(words)
        return " ".join(self._elsewhere(word) if "://" in word else word for word in found)

    def _elsewhere(self, word: str) -> str:
        return _PATH.sub(lambda address: f"{address[1]}/{int(self._uniform() * 1e9)}", word)

    def _whole(self, words: int) -> list[str]:
        """Return a sentence of about so many words, or a spliced one where there are few of that length."""
        least, most = int(0.8 * words), int(1.2 * words) + 1
        if most >= len(self._from):
            return self._spliced(words)
        begin, end = self._from[least], self._from[most]
        return self._sentence(begin, end) if end - begin >= FEWEST_CHOICES else self._spliced(words)

    def _spliced(self, words: int) -> list[str]:
        """Return so many words, in at least two runs of at most `LONGEST_RUN`, each from another sentence."""
        runs = max(2, -(-min(words, MOST_WORDS) // LONGEST_RUN))
        found: list[str] = []
        for run in range(runs):
            length = (words * (run + 1)) // runs - (words * run) // runs
            if not length:
                continue
            sentence = self._sentence(self._from[min(length, len(self._from) - 1)], len(self._source.sentences))
            start = 0 if run == 0 else len(sentence) - length
            if 0 < run < runs - 1:
                start = int(self._uniform() * (len(sentence) - length + 1))
            found += sentence[start : start + length]
        return found

    def _sentence(self, begin: int, end: int) -> list[str]:
        return self._source.sentences[begin + int(self._uniform() * (end - begin))]

    def _uniform(self) -> float:
        if not self._left:
            self._left = self._rng.random(10_000).tolist()
        return self._left.pop()
