"""Whole threads at a time: records are parted by thread on disk, so that no more than one batch is in memory."""

from __future__ import annotations

import shutil
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from discourse.errors import WorkspaceError
from discourse.tables import RAW_COMMENTS
from discourse.workspace import Workspace
from discourse.workspace_lock import PARTIAL
from discourse.writing import disk_fault

# Comments of a batch; a longer thread makes one of its own. Twice as many take twice the memory and no less time.
BATCH = 50_000


@dataclass(slots=True)
class Shelf:
    """Frames put aside by number: in memory while there is one only, else in files that the next run sweeps away."""

    folder: Path
    in_memory: bool
    _held: dict[int, list[pl.DataFrame]] = field(default_factory=dict[int, list[pl.DataFrame]])
    _files: dict[int, list[Path]] = field(default_factory=dict[int, list[Path]])

    @property
    def numbers(self) -> list[int]:
        """The numbers that are there, in order."""
        return sorted(self._held.keys() | self._files.keys())

    def put(self, number: int, frame: pl.DataFrame) -> None:
        """Put a frame behind those of this number."""
        if self.in_memory:
            self._held.setdefault(number, []).append(frame)
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        files = self._files.setdefault(number, [])
        path = self.folder / f".partial-{number:06}-{len(files):06}.parquet"
        files.append(path)
        frame.write_parquet(path, compression="lz4", statistics=False)

    def look(self, number: int, columns: list[str] | None = None) -> pl.DataFrame:
        """Return what has this number, or some columns of it, in the order in which it was put."""
        if self.in_memory:
            frames = self._held[number]
            return pl.concat(frames if columns is None else [frame.select(columns) for frame in frames])
        return pl.concat([_read_back(path, columns) for path in self._files[number]])

    def take(self, number: int) -> pl.DataFrame:
        """Return what has this number, for the last time."""
        found = self.look(number)
        self._held.pop(number, None)
        for path in self._files.pop(number, []):
            path.unlink()
        return found


def _read_back(path: Path, columns: list[str] | None) -> pl.DataFrame:
    try:
        return pl.read_parquet(path, columns=columns)
    except (pl.exceptions.PolarsError, OSError) as e:
        reason = str(e).strip().split("\n")[0][:160]
        raise WorkspaceError(
            f"{path}: cannot be read back ({reason}); something else changed it or the disk is faulty: run again"
        ) from e


@contextmanager
def scratch(workspace: Workspace) -> Generator[Path]:
    """Yield a folder for what does not fit in memory, and remove it when the block ends.

    Raises:
        WorkspaceError: the disk is full or the folder cannot be written.
    """
    # By this name the next run sweeps it away if this one is killed.
    folder = workspace.root / f"{PARTIAL}normalize"
    try:
        yield folder
    except (OSError, pl.exceptions.PolarsError) as e:
        reason = disk_fault(e)
        if reason is None:
            raise
        raise WorkspaceError(
            f"{workspace.root}: cannot be written ({reason}); free space or choose another with -o"
        ) from e
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Batches:
    """The raw comments, parted into batches of whole threads that follow the order of threads."""

    shelf: Shelf
    number: int

    def __iter__(self) -> Iterator[pl.DataFrame]:
        """Yield each batch's records, in the order of files."""
        for number in range(self.number):
            # The order of parts on disk means nothing; the order of records in their files does.
            yield self.shelf.take(number).sort("file", "offset")


def thread_sizes(workspace: Workspace) -> pl.DataFrame:
    """Count the records of each thread: thread_id and `records`, in no order."""
    return workspace.scan(RAW_COMMENTS).group_by("thread_id").agg(pl.len().alias("records")).collect()


def first_records(workspace: Workspace, threads: pl.Series) -> pl.DataFrame:
    """Return the thread_id, platform and file of the first record of some threads, in the order of files."""
    rows = workspace.scan(RAW_COMMENTS).filter(pl.col("thread_id").is_in(threads.implode()))
    return (
        rows.select("thread_id", "platform", "file", "offset")
        .collect()
        .sort("file", "offset")
        .unique("thread_id", keep="first", maintain_order=True)
        .drop("offset")
    )


def part_by_thread(workspace: Workspace, threads: pl.DataFrame, folder: Path, size: int = BATCH) -> Batches:
    """Part the raw comments into batches.

    Args:
        workspace: whose raw comments are read.
        threads: all threads in their order, with the columns thread_id and records.
        folder: for batches that wait.
        size: comments of a batch.
    """
    numbered = threads.select(
        "thread_id", ((pl.col("records").cum_sum() - pl.col("records")) // size).rank("dense").alias("batch") - 1
    )
    number = int(numbered["batch"].max() or 0) + 1 if len(numbered) else 0  # pyright: ignore[reportArgumentType] - of integers
    shelf = Shelf(folder / "records", in_memory=number <= 1)
    if number <= 1:
        shelf.put(0, workspace.read(RAW_COMMENTS))
        return Batches(shelf, number)
    waiting = dict[int, list[pl.DataFrame]]()
    rows = 0
    for frame in workspace.batches(RAW_COMMENTS, size):
        parted = frame.join(numbered, on="thread_id").partition_by("batch", as_dict=True, include_key=False)
        for (batch,), some in parted.items():
            waiting.setdefault(int(batch), []).append(some)
        rows += frame.height
        if rows >= 4 * size:
            _put_all(shelf, waiting)
            rows = 0
    _put_all(shelf, waiting)
    return Batches(shelf, number)


def _put_all(shelf: Shelf, waiting: dict[int, list[pl.DataFrame]]) -> None:
    frames: Mapping[int, pl.DataFrame] = {batch: pl.concat(some) for batch, some in waiting.items()}
    waiting.clear()
    for batch, frame in frames.items():
        shelf.put(batch, frame)
