"""Tables are told by their content and read with every fault kept in its place."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import zstandard

from discourse.collect import TableRead, rawfile, read_table
from discourse.collect.formats import jsontext
from discourse.errors import InputError

Read = Callable[[str, bytes | str], TableRead]
Pack = Callable[[bytes], bytes]

ROWS = [{"id": "c1", "text": "A first comment"}, {"id": "c2", "text": "Ein zweiter, größerer"}]
LINES = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS)
CSV = 'id,text\nc1,A first comment\nc2,"Ein zweiter, größerer"\n'


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Write a file and read it as a table."""

    def opened(name: str, content: bytes | str) -> TableRead:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_table(path)

    return opened


def broken(table: TableRead) -> list[tuple[str, str]]:
    """Return location and reason of each broken record."""
    return [(table.location(row), row.reason.value) for row in table.broken]


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.csv", CSV, "CSV"),
        ("a.txt", CSV, "CSV"),
        ("a.csv", CSV.replace(", ", "~").replace(",", ";").replace("~", ", "), "CSV"),
        ("a.csv", CSV.replace(", ", "~").replace(",", "|").replace("~", ", "), "CSV"),
        ("a", CSV.replace(", ", "~").replace(",", "\t").replace("~", ", "), "TSV"),
        ("a.csv", CSV.replace("\n", "\r\n"), "CSV"),
        ("a.csv", CSV.replace("\n", "\r"), "CSV"),
        ("a.csv", "sep=,\n" + CSV, "CSV"),
        ("a.jsonl", LINES, "JSONL"),
        ("a.csv", LINES, "JSONL"),
        ("a", LINES, "JSONL"),
        ("a.json", json.dumps(ROWS), "JSON"),
        ("a", json.dumps(ROWS, indent=2), "JSON"),
        ("a.json", json.dumps({"count": 2, "comments": ROWS}, indent=1), "JSON"),
        ("a.json", LINES, "JSONL"),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress], ids=["plain", "gzip", "zstd"])
def test_a_format_is_told_by_its_content(read: Read, name: str, content: str, kind: str, pack: Pack) -> None:
    """A format is told by its content."""
    table = read(name, pack(content.encode()))
    assert table.format == kind
    assert table.frame.select("id", "text").to_dicts() == ROWS
    assert not table.broken


