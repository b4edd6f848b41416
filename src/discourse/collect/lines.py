"""Lines of a file of any size, plain, gzip or zstd, in pieces of whole lines."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import zstandard

from discourse.collect.rawfile import GZIP, MAX_RATIO, RATIO_COUNTS_ABOVE, ZSTD, ZSTD_WINDOW, Unpacker
from discourse.errors import InputError

PIECE = 16_000_000
# A longer line is no record of anybody's comment; its start is kept, so that it can be quarantined.
LONGEST_LINE = 64_000_000
_KEPT = 1_000
# One call expands so many bytes of zstd to at most 128 MB.
_PACKED = 4096
_PLAIN = 1 << 20


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole lines, the number of the first from 0, and how many bytes of the file were read by then."""

    data: bytes
    first: int
    consumed: int


class LineReader:
    """Pieces of one file; `damage` says, once they were all read, what is wrong with a compressed file."""

    def __init__(self, path: Path, *, piece: int = PIECE) -> None:
        self.damage: str | None = None
        self._path = path
        self._piece = piece
        self._consumed = 0

    def __iter__(self) -> Iterator[Piece]:
        """Yield pieces of about `piece` bytes that end with a line; only the last may lack its line end.

        Raises:
            InputError: the file cannot be read, or is made to fill the memory.
        """
        try:
            with self._path.open("rb") as handle:
                yield from self._pieces(handle)
        except OSError as e:
            raise InputError(f"{self._path}: cannot be read ({e.strerror}); check its permissions") from e

    def _pieces(self, handle: BinaryIO) -> Iterator[Piece]:
        waiting, first, size, end = bytearray(), 0, 0, 0
        for part in self._unpacked(handle):
            size += len(part)
            if size > RATIO_COUNTS_ABOVE and size > MAX_RATIO * self._consumed:
                name = self._path.name
                raise InputError(f"{name}: unpacks to more than {MAX_RATIO} times its size and is no file of comments")
            # Of a line that is too long, all but the start is left out; the null byte keeps it from being a record.
            if not end and len(waiting) > LONGEST_LINE:
                waiting[_KEPT:] = b"\0"
            found = part.rfind(b"\n")
            if found >= 0:
                end = len(waiting) + found + 1
            waiting += part
            if end and len(waiting) >= self._piece:
                data = bytes(waiting[:end])
                del waiting[:end]
                yield Piece(data, first, self._consumed)
                first, end = first + data.count(b"\n"), 0
        if waiting:
            yield Piece(bytes(waiting), first, self._consumed)

    def _unpacked(self, handle: BinaryIO) -> Iterator[bytes]:
        magic = handle.read(4)
        handle.seek(0)
        if magic.startswith(GZIP):
            yield from self._members(handle, "gzip", GZIP, lambda: zlib.decompressobj(wbits=31))
        elif magic.startswith(ZSTD):
            opened = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW)
            yield from self._members(handle, "zstd", ZSTD, lambda: cast("Unpacker", opened.decompressobj()))
        else:
            while part := handle.read(_PLAIN):
                self._consumed += len(part)
                yield part

    def _members(self, handle: BinaryIO, kind: str, magic: bytes, start: Callable[[], Unpacker]) -> Iterator[bytes]:
        self.damage = f"the {kind} data is cut short"
        stream, rest = start(), b""
        while packed := rest or handle.read(_PACKED):
            rest = b""
            try:
                part = stream.decompress(packed)
            except (zlib.error, zstandard.ZstdError, MemoryError):
                self.damage = f"the {kind} data is damaged after {self._consumed:,} bytes"
                return
            left = stream.unused_data if stream.eof else b""
            self._consumed += len(packed) - len(left)
            if part:
                yield part
            if not stream.eof:
                continue
            rest = left if len(left) >= len(magic) else left + handle.read(_PACKED)
            if not rest.strip(b"\0"):
                self.damage = None
                return
            if not rest.startswith(magic):
                self.damage = f"other bytes follow the {kind} data"
                return
            stream = start()
