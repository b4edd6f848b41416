"""Files that appear whole or not at all."""

from __future__ import annotations

import glob
import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from discourse.errors import WorkspaceError
from discourse.workspace_lock import PARTIAL


@contextmanager
def replacing(target: Path) -> Generator[Path]:
    """Yield a path to write to; when the block ends well it becomes `target` in one step, else nothing changes.

    Raises:
        WorkspaceError: the disk is full or the folder cannot be written.
    """
    partial = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.name.startswith("part-"):
            _sweep_beside(target)
        handle, name = tempfile.mkstemp(prefix=f"{_prefix(target)}{os.getpid()}-", dir=target.parent)
        os.close(handle)
        partial = Path(name)
        yield partial
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        mask = os.umask(0)
        os.umask(mask)
        if target.name != "author.key":
            partial.chmod(0o666 & ~mask)
        partial.replace(target)
    except (OSError, pl.exceptions.PolarsError) as e:
        reason = disk_fault(e)
        if reason is None:
            raise
        raise WorkspaceError(f"{target}: cannot be written ({reason}); free space or choose another with -o") from e
    finally:
        if partial is not None:
            partial.unlink(missing_ok=True)


def _prefix(target: Path) -> str:
    return f"{PARTIAL}{target.name[:60]}-"


def _sweep_beside(target: Path) -> None:
    """Remove what a killed process left of the same file: a report or an export may lie outside its workspace."""
    for left in target.parent.glob(f"{glob.escape(_prefix(target))}*"):
        process = left.name.removeprefix(_prefix(target)).partition("-")[0]
        if process.isdigit() and not _lives(int(process)):
            left.unlink(missing_ok=True)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True


def disk_fault(error: Exception) -> str | None:
    """Say why a file could not be written, or None where the error means something else.

    Polars raises OSError for some faults of a disk, and for others ComputeError with the words of what it stands on.
    """
    if isinstance(error, OSError):
        return error.strerror or str(error)
    first = (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
    if "os error 28" in first:
        return "No space left on device"
    # What polars says where it could not write the end of a file.
    if "transport error" in first:
        return "the disk is full or faulty"
    if "os error" in first:
        return first
    return None


def write_text(target: Path, text: str) -> None:
    """Write a text file in UTF-8, atomically."""
    with replacing(target) as partial:
        partial.write_text(text, encoding="utf-8")
