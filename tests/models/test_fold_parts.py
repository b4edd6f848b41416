"""What is held out together: sources, else threads, else texts, whatever the data have."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from discourse.models.fold_parts import PARTS, fold_parts


def names(values: list[object]) -> NDArray[np.str_]:
    return np.array([str(value) for value in values])


def test_several_sources_are_held_out_one_by_one_and_small_ones_together() -> None:
    source = names(list("aabbccd"))
    y = np.array([[0], [1]] * 3 + [[1]], np.int8)
    found = fold_parts(source, names(list(range(7))), names(list(range(7))), y, together=[("c", "d", "absent")])
    assert found.unit == "source"
    assert [(part.name, part.rows.tolist()) for part in found.parts] == [
        ("c, d", [4, 5, 6]),
        ("a", [0, 1]),
        ("b", [2, 3]),
    ]


def test_one_source_is_held_out_by_threads_and_without_threads_by_texts() -> None:
    y = np.array([[1], [0]] * 10, np.int8)
    one, rows = names(["s"] * 20), names(list(range(20)))
    by_thread = fold_parts(one, names([n // 4 for n in range(20)]), rows, y)
    assert (by_thread.unit, len(by_thread.parts)) == ("thread", 5)
    assert fold_parts(one, rows, rows, y).unit == "text"
    assert fold_parts(one, names(["t"] * 20), rows, y).unit == "text"


def test_sources_one_of_which_has_all_yes_give_way_unless_other_rows_have_some() -> None:
    source, rows = names(["a"] * 6 + ["b"] * 6), names(list(range(12)))
    y = np.array([[1], [0], [1], [0], [0], [0]] + [[0]] * 6, np.int8)
    assert fold_parts(source, rows, rows, y).unit == "text"
    assert fold_parts(source, rows, rows, y, always=np.array([[1]], np.int8)).unit == "source"


def test_threads_that_hold_all_yes_give_way_to_texts() -> None:
    y = np.array([[1]] * 4 + [[0]] * 8, np.int8)
    found = fold_parts(names(["s"] * 12), names([n // 4 for n in range(12)]), names(list(range(12))), y)
    assert found.unit == "text"
    assert all(y[part.rows].sum() <= 1 for part in found.parts)


@settings(max_examples=100, deadline=None)
@given(data=st.data(), size=st.integers(2, 40), levels=st.integers(1, 3), seed=st.integers(0, 3))
def test_every_row_is_in_one_part_and_nothing_is_shared_between_parts(
    data: st.DataObject, size: int, levels: int, seed: int
) -> None:
    def drawn(high: int) -> NDArray[np.str_]:
        return names(data.draw(st.lists(st.integers(0, high), min_size=size, max_size=size)))

    source, text = drawn(2), drawn(30)
    thread = names([int(value) // 5 for value in text])
    y = np.array(
        data.draw(st.lists(st.lists(st.integers(0, 1), min_size=levels, max_size=levels), min_size=size, max_size=size))
    )
    found = fold_parts(source, thread, text, y.astype(np.int8), seed=seed)
    rows = np.concatenate([part.rows for part in found.parts])
    assert sorted(rows.tolist()) == list(range(size))
    units = {"source": [source], "thread": [np.char.add(source, np.char.add("/", thread)), text], "text": [text]}
    for unit in units[found.unit]:
        seen: set[str] = set()
        for part in found.parts:
            mine = set(unit[part.rows])
            assert not mine & seen
            seen |= mine
    assert found.unit == "source" or len(found.parts) <= PARTS


@settings(max_examples=60, deadline=None)
@given(yes=st.integers(2, 8), no=st.integers(2, 60), seed=st.integers(0, 5))
def test_two_yes_are_enough_for_every_part_to_be_scored_by_a_model_that_saw_one(yes: int, no: int, seed: int) -> None:
    y = np.array([[1]] * yes + [[0]] * no, np.int8)
    rows = names(list(range(yes + no)))
    found = fold_parts(names(["s"] * (yes + no)), rows, rows, y, seed=seed)
    for part in found.parts:
        rest = np.delete(y, part.rows)
        assert 0 < rest.sum() < len(rest)
