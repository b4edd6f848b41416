"""What is forgotten is nowhere in the workspace, does not come back, and takes nothing else with it."""

from __future__ import annotations

import csv
import gzip
import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook
from typer.testing import CliRunner

from discourse.checksums import file_sha256
from discourse.cli.app import app
from discourse.collect.answers import Ask
from discourse.collect.archive import Archive, read_archive
from discourse.collect.live import archive_name
from discourse.collect.manifest import Entry, Manifest, read_manifest, save_manifest
from discourse.collect.reading import read_collected
from discourse.collect.wording import GONE, take_out, words_of
from discourse.config import Config, InputConfig
from discourse.errors import InputError, UsageError
from discourse.forget import forget
from discourse.pipeline import run
from discourse.tables import COMMENTS, RAW_COMMENTS, State
from discourse.workspace import Workspace
from discourse.workspace_status import status
from tests.collect.forms import isso
from tests.collect.trees import Node, Tree

HARBOUR = 'The harbour crane kept me awake for eleven nights, "they" said <it> & left.'
OTHER = "Nobody asked the people who live beside the depot what they think of it."
CSV = (
    "id,parent_id,author,text\n"
    'a1,,Wilma Kranich,"' + HARBOUR.replace('"', '""') + '"\n'
    f'a2,a1,Otto,"> {HARBOUR[:49]}\n\n{OTHER}"\n'
    'a3,a2,Wilma Kranich,"A second remark about the crane and its endless humming."\n'
    "a4,,Ida,Yes\n"
)


def collected(tmp_path: Path, name: str, content: str) -> tuple[Workspace, Path, Config]:
    """A workspace with one file, collected and normalized."""
    source = tmp_path / name
    source.write_text(content, encoding="utf-8")
    root = tmp_path / "ws"
    config = Config(input=InputConfig(sources=(str(source),)))
    run(config, root, ["collect", "normalize"])
    return Workspace(root), source, config


def everything(root: Path) -> str:
    """All that can be read of a workspace: raw files and tables."""
    raw = "".join(path.read_text("utf-8") for path in (root / "raw").iterdir() if path.suffix != ".gz")
    tables = "".join(str(pl.read_parquet(path).to_dicts()) for path in root.rglob("part-*.parquet"))
    return raw + tables


def test_a_comment_of_a_table_is_forgotten_also_where_it_is_quoted(tmp_path: Path) -> None:
    """The row stays as deleted, the reply keeps its own words and loses the quote, and nothing is stale."""
    workspace, _, _ = collected(tmp_path, "t.csv", CSV)
    assert "eleven nights" in everything(workspace.root)
    first = workspace.read(COMMENTS)["comment_id"][0]
    done = forget(workspace.root, comment=first)
    found = everything(workspace.root)
    assert done.left == ()
    assert (done.comments, done.files) == (1, 1)
    assert "harbour crane" not in found
    assert "eleven nights" not in found
    comments = workspace.read(COMMENTS)
    assert comments.height == 4
    gone = comments.row(0, named=True)
    assert (gone["text"], gone["author"], gone["state"]) == (None, None, "deleted")
    assert comments["text"][1] == OTHER
    assert "second remark" in comments["text"][2]
    entry = read_manifest(workspace).sources[0]
    assert entry.sha256 == file_sha256(workspace.raw / "t.csv")
    assert {one.name: one.status for one in status(workspace.root).stages}["collect"] == "skip"
    assert {one.name: one.status for one in status(workspace.root).stages}["normalize"] == "skip"


@pytest.mark.parametrize("by_pseudonym", [False, True])
def test_an_author_is_forgotten_by_name_or_pseudonym(tmp_path: Path, by_pseudonym: bool) -> None:
    """Both comments and the name go, others stay; the raw file still reads into the same rows."""
    workspace, _, config = collected(tmp_path, "t.csv", CSV)
    name = workspace.read(COMMENTS)["author"][0] if by_pseudonym else "Wilma Kranich"
    done = forget(workspace.root, author=name)
    assert (done.comments, done.left) == (2, ())
    found = everything(workspace.root)
    assert not any(one in found for one in ("Wilma", "harbour crane", "endless humming"))
    assert OTHER in found
    before = workspace.read(RAW_COMMENTS)
    read_collected(workspace, config.collect)
    after = workspace.read(RAW_COMMENTS)
    assert after.select("native_id", "native_parent", "text", "state").equals(
        before.select("native_id", "native_parent", "text", "state")
    )


