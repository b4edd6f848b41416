"""Excel workbooks are read like any table, and cannot be made to harm."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from tests.collect.conftest import Collect

from discourse.collect.formats import read_raw_table, xlsx
from discourse.collect.formats.base import TableRead
from discourse.collect.rawfile import unpack
from discourse.errors import InputError


def workbook(*sheets: list[list[Any]]) -> bytes:
    """Return a workbook of these sheets."""
    book = Workbook()
    for rows in sheets:
        sheet = book.create_sheet()
        for row in rows:
            sheet.append(row)
    del book[book.sheetnames[0]]
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def repacked(data: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    """Return a workbook with one part changed."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            content = old.read(info)
            new.writestr(info.filename, change(content) if info.filename == part else content)
    return written.getvalue()


def read(data: bytes, name: str = "a.xlsx") -> TableRead:
    """Read a workbook as a table."""
    return read_raw_table(unpack(name, data))


ROWS = [["id", "parent", "comment", "when", "likes"],
        [1, None, "A first comment", datetime.fromisoformat("2025-03-01 12:30"), 3],
        [2, 1, "Ein zweiter, größerer 🙂\nmit Zeile", datetime.fromisoformat("2025-03-02"), 1.5]]  # fmt: skip


def test_a_sheet_is_a_table_with_types() -> None:
    """Whole numbers, fractions and times keep their types; places are the rows that Excel shows."""
    table = read(workbook([[], ROWS[0], ROWS[1], [], ROWS[2]]))
    assert table.format == "Excel"
    assert table.places.to_list() == [3, 5]
    assert table.frame.schema == {"id": pl.Int64, "parent": pl.Int64, "comment": pl.String,
                                  "when": pl.Datetime("us"), "likes": pl.Float64}  # fmt: skip
    assert table.frame.row(1) == (2, 1, ROWS[2][2], datetime.fromisoformat("2025-03-02"), 1.5)


def test_the_first_sheet_with_rows_is_read() -> None:
    """Empty sheets and sheets of a title only are passed over, which is said; days without a clock are dates."""
    table = read(workbook([], [["A title"]], [["text", "day"], ["one two three", date(2025, 3, 1)]], ROWS), "a")
    assert table.frame.columns == ["text", "day"]
    assert table.frame["day"].to_list() == [date(2025, 3, 1)]
    assert table.notes == ('the sheet "Sheet3" of 4 was read',)


def test_mixed_columns_are_text() -> None:
    """A column of several kinds is text, names that repeat are told apart, and columns with nothing are left out."""
    table = read(workbook([["text", "text", None, "empty"], ["=1+1", True, None], [5, None], ["_x000D_x", "no", None]]))
    assert table.frame.columns == ["text", "text_2", "empty"]
    assert table.frame["text"].to_list() == [None, "5", "\rx"]
    assert table.frame["text_2"].to_list() == ["True", None, "no"]


def test_a_workbook_becomes_comments(collect: Collect) -> None:
    """A workbook goes the way of all tables: columns are guessed, and replies hang on their parents."""
    found = collect("thread.xlsx", workbook(ROWS))
    assert found.note.startswith("thread.xlsx read as Excel (2 rows)")
    assert found.comments.select("native_id", "native_parent", "location").rows() == [
        ("1", None, "row 2"),
        ("2", "1", "row 3"),
    ]
    assert found.comments["text"].to_list() == [ROWS[1][2], ROWS[2][2]]


def test_a_workbook_without_rows_is_refused() -> None:
    """A workbook of headers only, and a zip file that is no workbook, are refused with what to do."""
    with pytest.raises(InputError, match="no sheet has a row"):
        read(workbook([["text"]], []))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("a.csv", "id,text")
    with pytest.raises(InputError, match="a zip file; unpack it"):
        read(packed.getvalue())


def test_far_cells_fill_no_memory() -> None:
    """A cell at the end of the sheet makes no billions of empty ones; one beyond it ends the reading."""
    sheet = "xl/worksheets/sheet1.xml"
    cell = b'<row r="%s"><c r="%s%s" t="inlineStr"><is><t>far away</t></is></c></row></sheetData>'
    far = repacked(
        workbook(ROWS), sheet, lambda xml: xml.replace(b"</sheetData>", cell % (b"1048576", b"XFD", b"1048576"))
    )
    table = read(far)
    assert table.frame.width == 5
    assert table.notes == ("only the first 1,000 columns were read",)
    beyond = repacked(
        workbook(ROWS), sheet, lambda xml: xml.replace(b"</sheetData>", cell % (b"9" * 12, b"A", b"9" * 12))
    )
    with pytest.raises(InputError, match="rows or"):
        read(beyond)


def test_a_bomb_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part that unpacks to more than the limit is refused, also where the file states a small size."""
    monkeypatch.setattr(xlsx, "MAX_UNPACKED", 5_000_000)
    bomb = repacked(workbook(ROWS), "xl/styles.xml", lambda _: b" " * 20_000_000)
    with pytest.raises(InputError, match="unpacks to more than"):
        read(bomb)
    true, false = struct.pack("<I", 20_000_000), struct.pack("<I", 1_000)
    assert true in bomb
    with pytest.raises(InputError, match="unpacks to more than"):
        read(bomb.replace(true, false))


def test_entities_are_refused() -> None:
    """A sheet that declares entities is refused and nothing is expanded."""
    head = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]><worksheet'
    evil = repacked(workbook(ROWS), "xl/worksheets/sheet1.xml", lambda xml: xml.replace(b"<worksheet", head, 1))
    with pytest.raises(InputError, match="damaged Excel file"):
        read(evil)


@settings(max_examples=150, deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255), cut=st.booleans())
def test_damaged_workbooks_give_rows_or_a_reason(place: float, byte: int, cut: bool) -> None:
    """Whatever byte is changed or wherever the file is cut, there are rows or one sentence."""
    data = bytearray(workbook(ROWS))
    at = int(place * len(data))
    data[at] = byte
    try:
        table = read(bytes(data[: at + 1]) if cut else bytes(data))
    except InputError as e:
        assert "\n" not in str(e)  # noqa: PT017 - either outcome is right
    else:
        assert table.frame.height
