"""Bytes of one file, read and decompressed within limits: what every source starts from."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

import zstandard

from discourse.errors import InputError

MAX_BYTES = 4_000_000_000
# Comments compress 3 to 20 times; a file that grows more than this is made to fill the memory.
MAX_RATIO = 200
RATIO_COUNTS_ABOVE = 256_000_000

GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
# A zstd window may span 2 GB in dumps made with --long=31.
ZSTD_WINDOW = 2**31
# One call expands a chunk of this size to at most 128 MB, so that the limits are checked in time.
_CHUNK = 4096

_FOREIGN = {
    b"PK\x03\x04": "a zip file; unpack it, or save a spreadsheet as .xlsx or CSV",
    b"\xd0\xcf\x11\xe0": "an old Office file; save it as CSV",
    b"BZh": "a bzip2 file; unpack it, or use gzip or zstd",
    b"\xfd7zXZ": "an xz file; unpack it, or use gzip or zstd",
    b"%PDF-": "a PDF; copy its text into a .txt file",
    b"SQLite format 3": "an SQLite database; export the table as CSV",
}


@dataclass(frozen=True, slots=True)
class RawFile:
    """One file's content.

    Attributes:
        name: the file's name without folder.
        data: its bytes, decompressed.
        damage: what is wrong with the compressed file, if it could be read only in part.
    """

    name: str
    data: bytes
    damage: str | None = None

    @property
    def suffix(self) -> str:
        """The last suffix in lower case without that of the compression, such as ``.csv`` for ``a.CSV.gz``."""
        path = Path(self.name.lower())
        return Path(path.stem).suffix if path.suffix in {".gz", ".gzip", ".zst", ".zstd"} else path.suffix


def read_file(path: Path) -> RawFile:
    """Read one file whole and decompress it; gzip and zstd are told by their first bytes.

    Raises:
        InputError: the file is missing, empty, no regular file, unreadable, too large, of a kind that holds no
            comments, or compressed and damaged so that nothing can be read.
    """
    check_regular(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path.name}: is larger than {MAX_BYTES:,} bytes; split it")
        data = path.read_bytes()
    except OSError as e:
        raise InputError(f"{path}: cannot be read ({e.strerror}); check its permissions") from e
    return unpack(path.name, data)


def check_regular(path: Path) -> None:
    """Refuse what is no plain file.

    Raises:
        InputError: `path` is missing, a folder, or a device.
    """
    try:
        if path.is_dir():
            raise InputError(f"{path}: is a folder; name the files in it")
        if path.is_file():
            return
        exists = path.exists()
    except (OSError, ValueError) as e:
        raise InputError(f"{str(path)[:200]!r}: cannot be read ({e}); check the path") from e
    if exists:
        raise InputError(f"{path}: is no regular file; save its content to a file first")
    raise InputError(f"{path}: there is no such file; check the path")


def unpack(name: str, data: bytes) -> RawFile:
    """Return the content of a file whose bytes are `data`, decompressed if they are gzip or zstd.

    Raises:
        InputError: see `read_file`.
    """
    damage = None
    if data.startswith(GZIP):
        data, damage = _decompress(name, data, "gzip", GZIP, lambda: zlib.decompressobj(wbits=31))
    elif data.startswith(ZSTD):
        opened = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW)
        data, damage = _decompress(name, data, "zstd", ZSTD, lambda: cast("Unpacker", opened.decompressobj()))
    if not data.strip():
        raise InputError(f"{name}: is empty; check that the file was saved whole")
    for magic, kind in _FOREIGN.items():
        if data.startswith(magic) and not is_workbook(data):
            raise InputError(f"{name}: is {kind}")
    return RawFile(name, data, damage)


def is_workbook(data: bytes) -> bool:
    """Tell whether bytes are an Excel workbook (.xlsx): a zip file with the part that all of them have."""
    return data.startswith(b"PK\x03\x04") and b"xl/workbook.xml" in data


class Unpacker(Protocol):
    """What zlib and zstandard have in common: bytes in, bytes out, and what follows the end of the data."""

    @property
    def unused_data(self) -> bytes:
        """Bytes after the end of the data, of the last call."""
        ...

    @property
    def eof(self) -> bool:
        """Whether the end of the data was reached."""
        ...

    def decompress(self, data: bytes, /) -> bytes:
        """Return what these bytes expand to."""
        ...


def _decompress(
    name: str, data: bytes, kind: str, magic: bytes, start: Callable[[], Unpacker]
) -> tuple[bytes, str | None]:
    found = bytearray()
    damage: str | None = f"the {kind} data is cut short"
    stream, place = start(), 0
    while place < len(data):
        try:
            found += stream.decompress(data[place : place + _CHUNK])
        except (zlib.error, zstandard.ZstdError, MemoryError):
            damage = f"the {kind} data is damaged after {place:,} bytes"
            break
        place = min(place + _CHUNK, len(data))
        _check_size(name, len(found), place)
        if not stream.eof:
            continue
        place -= len(stream.unused_data)
        if not data[place : place + _CHUNK].strip(b"\0"):
            damage = None
            break
        if not data.startswith(magic, place):
            damage = f"other bytes follow the {kind} data"
            break
        stream = start()
    if damage and not found.strip():
        raise InputError(f"{name}: {damage} and nothing in it can be read; fetch or save the file again")
    return bytes(found), damage


def _check_size(name: str, size: int, consumed: int) -> None:
    if size > MAX_BYTES:
        raise InputError(f"{name}: unpacks to more than {MAX_BYTES:,} bytes; split it")
    if size > RATIO_COUNTS_ABOVE and size > MAX_RATIO * consumed:
        raise InputError(f"{name}: unpacks to more than {MAX_RATIO} times its size and is no file of comments")
