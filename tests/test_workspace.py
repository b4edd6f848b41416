"""The workspace: nothing half-written, nothing lost, one writer at a time."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from discourse.errors import InputError, WorkspaceError
from discourse.receipt import Receipt
from discourse.tables import QUARANTINE, SCHEMA_VERSION, SCORES
from discourse.workspace import Workspace, create_workspace, open_workspace
from discourse.writing import replacing


def rows(*places: str) -> pl.DataFrame:
    return pl.DataFrame(
        {"source": "a", "location": places, "reason": "empty"}, schema_overrides={"location": pl.String}
    )


def scores(*keys: str) -> pl.DataFrame:
    return pl.DataFrame({"input_key": keys, "bundle": "b", "level": "l", "score": 1.0, "tier": "encoder"})


def test_a_table_is_replaced_whole_and_says_where_it_comes_from(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.write(QUARANTINE, rows("row 1", "row 2"))
    workspace.write(QUARANTINE, rows("row 3"), {"bundle": "x@1"})
    assert workspace.read(QUARANTINE)["location"].to_list() == ["row 3"]
    about = json.loads(pl.read_parquet_metadata(workspace.parts(QUARANTINE)[0])["discourse"])
    assert (about["stage"], about["bundle"], about["schema_version"]) == ("normalize", "x@1", SCHEMA_VERSION)
    assert "polars" in about["versions"]


def test_a_failed_write_changes_nothing(tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    target.write_text("old", encoding="utf-8")

    def fail() -> None:
        with replacing(target) as partial:
            partial.write_text("half", encoding="utf-8")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert target.read_text(encoding="utf-8") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_a_repeated_shard_replaces_itself(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.append(SCORES, scores("a", "b"))
    workspace.append(SCORES, scores("c"))
    workspace.append(SCORES, scores("a", "b"))
    assert sorted(workspace.read(SCORES)["input_key"]) == ["a", "b", "c"]


def test_a_damaged_part_is_named(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.write(QUARANTINE, rows("row 1"))
    part = workspace.parts(QUARANTINE)[0]
    part.write_bytes(part.read_bytes()[:40])
    with pytest.raises(WorkspaceError, match=r"part-00000\.parquet: is damaged"):
        workspace.read(QUARANTINE)


def test_the_author_key_is_secret_and_kept(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    key = workspace.author_key()
    assert workspace.author_key() == key
    assert len(key) == 64
    assert stat.S_IMODE((tmp_path / "author.key").stat().st_mode) == 0o600


def test_a_folder_with_other_things_is_no_workspace(tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_text("mine", encoding="utf-8")
    with pytest.raises(WorkspaceError, match="other things"):
        create_workspace(tmp_path)
    with pytest.raises(WorkspaceError, match="is a file"):
        create_workspace(tmp_path / "thesis.doc")
    with pytest.raises(WorkspaceError, match="is no workspace"):
        open_workspace(tmp_path)


def test_a_receipt_survives_and_another_version_is_refused(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.save_receipt(Receipt(sources={"a.csv": "00"}))
    assert open_workspace(tmp_path).receipt().sources == {"a.csv": "00"}
    workspace.save_receipt(Receipt(schema_version=99))
    with pytest.raises(WorkspaceError, match="table version 99"):
        workspace.receipt()
    (tmp_path / "receipt.json").write_text("{", encoding="utf-8")
    with pytest.raises(WorkspaceError, match="is damaged"):
        workspace.receipt()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(WorkspaceError, match="cannot be written"):
        Workspace(tmp_path / "ws").save_receipt(Receipt())


def test_a_table_in_parts_is_replaced_when_the_last_part_is_written(tmp_path: Path) -> None:
    """Parts replace the table together; frames without rows make none, and no frame at all makes an empty table."""
    workspace = Workspace(tmp_path)
    workspace.append(QUARANTINE, rows("row 0"))
    assert workspace.write_parts(QUARANTINE, [rows("row 1", "row 2"), rows(), rows("row 3")]) == 3
    assert [part.name for part in workspace.parts(QUARANTINE)] == ["part-00000.parquet", "part-00001.parquet"]
    assert workspace.read(QUARANTINE)["location"].to_list() == ["row 1", "row 2", "row 3"]

    def failing() -> Iterator[pl.DataFrame]:
        yield rows("row 4")
        raise InputError("the second part cannot be read")

    with pytest.raises(InputError):
        workspace.write_parts(QUARANTINE, failing())
    assert workspace.read(QUARANTINE)["location"].to_list() == ["row 1", "row 2", "row 3"]
    assert not list(tmp_path.rglob(".partial-*"))
    assert workspace.write_parts(QUARANTINE, []) == 0
    assert workspace.read(QUARANTINE).is_empty()
