"""Whether a file still holds the bytes that were written."""

from __future__ import annotations

import hashlib
from pathlib import Path


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes in hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def sum_path(file: Path) -> Path:
    """Return where the checksum of a file lies, in the form of the command sha256sum."""
    return file.with_suffix(".sha256")


def sum_line(written: Path, name: str) -> str:
    """Return what to keep about a file that is written and will be called `name`."""
    return f"{file_sha256(written)}  {name}\n"


def is_damaged(file: Path) -> bool:
    """Tell whether a file's bytes are others than its checksum says; without a checksum nobody can tell."""
    try:
        expected = sum_path(file).read_bytes().split(b" ")[0]
    except FileNotFoundError:
        return False
    return file_sha256(file).encode() != expected
