"""Take words out of the files in `WS/raw`: of archives record by record, of other files passage by passage."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import polars as pl
import zstandard
from defusedxml import ElementTree
from warcio.archiveiterator import ArchiveIterator
from warcio.recordloader import ArcWarcRecordLoader
from warcio.warcwriter import WARCWriter

from discourse.checksums import file_sha256
from discourse.collect.answers import Answer, UnreadableAnswerError
from discourse.collect.archive import read_archive
from discourse.collect.manifest import Entry, Manifest, read_manifest, save_manifest
from discourse.collect.members import members
from discourse.collect.rawfile import unpack
from discourse.collect.sources import recognise
from discourse.collect.sources.platform import Platform, RawComment
from discourse.collect.sources.platforms import platforms
from discourse.collect.wording import Words, take_out
from discourse.config import CollectConfig
from discourse.errors import DiscourseError
from discourse.workspace import Workspace
from discourse.writing import replacing

_NOTE = b"forgotten: this answer held words that were to be forgotten and could not be taken out alone"
_GZIP, _ZSTD, _ZIP, _PARQUET = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"PAR1"
_MEMBER_CAP = 1_000_000_000

Mine = Callable[[RawComment, str], bool]


@dataclass(slots=True)
class Cleaned:
    """What was done: files rewritten (and their names), passages taken out, answers dropped whole, files kept as is."""

    files: int = 0
    passages: int = 0
    dropped: int = 0
    kept: list[str] = field(default_factory=list[str])
    names: list[str] = field(default_factory=list[str])


def live_comments(workspace: Workspace, config: CollectConfig, mine: Mine) -> list[RawComment]:
    """Return every version of the comments for which `mine(comment, file)` holds, as all archived answers show them."""
    found: list[RawComment] = []
    for entry, platform in _live(workspace, config):
        for answer in read_archive(workspace.raw / entry.name).answers:
            found += [one for one in _comments(platform, answer) if mine(one, entry.name)]
    return found


def clean_raw(workspace: Workspace, config: CollectConfig, words: Words, names: Iterable[str]) -> Cleaned:
    """Rewrite each file of `WS/raw` in which the words stand, atomically, and note its new hash in the manifest.

    Args:
        workspace: whose raw files they are.
        config: the profile for pages.
        words: what is taken out.
        names: author names as delivered, taken out where they stand alone.
    """
    names, done = tuple(names), Cleaned()
    manifest = read_manifest(workspace)
    known = {entry.name: platform for entry, platform in _live(workspace, config)}
    family = platforms(config.profile)
    changed: dict[str, Entry] = {}
    for entry in manifest.sources:
        path = workspace.raw / entry.name
        before = path.read_bytes()
        if entry.address is not None:
            after = _archive(path, known.get(entry.name), words, names, done)
        else:
            after = _copied(entry, before, family, words, names, done)
        if after == before:
            continue
        with replacing(path) as partial:
            partial.write_bytes(after)
        done.files += 1
        done.names.append(entry.name)
        changed[entry.name] = entry.model_copy(update={"sha256": file_sha256(path), "bytes": path.stat().st_size})
    if changed:
        save_manifest(workspace, Manifest(sources=tuple(changed.get(one.name, one) for one in manifest.sources)))
    return done


def texts_in(data: bytes) -> Iterator[str]:
    """Yield all text in a file, unpacked: gzip, zstd, zip, Parquet and WARC of any depth."""
    if data.startswith(_GZIP):
        yield from texts_in(b"".join(member.data for member in members(data, _MEMBER_CAP)))
    elif data.startswith(_ZSTD):
        yield from texts_in(_unzstd(data))
    elif data.startswith(_ZIP):
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            for name in packed.namelist():
                yield from texts_in(packed.read(name))
    elif data.startswith(_PARQUET):
        frame = pl.read_parquet(io.BytesIO(data))
        for row in frame.select(pl.selectors.string() | pl.selectors.by_dtype(pl.List, pl.Struct)).iter_rows():
            yield from _strings(row)
    elif data.startswith(b"WARC/"):
        yield _decoded(data)[0]
        for record in ArchiveIterator(io.BytesIO(data), verify_http=False):
            yield from texts_in(cast("Any", record).content_stream().read())
    else:
        yield _decoded(data)[0]


def _live(workspace: Workspace, config: CollectConfig) -> Iterator[tuple[Entry, Platform]]:
    family = {one.name: one for one in platforms(config.profile)}
    for entry in read_manifest(workspace).sources:
        if entry.address is not None and entry.platform in family:
            yield entry, family[entry.platform]


def _comments(platform: Platform, answer: Answer) -> tuple[RawComment, ...]:
    try:
        return tuple(platform.read(answer).comments)
    except UnreadableAnswerError:
        return ()


def _copied(
    entry: Entry, data: bytes, family: tuple[Platform, ...], words: Words, names: tuple[str, ...], done: Cleaned
) -> bytes:
    """Return a copied file without the words, if it still reads into the same rows; else as it is, noted in `kept`."""
    for wanted in dict.fromkeys((names, ())):
        after, count = _file(data, words, wanted)
        if count and _rows(entry, after, family) == _rows(entry, data, family):
            done.passages += count
            return after
        if not count and not wanted:
            return data
    done.kept.append(f"raw/{entry.name}")
    return data


def _rows(entry: Entry, data: bytes, family: tuple[Platform, ...]) -> list[tuple[object, ...]] | None:
    try:
        raw = unpack(entry.name, data)
        found = recognise(raw, entry.options, family).parse(raw, entry.options, entry.collected_at).comments
    except DiscourseError:
        return None
    return found.select("offset", "native_id", "native_parent", "thread_id").rows()


def _archive(path: Path, platform: Platform | None, words: Words, names: tuple[str, ...], done: Cleaned) -> bytes:
    """Return the archive with each record rewritten that holds the words; the others stay byte for byte."""
    data, start, found = path.read_bytes(), 0, list[bytes]()
    answers = iter(read_archive(path).answers)
    for member in members(data, _MEMBER_CAP):
        record = cast("Any", ArcWarcRecordLoader(verify_http=False)).parse_record_stream(
            io.BytesIO(member.data), known_format="warc"
        )
        packed, start = data[start : member.end], member.end
        answer = next(answers) if record.rec_type in {"response", "revisit"} else None
        body = record.raw_stream.read()
        if answer is None or record.rec_type != "response":
            found.append(packed)
            continue
        cleaned = _clean_body(body, answer, platform, words, names, done)
        found.append(packed if cleaned == body else _packed(record, cleaned))
    # What follows the last whole record is what a killed run left half-written; it is cut off.
    return b"".join(found)


def _clean_body(
    body: bytes, answer: Answer, platform: Platform | None, words: Words, names: tuple[str, ...], done: Cleaned
) -> bytes:
    for wanted in dict.fromkeys((names, ())):
        text, name = _decoded(body)
        cleaned, count = take_out(text, words, wanted)
        if not count:
            return body
        after = _encoded(cleaned, name)
        if _reads_alike(body, after, answer, platform) and not words.stand_in(cleaned):
            done.passages += count
            return after
    done.dropped += 1
    return _NOTE


def _reads_alike(before: bytes, after: bytes, answer: Answer, platform: Platform | None) -> bool:
    """Tell whether an answer still shows the same comments in the same places."""
    if not _whole(before, after):
        return False
    if platform is None:
        return True
    shown = [
        [(one.native_id, one.parent, one.thread) for one in _comments(platform, _with_body(answer, body))]
        for body in (before, after)
    ]
    return shown[0] == shown[1]


def _with_body(answer: Answer, body: bytes) -> Answer:
    return Answer(answer.url, answer.status, answer.headers, body, answer.at, answer.key, answer.context)


def _packed(record: Any, body: bytes) -> bytes:  # noqa: ANN401 - warcio has no types
    kept = {
        name: value
        for name, value in record.rec_headers.headers
        if name.lower() not in {"content-length", "warc-block-digest", "warc-payload-digest"}
    }
    out = io.BytesIO()
    writer = WARCWriter(out, gzip=True, warc_version="1.1")
    url = record.rec_headers.get_header("WARC-Target-URI")
    writer.write_record(
        writer.create_warc_record(
            url, record.rec_type, io.BytesIO(body), len(body), warc_headers_dict=kept, http_headers=record.http_headers
        )
    )
    return out.getvalue()


def _file(data: bytes, words: Words, names: tuple[str, ...]) -> tuple[bytes, int]:
    """Return a file without the words; one that would no longer be what it was is returned as it is."""
    if data.startswith(_GZIP):
        after, count = _file(gzip.decompress(data), words, names)
        return (gzip.compress(after, mtime=0), count) if count else (data, 0)
    if data.startswith(_ZSTD):
        after, count = _file(_unzstd(data), words, names)
        return (zstandard.compress(after), count) if count else (data, 0)
    if data.startswith(_PARQUET):
        return _parquet(data, words, names)
    if data.startswith(_ZIP):
        return _zip(data, words, names)
    if data.startswith(b"WARC/"):
        return data, 0
    text, encoding = _decoded(data)
    for wanted in dict.fromkeys((names, ())):
        cleaned, count = take_out(text, words, wanted)
        after = _encoded(cleaned, encoding)
        if count and _whole(data, after):
            return after, count
    return data, 0


def _parquet(data: bytes, words: Words, names: tuple[str, ...]) -> tuple[bytes, int]:
    frame, count = pl.read_parquet(io.BytesIO(data)), 0
    for name, dtype in frame.schema.items():
        if dtype == pl.String:
            cells = [None if cell is None else take_out(cell, words, names) for cell in frame[name]]
            count += sum(cell[1] for cell in cells if cell)
            frame = frame.with_columns(pl.Series(name, [cell and cell[0] for cell in cells], dtype=pl.String))
    out = io.BytesIO()
    frame.write_parquet(out)
    return (out.getvalue(), count) if count else (data, 0)


def _zip(data: bytes, words: Words, names: tuple[str, ...]) -> tuple[bytes, int]:
    out, total = io.BytesIO(), 0
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            part, count = _file(old.read(info), words, names)
            total += count
            new.writestr(info.filename, part)
    return (out.getvalue(), total) if total else (data, 0)


def _whole(before: bytes, after: bytes) -> bool:
    """Tell whether what was JSON, lines of JSON or XML still is."""
    start = before.lstrip()[:1]
    if start in {b"{", b"["}:
        if _is_json(before):
            return _is_json(after)
        old, new = before.splitlines(), after.splitlines()
        return len(old) == len(new) and all(_is_json(b) or not _is_json(a) for a, b in zip(old, new, strict=True))
    return start != b"<" or not _is_xml(before) or _is_xml(after)


def _is_json(data: bytes) -> bool:
    try:
        json.loads(data)
    except (ValueError, RecursionError):
        return False
    return True


def _is_xml(data: bytes) -> bool:
    try:
        ElementTree.fromstring(data)
    except Exception:  # noqa: BLE001 - whatever a hostile file raises, it is no XML that we could keep whole
        return False
    return True


def _unzstd(data: bytes) -> bytes:
    with zstandard.ZstdDecompressor(max_window_size=2**31).stream_reader(
        io.BytesIO(data), read_across_frames=True
    ) as reader:
        return reader.read()


def _decoded(data: bytes) -> tuple[str, str]:
    """Return bytes as text, and the encoding that gives the same bytes back."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16-le" if data.startswith(b"\xff\xfe") else "utf-16-be"
        text = data.decode(encoding, errors="surrogatepass")
        return text, encoding
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return (data.decode("cp1252"), "cp1252") if _is_cp1252(data) else (data.decode("latin-1"), "latin-1")


def _is_cp1252(data: bytes) -> bool:
    try:
        data.decode("cp1252")
    except UnicodeDecodeError:
        return False
    return True


def _encoded(text: str, encoding: str) -> bytes:
    return text.encode(encoding, errors="surrogatepass" if encoding.startswith("utf-16") else "strict")


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in cast("dict[str, object]", value).values():
            yield from _strings(one)
    elif isinstance(value, list | tuple):
        for one in cast("list[object]", value):
            yield from _strings(one)
