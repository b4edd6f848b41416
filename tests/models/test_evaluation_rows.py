"""Labelled files of strangers: what can be used is used, the rest is counted with its reason."""

from __future__ import annotations

from collections import Counter

import polars as pl
import pytest

from discourse.errors import InputError
from discourse.models.evaluation_rows import EvaluationRows, frame_rows, stance_rows

LEVELS = ("cats", "dogs")


def same(texts: pl.Series) -> pl.Series:
    """Clean white space only."""
    return texts.str.strip_chars()


def read(table: dict[str, list[object]], stance: bool = False, by: str | None = None) -> EvaluationRows:
    frame = pl.DataFrame(table, strict=False)
    places = pl.Series("place", range(2, frame.height + 2))
    if stance:
        return stance_rows(frame, places, "x.csv", same, by)
    return frame_rows(frame, places, LEVELS, "x.csv", same, by)


def test_labels_come_as_numbers_words_or_truth_values() -> None:
    values: list[object] = ["1", "0", "yes", "No", "TRUE", "false", "1.0", " 1 "]
    found = read({"text": ["a"] * 8, "cats": values, "dogs": [True, False] * 4})
    assert found.rows["cats"].to_list() == [1, 0, 1, 0, 1, 0, 1, 1]
    assert found.rows["dogs"].to_list() == [1, 0] * 4
    assert found.left_out == ()


def test_rows_that_cannot_be_used_are_left_out_with_place_and_reason() -> None:
    table: dict[str, list[object]] = {
        "text": ["fine", " ", None, "no label", "half a label", "strange", "fine too"],
        "cats": ["1", "1", "0", "", "1", "7", "0"],
        "dogs": ["0", "0", "0", "", None, "0", "1"],
    }
    found = read(table)
    assert [(one.place, one.reason) for one in found.left_out] == [
        (3, "empty"),
        (4, "empty"),
        (5, "no_label"),
        (6, "no_label"),
        (7, "wrong_label"),
    ]
    assert found.rows["text"].to_list() == ["fine", "fine too"]


def test_stances_are_read_in_any_case_and_others_left_out() -> None:
    table: dict[str, list[object]] = {
        "text": ["a", "b", "c", "d", "e", "f", "g"],
        "target": ["t", "t", "t", "", "t", "t", "t"],
        "stance": ["FAVOR", "Against", "NONE", "favor", "pro", "", "off_target"],
    }
    found = read(table, stance=True)
    assert found.rows["stance"].to_list() == ["favor", "against", "neutral", "off_target"]
    assert Counter(one.reason for one in found.left_out) == {"no_target": 1, "wrong_label": 1, "no_label": 1}


@pytest.mark.parametrize(
    ("context", "parent"),
    [
        ([["first", "last"], [], None], ["last", "", ""]),
        (["the one above", '["first", "last"]', "[not JSON"], ["the one above", "last", "[not JSON"]),
    ],
    ids=["lists", "texts"],
)
def test_the_parent_is_the_last_comment_of_the_context(context: list[object], parent: list[str]) -> None:
    table: dict[str, list[object]] = {"text": ["a", "b", "c"], "target": ["t"] * 3, "stance": ["favor"] * 3}
    assert read({**table, "context": context}, stance=True).rows["parent"].to_list() == parent
    both = read({**table, "context": context, "parent": ["own", "", "own"]}, stance=True).rows["parent"].to_list()
    assert both == ["own", parent[1], "own"]


def test_clusters_weights_and_groups_are_read_where_there_are_any() -> None:
    table: dict[str, list[object]] = {"text": ["a", "b", "c"], "cats": [1, 0, 0], "dogs": [0, 0, 1]}
    plain = read(table).rows
    assert plain["thread"].n_unique() == 3
    assert plain["source"].n_unique() == 1
    more = {
        "thread_id": ["t", "t", None],
        "source": ["s", None, "s"],
        "weight": ["2", "nan", "x"],
        "site": [1, None, 2],
    }
    found = read({**table, **more}, by="site").rows
    assert found["thread"].to_list() == ["t", "t", "row 4"]
    assert found["weight"].to_list() == [2.0, 0.0, 0.0]
    assert found["by"].to_list() == ["1", "(empty)", "2"]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"txt": ["a"], "cats": [1], "dogs": [0]}, 'no column "text" \\(did you mean "txt"'),
        ({"text": ["a"], "cat": [1]}, 'no column of a frame .*cats, dogs.*did you mean "cat"'),
        ({"text": [""], "cats": [1], "dogs": [0]}, "no row can be evaluated on \\(1 empty\\)"),
        ({"text": ["a"], "cats": [[1]], "dogs": [0]}, 'column "cats" holds List'),
        ({"text": [["a"]], "cats": [1], "dogs": [0]}, 'column "text" holds List'),
        ({"text": [], "cats": [], "dogs": []}, "no rows"),
    ],
    ids=["no text", "no frame", "all empty", "nested label", "nested text", "no rows"],
)
def test_a_file_that_cannot_be_used_is_refused_in_one_sentence(table: dict[str, list[object]], said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        read(table)
    assert "\n" not in str(caught.value)


def test_a_person_is_told_what_is_odd_about_the_file() -> None:
    long = "word " * 100_000
    table: dict[str, list[object]] = {"text": ["a", "a", long], "cats": [1, 0, 0], "cows": [1, 0, 1], "id": [0, 1, 1]}
    found = read(table)
    assert found.levels == ("cats",)
    assert [note.split(":")[0] for note in found.notes[:1]] == ["the file has no column dogs"]
    assert any('"cows" looks like a frame' in note for note in found.notes)
    assert any("1 texts stand there more than once with different labels" in note for note in found.notes)
    assert any("1 texts are longer" in note for note in found.notes)
    one = read({"text": ["a", "b"], "cats": [0, 0], "dogs": [1, 1]})
    assert [note.split(":")[0] for note in one.notes] == ["cats", "dogs"]
    with pytest.raises(InputError, match='no column "sight" to group by \\(did you mean "site"'):
        read({**table, "site": [1, 2, 3]}, by="sight")
    with pytest.raises(InputError, match='"site" holds List'):
        read({**table, "site": [[1], [2], [3]]}, by="site")


def test_a_weight_that_is_none_counts_as_unknown() -> None:
    table: dict[str, list[object]] = {"text": ["a", "b", "c", "d"], "cats": [1, 0, 0, 1], "dogs": [0, 0, 1, 1]}
    found = read({**table, "weight": [-1.0, float("inf"), None, 2.5]}).rows
    assert found["weight"].to_list() == [0, 0, 0, 2.5]
    assert read({**table, "weight": [[1.0]] * 4}).rows["weight"].to_list() == [0, 0, 0, 0]
