"""What replies would be if they owed nothing to the comment they answer: tags exchanged within branch and depth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from discourse.aggregate.resampling import Counts, Reals

DRAWS = 4_999
TRIES = 20
CELLS = 4_000_000


@dataclass(frozen=True, slots=True)
class Exchange:
    """Which replies may exchange their tags: within a stratum, those of one author staying together as a block.

    replies: int64 (M,), the replies that move, block after block and class after class; blocks of one class stand
    beside each other and may take each other's places. start, size, group: int64 (blocks,), where in `replies` a block
    begins, how long it is, and its class. parent_author, reply_author: int64 (M,). alone: bool (N,), the replies whose
    stratum has fewer than two blocks; lone_bands: how many such strata. alike: replies in other strata whose comments
    answered are tagged alike. fixed: the others that stay where they are.
    """

    replies: Counts
    start: Counts
    size: Counts
    group: Counts
    parent_author: Counts
    reply_author: Counts
    alone: NDArray[np.bool_]
    lone_bands: int
    alike: int
    fixed: int


def exchangeable(
    stratum: Counts, reply_author: Counts, parent_author: Counts, varied: NDArray[np.bool_] | None = None
) -> Exchange:
    """Find blocks and the places that they may take.

    A block takes the place of another of its size; those of a stratum that are alone in their size are laid end to end
    in any order, so that a place may be filled from two of them. A single such block stays where it is.

    Args:
        stratum: int64 (N,), the band of each reply: thread, branch and depth band together.
        reply_author: int64 (N,); a reply of an unknown author has a number of its own, and so is a block.
        parent_author: int64 (N,), of the comments answered, numbered alike.
        varied: bool (N,), whether the comments answered in the reply's stratum differ in any tag; where they do not,
            exchanging changes nothing and nothing is exchanged. All by default.
    """
    _, block, size = np.unique(np.stack([stratum, reply_author]), axis=1, return_inverse=True, return_counts=True)
    block = block.reshape(-1)
    home = np.zeros(len(size), dtype=np.int64)
    home[block] = stratum
    alone = _times(home) < 2
    alike = np.where(_times(home, size) > 1, size, 0)
    movable = ~alone
    if varied is not None:
        differs = np.zeros(len(size), dtype=np.bool_)
        differs[block] = varied
        movable &= differs
    moves = movable & (_times(home, alike) > 1)
    order = np.lexsort((np.arange(len(size)), alike, home))
    order = order[moves[order]]
    found = _exchange(order, block, size, np.stack([home, alike]), reply_author, parent_author)
    stuck = _stuck(found)
    if stuck.any():
        found = _exchange(order[~stuck], block, size, np.stack([home, alike]), reply_author, parent_author)
    fixed = int(movable[block].sum()) - len(found.replies)
    return replace(
        found,
        alone=alone[block],
        lone_bands=int(alone.sum()),
        alike=int((~alone & ~movable)[block].sum()),
        fixed=fixed,
    )


def _exchange(
    order: Counts, block: Counts, size: Counts, keys: Counts, reply_author: Counts, parent_author: Counts
) -> Exchange:
    """Lay out the blocks of `order`; `block` is each reply's block, `keys` (2, blocks) what a class has in common."""
    rank = np.full(len(size), -1)
    rank[order] = np.arange(len(order))
    kept = np.flatnonzero(rank[block] >= 0)
    replies = kept[np.argsort(rank[block[kept]], kind="stable")]
    _, group = np.unique(keys[:, order], axis=1, return_inverse=True)
    start = np.cumsum(size[order]) - size[order]
    return Exchange(
        replies,
        start,
        size[order],
        group.reshape(-1).astype(np.int64),
        parent_author[replies],
        reply_author[replies],
        np.zeros(len(block), dtype=np.bool_),
        *(0, 0, 0),
    )


