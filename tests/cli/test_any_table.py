"""`discourse tag FILE`: the models on any table, in every form, with hostile cells and columns."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from discourse.models.bundle import shipped_bundles

Command = Callable[..., Any]  # the fixture `discourse`: arguments to exit code, stdout and stderr
FRAMES = 3
READERS = {"csv": pl.read_csv, "jsonl": pl.read_ndjson, "parquet": pl.read_parquet}


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Parquet file with what columns of other people hold."""
    if missing := {"frames-minilm", "stance-minilm"} - set(shipped_bundles()):
        pytest.skip(f"bundles not shipped yet: {', '.join(sorted(missing))}")
    monkeypatch.chdir(tmp_path)
    frame = pl.DataFrame(
        {
            "key": ["=1+1", "@b"],
            "body": ["They track every step I take, it is frightening.", "Nice pie."],
            "=cmd()": [1.5, -2.5],
            "tags": [["a"], ["=b"]],
            "bytes": [b"=x", b"\xff"],
            "mood": pl.Series(["-sad", "glad"], dtype=pl.Categorical),
            "nothing": [None, None],
        }
    )
    frame.write_parquet(tmp_path / "in.parquet")
    return tmp_path / "in.parquet"


@pytest.mark.parametrize("form", READERS)
def test_tags_are_written_long_in_each_form(form: str, table: Path, discourse: Command) -> None:
    said = discourse("tag", table, "--text-column", "body", "--id-column", "key", "-o", f"out.{form}", "--json")
    assert said.code == 0, said.err
    assert said.json["written"] == [f"out.{form}"]
    tags = READERS[form](f"out.{form}")
    ids = {"'=1+1", "'@b"} if form == "csv" else {"=1+1", "@b"}
    assert tags.height == 2 * FRAMES
    assert set(tags["comment_id"]) == ids


@pytest.mark.parametrize("form", READERS)
def test_wide_returns_the_input_plus_columns(form: str, table: Path, discourse: Command) -> None:
    said = discourse(
        "tag", table, "--text-column", "body", "-o", f"out.{form}", "--wide", "--target", "the =bakery", "--json"
    )
    assert said.code == 0, said.err
    found = READERS[form](f"out.{form}")
    assert found.height == 2
    assert found.columns[:2] == ["key", "body"]
    assert "fear_of_surveillance_decision" in found.columns
    assert found["stance: the =bakery"].null_count() == 0
    if form == "csv":
        assert "'=cmd()" in found.columns
        assert found["key"].to_list() == ["'=1+1", "'@b"]
        assert found["mood"].to_list() == ["'-sad", "glad"]
        assert found["'=cmd()"].to_list() == [1.5, -2.5]


def test_stance_lies_beside(table: Path, discourse: Command) -> None:
    said = discourse("tag", table, "--text-column", "body", "-o", "out.csv", "--target", "=pie", "--json")
    assert said.json["written"] == ["out.csv", "out.stance.csv"]
    stances = pl.read_csv("out.stance.csv")
    assert stances["target"].to_list() == ["'=pie"] * 2
    assert stances["comment_id"].to_list() == [1, 2]


WRONG = {
    "no such column": (["--text-column", "bodi", "-o", "o.csv"], ('did you mean "body"',)),
    "no such id": (["--text-column", "body", "--id-column", "kei", "-o", "o.csv"], ('did you mean "key"',)),
    "ids that are missing": (["--text-column", "body", "--id-column", "nothing", "-o", "o.csv"], ("nothing",)),
    "text that is a list": (["--text-column", "tags", "-o", "o.csv"], ("tags", "List")),
    "text that is bytes": (["--text-column", "bytes", "-o", "o.csv"], ("bytes", "Binary")),
    "no output": (["--text-column", "body"], ("-o OUT",)),
    "no text column": (["-o", "o.csv"], ("--text-column",)),
    "another form": (["--text-column", "body", "-o", "o.xlsx"], (".csv", ".parquet")),
    "onto itself": (["--text-column", "body", "-o", "in.parquet"], ("overwritten",)),
}


@pytest.mark.parametrize(("arguments", "words"), WRONG.values(), ids=WRONG)
def test_wrong_usage_is_told_and_writes_nothing(
    arguments: list[str], words: tuple[str, ...], table: Path, discourse: Command
) -> None:
    before = table.read_bytes()
    said = discourse("tag", table, *arguments, "--json")
    assert (said.code, said.out) == (2, ""), said.err
    assert all(word in said.error for word in words), said.error
    assert [path.name for path in table.parent.iterdir()] == ["in.parquet"]
    assert table.read_bytes() == before


@pytest.mark.usefixtures("table")
def test_ids_that_repeat_are_refused(discourse: Command) -> None:
    Path("twice.csv").write_text("id,body\n7,one text\n7,another text\n", encoding="utf-8")
    said = discourse("tag", "twice.csv", "--text-column", "body", "--id-column", "id", "-o", "o.csv")
    assert said.code == 2
    assert "repeat" in said.error


@pytest.mark.usefixtures("table")
def test_a_cut_line_is_left_out_and_counted(discourse: Command) -> None:
    Path("cut.jsonl").write_text('{"body": "Good pie here."}\n{"body": "cut in ha', encoding="utf-8")
    said = discourse("tag", "cut.jsonl", "--text-column", "body", "-o", "o.jsonl", "--json")
    assert (said.code, said.json["rows"], said.json["unreadable"]) == (0, 1, 1)
    assert "line 2" in said.err


def test_a_workspace_takes_no_options_of_files(table: Path, discourse: Command) -> None:
    said = discourse("tag", table.parent, "--text-column", "body", "-o", "o.csv")
    assert said.code == 2
    assert "workspace" in said.error
