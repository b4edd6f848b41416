"""Every answer is on disk before the next request, and what is read back is what came."""

from __future__ import annotations

import gzip
import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from discourse.collect.answers import Answer, Ask, UnreadableAnswerError
from discourse.collect.archive import Archive, Unanswered, read_archive, read_warc
from discourse.errors import WorkspaceError
from discourse.tables import Reason

AT = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


def asked(number: int) -> Ask:
    """One of many requests."""
    return Ask(f"https://h.test/t?page={number}", "t", context=(("page", str(number)), ("é", "漢")))


def answered(number: int, body: bytes = b"{}") -> Answer:
    """Its answer."""
    return Answer(asked(number).url, 200, {"content-type": "application/json", "etag": f'"{number}"'}, body, AT)


def fill(path: Path, count: int, *, end: bool = True) -> None:
    """Write a round of `count` answers."""
    with Archive(path) as archive:
        archive.begin(1)
        for number in range(count):
            archive.append(asked(number), answered(number, f"body {number}".encode() * 50))
        if end:
            archive.end(1, {"GET x": Unanswered("refused", False, "t", 7)}, finished=True, notes=("a note",))


def test_what_is_read_back_is_what_was_kept(tmp_path: Path) -> None:
    """Address, status, headers, body, time, key and context come back, in order, with the end of the round."""
    path = tmp_path / "raw" / "t.warc.gz"
    with Archive(path) as archive:
        archive.begin(1)
        kept = [archive.append(asked(n), answered(n, bytes(range(256)))) for n in range(3)]
        archive.end(1, {"GET x": Unanswered("refused", False, "t", 7)}, finished=True, notes=("a note",))
    contents = read_archive(path)
    assert contents.answers == kept
    assert [answer.key for answer in contents.answers] == [asked(n).key for n in range(3)]
    assert contents.answers[0].context == {"page": "0", "é": "漢"}
    assert contents.answers[0].at == AT
    assert contents.finished
    assert contents.rounds[0].notes == ("a note",)
    assert contents.unanswered == {"GET x": Unanswered("refused", False, "t", 7)}


@given(
    st.binary(max_size=300),
    st.dictionaries(st.text(max_size=8), st.text(max_size=20), max_size=4),
    st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=3),
    st.integers(100, 599),
)
def test_any_answer_survives(
    tmp_path_factory: pytest.TempPathFactory,
    body: bytes,
    headers: dict[str, str],
    context: list[tuple[str, str]],
    status: int,
) -> None:
    """Whatever headers, context and bytes a server sends, the archive can be read and the body is the same."""
    path = tmp_path_factory.mktemp("a") / "t.warc.gz"
    ask = Ask("https://h.test/", context=tuple(context))
    with Archive(path) as archive:
        archive.begin(1)
        kept = archive.append(ask, Answer("https://h.test/", status, headers, body, AT))
    (found,) = read_archive(path).answers
    assert (found.body, found.status, found.key, found.context) == (body, status, ask.key, dict(context))
    assert found.headers == kept.headers


def test_a_torn_end_is_cut_off_wherever_it_is_torn(tmp_path: Path) -> None:
    """At each length of the file, what is whole can be read, and more can be written after it."""
    whole = tmp_path / "whole.warc.gz"
    fill(whole, 4, end=False)
    data = whole.read_bytes()
    for length in range(0, len(data), 37):
        torn = tmp_path / "torn.warc.gz"
        torn.write_bytes(data[:length])
        before = len(read_archive(torn).answers)
        with Archive(torn) as archive:
            assert len(archive.contents.answers) == before
            if not archive.contents.rounds:
                archive.begin(1)
            archive.append(asked(99), answered(99))
        assert [answer.key for answer in read_archive(torn).answers] == [
            *(asked(n).key for n in range(before)),
            asked(99).key,
        ]


def test_damage_in_the_middle_is_told(tmp_path: Path) -> None:
    """Records that follow a damaged one are never dropped in silence."""
    path = tmp_path / "t.warc.gz"
    fill(path, 4)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 20] = b"\xff" * 20
    path.write_bytes(bytes(data))
    with pytest.raises(WorkspaceError, match="is damaged after byte"):
        read_archive(path)


def test_an_unchanged_answer_has_its_earlier_body(tmp_path: Path) -> None:
    """304 is kept as a revisit record of WARC and read as the earlier answer, received anew."""
    path = tmp_path / "t.warc.gz"
    with Archive(path) as archive:
        archive.begin(1)
        first = archive.append(asked(1), answered(1, b"hello"))
        archive.end(1, {}, finished=True)
        archive.begin(2)
        later = datetime(2026, 4, 1, tzinfo=UTC)
        again = archive.append(asked(1), Answer(asked(1).url, 304, {}, b"", later), first)
    contents = read_archive(path)
    assert contents.answers == [first, again]
    assert (again.body, again.status, again.at) == (b"hello", 200, later)
    assert contents.round == [again]
    assert not contents.finished


