"""Topics as the user wants them: merged, renamed; numbers are those of `topic_info` before any merging."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from discourse.config import TopicsConfig
from discourse.errors import UsageError


def merged(labels: NDArray[np.int64], groups: Iterable[tuple[int, ...]]) -> NDArray[np.int64]:
    """Return the topic of each comment with each of `groups` as one topic, under its smallest number.

    Args:
        labels: topic of each comment, or -1.
        groups: topics to merge; groups that share a topic become one.
    """
    target = {int(k): int(k) for k in np.unique(labels)}
    for group in groups:
        joined = {target[k] for k in group}
        target = {k: min(joined) if to in joined else to for k, to in target.items()}
    return np.array([target[int(k)] for k in labels], np.int64)


def check(config: TopicsConfig, topics: Iterable[int], broad: Iterable[int]) -> None:
    """Refuse numbers that no topic has.

    Args:
        config: merge, rename and hide.
        topics: numbers of the topics as found.
        broad: numbers of the broad topics, which can be renamed and hidden only.

    Raises:
        UsageError: a setting names a topic that does not exist.
    """
    known = set(topics)
    both = known | set(broad)
    asked = {
        "merge": ({k for group in config.merge for k in group}, known),
        "rename": ({int(k) for k in config.rename}, both),
        "hide": (set(config.hide), both),
    }
    for key, (numbers, allowed) in asked.items():
        wrong = sorted(numbers - allowed)
        if wrong:
            last = max(allowed, default=-1)
            there = f"topics here are 0 to {last}" if last >= 0 else "there are no topics here"
            raise UsageError(f"[topics] {key}: names topic {wrong[0]}, {there}; correct or remove it")
