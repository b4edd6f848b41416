"""The page as a whole: it is written in one step, escapes everything, and prints only numbers of the table."""

from __future__ import annotations

from pathlib import Path

from discourse.config import Config
from discourse.report import run
from discourse.workspace import Workspace


def test_the_report_is_one_file(story: Workspace, config: Config, tmp_path: Path) -> None:
    """A run writes one HTML file and nothing beside it."""
    outcome = run(story, config, tmp_path / "out" / "report.html")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["report.html"]
    assert outcome.counts == {"comments_shown": 28, "findings": 5}
    import os

    if os.environ.get("KEEP_REPORT"):
        Path(os.environ["KEEP_REPORT"]).write_bytes((tmp_path / "out" / "report.html").read_bytes())
