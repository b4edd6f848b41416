"""What a write leaves behind: digests, provenance, and the old table where it fails."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from discourse.errors import WorkspaceError
from discourse.tables import COMMENTS, QUARANTINE
from discourse.workspace import Workspace, create_workspace, open_workspace
from discourse.writing import replacing
from tests.small_disk import filled, small_disk


def rows(*places: str) -> pl.DataFrame:
    return pl.DataFrame({"source": "a", "location": places, "reason": "empty"})


def test_a_frame_that_does_not_conform_leaves_the_old_table(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.write(QUARANTINE, rows("row 1"))
    before = workspace.digest(QUARANTINE)
    with pytest.raises(ValueError, match="repeats"):
        workspace.write(QUARANTINE, rows("row 2", "row 2"))
    assert workspace.digest(QUARANTINE) == before
    assert [path.name for path in workspace.folder(QUARANTINE).iterdir()] == ["part-00000.parquet"]


def test_a_digest_follows_the_rows(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    assert workspace.digest(QUARANTINE) == ""
    workspace.write(QUARANTINE, rows("row 1"))
    first = workspace.digest(QUARANTINE)
    workspace.write(QUARANTINE, rows("row 1"))
    assert workspace.digest(QUARANTINE) == first
    workspace.write(QUARANTINE, rows("row 2"))
    assert workspace.digest(QUARANTINE) != first
    workspace.clear(QUARANTINE)
    assert workspace.digest(QUARANTINE) == ""
    assert workspace.read(COMMENTS).is_empty()


def test_a_disk_that_fails_is_told_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "quarantine").write_text("a file where the table's folder should be", encoding="utf-8")
    with pytest.raises(WorkspaceError, match=r"part-00000\.parquet: cannot be written"):
        Workspace(tmp_path).write(QUARANTINE, rows("row 1"))


@pytest.mark.parametrize("text", ["{", "[]", '{"stages": {"collect": 3}}', "\x00"])
def test_a_damaged_receipt_is_told_in_one_sentence(text: str, tmp_path: Path) -> None:
    (tmp_path / "receipt.json").write_text(text, encoding="utf-8")
    with pytest.raises(WorkspaceError, match=r"receipt\.json: is damaged") as caught:
        open_workspace(tmp_path)
    assert "\n" not in str(caught.value)


def test_damage_within_a_part_is_told_when_it_is_read(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.write(QUARANTINE, rows(*(f"row {i}" for i in range(500))))
    part = workspace.parts(QUARANTINE)[0]
    data = bytearray(part.read_bytes())
    data[4:200] = b"\xff" * 196
    part.write_bytes(data)
    with pytest.raises(WorkspaceError, match="is damaged"):
        workspace.read(QUARANTINE)


def test_an_author_key_of_the_users_is_taken_or_refused(tmp_path: Path) -> None:
    workspace, key = create_workspace(tmp_path / "ws"), tmp_path / "my.key"
    with pytest.raises(WorkspaceError, match=r"my\.key: the author key cannot be read"):
        workspace.author_key(key)
    key.write_text("short", encoding="ascii")
    with pytest.raises(WorkspaceError, match="at least 16 bytes"):
        workspace.author_key(key)
    key.write_text("long enough to be a secret\n", encoding="ascii")
    assert workspace.author_key(key) == b"long enough to be a secret"
    assert not (tmp_path / "ws" / "author.key").exists()


def test_a_full_disk_is_told_whatever_is_written_and_the_old_file_stays(tmp_path: Path) -> None:
    """Polars tells a full disk in several ways, by kind of file and by how much room there was."""
    frame = pl.DataFrame({"text": [f"{place} {place**5}" for place in range(20_000)]})
    writes = {"a.parquet": frame.write_parquet, "a.csv": frame.write_csv, "a.jsonl": frame.write_ndjson}
    with small_disk(tmp_path / "disk") as disk:
        for name, write in writes.items():
            target = disk / name
            target.write_text("old", encoding="utf-8")
            for leaving in (0, 4_096, 65_536):
                with (
                    filled(disk, leaving),
                    pytest.raises(WorkspaceError, match=rf"{name}: cannot be written \((No space left|the disk is)"),
                    replacing(target) as partial,
                ):
                    write(partial)
            assert target.read_text(encoding="utf-8") == "old"
        assert len(list(disk.iterdir())) == len(writes)


def test_another_fault_of_polars_is_no_full_disk(tmp_path: Path) -> None:
    """What is wrong with the rows is not blamed on the disk."""
    with pytest.raises(pl.exceptions.ColumnNotFoundError), replacing(tmp_path / "a.csv") as partial:
        pl.DataFrame({"a": [1]}).select("b").write_csv(partial)
    assert not list(tmp_path.iterdir())
