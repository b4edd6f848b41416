"""Labelled rows that cannot be learned from: counted, named by row, and settled by a stated rule."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discourse.errors import BundleError, InputError
from discourse.models.bundle import text_hash
from discourse.models.training_checks import (
    LONGEST,
    agreed,
    check_classes,
    check_columns,
    check_stance_classes,
    few_yes,
    in_words,
    numbered,
    shortened,
    unknown_frames,
    with_labels,
    with_stances,
    without_empty,
)


def table(**columns: list[object]) -> pl.DataFrame:
    frame = numbered(pl.DataFrame(columns, strict=False))
    if "text" in frame.columns:
        hashes = pl.Series([text_hash(text or "") for text in frame["text"]], dtype=pl.String)
        frame = frame.with_columns(text_hash=hashes)
    return frame


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 1, 1], [0, 1, 1]),
        ([0.0, 1.0, 0.0], [0, 1, 0]),
        (["Yes", " no", "TRUE"], [1, 0, 1]),
        ([True, False, True], [1, 0, 1]),
    ],
    ids=["numbers", "floats", "words", "booleans"],
)
def test_labels_are_read_as_people_write_them(values: list[object], expected: list[int]) -> None:
    found = with_labels(table(text=["a", "b", "c"], cats=values), ("cats",), "f.csv")
    assert found.rows["cats"].to_list() == expected
    assert found.rows.schema["cats"] == pl.Int8
    assert found.dropped == {}


def test_what_is_no_label_is_told_with_its_row() -> None:
    with pytest.raises(InputError, match=r'f\.csv, row 2: cats is "maybe".*2 rows are like it'):
        with_labels(table(text=["a", "b", "c"], cats=["0", "maybe", "2"]), ("cats",), "f.csv")


def test_a_frame_that_is_misspelt_is_asked_for() -> None:
    with pytest.raises(InputError, match=r'lacks the column "surveillance" \(did you mean "surveilance"\?\)'):
        check_columns(table(text=["a"], surveilance=[1]), ("surveillance",), "f.csv")


def test_labels_of_no_frame_are_named_and_not_passed_over() -> None:
    frame = table(text=["a", "b"], cats=[0, 1], dog=["yes", None], year=[2024, 2025], unsure=[0, 1], none=[None, None])
    assert unknown_frames(frame, ("cats", "dogs"), "f.csv") == (
        'f.csv: the column dog is not used, since the codebook has no such frame (did you mean "dogs"?)',
    )


def test_rows_without_text_or_label_are_counted_and_named() -> None:
    frame = table(text=["a", "", None, " ", "b"], cats=["1", "1", "0", "0", None])
    checked = without_empty(frame, "f.csv")
    checked = checked.then(with_labels(checked.rows, ("cats",), "f.csv"))
    assert checked.rows["row"].to_list() == [1]
    assert checked.dropped == {"empty": 3, "unlabelled": 1}
    assert checked.notes == (
        "f.csv: 3 rows (2, 3, 4) without text of their own left out",
        "f.csv: row 5 without a label of every frame left out",
    )


def test_contradictions_are_settled_by_most_rows_and_left_out_where_it_is_even() -> None:
    frame = table(
        text=["even", "even", "most", "most", "most", "alone", "agreed", "agreed"],
        cats=[0, 1, 1, 0, 1, 0, 1, 1],
        dogs=[0, 0, 1, 1, 1, 0, 0, 0],
    )
    found = agreed(frame, ("cats", "dogs"), "f.csv")
    assert found.rows["row"].to_list() == [3, 4, 5, 6, 7, 8]
    assert found.rows["cats"].to_list() == [1, 1, 1, 0, 1, 1]
    assert found.rows.columns == frame.columns
    assert found.dropped == {"contradictory": 2, "outvoted": 1}
    (note,) = found.notes
    assert "2 texts are labelled in contradiction" in note
    assert "2 rows (1, 2) left out" in note
    assert "row 4 given the label of most" in note


def test_the_same_words_under_another_title_are_no_contradiction() -> None:
    frame = table(text=["This.", "This."], title=["A", "B"], cats=[0, 1])
    assert agreed(frame, ("cats",), "f.csv", same=("title", "parent")).dropped == {}
    assert agreed(frame, ("cats",), "f.csv").dropped == {"contradictory": 2}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 1)), max_size=12))
def test_no_contradiction_is_left_and_no_row_is_lost_unseen(rows: list[tuple[str, int]]) -> None:
    frame = table(text=[text for text, _ in rows], cats=[label for _, label in rows])
    if frame.is_empty():
        return
    found = agreed(frame, ("cats",), "f.csv")
    assert found.rows.height + found.dropped.get("contradictory", 0) == len(rows)
    assert found.rows.group_by("text").agg(pl.col("cats").n_unique())["cats"].max() in {None, 1}


def test_a_text_of_a_hundred_thousand_words_is_cut_and_counted() -> None:
    found = shortened(table(text=["word " * 100_000, "short"], cats=[0, 1]), "f.csv")
    assert found.rows["text"].str.len_chars().to_list() == [LONGEST, 5]
    assert found.rows["text_hash"][0] == text_hash("word " * 100_000)  # of the whole text, as in a thread
    assert found.dropped == {"cut": 1}
    assert in_words(found.dropped) == ["1 texts were cut to their first 20,000 letters."]


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ([0, 0, 0], r"only one class in 3 labelled rows \(no row says yes\)"),
        ([1, 1, 1], r"no row says no"),
        ([1, 0, 0], "a single yes"),
        ([], "only one class in 0"),
    ],
)
def test_a_frame_needs_two_of_each_class(labels: list[int], said: str) -> None:
    with pytest.raises(BundleError, match=said):
        check_classes(pl.DataFrame({"cats": labels}, schema={"cats": pl.Int8}), ("cats",))
    check_classes(pl.DataFrame({"cats": [0, 1, 1, 0]}), ("cats",))


def test_a_stance_outside_the_four_is_told_with_what_was_meant() -> None:
    frame = table(text=["a", "b"], target=["x", "x"], stance=["favor", "favour"])
    with pytest.raises(InputError, match=r'row 2: stance is "favour" \(did you mean "favor"\?\)'):
        with_stances(frame, "f.csv")
    with pytest.raises(InputError, match='lacks the column "stance"'):
        with_stances(table(text=["a"], target=["x"], stence=["favor"]), "f.csv")


def test_stances_are_read_in_any_case_and_rows_without_target_or_stance_are_counted() -> None:
    frame = table(text=list("abcd"), target=["x", " ", None, "x"], stance=["Off-Target", "favor", "favor", None])
    found = with_stances(frame, "f.csv")
    assert found.rows["stance"].to_list() == ["off_target"]
    assert found.dropped == {"no_target": 2, "unlabelled": 1}


def test_a_threshold_from_a_handful_of_yes_is_warned_of() -> None:
    rows = pl.DataFrame({"cats": [1] * 7 + [0] * 9, "dogs": [1] * 8 + [0] * 8})
    assert few_yes(rows, ("cats", "dogs")) == (
        "cats: 7 yes are too few for a threshold; go by its ranking, and label at least 8",
    )


@pytest.mark.parametrize("stances", [["favor"] * 5, ["favor", "against"], ["neutral"], []])
def test_stance_needs_both_sides_and_their_absence(stances: list[str]) -> None:
    with pytest.raises(BundleError, match="stance has no row that is"):
        check_stance_classes(pl.Series(stances, dtype=pl.String))
    check_stance_classes(pl.Series(["favor", "against", "off_target"]))
