"""Replies under the null, summed up: how often tags meet in each unit, and which odds ratio chance alone gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discourse.aggregate.null_permutation import DRAWS, Exchange, Null, against_null, drawn_tags, exchangeable
from discourse.aggregate.reply_pairs import ReplyPairs, depth_band
from discourse.aggregate.resampling import Counts, Reals
from discourse.progress import bar

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Meetings:
    """What is seen among the M replies that exchange tags, and what the null gives.

    exchange: who may exchange tags with whom. of_class: int64 (M,), the class of each moving reply. together: of each
    level above with each level below, (levels, levels). alike: of each level with itself in each unit, (units,
    levels); units are all replies and then the threads asked for. expected: float64 (units, levels), the odds ratio
    of Mantel and Haenszel under the null; NaN where it has none.
    """

    exchange: Exchange
    of_class: Counts
    together: Null
    alike: Null
    expected: Reals


def meetings(
    pairs: ReplyPairs, above: Flags, below: Flags, threads: list[int], rng: np.random.Generator, draws: int = DRAWS
) -> Meetings:
    """Draw replies under the null and compare.

    Args:
        pairs: N replies.
        above: bool (N, levels), tags of the comments answered.
        below: bool (N, levels), tags of the replies.
        threads: numbers of the threads that are units of their own.
        rng: the seeded generator.
        draws: permutations.
    """
    _, band = np.unique(np.stack([pairs.branch, depth_band(pairs.depth)]), axis=1, return_inverse=True)
    band = band.reshape(-1).astype(np.int64)
    tagged = _sums(above, band)
    size = np.bincount(band)[:, None]
    varied = np.asarray(((tagged > 0) & (tagged < size)).any(1))
    exchange = exchangeable(band, *pairs.persons(), varied[band])
    moving = exchange.replies
    of_class = np.repeat(exchange.group, exchange.size)
    table = _table(above[moving], below[moving], of_class, pairs.thread[moving], threads)
    shape = above.shape[1]
    together, alike = [np.zeros((0, shape, shape))], [np.zeros((0, len(table.units), shape))]
    odds = np.zeros((2, len(table.units), shape))
    with bar("replies under the null", draws) as advance:
        for tags in drawn_tags(exchange, below, draws, rng) if len(moving) else ():
            both = table.both(tags)
            together.append(np.matmul(table.parent.T, tags).astype(np.float64))
            alike.append(np.einsum("us,dsl->dul", table.units, both, optimize=True))
            odds += table.odds(both)
            advance(len(tags))
    seen = below[moving].astype(np.float32)[None]
    return Meetings(
        exchange,
        of_class,
        against_null(np.matmul(table.parent.T, seen[0]).astype(np.float64), np.concatenate(together)),
        against_null(np.einsum("us,dsl->dul", table.units, table.both(seen))[0], np.concatenate(alike)),
        np.divide(odds[0], odds[1], out=np.full_like(odds[0], np.nan), where=(odds > 0).all(0)),
    )


@dataclass(frozen=True, slots=True)
class _Table:
    """The fourfold tables of all classes (S) of moving replies (M): what stays the same in every draw.

    parent: float32 (M, levels), tags of the comments answered. first: int64 (S,), where in M a class begins. size,
    above, below: (S, 1), (S, levels), (S, levels), replies, and how many of them answer a tagged comment or are tagged.
    units: float64 (units, S), which classes belong to a unit.
    """

    parent: NDArray[np.float32]
    first: Counts
    size: Reals
    above: Reals
    below: Reals
    units: Reals

    def both(self, tags: NDArray[np.float32]) -> Reals:
        """Return float64 (draws, S, levels): how often a tag meets itself, given tags of replies (draws, M, levels)."""
        if not len(self.first):
            return np.zeros((len(tags), 0, self.parent.shape[1]))
        return np.add.reduceat(tags * self.parent, self.first, axis=1).astype(np.float64)

    def odds(self, both: Reals) -> Reals:
        """Return float64 (2, units, levels): Mantel and Haenszel's two sums, added up over draws."""
        agree = (both * (self.size - self.above - self.below + both)).sum(0) / self.size
        differ = ((self.above - both) * (self.below - both)).sum(0) / self.size
        return np.stack([self.units @ agree, self.units @ differ])


def _table(above: Flags, below: Flags, of_class: Counts, thread: Counts, threads: list[int]) -> _Table:
    _, first = np.unique(of_class, return_index=True)
    where = thread[first]
    units = [np.ones(len(first)), *((where == number).astype(np.float64) for number in threads)]
    return _Table(
        above.astype(np.float32),
        first.astype(np.int64),
        np.bincount(of_class).astype(np.float64)[:, None],
        _sums(above, of_class),
        _sums(below, of_class),
        np.stack(units),
    )


def _sums(flags: Flags, of_class: Counts) -> Reals:
    """Return float64 (classes, levels), how many flags of each class are set."""
    number = int(of_class.max(initial=-1)) + 1
    return np.stack([np.bincount(of_class, one, number) for one in flags.T], axis=1).astype(np.float64)
