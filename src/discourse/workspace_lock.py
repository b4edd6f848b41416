"""One writer at a time in one workspace; the lock of a run that died is free."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from discourse.errors import WorkspaceError

LOCK = ".lock"
# What is not finished has a name that begins so, whether it is a file or a folder.
PARTIAL = ".partial-"


@contextmanager
def locked(root: Path) -> Generator[None]:
    """Keep others from writing to the workspace at `root` while the block runs, and sweep what a killed run left.

    The lock is the kernel's, on the open file `.lock`: it is gone with its process, however that ends. What the file
    says is for the sentence alone.

    Raises:
        WorkspaceError: another run holds it, or the folder cannot be written.
    """
    path = root / LOCK
    try:
        root.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as e:
        raise WorkspaceError(_cannot("written", root, e)) from e
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as e:
            raise WorkspaceError(
                f"{root}: another run ({_holder(handle)}) is writing here; wait until it ends, stop it, or choose "
                "another folder with -o"
            ) from e
        except OSError as e:
            raise WorkspaceError(_cannot("locked", root, e)) from e
        _sign(handle, root)
        sweep(root)
        yield
    finally:
        os.close(handle)


def sweep(root: Path) -> None:
    """Remove what a killed run left half-written."""
    for partial in sorted(root.rglob(f"{PARTIAL}*")):
        if partial.is_dir() and not partial.is_symlink():
            shutil.rmtree(partial, ignore_errors=True)
        else:
            partial.unlink(missing_ok=True)


def _sign(handle: int, root: Path) -> None:
    try:
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()} {socket.gethostname()}".encode(), 0)
    except OSError as e:
        raise WorkspaceError(_cannot("written", root, e)) from e


def _holder(handle: int) -> str:
    """Say who holds the lock, as far as the file tells."""
    process, _, host = os.pread(handle, 300, 0).decode(errors="replace").partition(" ")
    if not process.isdigit():
        return "of an unknown process"
    where = host if host.isprintable() and host else socket.gethostname()
    return f"process {process} on {where}"


def _cannot(done: str, root: Path, e: OSError) -> str:
    return f"{root}: cannot be {done} ({e.strerror or e}); make it writable, free space, or choose another with -o"
