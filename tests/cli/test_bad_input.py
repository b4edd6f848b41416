"""Every bad input gets one clear sentence and the right exit code, and nothing is left half-written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from discourse.models.bundle import Bundle

Command = Callable[..., Any]  # the fixture `discourse`: arguments to exit code, stdout and stderr
GOOD = '{"id": "1", "text": "The ferry is late again."}\n{"id": "2", "text": "And nobody says why it is late."}\n'


def empty(folder: Path) -> list[object]:
    (folder / "empty.csv").write_bytes(b"")
    return [folder / "empty.csv"]


def binary(folder: Path) -> list[object]:
    (folder / "photo.csv").write_bytes(bytes(range(256)) * 20)
    return [folder / "photo.csv"]


def no_text(folder: Path) -> list[object]:
    (folder / "blank.jsonl").write_text('{"id": "1", "text": ""}\n{"id": "2", "text": "  "}\n', encoding="utf-8")
    return [folder / "blank.jsonl"]


def no_column(folder: Path) -> list[object]:
    (folder / "a.jsonl").write_text(GOOD, encoding="utf-8")
    return [folder / "a.jsonl", "--map", "text=body"]


def unknown_key(folder: Path) -> list[object]:
    (folder / "discourse.toml").write_text("[input]\nsource = 'a.csv'\n", encoding="utf-8")
    return [folder / "discourse.toml"]


def other_things(folder: Path) -> list[object]:
    (folder / "a.jsonl").write_text(GOOD, encoding="utf-8")
    (folder / "mine").mkdir()
    (folder / "mine" / "thesis.doc").write_text("x", encoding="utf-8")
    return [folder / "a.jsonl", "-o", folder / "mine"]


def article_too_long(folder: Path) -> list[object]:
    (folder / "a.txt").write_text("one\ntwo\n", encoding="utf-8")
    return [folder / "a.txt", "--article-lines", "1-28"]


BAD: dict[str, tuple[Callable[[Path], list[object]], int, tuple[str, ...]]] = {
    "missing": (lambda f: [f / "none.csv"], 1, ("none.csv",)),
    "empty": (empty, 1, ("empty.csv", "is empty")),
    "directory": (lambda f: [f], 1, ("folder",)),
    "binary": (binary, 1, ("photo.csv",)),
    "no comments": (no_text, 1, ("blank.jsonl", "no comments after clean-up", "2 empty")),
    "no such column": (no_column, 2, ("a.jsonl", "body", "text")),
    "unknown key": (unknown_key, 2, ("discourse.toml", "input.source", 'did you mean "sources"')),
    "address": (lambda _: ["http://127.0.0.1:9/story"], 1, ("127.0.0.1:9/story", "allow_private")),
    "other things": (other_things, 1, ("other things", "-o")),
    "article too long": (article_too_long, 1, ("a.txt", "2 lines")),
    "no such precision": (lambda f: [*no_column(f)[:1], "--set", "tagging.precision=int4"], 2, ("precision", "int8")),
    "no such bundle": (lambda f: [*no_column(f)[:1], "--frames", "frames-minilmm"], 1, ("did you mean",)),
}


@pytest.mark.parametrize(("make", "code", "words"), BAD.values(), ids=BAD)
def test_it_is_told_in_one_sentence(
    make: Callable[[Path], list[object]], code: int, words: tuple[str, ...], tmp_path: Path, discourse: Command
) -> None:
    arguments = make(tmp_path)
    output = [] if "-o" in arguments else ["-o", tmp_path / "ws"]
    said = discourse("run", *arguments, *output, "--json")
    assert said.code == code, said.err
    assert all(word in said.error for word in words), said.error
    assert said.out == ""
    assert not list(tmp_path.rglob(".partial-*"))
    assert not list(tmp_path.rglob("report.html"))


def test_a_wrong_option_is_wrong_usage(discourse: Command) -> None:
    said = discourse("run", "a.csv", "--colour", "red")
    assert said.code == 2
    assert "--colour" in said.err


@pytest.mark.parametrize(
    ("extra", "reason"),
    [('{"id": "3", "text": "cut in ha', "malformed"), (json.dumps({"id": "3", "text": "x" * 10_000_000}), "too_large")],
    ids=["half a line", "10 MB line"],
)
def test_one_bad_line_is_quarantined_and_the_rest_is_kept(
    extra: str, reason: str, tmp_path: Path, discourse: Command
) -> None:
    import polars as pl

    file = tmp_path / "a.jsonl"
    file.write_text(GOOD + extra, encoding="utf-8")
    assert discourse("collect", file, "-o", tmp_path / "ws").code == 0
    said = discourse("normalize", tmp_path / "ws", "--json")
    assert (said.code, said.json["comments"], said.json["quarantined"]) == (0, 2, 1)
    assert discourse("normalize", tmp_path / "ws", "--strict").code == 1
    row = pl.read_parquet(tmp_path / "ws" / "quarantine" / "*.parquet").row(0, named=True)
    assert (row["reason"], row["location"]) == (reason, "line 3")
    assert len(row["excerpt"]) <= 200


def test_another_encoding_is_read_and_said(tmp_path: Path, discourse: Command) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes("id,text\n1,Café prices again\n2,Nobody asked\n".encode("cp1252"))
    said = discourse("collect", file, "-o", tmp_path / "ws")
    assert said.code == 0
    assert "cp1252" in said.err


def test_a_bundle_with_a_wrong_hash_stops_before_tagging(
    frames_bundle: Bundle, tmp_path: Path, discourse: Command
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(frames_bundle.folder, copy)
    (copy / "CARD.md").write_text("better than it is", encoding="utf-8")
    (tmp_path / "a.jsonl").write_text(GOOD, encoding="utf-8")
    said = discourse("run", tmp_path / "a.jsonl", "--frames", copy, "-o", tmp_path / "ws")
    assert said.code == 1
    assert "CARD.md: has SHA-256" in said.error
    assert (tmp_path / "ws" / "comments").is_dir()
    assert not (tmp_path / "ws" / "frames").exists()
