"""Training comments of three invented sources, with vectors drawn so that distances are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discourse.models.fit import FitSummary, summarise

WIDTH = 12
OPENERS = ["I think", "Nobody said", "They told us", "We heard", "You know"]
THINGS = ["the bus", "the lamp", "a ferry", "our mayor", "this road", "that bridge", "a pond", "the mill", "our market"]
ENDS = ["was late again", "costs too much", "is fine by me", "will be gone soon", "needs paint, as ever"]


@dataclass(frozen=True)
class Rows:
    """Rows as `fit.summarise` takes them."""

    vectors: NDArray[np.float32]
    texts: list[str]
    sources: list[str]
    threads: list[str]


def said(generator: np.random.Generator, count: int) -> list[str]:
    """Return sentences of a small vocabulary, of one to three clauses."""
    return [
        ". ".join(
            f"{generator.choice(OPENERS)} {generator.choice(THINGS)} {generator.choice(ENDS)}"
            for _ in range(generator.integers(1, 4))
        )
        + "."
        for _ in range(count)
    ]


def comments(seed: int, centre: int, threads: int, each: int, name: str = "source") -> Rows:
    """Return `threads` threads of `each` comments around a source's centre; threads have subjects of their own."""
    generator = np.random.default_rng(seed)
    middle = 3.0 * np.eye(WIDTH)[centre]
    subjects = generator.normal(0, 0.5, (threads, WIDTH)).repeat(each, 0)
    vectors = middle + subjects + generator.normal(0, 1, (threads * each, WIDTH))
    names = [f"{name}:{number}" for number in range(threads) for _ in range(each)]
    return Rows(vectors.astype(np.float32), said(generator, threads * each), [name] * len(names), names)


def together(*parts: Rows) -> Rows:
    """Return the rows of several sources as one."""
    return Rows(
        np.concatenate([part.vectors for part in parts]),
        [text for part in parts for text in part.texts],
        [source for part in parts for source in part.sources],
        [thread for part in parts for thread in part.threads],
    )


def summary(rows: Rows, **more: object) -> FitSummary:
    """Return the fit summary of rows."""
    return summarise(rows.vectors, rows.texts, rows.sources, rows.threads, ("en",), "made up", **more)  # pyright: ignore[reportArgumentType]


def training() -> Rows:
    """Return three sources of thirty threads with twelve comments."""
    return together(*(comments(number, number, 30, 12, f"source {number}") for number in range(3)))
