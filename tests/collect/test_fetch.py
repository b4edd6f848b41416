"""Bytes are kept as they came, once, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from discourse import collect
from discourse.config import Config, parse_config
from discourse.errors import DiscourseError, InputError, UsageError, WorkspaceError
from discourse.tables import RAW_COMMENTS, RAW_THREADS
from discourse.workspace import Workspace


def config(*sources: Path | str, **options: object) -> Config:
    """Return a configuration with these sources and [input] options."""
    return parse_config({"input": {"sources": [str(source) for source in sources], **options}})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a CSV of two comments."""
    path = tmp_path / "t.csv"
    path.write_bytes(b"text\r\nA first comment\r\nA second comment\r\n")
    return path


def manifest(workspace: Workspace) -> list[dict[str, object]]:
    """Return the entries of sources.json."""
    return json.loads((workspace.raw / "sources.json").read_text())["sources"]


def test_bytes_are_copied_verbatim_and_described(workspace: Workspace, file: Path) -> None:
    """Bytes are copied verbatim and described."""
    collect.fetch(workspace, config(file, furniture="x+"))
    assert (workspace.raw / "t.csv").read_bytes() == file.read_bytes()
    (entry,) = manifest(workspace)
    assert entry["name"] == "t.csv"
    assert entry["bytes"] == len(file.read_bytes())
    assert entry["options"]["furniture"] == ["x+"]  # type: ignore[index]
    assert str(file.parent) not in (workspace.raw / "sources.json").read_text()


def test_a_repeated_run_gives_equal_tables(workspace: Workspace, file: Path) -> None:
    """A repeated run gives equal tables."""
    collect.run(workspace, config(file))
    first = [workspace.digest(table) for table in collect.WRITES]
    collect.run(workspace, config(file))
    assert [workspace.digest(table) for table in collect.WRITES] == first


def test_other_options_or_other_bytes_are_a_new_collection(workspace: Workspace, file: Path) -> None:
    """Other options or other bytes are a new collection."""
    collect.fetch(workspace, config(file))
    (first,) = manifest(workspace)
    collect.fetch(workspace, config(file, thread="x"))
    (second,) = manifest(workspace)
    file.write_bytes(file.read_bytes() + b"A third comment\r\n")
    collect.fetch(workspace, config(file, thread="x"))
    (third,) = manifest(workspace)
    assert first["collected_at"] < second["collected_at"] < third["collected_at"]  # type: ignore[operator]


def test_files_that_are_no_longer_sources_are_removed(workspace: Workspace, file: Path) -> None:
    """Files that are no longer sources are removed."""
    other = file.with_name("u.csv")
    other.write_bytes(file.read_bytes())
    collect.run(workspace, config(file, other))
    assert workspace.read(RAW_THREADS).height == 2
    collect.run(workspace, config(other))
    assert sorted(path.name for path in workspace.raw.iterdir()) == ["sources.json", "u.csv"]
    assert workspace.read(RAW_COMMENTS)["file"].unique().to_list() == ["u.csv"]


def test_parse_reads_only_the_workspace(workspace: Workspace, file: Path) -> None:
    """Parse reads only the workspace."""
    collect.fetch(workspace, config(file, thread="kept"))
    file.unlink()
    outcome = collect.parse(workspace, Config())
    assert dict(outcome.counts) == {"files": 1, "records": 2, "threads": 1, "unusable": 0}
    assert workspace.read(RAW_THREADS)["thread_id"].to_list() == ["file:kept"]


def test_a_copy_that_was_changed_is_refused(workspace: Workspace, file: Path) -> None:
    """A copy that was changed is refused."""
    collect.fetch(workspace, config(file))
    (workspace.raw / "t.csv").write_bytes(b"text\nchanged\n")
    with pytest.raises(WorkspaceError, match="collect it again"):
        collect.parse(workspace, Config())


def test_two_files_of_one_thread_make_one_thread(workspace: Workspace, tmp_path: Path) -> None:
    """Two files of one thread make one thread."""
    one, two = tmp_path / "a.csv", tmp_path / "b.csv"
    one.write_text("thread_id,id,text,title\n7,1,First comment,\n")
    two.write_text("thread_id,id,text,title\n7,2,Second comment,A title\n")
    collect.run(workspace, config(one, two))
    (thread,) = workspace.read(RAW_THREADS).to_dicts()
    assert (thread["thread_id"], thread["title"], thread["source"]) == ("file:7", "A title", "a.csv, b.csv")


def test_what_is_no_file_is_refused_before_anything_is_copied(workspace: Workspace, file: Path) -> None:
    """What is no file is refused before anything is copied."""
    folder = file.parent / "folder"
    folder.mkdir()
    twin = folder / "t.csv"
    twin.write_text("text\nx\n")
    reserved = file.with_name("sources.json")
    reserved.write_text("{}")
    cases: list[tuple[type[DiscourseError], str, tuple[Path | str, ...]]] = [
        (UsageError, "nothing to read", ()),
        (InputError, "no such file", (file, "missing.csv")),
        (InputError, "is a folder", (folder,)),
        (InputError, "no address that we can read", ("gopher://example.org/thread",)),
        (InputError, "one file name", (file, twin)),
        (InputError, "of its own", (reserved,)),
        (InputError, "no regular file", ("/dev/null",)),
        (InputError, "check the path", ("a\0b",)),
        (InputError, "xxx", ("x" * 5000,)),
    ]
    for error, message, sources in cases:
        with pytest.raises(error, match=message):
            collect.fetch(workspace, config(*sources))
    assert not workspace.raw.exists()


def test_an_empty_file_is_refused(workspace: Workspace, file: Path) -> None:
    """An empty file is refused."""
    file.write_bytes(b"")
    with pytest.raises(InputError, match="is empty"):
        collect.fetch(workspace, config(file))


def test_a_workspace_without_sources_says_what_to_run(workspace: Workspace) -> None:
    """A workspace without sources says what to run."""
    with pytest.raises(InputError, match="discourse collect FILE"):
        collect.parse(workspace, Config())
