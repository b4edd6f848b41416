"""Recipes and labelled rows: what cannot be used is told with its file and key."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from discourse.errors import DiscourseError, InputError
from discourse.models.bundle import text_hash
from discourse.models.recipe import DataFile, join_threads, load_recipe, read_labelled

GOOD = """
name = "r"
kind = "frames"
method = "heads"
licence = "CC0-1.0"
provenance = ["written for this test"]
[[data]]
file = "rows.jsonl"
source = "here"
"""


def plain(texts: pl.Series) -> pl.Series:
    """Strip, as a clean-up that a test can follow."""
    return texts.str.strip_chars()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD + 'colour = "red"', 'unknown key "data.0.colour"'),
        ('kindd = "x"' + GOOD, 'unknown key "kindd" (did you mean "kind"?)'),
        (GOOD.replace('"heads"', '"trees"'), '"method" is'),
        (GOOD.replace('source = "here"', ""), '"data.0.source"'),
        (GOOD[: GOOD.index("[[")] + "data = []", '"data"'),
        ("data = 3" + GOOD[: GOOD.index("[[")], '"data"'),
        ("name = ", "not valid TOML"),
    ],
    ids=["data key", "key", "value", "absent", "no data", "data is a number", "toml"],
)
def test_a_bad_recipe_is_told_in_one_sentence(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "r.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(DiscourseError) as caught:
        load_recipe(file)
    assert said in str(caught.value)
    assert str(file) in str(caught.value)


def test_a_missing_recipe_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load_recipe(tmp_path / "none.toml")


def test_files_are_taken_from_the_recipes_folder(tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text(GOOD, encoding="utf-8")
    assert load_recipe(tmp_path / "r.toml").data[0].file == str(tmp_path / "rows.jsonl")


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_labelled_rows_are_cleaned_counted_and_hashed(suffix: str, tmp_path: Path) -> None:
    file = tmp_path / f"rows.{suffix}"
    frame = pl.DataFrame({"text": [" One. ", "Two.", "  "], "page": ["p", "p", "q"], "a": [0, 1, 1]})
    {"csv": frame.write_csv, "jsonl": frame.write_ndjson, "parquet": frame.write_parquet}[suffix](file)
    checked = read_labelled(DataFile(file=str(file), source="here", thread="page", importance=2), plain)
    assert checked.dropped == {"empty": 1}
    rows = checked.rows
    assert rows["text"].to_list() == ["One.", "Two."]
    assert rows["text_hash"].to_list() == [text_hash("One."), text_hash("Two.")]
    assert rows["thread"].to_list() == ["p", "p"]
    assert rows["source"].to_list() == ["here", "here"]
    assert rows["weight"].to_list() == [None, None]
    assert rows["importance"].to_list() == [2, 2]
    assert read_labelled(DataFile(file=str(file), source="s"), plain).rows["thread"].n_unique() == 2


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("rows.csv", "body,a\nx,1\n", 'lacks the column "text"'),
        ("rows.xml", "<a/>", "is .parquet, .csv or .jsonl"),
        ("rows.jsonl", "{]", "cannot be read as jsonl"),
        ("rows.parquet", "PAR1", "cannot be read as parquet"),
        ("rows.csv", "", "cannot be read as csv"),
    ],
)
def test_a_file_that_is_no_labelled_table_is_told(name: str, content: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_text(content, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_labelled(DataFile(file=str(file), source="s"), plain)
    assert said in str(caught.value)
    assert str(file) in str(caught.value)


def test_threads_are_found_again_by_the_text_as_it_was(tmp_path: Path) -> None:
    pl.DataFrame({"thread_id": ["x:1"], "text": ["One."]}).write_parquet(tmp_path / "threads.parquet")
    pl.DataFrame({"text": ["One.", "Two."]}).write_parquet(tmp_path / "rows.parquet")
    rows = read_labelled(DataFile(file=str(tmp_path / "rows.parquet"), source="s"), plain).rows
    assert join_threads(rows, (str(tmp_path / "threads*.parquet"),))["thread"].to_list() == ["x:1", "s:1"]
    assert join_threads(rows, ()).equals(rows)
