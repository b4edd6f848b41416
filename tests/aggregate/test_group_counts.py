"""Counts of groups: what one shard after another adds up to is what the whole would give."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from discourse.aggregate.group_counts import group_counts
from discourse.aggregate.units import Unit

FLAGS = st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 3), st.booleans()), max_size=40)


@settings(deadline=None, max_examples=30)
@given(FLAGS, st.integers(1, 45))
def test_shards_of_any_size_give_the_counts_of_the_whole(rows: list[tuple[bool, bool, int, bool]], shard: int) -> None:
    """Groups may overlap and be empty, and rows may be in none."""
    one, other = (np.array([row[i] for row in rows], dtype=bool) for i in (0, 1))
    depth, also = np.array([row[2] for row in rows], dtype=int), np.array([row[3] for row in rows], dtype=bool)
    inside = [*(depth == value for value in range(3)), also, np.ones(len(rows), dtype=bool)]
    groups = [Unit("all", np.flatnonzero(flags), "") for flags in inside]
    found = group_counts(groups, [one, other], shard=shard)
    assert found.tolist() == [[int(one[flags].sum()), int(other[flags].sum())] for flags in inside]


def test_without_groups_or_flags_nothing_is_counted() -> None:
    assert group_counts([], [np.ones(3, dtype=bool)]).shape == (0, 1)
    assert group_counts([Unit("all", np.arange(3), "")], []).shape == (1, 0)
