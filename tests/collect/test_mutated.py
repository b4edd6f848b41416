"""Recorded answers with changed bytes."""

from __future__ import annotations

from pathlib import Path

from tests.collect.mutations import counted, payload_files


def test_changed_bytes_give_rows_or_reasons(shared: Path) -> None:
    """300 damaged answers of real platforms give rows or one reason each, never a traceback."""
    found = counted(payload_files(shared / "payloads"), 300)
    assert found["rows"] + found["reason"] == 300
    assert found["rows"] > 100