@pytest.mark.parametrize(
    ("encoding", "named"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8 with BOM"), ("utf-16", "utf-16"), ("cp1252", "cp1252")],
)
def test_encodings_are_recognised_and_named(read: Read, encoding: str, named: str) -> None:
    """Encodings are recognised and named."""
    table = read("a.csv", CSV.encode(encoding))
    assert (table.encoding, table.frame.to_dicts()) == (named, ROWS)


def test_one_old_byte_in_a_utf8_file_does_not_spoil_the_rest(read: Read) -> None:
    """One old byte in a utf8 file does not spoil the rest."""
    table = read("a.csv", "text\ngrößer\ncaf~\n".encode().replace(b"~", b"\xe9"))
    assert table.frame["text"].to_list() == ["größer", "café"]


def test_parquet_keeps_types_and_flattens_objects(read: Read, tmp_path: Path) -> None:
    """Parquet keeps types and flattens objects."""
    frame = pl.DataFrame({"id": [1, 2], "user": [{"name": "a", "n": {"x": 1}}, None], "tags": [["a"], []]})
    frame.write_parquet(tmp_path / "f")
    table = read("f.dat", (tmp_path / "f").read_bytes())
    assert table.format == "Parquet"
    assert table.frame.columns == ["id", "user.name", "user.n.x", "tags"]
    assert table.frame["user.n.x"].to_list() == [1, None]


def test_rows_with_too_many_or_too_few_cells_are_broken(read: Read) -> None:
    """Rows with too many or too few cells are broken."""
    table = read("a.csv", 'id,text\nc1,"two\nlines"\nc2\nc3,a,b\n\nc4,fine\n')
    assert table.frame["id"].to_list() == ["c1", "c4"]
    assert table.places.to_list() == [2, 6]
    assert table.locations.to_list() == ["row 2", "row 6"]
    assert broken(table) == [("row 3", "malformed"), ("row 4", "malformed")]
    assert table.broken[1].excerpt == "c3,a,b"


def test_an_unclosed_quote_costs_one_row(read: Read) -> None:
    """An unclosed quote costs one row."""
    rows = [f"c{number},comment number {number}" for number in range(50)]
    rows[10] = 'c10,"never closed'
    table = read("a.csv", "id,text\n" + "\n".join(rows) + "\n")
    assert len(table.frame) == 49
    assert broken(table) == [("row 12", "malformed")]


def test_a_quote_within_a_plain_cell_is_text(read: Read) -> None:
    """A quote within a plain cell is text."""
    table = read("a.csv", 'id,text\nc1,He said "no" to it\n')
    assert table.frame["text"].to_list() == ['He said "no" to it']
    assert not table.broken


def test_repeated_and_empty_headers_get_names(read: Read) -> None:
    """Repeated and empty headers get names."""
    table = read("a.csv", "text,text,\na,b,c\n")
    assert table.frame.columns == ["text", "text_2", "column_3"]


def test_a_cut_json_line_is_broken_and_the_rest_kept(read: Read) -> None:
    """A cut json line is broken and the rest kept."""
    table = read("a.jsonl", '{"id":"c1","text":"one"}\n{"id":"c2","te\n\n{"id":"c3","text":"three"}\n[1]\n7\n')
    assert table.frame["id"].to_list() == ["c1", "c3"]
    assert table.locations.to_list() == ["line 1", "line 4"]
    assert broken(table) == [("line 2", "malformed"), ("line 5", "wrong_type"), ("line 6", "wrong_type")]


def test_only_the_block_with_a_fault_is_read_slowly_and_both_ways_agree(read: Read) -> None:
    """Only the block with a fault is read slowly and both ways agree."""
    rows = [{"id": number, "text": f"n {number}", "user": {"name": "u"}} for number in range(9_000)]
    lines = [json.dumps(row) for row in rows]
    lines[5_000] = "{"
    table = read("a.jsonl", "\n".join(lines))
    assert broken(table) == [("line 5001", "malformed")]
    assert table.frame.columns == ["id", "text", "user.name"]
    assert table.frame["id"].to_list() == [n for n in range(9_000) if n != 5_000]


@pytest.mark.parametrize("kind", ["jsonl", "json"])
def test_deep_json_is_refused_without_recursion(read: Read, kind: str) -> None:
    """Deep json is refused without recursion."""
    for depth in (201, 500, 100_000):
        deep = '{"text":"x","a":' + "[" * depth + "]" * depth + "}"
        good = '{"text":"fine [[[","a":1}'
        table = read(f"a.{kind}", f"{deep}\n{good}\n" if kind == "jsonl" else f"[{deep},{good}]")
        assert [row.reason.value for row in table.broken] == ["too_deep"]
        assert table.frame["text"].to_list() == ["fine [[["]


def test_a_cut_json_array_keeps_its_whole_records(read: Read) -> None:
    """A cut json array keeps its whole records."""
    table = read("a.json", '[{"text":"one"}, {"text":"two"}, {"text":"thr')
    assert table.frame["text"].to_list() == ["one", "two"]
    assert broken(table) == [("record 3", "malformed")]


def test_odd_json_values_are_kept_as_text(read: Read) -> None:
    """Odd json values are kept as text."""
    row = '{"text":"\\ud800 half","n":' + "9" * 30 + ',"l":[1,{"a":"b"}],"e":{},"x":1e999}\n'
    table = read("a.jsonl", row + "{}\n" + '{"text":' + "1" * 5000 + "}\n")
    assert len(table.frame) + len(table.broken) == 3
    assert table.frame["l"].to_list()[0] == '[1, {"a": "b"}]'


def test_a_table_of_endless_columns_is_cut(read: Read) -> None:
    """A table of endless columns is cut."""
    rows = [json.dumps({"text": "x", **{f"k{row}_{key}": 1 for key in range(400)}}) for row in range(5)]
    table = read("a.jsonl", "\n".join(rows))
    assert table.frame.width == jsontext.MAX_COLUMNS
    assert any("columns" in note for note in table.notes)


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gzip", "zstd"])
@pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
def test_a_cut_archive_gives_what_can_be_read_and_one_broken_record(read: Read, pack: Pack, name: str) -> None:
    """A cut archive gives what can be read and one broken record."""
    numbers = [str((n * 2_654_435_761) % 2**32) for n in range(40_000)]
    header, form = ("id,text\n", "{},{}\n") if name == "a.csv" else ("", '{{"id":"{}","text":"{}"}}\n')
    packed = pack((header + "".join(form.format(n, "x" + n) for n in numbers)).encode())
    table = read(name, packed[: len(packed) // 2])
    assert 1_000 < len(table.frame) < 39_000
    assert table.frame["id"].cast(pl.String).to_list() == numbers[: len(table.frame)]
    assert [row.reason.value for row in table.broken] == ["malformed"]
    assert "cut short" in table.notes[-1]


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gzip", "zstd"])
def test_several_packed_parts_are_one_file(read: Read, pack: Pack) -> None:
    """Several packed parts are one file."""
    table = read("a.jsonl", b"".join(pack(line.encode() + b"\n") for line in LINES.splitlines()))
    assert table.frame.to_dicts() == ROWS


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b" \n\n", "is empty"),
        ("a.csv", b"\xef\xbb\xbf", "is empty"),
        ("a.csv", b"id,text\n1,a\0b\n", "no text"),
        ("a.csv", "id,text\n1,a\n".encode("utf-16-le"), "no text"),
        ("a.csv", bytes(range(1, 32)) * 40, "no text"),
        ("a.xlsx", b"PK\x03\x04 rest", "a zip file"),
        ("a.gz", gzip.compress(CSV.encode(), mtime=0)[:10], "nothing in it can be read"),
        ("a.zst", zstandard.compress(CSV.encode())[:6], "nothing in it can be read"),
        ("a.csv.gz", gzip.compress(b"", mtime=0), "is empty"),
        ("a.parquet", b"PAR1 and then nothing", "damaged or cut Parquet"),
        ("a.parquet", b"id,text\n", "no Parquet file"),
        ("a.txt", b"Just a line of prose, with commas, and more.\nAnother, of course.\n", "is no table"),
        ("a.json", b'{"text": "one object"}', "no list of records"),
        ("a.json", b'{"text": "one obj', "neither"),
    ],
)
def test_what_cannot_be_a_table_is_said_in_one_sentence(read: Read, name: str, content: bytes, said: str) -> None:
    """What cannot be a table is said in one sentence."""
    with pytest.raises(InputError, match=said) as caught:
        read(name, content)
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)


def test_a_cut_parquet_file_is_refused_quietly(read: Read, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A cut parquet file is refused quietly."""
    pl.DataFrame(ROWS).write_parquet(tmp_path / "f")
    whole = (tmp_path / "f").read_bytes()
    for end in range(5, len(whole), 40):
        with pytest.raises(InputError, match="Parquet"):
            read("a.parquet", whole[:end])
        with pytest.raises(InputError, match="Parquet"):
            read("a.parquet", whole[:end] + b"PAR1")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gzip", "zstd"])
def test_a_bomb_is_stopped(read: Read, pack: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bomb is stopped."""
    monkeypatch.setattr(rawfile, "RATIO_COUNTS_ABOVE", 1_000_000)
    with pytest.raises(InputError, match="times its size"):
        read("a.csv", pack(b"text\n" + b"a" * 20_000_000))
    monkeypatch.setattr(rawfile, "MAX_BYTES", 500_000)
    with pytest.raises(InputError, match="500,000 bytes"):
        read("a.csv", pack(b"text\n" + b"a" * 900_000))


def test_an_unreadable_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unreadable file is named."""
    path = tmp_path / "a.csv"
    path.write_text(CSV)

    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(InputError, match="Permission denied"):
        read_table(path)
