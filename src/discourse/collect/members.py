"""Gzip files made of many members, of which a killed process may have torn the last."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

_MAGIC = b"\x1f\x8b\x08"
_PIECE = 1 << 16


class DamagedError(ValueError):
    """A member in the middle of the file is damaged; the message tells where."""


@dataclass(frozen=True, slots=True)
class Member:
    """One gzip member: where it ends in the file, and what it holds."""

    end: int
    data: bytes


def members(data: bytes, cap: int) -> Iterator[Member]:
    """Yield the whole members of a gzip file, in order; a torn last one is left out.

    Args:
        data: the file.
        cap: the largest size of one member, unpacked, in bytes.

    Raises:
        DamagedError: a member cannot be unpacked although others follow it, or is larger than `cap`.
    """
    view, start = memoryview(data), 0
    while start < len(data):
        unpacker, at, found, size = zlib.decompressobj(zlib.MAX_WBITS | 16), start, list[bytes](), 0
        while not unpacker.eof and at < len(data):
            # In pieces: zlib copies whatever it was given and did not need.
            piece = view[at : at + _PIECE]
            try:
                found.append(unpacker.decompress(piece, cap + 1 - size))
            except zlib.error as e:
                if data.find(_MAGIC, start + 1) < 0:
                    return
                raise DamagedError(f"byte {start:,} begins what cannot be unpacked") from e
            at, size = at + len(piece) - len(unpacker.unused_data), size + len(found[-1])
            if size > cap:
                raise DamagedError(f"byte {start:,} begins a record larger than {cap:,} bytes")
        if not unpacker.eof:
            return
        start = at
        yield Member(start, b"".join(found))
