"""A workspace in a temporary folder, and files collected into it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from discourse.collect import run
from discourse.config import parse_config
from discourse.tables import RAW_ATTRIBUTES, RAW_COMMENTS, RAW_THREADS
from discourse.workspace import Outcome, Workspace


@dataclass(frozen=True, slots=True)
class Collected:
    comments: pl.DataFrame
    threads: pl.DataFrame
    attributes: pl.DataFrame
    outcome: Outcome

    @property
    def note(self) -> str:
        return self.outcome.notes[0]


Collect = Callable[..., Collected]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Workspace."""
    return Workspace(tmp_path / "ws")


@pytest.fixture
def collect(tmp_path: Path, workspace: Workspace) -> Collect:
    """Write a file (or take a path) and collect it with [input] options; gives the three raw tables."""

    def collected(name: str | Path, content: bytes | str | None = None, **options: object) -> Collected:
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        outcome = run(workspace, parse_config({"input": {"sources": [str(path)], **options}}))
        tables = [workspace.read(table) for table in (RAW_COMMENTS, RAW_THREADS, RAW_ATTRIBUTES)]
        return Collected(*tables, outcome)

    return collected


@pytest.fixture
def shared() -> Path:
    """The folder of real threads beside the checkout; the test is skipped where there is none."""
    folder = Path(__file__).parents[2] / ".." / "shared"
    if not folder.is_dir():
        pytest.skip("no folder ../shared beside the checkout: real threads are not tested")
    return folder
