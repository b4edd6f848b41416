"""Bytes to text: UTF-8, UTF-16 with a byte order mark, and what old Windows programs write."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

from discourse.collect.rawfile import RawFile
from discourse.errors import InputError

EXCERPT = 200

_HANDLER = "discourse-cp1252"
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\x0b\x1b\x1a"))
_SAMPLE = 65_536
_MAX_CONTROL_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text in UTF-8 without byte order mark, and the encoding that the file had."""

    utf8: bytes
    encoding: str

    @property
    def text(self) -> str:
        """The whole text."""
        return self.utf8.decode("utf-8")

    def head(self, size: int = _SAMPLE) -> str:
        """Return about the first `size` bytes as text."""
        return self.utf8[:size].decode("utf-8", errors="ignore")


@dataclass(frozen=True, slots=True)
class Lines:
    """The part of a text that ends with a whole line, and the start of the cut line after it, if there is one."""

    utf8: bytes
    cut: str | None


def decode(raw: RawFile) -> Decoded:
    """Decode a file: by its byte order mark, else as UTF-8, where each byte that is no UTF-8 is read as cp1252.

    Raises:
        InputError: the bytes are no text.
    """
    data = raw.data
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if data.startswith(mark):
            decoded = _decode_marked(data, name)
            break
    else:
        decoded = _decode_bytes(data, whole=raw.damage is None)
    sample = decoded.utf8[:_SAMPLE]
    control = len(sample) - len(sample.translate(None, delete=_CONTROL))
    if b"\0" in decoded.utf8 or control > _MAX_CONTROL_SHARE * len(sample):
        raise InputError(f"{raw.name}: is no text (it holds binary data); save it as UTF-8 text, CSV or JSON")
    if not decoded.utf8.strip():
        raise InputError(f"{raw.name}: is empty; check that the file was saved whole")
    return decoded


def whole_lines(raw: RawFile, decoded: Decoded) -> Lines:
    """Leave out the last line of a file that could be read only in part, because it may be cut.

    Raises:
        InputError: not one line is whole.
    """
    if raw.damage is None:
        return Lines(decoded.utf8, None)
    end = decoded.utf8.rfind(b"\n") + 1
    if not decoded.utf8[:end].strip():
        raise InputError(f"{raw.name}: {raw.damage} within its first line; fetch or save the file again")
    return Lines(decoded.utf8[:end], decoded.utf8[end : end + 4 * EXCERPT].decode("utf-8", errors="ignore")[:EXCERPT])


def _decode_marked(data: bytes, name: str) -> Decoded:
    text = data.decode(name, errors=_HANDLER if name == "utf-8-sig" else "replace")
    # UTF-16 can hold half a surrogate pair, which is no character.
    return Decoded(text.encode("utf-8", errors="replace"), "utf-8 with BOM" if name == "utf-8-sig" else name)


def _decode_bytes(data: bytes, *, whole: bool) -> Decoded:
    try:
        _, used = codecs.utf_8_decode(data, "strict", whole)
    except UnicodeDecodeError:
        return Decoded(data.decode("utf-8", errors=_HANDLER).encode("utf-8"), "cp1252")
    return Decoded(data[:used], "utf-8")


def _as_cp1252(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", errors="replace"), error.end


codecs.register_error(_HANDLER, _as_cp1252)
