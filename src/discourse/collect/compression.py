"""Undo content encodings piece by piece, so that a bomb is noticed before it fills the memory."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import IO, cast

import brotli
import zstandard

_PIECE = 1 << 16
_MOST_LAYERS = 3
_LARGEST_WINDOW = 1 << 27


class TooLargeError(ValueError):
    """A body is larger than the cap; nothing beyond the cap was unpacked."""


class EncodingError(ValueError):
    """A body is not what its content encoding says, or is cut short; the message is one clause."""


def unpack(pieces: Iterable[bytes], encoding: str, cap: int) -> bytes:
    """Return a body without its content encodings.

    Args:
        pieces: the body as it comes.
        encoding: the Content-Encoding header: gzip, deflate, br, zstd, identity, or several with commas.
        cap: the largest size in bytes, after each step.

    Raises:
        TooLargeError: it is larger than `cap`.
        EncodingError: the encoding is unknown, or the bytes are not in it or end too early.
    """
    layers = [name for part in encoding.split(",") if (name := part.strip().lower()) not in {"", "identity"}]
    if len(layers) > _MOST_LAYERS:
        raise EncodingError(f"it is packed {len(layers)} times")
    stream: Iterator[bytes] = _capped(pieces, cap)
    for name in reversed(layers):
        if name not in _ENCODINGS:
            raise EncodingError(f'it is packed as "{name[:20]}", which is not known')
        stream = _capped(_ENCODINGS[name](stream), cap)
    return b"".join(stream)


def _capped(pieces: Iterable[bytes], cap: int) -> Iterator[bytes]:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > cap:
            raise TooLargeError(f"it is larger than {cap:,} bytes")
        yield piece


def _zlib(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Unpack gzip, also of several members, zlib, and what some servers call deflate: the same without its header."""
    unpacker, began, plain, fed = zlib.decompressobj(zlib.MAX_WBITS | 32), False, False, False
    for piece in _with_whole_header(pieces):
        waiting, fed = piece, True
        while waiting:
            if unpacker.eof:
                if not waiting.startswith(b"\x1f\x8b"):
                    # What follows the last member is padding.
                    break
                unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)
            try:
                out = unpacker.decompress(waiting, _PIECE)
            except zlib.error as e:
                if began or plain:
                    raise EncodingError("it is not packed as it says, or damaged") from e
                unpacker, plain = zlib.decompressobj(-zlib.MAX_WBITS), True
                continue
            began = began or bool(out)
            yield out
            waiting = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
            if not waiting and not unpacker.eof and len(out) == _PIECE:
                # More may be ready inside although all input was taken.
                while len(out := unpacker.decompress(b"", _PIECE)):
                    yield out
    if fed and not unpacker.eof:
        raise EncodingError("it is cut short")


def _with_whole_header(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Put the first two bytes into one piece: they tell which of the three it is."""
    head = b""
    for piece in pieces:
        if len(head) < 2:
            head += piece
            if len(head) >= 2:
                yield head
        elif piece:
            yield piece
    if len(head) == 1:
        yield head


def _brotli(pieces: Iterator[bytes]) -> Iterator[bytes]:
    unpacker, began = brotli.Decompressor(), False
    try:
        for piece in pieces:
            began = began or bool(piece)
            out = unpacker.process(piece, output_buffer_limit=_PIECE)
            while out:
                yield out
                out = b"" if unpacker.is_finished() else unpacker.process(b"", output_buffer_limit=_PIECE)
    except brotli.error as e:
        raise EncodingError("it is not packed as it says, or damaged") from e
    if began and not unpacker.is_finished():
        raise EncodingError("it is cut short")


class _Readable(io.RawIOBase):
    """Pieces as a file, which is what zstandard reads from."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces

    def read(self, size: int = -1) -> bytes:
        del size
        return next((piece for piece in self._pieces if piece), b"")


def _zstd(pieces: Iterator[bytes]) -> Iterator[bytes]:
    unpacker = zstandard.ZstdDecompressor(max_window_size=_LARGEST_WINDOW)
    try:
        with unpacker.stream_reader(cast("IO[bytes]", _Readable(pieces)), read_across_frames=True) as reader:
            while out := reader.read(_PIECE):
                yield out
    except zstandard.ZstdError as e:
        raise EncodingError("it is not packed as it says, or damaged") from e


_ENCODINGS: dict[str, Callable[[Iterator[bytes]], Iterator[bytes]]] = {
    "gzip": _zlib,
    "x-gzip": _zlib,
    "deflate": _zlib,
    "br": _brotli,
    "zstd": _zstd,
}