def test_other_programs_can_read_it(tmp_path: Path) -> None:
    """The archive is a WARC file as warcio knows it, digests included."""
    path = tmp_path / "t.warc.gz"
    fill(path, 2)
    with path.open("rb") as file:
        found = [
            (record.rec_type, record.content_stream().read(), record.digest_checker.passed)
            for record in ArchiveIterator(file, check_digests=True)
        ]
    assert [kind for kind, _, _ in found] == ["metadata", "response", "response", "metadata"]
    assert found[1][1] == b"body 0" * 50
    assert all(passed for _, _, passed in found)


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that fails is explained, and the file ends where it ended before."""
    path = tmp_path / "t.warc.gz"
    fill(path, 2, end=False)
    size = path.stat().st_size
    with Archive(path) as archive:

        def full(_: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("os.fsync", full)
        with pytest.raises(WorkspaceError, match="No space left on device"):
            archive.append(asked(9), answered(9))
    assert path.stat().st_size == size


# Foreign files


def warc(*records: tuple[str, str, str, bytes, dict[str, str]], packed: bool = False) -> bytes:
    """Write a WARC file as another program would: kind, address, HTTP headers, body, WARC headers."""
    out = io.BytesIO()
    writer = WARCWriter(out, gzip=packed)
    for kind, url, headers, body, about in records:
        pairs = [tuple(line.split(": ", 1)) for line in headers.splitlines()]
        http = StatusAndHeaders("200 OK", pairs, protocol="HTTP/1.1")
        record = writer.create_warc_record(
            url, kind, io.BytesIO(body), len(body), warc_headers_dict=about, http_headers=http
        )
        writer.write_record(record)
    return out.getvalue()


TWO = (
    ("response", "https://a.test/1", "Content-Type: application/json\nSet-Cookie: a=b", b'{"a": 1}', {}),
    (
        "response",
        "https://a.test/2",
        "Content-Type: text/html\nContent-Encoding: gzip\nTransfer-Encoding: chunked",
        b"%x\r\n" % len(gzip.compress(b"<p>hi", mtime=0)) + gzip.compress(b"<p>hi", mtime=0) + b"\r\n0\r\n\r\n",
        {},
    ),
)


WHOLE = [warc(*TWO), warc(*TWO, packed=True), gzip.compress(warc(*TWO))]


@pytest.mark.parametrize("form", ["plain", "packed", "one member"])
def test_foreign_files_of_any_packing_are_read(form: str) -> None:
    """Plain, a member a record, or one member for all; chunked and packed bodies are undone."""
    data = warc(*TWO, packed=form == "packed")
    found = list(read_warc(gzip.compress(data) if form == "one member" else data))
    assert [(one.url, one.status, one.body) for one in found] == [
        ("https://a.test/1", 200, b'{"a": 1}'),
        ("https://a.test/2", 200, b"<p>hi"),
    ]
    assert "set-cookie" not in found[0].headers
    assert [one.location for one in found] == ["record 1", "record 2"]


def test_revisits_are_resolved() -> None:
    """A record that stands for an earlier one gets its body; one without an earlier one is refused with a reason."""
    about = {"WARC-Refers-To-Target-URI": "https://a.test/1"}
    lost = {"WARC-Refers-To-Target-URI": "https://gone.test/"}
    data = warc(
        TWO[0],
        ("revisit", "https://a.test/again", "Content-Type: application/json", b"", about),
        ("revisit", "https://a.test/lost", "Content-Type: application/json", b"", lost),
    )
    refused: list[tuple[str, UnreadableAnswerError]] = []
    found = list(read_warc(data, lambda place, why: refused.append((place, why))))
    assert [(one.url, one.body) for one in found] == [
        ("https://a.test/1", b'{"a": 1}'),
        ("https://a.test/again", b'{"a": 1}'),
    ]
    assert [place for place, _ in refused] == ["record 3"]


def test_bombs_are_refused_and_the_rest_is_read() -> None:
    """A body that unpacks beyond the cap is left out with a reason."""
    bomb = gzip.compress(bytes(30_000_000))
    data = warc(("response", "https://a.test/b", "Content-Encoding: gzip", bomb, {}), TWO[0])
    refused: list[Reason] = []
    found = list(read_warc(data, lambda _, why: refused.append(why.reason), cap=1_000_000))
    assert [one.url for one in found] == ["https://a.test/1"]
    assert refused == [Reason.TOO_LARGE]
    with pytest.raises(UnreadableAnswerError):
        list(read_warc(data, cap=1_000_000))


@given(st.data())
def test_damaged_foreign_files_never_raise_anything_else(data: st.DataObject) -> None:
    """Cut or changed bytes give answers or a reason."""
    whole = bytearray(data.draw(st.sampled_from(WHOLE)))
    for _ in range(data.draw(st.integers(0, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    refused: list[str] = []
    for answer in read_warc(cut, lambda place, _: refused.append(place)):
        assert isinstance(answer.body, bytes)


def test_no_key_is_in_the_archive(tmp_path: Path) -> None:
    """A request's body is noted by its hash alone, and the request's headers are not noted."""
    path = tmp_path / "t.warc.gz"
    ask = replace(asked(1), method="POST", body=json.dumps({"secret": "hunter2hunter2"}))
    with Archive(path) as archive:
        archive.append(ask, answered(1))
    assert b"hunter2" not in gzip.decompress(path.read_bytes())