def test_what_is_collected_again_stays_forgotten(tmp_path: Path) -> None:
    """The tables do not show the words when the file that still holds them is collected anew."""
    workspace, _, config = collected(tmp_path, "t.csv", CSV)
    forget(workspace.root, author="Wilma Kranich")
    workspace.save_receipt(workspace.receipt().model_copy(update={"stages": {}}))
    run(config, workspace.root, ["collect", "normalize"])
    comments = workspace.read(COMMENTS).sort("comment_id")
    assert comments["state"].to_list().count("deleted") == 2
    assert not any("crane" in (text or "") for text in comments["text"])
    told = (workspace.root / "forgotten.json").read_text()
    assert "Wilma" not in told
    assert "a1" not in [one.strip(' "') for one in told.split(",")]


def test_a_comment_of_a_pasted_text_is_forgotten(tmp_path: Path) -> None:
    """A paragraph without an id goes, and its neighbours keep their places."""
    text = f"{OTHER}\n\n{HARBOUR}\n\nThe third paragraph is about something else altogether.\n"
    workspace, _, config = collected(tmp_path, "t.txt", text)
    comments = workspace.read(COMMENTS)
    target = comments.filter(pl.col("text").str.contains("harbour crane"))["comment_id"][0]
    done = forget(workspace.root, comment=target)
    assert done.left == ()
    assert "harbour crane" not in everything(workspace.root)
    read_collected(workspace, config.collect)
    raw = workspace.read(RAW_COMMENTS)
    assert raw.height == 3
    assert raw["state"].to_list() == ["visible", "deleted", "visible"]
    assert raw["text"].null_count() == 1


def test_a_comment_of_a_live_archive_is_forgotten_in_all_its_versions(tmp_path: Path) -> None:
    """Both rounds of the archive lose the words, an edited version too, and read into the same tree."""
    workspace, config = live(tmp_path)
    path = workspace.raw / archive_name(isso.ADDRESS)
    before = read_archive(path)
    target = workspace.read(COMMENTS).filter(pl.col("comment_id").str.ends_with(":1"))["comment_id"]
    done = forget(workspace.root, comment=target[0])
    assert (done.left, done.dropped, done.files) == ((), 0, 1)
    after = read_archive(path)
    assert [(one.url, one.at, one.key, one.headers) for one in after.answers] == [
        (one.url, one.at, one.key, one.headers) for one in before.answers
    ]
    assert after.finished
    body = b"".join(one.body for one in after.answers)
    assert b"harbour crane" not in body
    assert b"wooden pier" not in body
    assert b"beside the depot" in body
    read_collected(workspace, config.collect)
    raw = workspace.read(RAW_COMMENTS).sort("native_id")
    assert raw["native_id"].to_list() == ["1", "2"]
    assert raw["native_parent"].to_list() == [None, "1"]
    assert raw["text"][0] is None
    assert "depot" in raw["text"][1]


