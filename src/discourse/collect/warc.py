"""Read WARC files that others made (ISO 28500): browsers' crawls, wget, Heritrix, packed or not."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Protocol

from warcio.archiveiterator import ArchiveIterator
from warcio.bufferedreaders import ChunkedDataReader
from warcio.exceptions import ArchiveLoadFailed
from warcio.statusandheaders import StatusAndHeaders, StatusAndHeadersParserException

from discourse.collect.answers import Answer, UnreadableAnswerError
from discourse.collect.compression import EncodingError, TooLargeError, unpack
from discourse.tables import Reason

CAP = 50_000_000
_PIECE = 1 << 16

# The last two are what warcio raises where a record has no address or no type.
_BROKEN = (
    ArchiveLoadFailed,
    StatusAndHeadersParserException,
    ValueError,
    OSError,
    EOFError,
    zlib.error,
    AttributeError,
    TypeError,
)

Refuse = Callable[[str, UnreadableAnswerError], None]


class Record(Protocol):
    """What of warcio's record is used here."""

    rec_type: str
    rec_headers: StatusAndHeaders
    http_headers: StatusAndHeaders | None
    raw_stream: Any


def read_warc(data: bytes, refuse: Refuse | None = None, cap: int = CAP) -> Iterator[Answer]:
    """Yield the answers in a WARC file, in order, without transfer and content encoding; revisits get their first body.

    Args:
        data: the file, plain or in gzip, of one member or many.
        refuse: called with the place (``record 3``) and the reason for each record that cannot be used.
        cap: the largest body in bytes, unpacked.

    Raises:
        UnreadableAnswerError: a record cannot be used and `refuse` is not given.
    """
    bodies: dict[str, Answer] = {}
    number = 0
    try:
        for record in ArchiveIterator(_plain(data), verify_http=False, arc2warc=True):
            number += 1
            if record.rec_type not in {"response", "revisit", "resource"}:
                continue
            place = f"record {number}"
            try:
                answer = (
                    _revisit(record, place, bodies) if record.rec_type == "revisit" else _answer(record, place, cap)
                )
            except UnreadableAnswerError as e:
                if refuse is None:
                    raise
                refuse(place, e)
                continue
            for name in _names(record, answer):
                bodies[name] = answer
            yield answer
    except _BROKEN as e:
        if isinstance(e, UnreadableAnswerError):
            raise
        broken = UnreadableAnswerError(Reason.MALFORMED, "", f"no WARC from record {number + 1} on, or cut short")
        if refuse is None:
            raise broken from e
        refuse(f"record {number + 1}", broken)


def http_date(written: str | None) -> datetime:
    """Return a WARC-Date; the year 1970 if it cannot be read."""
    try:
        found = datetime.fromisoformat(written or "")
    except ValueError:
        return datetime(1970, 1, 1, tzinfo=UTC)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def status_of(headers: StatusAndHeaders | None) -> int:
    """Return the status of a response; 200 if it has none."""
    written = headers.get_statuscode() if headers is not None else ""
    return int(written) if written.isdigit() and len(written) == 3 else 200


class _Plain(io.RawIOBase):
    """The unpacked bytes of a gzip file; where it is cut short or damaged, it ends."""

    def __init__(self, data: bytes) -> None:
        self._packed = gzip.GzipFile(fileobj=io.BytesIO(data))
        self._at = 0

    def read(self, size: int = -1) -> bytes:
        try:
            piece = self._packed.read1(size if size >= 0 else _PIECE)
        except (OSError, EOFError, zlib.error):
            piece = b""
        self._at += len(piece)
        return piece

    def tell(self) -> int:
        return self._at


def _plain(data: bytes) -> io.RawIOBase | io.BytesIO:
    return _Plain(data) if data.startswith(b"\x1f\x8b") else io.BytesIO(data)


def _answer(record: Record, place: str, cap: int) -> Answer:
    http = record.http_headers
    headers = {} if http is None else {name.lower(): value for name, value in http.headers}
    if http is None and (kind := record.rec_headers.get_header("Content-Type")):
        headers["content-type"] = kind
    stream = record.raw_stream
    if headers.get("transfer-encoding", "").lower() == "chunked":
        stream = ChunkedDataReader(stream)
    url = record.rec_headers.get_header("WARC-Target-URI") or ""
    try:
        body = unpack(_pieces(stream), headers.pop("content-encoding", ""), cap)
    except TooLargeError as e:
        raise UnreadableAnswerError(Reason.TOO_LARGE, url[:200], str(e)) from e
    except EncodingError as e:
        raise UnreadableAnswerError(Reason.MALFORMED, url[:200], str(e)) from e
    headers.pop("transfer-encoding", None)
    headers.pop("set-cookie", None)
    at = http_date(record.rec_headers.get_header("WARC-Date"))
    return Answer(url, status_of(http), headers, body, at, location=place)


def _revisit(record: Record, place: str, bodies: dict[str, Answer]) -> Answer:
    about = record.rec_headers
    url = about.get_header("WARC-Target-URI") or ""
    meant = about.get_header("WARC-Refers-To-Target-URI") or url
    earlier = (
        bodies.get(about.get_header("WARC-Refers-To") or "")
        or bodies.get(about.get_header("WARC-Payload-Digest") or "")
        or bodies.get(f"{meant} {about.get_header('WARC-Refers-To-Date')}")
        or bodies.get(meant)
    )
    if earlier is None:
        why = "it stands for an earlier answer that is not in this file"
        raise UnreadableAnswerError(Reason.MALFORMED, url[:200], why)
    at = http_date(about.get_header("WARC-Date"))
    return Answer(url, earlier.status, earlier.headers, earlier.body, at, location=place)


def _names(record: Record, answer: Answer) -> Iterator[str]:
    """Yield by what a later revisit may refer to this record."""
    about = record.rec_headers
    date = about.get_header("WARC-Date")
    for name in (
        about.get_header("WARC-Record-ID"),
        about.get_header("WARC-Payload-Digest"),
        f"{answer.url} {date}",
        answer.url,
    ):
        if name:
            yield name


def _pieces(stream: Any) -> Iterator[bytes]:  # noqa: ANN401 - warcio's streams have no common type
    while piece := stream.read(_PIECE):
        yield piece
