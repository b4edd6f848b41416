"""The receipt comes back as it was written, or is known to be damaged."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discourse.receipt import Receipt, StageRecord, library_versions, read_receipt, receipt_text

RECEIPT = Receipt(
    versions=library_versions(),
    config={"seed": 3, "filter": {"languages": ["en", "de"]}, "report": {"quotes": "full"}},
    sources={"source Fähre.csv": "ab12"},
    stages={
        "collect": StageRecord(
            inputs={"a": "1"}, outputs={"b": "2"}, seconds=0.25, finished_at=datetime(2026, 1, 2, tzinfo=UTC)
        )
    },
)


def test_a_receipt_comes_back_as_it_was_written() -> None:
    """With its times, numbers and names."""
    assert read_receipt(receipt_text(RECEIPT).encode()) == RECEIPT
    assert "polars" in RECEIPT.versions


@given(st.data())
def test_a_turned_bit_is_seen_or_changes_nothing(data: st.DataObject) -> None:
    """A bit may turn in white space or in the way in which a character is written; else the receipt is refused."""
    written = bytearray(receipt_text(RECEIPT).encode())
    written[data.draw(st.integers(0, len(written) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        found = read_receipt(bytes(written))
    except ValueError:
        return
    assert found == RECEIPT


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b'{"stages": {"collect": 3}}', b"\xff\xfe"])
def test_what_is_no_receipt_is_refused(data: bytes) -> None:
    """With an error that the workspace turns into a sentence."""
    with pytest.raises(ValueError):  # noqa: PT011 - of json, pydantic or ours; the workspace gives the sentence
        read_receipt(data)


def test_a_receipt_without_checksum_is_read() -> None:
    """Earlier versions wrote none."""
    assert read_receipt(RECEIPT.model_dump_json().encode()) == RECEIPT