def _stuck(exchange: Exchange) -> NDArray[np.bool_]:
    """Mark the blocks of classes of two that cannot change places, as one of them would answer himself: dialogues."""
    length = len(exchange.replies)
    of_reply = np.repeat(exchange.group, exchange.size)
    whole = np.bincount(of_reply)
    first = np.cumsum(whole) - whole
    blocks = np.bincount(exchange.group, minlength=len(whole))
    # Turned by the length of the first block, a class of two has its blocks in the other order.
    head = exchange.size[np.searchsorted(exchange.group, np.arange(len(whole)))]
    place = np.arange(length) - first[of_reply]
    turned = first[of_reply] + (place + head[of_reply]) % whole[of_reply]
    itself = exchange.reply_author[turned] == exchange.parent_author
    refused = np.bincount(of_reply[itself], minlength=len(whole)) > 0
    return (refused & (blocks == 2))[exchange.group]


def donors(exchange: Exchange, draws: int, rng: np.random.Generator) -> Counts:
    """Draw whose tags each moving reply gets.

    A draw in which a comment would be answered by its own author is drawn again in that class, as the replies observed
    hold no self-replies either; a class that finds no such order in `TRIES` keeps its tags.

    Args:
        exchange: blocks and their classes.
        draws: how many.
        rng: the seeded generator.

    Returns:
        int64 (draws, M), indices into `exchange.replies`.
    """
    length = len(exchange.replies)
    classes = int(exchange.group.max(initial=-1)) + 1
    found = np.tile(np.arange(length), (draws, 1))
    of_reply = np.repeat(exchange.group, exchange.size)
    pending = np.ones((draws, classes), dtype=np.bool_)
    for _ in range(TRIES):
        row, block = np.nonzero(pending[:, exchange.group])
        if not len(row):
            break
        # Classes stand in order, so that sorting by class and a random number shuffles the blocks within each.
        key = row * classes + exchange.group[block]
        taken = block[np.argsort(key + rng.random(len(key)))]
        size = exchange.size[taken]
        before = np.cumsum(size) - size
        drawn = np.repeat(exchange.start[taken] - before, size) + np.arange(int(size.sum()))
        to_row, to_reply = np.nonzero(pending[:, of_reply])
        answers_itself = exchange.reply_author[drawn] == exchange.parent_author[to_reply]
        refused = np.zeros_like(pending)
        refused[to_row[answers_itself], of_reply[to_reply[answers_itself]]] = True
        accepted = ~refused[to_row, of_reply[to_reply]]
        found[to_row[accepted], to_reply[accepted]] = drawn[accepted]
        pending &= refused
    return found


def drawn_tags(
    exchange: Exchange, tags: NDArray[np.bool_], draws: int, rng: np.random.Generator
) -> Iterator[NDArray[np.float32]]:
    """Yield the tags that the moving replies get, float32 (some draws, M, levels), until there are `draws` of them.

    Args:
        exchange: blocks and their classes, of N replies.
        tags: bool (N, levels), of the replies.
        draws: how many in all.
        rng: the seeded generator.
    """
    own = tags[exchange.replies].astype(np.float32)
    at_once = max(1, CELLS // max(1, own.size))
    for first in range(0, draws, at_once):
        yield own[donors(exchange, min(at_once, draws - first), rng)]


@dataclass(frozen=True, slots=True)
class Null:
    """Observed against drawn: how often tags meet, what is expected, and the two-sided p; NaN where nothing moves."""

    observed: Reals
    expected: Reals
    p: Reals


def against_null(observed: Reals, drawn: Reals) -> Null:
    """Compare counts with what the null gives: p = (1 + draws at least as far from the mean) / (1 + draws).

    Args:
        observed: float64 (…), counts.
        drawn: float64 (draws, …).

    Source: Phipson & Smyth 2010 (a permutation p is never 0).
    """
    expected = (drawn.sum(0) + observed) / (len(drawn) + 1)
    distance = np.abs(observed - expected)
    farther = (np.abs(drawn - expected) >= distance - 1e-9).sum(0)
    p = (1 + farther) / (1 + len(drawn))
    return Null(observed, expected, np.where((drawn == observed).all(0), np.nan, p))


def _times(*keys: Counts) -> Counts:
    """Return how often the key of each place occurs among all."""
    _, place, times = np.unique(np.stack(keys), axis=1, return_inverse=True, return_counts=True)
    return times[place.reshape(-1)].astype(np.int64)
