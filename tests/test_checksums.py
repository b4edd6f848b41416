"""Whether a file still holds the bytes that were written."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from discourse.checksums import is_damaged, sum_line, sum_path


def summed(folder: Path) -> Path:
    """A file with its checksum."""
    part = folder / "part-0.parquet"
    part.write_bytes(bytes(range(256)))
    sum_path(part).write_text(sum_line(part, part.name), encoding="ascii")
    return part


@pytest.mark.parametrize("place", [0, 100, 255])
def test_one_turned_bit_is_seen(place: int, tmp_path: Path) -> None:
    """So are a missing end and nothing at all."""
    part = summed(tmp_path)
    assert not is_damaged(part)
    data = bytearray(part.read_bytes())
    data[place] ^= 1
    part.write_bytes(data)
    assert is_damaged(part)
    part.write_bytes(bytes(range(200)))
    assert is_damaged(part)
    part.write_bytes(b"")
    assert is_damaged(part)


def test_a_file_without_checksum_is_taken_as_it_is(tmp_path: Path) -> None:
    """Workspaces of earlier versions have none."""
    part = summed(tmp_path)
    sum_path(part).unlink()
    part.write_bytes(b"other")
    assert not is_damaged(part)


def test_checksums_are_those_of_the_command(tmp_path: Path) -> None:
    """`sha256sum -c *.sha256` in a table's folder checks them, too."""
    part = summed(tmp_path)
    assert subprocess.run(["sha256sum", "-c", sum_path(part).name], cwd=tmp_path, check=False).returncode == 0
