"""Which characters an answer's bytes mean: never an exception, as browsers do."""

from __future__ import annotations

import codecs
import re

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_HEADER = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
_META = re.compile(rb"<meta[^>]{0,500}?charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_XML = re.compile(rb"^\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]+)", re.IGNORECASE)
_HEAD = 4_096
# What pages call Latin-1 or ASCII is what Windows writes (WHATWG Encoding Standard, §4.2).
_WINDOWS = {"iso8859-1", "ascii", "cp1252"}


def decode_body(body: bytes, content_type: str) -> str:
    """Decode by byte order mark, then UTF-8 if the bytes are UTF-8, then header, `<meta>` or XML declaration, cp1252.

    Valid UTF-8 with bytes beyond ASCII goes before the header: such bytes are almost never anything else, and servers
    name a wrong charset often.
    """
    for mark, name in _MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(name, errors="replace")
    named = _named(content_type, body[:_HEAD])
    # Escapes of ISO-2022 and HZ are ASCII bytes.
    if named is not None and named.startswith(("iso2022", "hz", "utf-16", "utf-32", "utf-7")):
        return body.decode(named, errors="replace")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        if named == "utf-8":
            return body.decode("utf-8", errors="replace")
        return body.decode(named or "cp1252", errors="replace")


def _named(content_type: str, head: bytes) -> str | None:
    found = _HEADER.search(content_type)
    candidates = [found.group(1)] if found else []
    candidates += [
        match.group(1).decode("ascii", "ignore") for pattern in (_XML, _META) if (match := pattern.search(head))
    ]
    for candidate in candidates:
        try:
            codec = codecs.lookup(candidate)
        except (LookupError, ValueError):
            continue
        if not getattr(codec, "_is_text_encoding", True) or codec.name in {"utf-7", "idna", "punycode", "undefined"}:
            continue
        return "cp1252" if codec.name in _WINDOWS else codec.name
    return None
