"""Resamples of rows that lie in threads, which lie in sources, as how often each row is drawn."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


def cluster_draws(
    source: NDArray[np.str_], thread: NDArray[np.str_], seed: int, draws: int
) -> Iterator[NDArray[np.float64]]:
    """Yield for each resample how often each row is in it.

    Sources are drawn with replacement, then as many threads as a source has, with replacement, within each drawn
    source; a thread comes whole. Intervals over such resamples hold the spread between sources (the two-stage cluster
    bootstrap, Davison & Hinkley 1997, section 3.8). With one source only its threads are drawn.

    Args:
        source: of each row.
        thread: of each row; threads of one name in two sources are two.
        seed: of the draws.
        draws: how many resamples.
    """
    generator = np.random.default_rng(seed)
    _, in_source = np.unique(source, return_inverse=True)
    pairs = np.stack([in_source, np.unique(thread, return_inverse=True)[1]], axis=1)
    threads, in_thread = np.unique(pairs, axis=0, return_inverse=True)
    sizes = np.bincount(threads[:, 0])  # threads of each source; they lie side by side
    starts = np.cumsum(sizes) - sizes
    for _ in range(draws):
        times = np.zeros(len(threads))
        drawn = np.bincount(generator.integers(0, len(sizes), len(sizes)), minlength=len(sizes))
        for number in np.flatnonzero(drawn):
            size = int(sizes[number])
            picked = generator.integers(0, size, size * int(drawn[number]))
            times[starts[number] : starts[number] + size] = np.bincount(picked, minlength=size)
        yield times[in_thread.ravel()]
