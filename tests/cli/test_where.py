"""`--where`: one filter for counts, denominators, report and exports."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from discourse.models.bundle import shipped_bundles

Command = Callable[..., Any]  # the fixture `discourse`: arguments to exit code, stdout and stderr

ROWS = [
    {"id": f"c{i}", "text": text, "author": f"a{i}", "created_at": f"2026-05-0{1 + i}T10:00:00Z", "section": section}
    for i, (text, section) in enumerate(
        [
            ("They watch every lamp post on our street now.", "opinion"),
            ("The new lamps are bright and cost too much money.", "news"),
            ("My cousin repairs lamps and has never seen a camera.", "opinion"),
            ("Ask the council for the papers, they hide them all.", "news"),
        ]
    )
]


def test_a_filter_narrows_counts_report_and_export(tmp_path: Path, discourse: Command) -> None:
    """A filter on a day and on a column of the user's narrows estimates, report and export alike, and is told."""
    if "frames-minilm" not in shipped_bundles():
        pytest.skip("bundles not shipped yet: frames-minilm")
    source, ws = tmp_path / "lamps.csv", tmp_path / "ws"
    pl.DataFrame(ROWS).write_csv(source)
    conditions = ["--where", "date>=2026-05-02", "--where", "section=opinion"]
    said = discourse("run", source, "-o", ws, "--attributes", "section", *conditions)
    assert said.code == 0, said.err
    estimates = pl.read_parquet(ws / "estimates" / "*.parquet")
    count = estimates.filter((pl.col("measure") == "count") & pl.col("level").str.starts_with("frame:")).row(
        0, named=True
    )
    assert count["n"] == 1
    assert "3 outside the chosen filter (from 2026-05-02, section opinion)" in count["denominator"]
    page = (ws / "report.html").read_text()
    assert "My cousin repairs" in page
    assert "They watch every" not in page
    assert discourse("export", ws, "--format", "csv", "-o", tmp_path / "out").code == 0
    assert pl.read_csv(tmp_path / "out" / "comments.csv").height == 1
    assert (tmp_path / "out" / "estimates.csv").is_file()
    again = discourse("export", ws, "--format", "csv", "-o", tmp_path / "more", "--where", "section=opinion,news")
    assert again.code == 0, again.err
    assert pl.read_csv(tmp_path / "more" / "comments.csv").height == 3
    assert not (tmp_path / "more" / "estimates.csv").exists()
    refused = discourse("aggregate", ws, "--where", "color=red")
    assert refused.code == 2
    assert "known here: date, language, thread, role, section" in refused.error
