"""Answers that somebody saved: one answer a file, or many in a WARC, a HAR or a test's cassette."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import cast

import yaml

from discourse.collect.answers import Answer, Ask, Json, UnreadableAnswerError
from discourse.collect.jsonvalues import Object, as_object, at, count_at, objects, text_at
from discourse.collect.moments import moment
from discourse.collect.rawfile import RawFile, unpack
from discourse.collect.warc import read_warc
from discourse.errors import InputError
from discourse.tables import Reason

Refuse = Callable[[str, UnreadableAnswerError], None]

WHOLE = "whole file"
_HEAD = 4_096
_CASSETTES = (b"interactions:", b"version: 1\ninteractions:", b"---\ninteractions:", b"http_interactions:")
_YAML_LIMIT = 30_000_000


def is_archive(raw: RawFile) -> bool:
    """Tell by its first bytes a file that can only hold recorded answers."""
    return _start(raw).startswith((b"WARC/", *_CASSETTES))


def saved_answers(raw: RawFile, collected_at: datetime, refuse: Refuse) -> list[Answer]:
    """Return the answers in a file, in its order; none if the file is nothing that a platform could have sent.

    Args:
        raw: the file.
        collected_at: stands for the time of answers whose file does not tell it.
        refuse: called with the place and the reason for each part that cannot be used.
    """
    start = _start(raw)
    if start.startswith(b"WARC/"):
        return list(read_warc(raw.data, refuse))
    if start.startswith(_CASSETTES):
        return list(_cassette(_yaml(raw), collected_at, refuse))
    one = Answer("", 200, {}, raw.data, collected_at, location=WHOLE)
    if start.startswith(b"<"):
        kind = "text/xml" if start.startswith((b"<?xml", b"<rss", b"<feed")) else "text/html"
        return [replace(one, headers={"content-type": kind})]
    if not start.startswith((b"{", b"[")) or _is_lines(raw.data):
        return []
    one = replace(one, headers={"content-type": "application/json"})
    if b'"log"' in start and b'"entries"' in raw.data:
        entries = _entries(one)
        if entries is not None:
            return list(_har(entries, collected_at, refuse))
    if b'nteractions"' in raw.data:
        found = list(_cassette(_json(one), collected_at, refuse))
        if found:
            return found
    return [one]


def _start(raw: RawFile) -> bytes:
    return raw.data[:_HEAD].lstrip(b"\xef\xbb\xbf \t\r\n")


def _is_lines(data: bytes) -> bool:
    """Tell JSONL by its second line: a JSON document is not closed at the end of its first and opened again."""
    first, _, rest = data.lstrip()[:2_000_000].partition(b"\n")
    return first.rstrip().endswith(b"}") and first.startswith(b"{") and rest.lstrip()[:1] == b"{"


def _json(one: Answer) -> Json:
    try:
        return one.json()
    except UnreadableAnswerError:
        return None


def _yaml(raw: RawFile) -> Json:
    """Read YAML of plain values; anything that would make an object is refused by the safe loader."""
    if len(raw.data) > _YAML_LIMIT:
        return None
    try:
        loaded: Json = yaml.load(raw.data, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  # safe
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    return loaded


def _entries(one: Answer) -> list[Object] | None:
    found = at(_json(one), "log", "entries")
    return list(objects(found)) if isinstance(found, list) else None


def _har(entries: list[Object], collected_at: datetime, refuse: Refuse) -> Iterator[Answer]:
    """Yield the answers of a HAR file (HTTP Archive 1.2)."""
    for number, entry in enumerate(entries, 1):
        content = as_object(at(entry, "response", "content"))
        text = content.get("text")
        url = text_at(entry, "request", "url")
        if not isinstance(text, str) or url is None:
            continue
        headers = {
            name.lower(): value
            for header in objects(at(entry, "response", "headers"))
            if (name := text_at(header, "name")) and (value := text_at(header, "value")) is not None
        }
        headers.setdefault("content-type", text_at(content, "mimeType") or "")
        place = f"entry {number}"
        body = _unpacked(text, encoded=text_at(content, "encoding") == "base64", place=place, refuse=refuse)
        if body is None:
            continue
        yield Answer(
            url,
            count_at(entry, "response", "status") or 200,
            _as_decoded(headers),
            body,
            moment(text_at(entry, "startedDateTime")).at or collected_at,
            key=_key(text_at(entry, "request", "method"), url, text_at(entry, "request", "postData", "text")),
            location=place,
        )


def _cassette(loaded: Json, collected_at: datetime, refuse: Refuse) -> Iterator[Answer]:
    """Yield the answers of a cassette of VCR.py, VCR or Betamax."""
    found = at(loaded, "interactions") or at(loaded, "http_interactions")
    for number, exchange in enumerate(objects(found), 1):
        place = f"interaction {number}"
        response, request = as_object(exchange.get("response")), as_object(exchange.get("request"))
        url = text_at(request, "uri") or text_at(request, "url") or text_at(response, "url") or ""
        body = response.get("body", response.get("content"))
        held = as_object(body)
        encoded = "base64_string" in held
        text = held.get("base64_string", held.get("string")) if held else body
        # YAML has bytes, which JSON has not.
        text = cast("object", text)
        content = text if isinstance(text, bytes) else None
        if isinstance(text, str):
            content = _unpacked(text, encoded=encoded, place=place, refuse=refuse)
        if content is None:
            continue
        if content[:2] == b"\x1f\x8b":
            content = _gunzipped(content, place, refuse)
        sent = as_object(request.get("body")).get("string", request.get("body"))
        yield Answer(
            url,
            count_at(response, "status", "code") or count_at(response, "status_code") or 200,
            _headers(response.get("headers")),
            content,
            moment(exchange.get("recorded_at")).at or collected_at,
            key=_key(text_at(request, "method"), url, sent if isinstance(sent, str) else None),
            location=place,
        )


def _headers(found: Json) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in as_object(found).items():
        first = value[0] if isinstance(value, list) and value else value
        if isinstance(first, str):
            headers[str(name).lower()] = first
    return _as_decoded(headers)


def _as_decoded(headers: dict[str, str]) -> dict[str, str]:
    """Leave out what speaks of the bytes on the wire, which are decoded here."""
    return {name: value for name, value in headers.items() if name not in {"content-encoding", "content-length"}}


def _key(method: str | None, url: str, body: str | None) -> str:
    return Ask(url, method=(method or "GET").upper(), body=body or "").key


def _unpacked(text: str, *, encoded: bool, place: str, refuse: Refuse) -> bytes | None:
    if not encoded:
        return text.encode("utf-8", errors="replace")
    try:
        return base64.b64decode(text, validate=False)
    except (binascii.Error, ValueError) as e:
        refuse(place, UnreadableAnswerError(Reason.MALFORMED, text[:200], f"no base64 ({e})"))
        return None


def _gunzipped(content: bytes, place: str, refuse: Refuse) -> bytes:
    try:
        return unpack(place, content).data
    except InputError as e:
        refuse(place, UnreadableAnswerError(Reason.MALFORMED, "", str(e)))
        return b""