def test_the_command_prints_counts_and_says_that_it_looked(tmp_path: Path) -> None:
    """--json gives the counts; the message says that every file was looked through."""
    workspace, _, _ = collected(tmp_path, "t.csv", CSV)
    (workspace.root / "report.html").write_text("<p>old</p>")
    result = CliRunner().invoke(app, ["forget", str(workspace.root), "--author", "Wilma Kranich", "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["comments"] == 2
    assert "report.html was removed" in result.stderr
    assert "no distinctive piece" in result.stderr
    assert not (workspace.root / "report.html").exists()


def test_a_file_that_keeps_the_words_is_named(tmp_path: Path) -> None:
    """A file in the workspace that forget does not own is reported and ends with a failure."""
    workspace, _, _ = collected(tmp_path, "t.csv", CSV)
    (workspace.root / "notes.txt").write_text(HARBOUR)
    result = CliRunner().invoke(app, ["forget", str(workspace.root), "--author", "Wilma Kranich"])
    assert result.exit_code != 0
    assert forget_left(workspace) == ("notes.txt",)


def forget_left(workspace: Workspace) -> tuple[str, ...]:
    """Files that hold the words of the test's author."""
    return tuple(path.name for path in workspace.root.glob("*.txt") if "harbour crane" in path.read_text())


def test_who_is_not_there_cannot_be_forgotten(tmp_path: Path) -> None:
    """An unknown id, an unknown author and a missing choice are told apart."""
    workspace, _, _ = collected(tmp_path, "t.csv", CSV)
    with pytest.raises(InputError, match="there is no comment"):
        forget(workspace.root, comment="file:nothing")
    with pytest.raises(InputError, match="there is no author"):
        forget(workspace.root, author="Nobody")
    with pytest.raises(UsageError):
        forget(workspace.root)


@given(st.lists(st.sampled_from(["lamp", "<b>é", "漢字", '"q"', "& c", "🙂", "a\nb", "\\d"]), min_size=8, max_size=30))
def test_words_are_found_in_every_form_of_escaping(parts: list[str]) -> None:
    """JSON with and without escapes, HTML inside JSON and doubled quotes all lose the text and keep the rest."""
    import html

    text = "Zyx begins this remark " + " ".join(parts) + " and ends it here Qwv"
    words = words_of([text], [])
    for written in (
        json.dumps({"id": 7, "text": text, "next": "kept"}),
        json.dumps({"id": 7, "text": text, "next": "kept"}, ensure_ascii=False),
        json.dumps({"id": 7, "text": html.escape(text), "next": "kept"}),
    ):
        cleaned, count = take_out(written, words)
        assert count
        assert json.loads(cleaned) == {"id": 7, "text": GONE, "next": "kept"}


def live(tmp_path: Path) -> tuple[Workspace, Config]:
    """A workspace with an archive of two rounds, between which the first comment was edited."""
    workspace, config = Workspace(tmp_path / "ws"), Config()
    replied = Node(2, 1, OTHER, "Otto", State.VISIBLE, 0)
    earlier = Node(
        1, None, "An older wording about the wooden pier and the ferry that never came.", "Wilma", State.VISIBLE, 0
    )
    newer = Node(1, None, HARBOUR, "Wilma", State.VISIBLE, 0)
    with Archive(workspace.raw / archive_name(isso.ADDRESS)) as archive:
        for number, first in ((1, earlier), (2, newer)):
            archive.begin(number)
            for answer in isso.answers(Tree("Lamps", "", (first, replied)), page_size=10):
                archive.append(Ask(answer.url, context=tuple(answer.context.items())), answer)
            archive.end(number, {}, finished=True)
    path = workspace.raw / archive_name(isso.ADDRESS)
    entry = Entry(
        name=path.name,
        sha256=file_sha256(path),
        bytes=path.stat().st_size,
        collected_at=datetime(2026, 3, 1, tzinfo=UTC),
        options=InputConfig(),
        address=isso.ADDRESS,
        platform="isso",
    )
    save_manifest(workspace, Manifest(sources=(entry,)))
    read_collected(workspace, config.collect)
    workspace.save_receipt(workspace.receipt())
    run(config, workspace.root, ["normalize"])
    return workspace, config


@pytest.mark.parametrize("ending", [".gz", ".zst", ".parquet"])
def test_packed_files_are_cleaned_and_packed_again(tmp_path: Path, ending: str) -> None:
    """A table in gzip, zstd or Parquet loses the words and still reads into the same rows."""
    source = tmp_path / ("t.parquet" if ending == ".parquet" else f"t.csv{ending}")
    if ending == ".parquet":
        pl.read_csv(CSV.encode()).write_parquet(source)
    else:
        source.write_bytes((gzip if ending == ".gz" else zstandard).compress(CSV.encode()))
    config = Config(input=InputConfig(sources=(str(source),)))
    run(config, tmp_path / "ws", ["collect", "normalize"])
    workspace = Workspace(tmp_path / "ws")
    done = forget(workspace.root, author="Wilma Kranich")
    assert (done.comments, done.files, done.left) == (2, 1, ())
    read_collected(workspace, config.collect)
    raw = workspace.read(RAW_COMMENTS)
    assert raw["native_id"].to_list() == ["a1", "a2", "a3", "a4"]
    assert raw["state"].to_list() == ["deleted", "visible", "deleted", "visible"]
    assert OTHER in raw["text"][1]


def test_an_answer_that_cannot_be_cleaned_is_dropped_and_the_loss_counted(tmp_path: Path) -> None:
    """Words that stand across two strings of an answer cannot be cut out alone, so the answer goes."""
    workspace, _ = live(tmp_path)
    target = workspace.read(COMMENTS).filter(pl.col("comment_id").str.ends_with(":1"))["comment_id"][0]
    path = workspace.raw / archive_name(isso.ADDRESS)
    with Archive(path) as archive:
        broken = '["The harbour crane kept", {"me": "awake for eleven nights, they said"}]'
        answer = replace(archive.contents.answers[-1], body=broken.encode(), key="")
        archive.append(Ask("https://isso.h.test/else"), answer)
    done = forget(workspace.root, comment=target)
    assert (done.dropped, done.left) == (1, ())
    assert read_archive(path).answers[-1].body.startswith(b"forgotten")


def test_an_author_with_the_name_of_a_column_breaks_nothing(tmp_path: Path) -> None:
    """The words of somebody called "text" go, and the header stays."""
    workspace, _, config = collected(tmp_path, "t.csv", CSV.replace("Wilma Kranich", "text"))
    done = forget(workspace.root, author="text")
    assert (done.comments, done.left) == (2, ())
    read_collected(workspace, config.collect)
    assert workspace.read(RAW_COMMENTS)["native_id"].to_list() == ["a1", "a2", "a3", "a4"]


def test_a_short_text_goes_where_it_stands_alone(tmp_path: Path) -> None:
    """A comment of one word leaves its cell, and that it cannot be looked for is counted."""
    workspace, _, _ = collected(tmp_path, "t.csv", CSV)
    done = forget(workspace.root, author="Ida")
    assert (done.comments, done.unchecked, done.left) == (1, 1, ())
    assert (workspace.raw / "t.csv").read_text().endswith("a4,,[deleted],[deleted]\n")


def test_a_comment_of_a_workbook_is_forgotten(tmp_path: Path) -> None:
    """The strings of an .xlsx lose the words and the workbook still reads."""
    source = tmp_path / "t.xlsx"
    book = Workbook()
    for row in csv.reader(io.StringIO(CSV)):
        book.active.append(row)
    book.save(source)
    config = Config(input=InputConfig(sources=(str(source),)))
    run(config, tmp_path / "ws", ["collect", "normalize"])
    workspace = Workspace(tmp_path / "ws")
    done = forget(workspace.root, author="Wilma Kranich")
    assert (done.comments, done.files, done.left) == (2, 1, ())
    read_collected(workspace, config.collect)
    assert workspace.read(RAW_COMMENTS)["native_id"].to_list() == ["a1", "a2", "a3", "a4"]


def test_words_that_look_like_a_tag_are_found_too() -> None:
    """A remark between angle brackets is no markup to the one who wrote it."""
    text = "<I think that this lamp should have been mended years ago>"
    words = words_of([text], [])
    assert words.stand_in(f"a,{text},b")
    assert not words.stand_in(take_out(f"a,{text},b", words)[0])


def test_what_others_wrote_too_is_not_distinctive() -> None:
    """A phrase that another comment has in its own words stays there; the whole text goes."""
    phrase = "the constitution of the united provinces"
    words = words_of([f"Surely {phrase} forbids it outright, as I said."], [f"I like {phrase}."])
    assert take_out(f'"I like {phrase}."', words) == (f'"I like {phrase}."', 0)
