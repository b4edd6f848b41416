"""Threads with a known tree and known causes of tags: branch topics, author habits, replies, a tagger's mistakes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from discourse.tables import COMMENTS

Flags = NDArray[np.bool_]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class World:
    """How threads come about; effects are log-odds (standard deviations for branch and habit)."""

    threads: int = 4
    size: int = 250
    authors: int = 60
    back: float = 0.4  # share of replies by the one who was answered: dialogues
    base: float = -1.2
    branch: float = 0.0
    habit: float = 0.0
    depth: float = 0.0
    reply: float = 0.0  # what a tagged parent adds
    sensitivity: float = 1.0
    false_positive: float = 0.0


@dataclass(frozen=True)
class Tree:
    """A comments table and the tags of its rows, as they are and as a tagger gives them."""

    comments: pl.DataFrame
    true: Flags
    tagged: Flags


def grow(world: World, rng: np.random.Generator) -> Tree:
    """Grow threads: comments answer earlier ones, loud authors write often, and dialogues go back and forth."""
    number = world.threads * world.size
    parent, author = np.full(number, -1), np.zeros(number, dtype=int)
    depth, root = np.zeros(number, dtype=int), np.arange(number)
    loud = 1 / np.arange(1, world.authors + 1) ** 0.8
    pool = rng.choice(world.authors, size=number, p=loud / loud.sum())
    coin, pick = rng.random((2, number))
    for i in range(number):
        first = i - i % world.size
        author[i] = pool[i]
        if i - first < 3 or coin[i] < 0.15:
            continue
        # Half of the replies go to one of the latest comments, which makes deep threads.
        span = min(i - first, 8) if coin[i] < 0.55 else i - first
        parent[i] = i - 1 - int(pick[i] * span)
        depth[i], root[i] = depth[parent[i]] + 1, root[parent[i]]
        grand = parent[parent[i]]
        if grand >= 0 and rng.random() < world.back:
            author[i] = author[grand]
    branch, habit = rng.normal(0, 1, number) * world.branch, rng.normal(0, 1, world.authors) * world.habit
    true = np.zeros(number, dtype=bool)
    chance = rng.random(number)
    still = world.base + branch[root] + habit[author] + world.depth * depth
    for i in range(number):
        above = parent[i] >= 0 and true[parent[i]]
        true[i] = chance[i] < 1 / (1 + np.exp(-still[i] - world.reply * above))
    # A tagger errs alike with one author: half of its luck is drawn once for each of them.
    luck = np.where(rng.random(number) < 0.3, rng.random(world.authors)[author], rng.random(number))
    tagged = np.where(true, luck < world.sensitivity, luck < world.false_positive)
    return Tree(_table(world, parent, author, depth), true, tagged)


def _table(world: World, parent: Numbers, author: Numbers, depth: Numbers) -> pl.DataFrame:
    number = len(parent)
    return COMMENTS.conform(
        pl.DataFrame(
            {
                "comment_id": [f"file:{i}" for i in range(number)],
                "thread_id": [f"file:t{i // world.size}" for i in range(number)],
                "parent_id": [f"file:{p}" if p >= 0 else None for p in parent],
                "reply_kind": ["reply" if p >= 0 else "top" for p in parent],
                "depth": depth,
                "position": [i % world.size for i in range(number)],
                "author": [f"a{a}" for a in author],
                "role": ["user"] * number,
                "created_precision": ["unknown"] * number,
                "text": [f"comment number {i}" for i in range(number)],
                "quotes": [[] for _ in range(number)],
                "links": [[] for _ in range(number)],
                "language": ["en"] * number,
                "state": ["visible"] * number,
                "raw": [{"file": "f", "offset": i} for i in range(number)],
            },
            schema_overrides=dict(COMMENTS.schema),
        )
    )
