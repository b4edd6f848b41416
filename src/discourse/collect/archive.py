"""The archive of one collection: every answer as a WARC record, on disk before the next request.

One file for one address. A record is one gzip member; what a killed process left of the last is cut off. Metadata
records begin and end each round of collection. Keys are in no record: requests are noted by method, address and the
hash of their body, without their headers.
"""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import quote

from warcio.exceptions import ArchiveLoadFailed
from warcio.recordloader import ArcWarcRecordLoader
from warcio.statusandheaders import StatusAndHeaders, StatusAndHeadersParserException
from warcio.warcwriter import WARCWriter

from discourse.collect.answers import Answer, Ask, Json
from discourse.collect.jsonvalues import as_list, as_object, count_at, flag_at, objects, text_at
from discourse.collect.members import DamagedError, Member, members
from discourse.collect.warc import Record, http_date, read_warc, status_of
from discourse.errors import WorkspaceError
from discourse.workspace import now

__all__ = ["Archive", "Contents", "Round", "Unanswered", "read_archive", "read_warc"]

_ASK = "WARC-Discourse-Ask"
_LARGEST_RECORD = 1_000_000_000
_UNCHANGED = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"
_JSON = "application/json"
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_ASCII = "".join(chr(code) for code in range(0x20, 0x7F))


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A request of the last round that brought nothing.

    Attributes:
        why: one clause for a person.
        capped: whether one of our own caps was the reason.
        thread: native id of the thread that it was for, empty if not known.
        expects: how many comments are known to be behind it, 0 if that is not known.
        passing: whether a later run asks it again.
    """

    why: str
    capped: bool = False
    thread: str = ""
    expects: int = 0
    passing: bool = False


@dataclass(frozen=True, slots=True)
class Round:
    """One collection of the whole: `first` is the position of its first answer in `Contents.answers`."""

    number: int
    began: datetime
    first: int
    finished: bool = False
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Contents:
    """What an archive holds.

    Attributes:
        answers: in the order in which they came, of all rounds; an answer that had not changed has its earlier body.
        rounds: in order.
        unanswered: of the last round, by `Ask.key`.
    """

    answers: list[Answer] = field(default_factory=list[Answer])
    rounds: list[Round] = field(default_factory=list[Round])
    unanswered: dict[str, Unanswered] = field(default_factory=dict[str, Unanswered])

    @property
    def finished(self) -> bool:
        """Whether the last round is finished: nothing is left that a further run could still ask for."""
        return bool(self.rounds) and self.rounds[-1].finished

    @property
    def round(self) -> list[Answer]:
        """The answers of the last round."""
        return self.answers[self.rounds[-1].first :] if self.rounds else []


class Archive:
    """An archive that is open for more; use it as a context manager.

    Args:
        path: the file, made if absent.

    Raises:
        WorkspaceError: it is damaged or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as e:
            raise WorkspaceError(f"{path}: cannot be written ({e.strerror}); choose another with -o") from e
        try:
            self.contents, self._end = _read(path)
            self._cut()
        except BaseException:
            os.close(self._handle)
            raise

    def __enter__(self) -> Self:
        """Return the archive itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        del kind, error, trace
        os.close(self._handle)

    def append(self, ask: Ask, answer: Answer, known: Answer | None = None) -> Answer:
        """Keep one answer; it is on disk when this returns. The answer is returned as it will be read back.

        Args:
            ask: what was asked.
            answer: what came.
            known: the earlier answer that still holds, if `answer` has the status 304.
        """
        about = {"key": ask.key, "thread": ask.thread, "context": ask.context}
        headers = {
            _ASK: json.dumps(about, ensure_ascii=True),
            "WARC-Date": _stamp(answer.at),
        }
        url = _one_line(answer.url or ask.url)
        status = StatusAndHeaders(_status_line(answer.status), list(_printable(answer.headers)), protocol="HTTP/1.1")
        if known is not None and answer.status == 304:
            headers |= {
                "WARC-Profile": _UNCHANGED,
                "WARC-Refers-To-Target-URI": _one_line(known.url or url),
                "WARC-Refers-To-Date": _stamp(known.at),
            }
            self._write("revisit", url, headers, status, b"")
            kept = replace(known, at=answer.at)
        else:
            self._write("response", url, headers, status, answer.body)
            kept = replace(answer, headers=dict(_printable(answer.headers)))
        kept = replace(
            kept, key=ask.key, context=dict(ask.context), location=f"record {len(self.contents.answers) + 1}"
        )
        self.contents.answers.append(kept)
        return kept

    def begin(self, number: int) -> None:
        """Note that a round begins."""
        began = now()
        self._note({"round": number, "event": "begin"}, began)
        self.contents.rounds.append(Round(number, began, len(self.contents.answers)))
        self.contents.unanswered = {}

    def end(
        self, number: int, unanswered: Mapping[str, Unanswered], *, finished: bool, notes: tuple[str, ...] = ()
    ) -> None:
        """Note that a round ends and what it could not get; `finished` if a further run would ask for nothing more."""
        listed = [
            {
                "key": key,
                "why": one.why,
                "capped": one.capped,
                "thread": one.thread,
                "expects": one.expects,
                "passing": one.passing,
            }
            for key, one in unanswered.items()
        ]
        told = {"round": number, "event": "end", "finished": finished, "unanswered": listed, "notes": notes}
        self._note(told, now())
        _take_note(self.contents, cast("Json", json.loads(json.dumps(told))), now())

    def _note(self, told: Mapping[str, object], at: datetime) -> None:
        headers = {"WARC-Date": _stamp(at), "Content-Type": _JSON}
        self._write("metadata", "urn:discourse:round", headers, None, json.dumps(told).encode())

    def _write(
        self, kind: str, url: str, headers: Mapping[str, str], status: StatusAndHeaders | None, body: bytes
    ) -> None:
        packed = io.BytesIO()
        writer = WARCWriter(packed, gzip=True, warc_version="1.1")
        record = writer.create_warc_record(
            url, kind, io.BytesIO(body), len(body), warc_headers_dict=dict(headers), http_headers=status
        )
        writer.write_record(record)
        try:
            _write_all(self._handle, packed.getvalue(), self._end)
            os.fsync(self._handle)
            self._end += packed.tell()
        except BaseException as e:
            # Nothing half-written stays, also where Ctrl-C comes in between.
            self._cut()
            if isinstance(e, OSError):
                raise WorkspaceError(
                    f"{self.path}: cannot be written ({e.strerror}); free space and run again: it goes on from here"
                ) from e
            raise

    def _cut(self) -> None:
        os.ftruncate(self._handle, self._end)


def read_archive(path: Path) -> Contents:
    """Read an archive, also of a run that was killed or is going on.

    Raises:
        WorkspaceError: it is missing or damaged.
    """
    return _read(path)[0]


def _read(path: Path) -> tuple[Contents, int]:
    contents, end = Contents(), 0
    try:
        data = path.read_bytes()
    except OSError as e:
        raise WorkspaceError(f"{path}: cannot be read ({e.strerror}); collect it again") from e
    try:
        for member in members(data, _LARGEST_RECORD):
            _take(contents, member)
            end = member.end
    except (DamagedError, ArchiveLoadFailed, StatusAndHeadersParserException, ValueError, EOFError) as e:
        raise WorkspaceError(f"{path}: is damaged after byte {end:,}; delete it and collect again") from e
    return contents, end


def _take(contents: Contents, member: Member) -> None:
    loader = ArcWarcRecordLoader(verify_http=False)
    record = cast("Record", loader.parse_record_stream(io.BytesIO(member.data), known_format="warc"))
    about = record.rec_headers
    at = http_date(about.get_header("WARC-Date"))
    if record.rec_type == "metadata":
        _take_note(contents, cast("Json", json.loads(record.raw_stream.read())), at)
        return
    if record.rec_type not in {"response", "revisit"}:
        return
    asked = cast("Json", json.loads(about.get_header(_ASK) or "{}"))
    key = text_at(asked, "key") or ""
    http = record.http_headers
    headers = {} if http is None else {name.lower(): value for name, value in http.headers}
    answer = Answer(
        url=about.get_header("WARC-Target-URI") or "",
        status=status_of(http),
        headers=headers,
        body=record.raw_stream.read(),
        at=at,
        key=key,
        context=dict(_context(asked)),
        location=f"record {len(contents.answers) + 1}",
    )
    if record.rec_type == "revisit":
        answer = _earlier(contents, answer)
    contents.answers.append(answer)


def _earlier(contents: Contents, answer: Answer) -> Answer:
    for earlier in reversed(contents.answers):
        if earlier.key == answer.key and earlier.ok:
            return replace(answer, status=earlier.status, headers=earlier.headers, body=earlier.body)
    raise ValueError("it stands for an earlier answer that is not here")


def _take_note(contents: Contents, told: Json, at: datetime) -> None:
    number = count_at(told, "round")
    if number is None:
        raise ValueError("a round without a number")
    if text_at(told, "event") == "begin":
        contents.rounds.append(Round(number, at, len(contents.answers)))
        contents.unanswered = {}
        return
    notes = tuple(one for one in as_list(as_object(told).get("notes")) if isinstance(one, str))
    for position, one in enumerate(contents.rounds):
        if one.number == number:
            contents.rounds[position] = replace(one, finished=flag_at(told, "finished"), notes=notes)
    contents.unanswered = {
        text_at(one, "key") or "": Unanswered(
            text_at(one, "why") or "",
            flag_at(one, "capped"),
            text_at(one, "thread") or "",
            count_at(one, "expects") or 0,
            flag_at(one, "passing"),
        )
        for one in objects(as_object(told).get("unanswered"))
    }


def _context(asked: Json) -> Iterator[tuple[str, str]]:
    for pair in as_list(as_object(asked).get("context")):
        values = as_list(pair)
        if len(values) == 2 and all(isinstance(value, str) for value in values):
            yield str(values[0]), str(values[1])


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _status_line(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} Unknown"


def _one_line(url: str) -> str:
    """Return an address that fits on one line of a WARC header."""
    return "".join(character for character in url if character.isprintable()).replace(" ", "%20")


def _printable(headers: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in headers.items():
        if _NAME.fullmatch(name):
            # As warcio writes it, so that what is read back is what was kept.
            yield name.lower(), quote("".join(one if one.isprintable() else " " for one in value), _ASCII).strip()


def _write_all(handle: int, data: bytes, at: int) -> None:
    view: Any = memoryview(data)
    while view:
        written = os.pwrite(handle, view, at)
        view, at = view[written:], at + written
