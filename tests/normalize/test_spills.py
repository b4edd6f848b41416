"""Files that wait for normalize between its passes: a full disk, a kill and damage lose nothing and leave nothing."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tests.normalize.records import CONFIG, record, thread
from tests.small_disk import filled, small_disk

from discourse.errors import WorkspaceError
from discourse.normalize import WRITES, run
from discourse.normalize.batches import Shelf, scratch
from discourse.tables import RAW_COMMENTS, RAW_THREADS
from discourse.workspace import Workspace

BATCH = 20
RUN = """
import sys
from pathlib import Path
from discourse.config import parse_config
from discourse.normalize import run
from discourse.workspace import Workspace
workspace = Workspace(Path(sys.argv[1]))
with workspace.lock():
    run(workspace, parse_config({"normalize": {"languages": ["en", "es", "de"]}}), batch=20)
"""


def collected(root: Path) -> Workspace:
    """A workspace with 600 records in 30 threads: thirty batches of `BATCH`."""
    workspace = Workspace(root)
    names = [f"forum:t{place}" for place in range(30)]
    records = [
        record(place, f"The {place}th ferry was late again in the rain, as was the {place + 1}th.", thread_id=name)
        for place, name in enumerate(names * 20)
    ]
    root.mkdir(parents=True, exist_ok=True)
    (root / "author.key").write_text("k" * 32, encoding="ascii")
    workspace.write(RAW_COMMENTS, RAW_COMMENTS.conform(pl.DataFrame(records)))
    workspace.write(RAW_THREADS, RAW_THREADS.conform(pl.DataFrame([thread(name) for name in names])))
    return workspace


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pl.DataFrame]:
    """The tables of a run that nobody disturbed."""
    workspace = collected(tmp_path_factory.mktemp("clean") / "ws")
    run(workspace, CONFIG, batch=BATCH)
    return tables(workspace)


def tables(workspace: Workspace) -> dict[str, Any]:
    """What normalize writes."""
    return {table.name: workspace.read(table) for table in WRITES}


def assert_done_again(workspace: Workspace, clean: dict[str, pl.DataFrame]) -> None:
    """Run again as a person would; nothing of the disturbed run stays, and the tables are the clean ones."""
    with workspace.lock():
        assert not list(workspace.root.glob(".partial-*"))
        run(workspace, CONFIG, batch=BATCH)
    assert not list(workspace.root.rglob(".partial-*"))
    for name, frame in tables(workspace).items():
        assert_frame_equal(frame, clean[name])


@pytest.mark.parametrize("spill", ["records/*", "described/*"])
def test_a_killed_run_leaves_spills_that_the_next_one_sweeps(
    spill: str, clean: dict[str, pl.DataFrame], tmp_path: Path
) -> None:
    """Killed as such a file appears: the tables of the next run are those of a clean one."""
    workspace = collected(tmp_path / "ws")
    with subprocess.Popen([sys.executable, "-c", RUN, str(workspace.root)], stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and not any(workspace.root.glob(f".partial-normalize/{spill}")):
            time.sleep(0.001)
        process.kill()
    assert process.returncode == -9
    assert (workspace.root / ".partial-normalize").is_dir()
    assert_done_again(workspace, clean)


@pytest.mark.parametrize("leaving", [0, 60_000, 300_000])
def test_a_full_disk_is_told_and_leaves_no_spills(leaving: int, clean: dict[str, pl.DataFrame], tmp_path: Path) -> None:
    """Room for nothing, for some spills, for the spills and not the tables: one sentence, and a clean run after it."""
    with small_disk(tmp_path / "disk") as disk:
        workspace = collected(disk / "ws")
        with filled(disk, leaving), pytest.raises(WorkspaceError, match=r"cannot be written \((No space|the disk)"):
            run(workspace, CONFIG, batch=BATCH)
        assert not list(workspace.root.rglob(".partial-*"))
        assert_done_again(workspace, clean)


@pytest.mark.parametrize("damage", ["cut", "empty", "gone"])
def test_a_damaged_spill_is_told_by_its_name(damage: str, tmp_path: Path) -> None:
    """The file cannot be read back: it is named, and to run again is the remedy."""
    with scratch(Workspace(tmp_path)) as folder:
        shelf = Shelf(folder / "records", in_memory=False)
        shelf.put(3, pl.DataFrame({"text": ["The ferry is late."] * 100}))
        spill = next((folder / "records").iterdir())
        if damage == "gone":
            spill.unlink()
        else:
            spill.write_bytes(spill.read_bytes()[:100] if damage == "cut" else b"")
        with pytest.raises(WorkspaceError, match=rf"{spill.name}: cannot be read back .*run again"):
            shelf.take(3)
    assert not folder.exists()
