"""Comparing, from the command line: groups and dates within a workspace, and workspaces side by side."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from discourse.models.bundle import shipped_bundles

Command = Callable[..., Any]  # the fixture `discourse`: arguments to exit code, stdout and stderr

TEXTS = (
    "They watch every lamp post on our street now.",
    "The new lamps are bright and cost too much money.",
    "My cousin repairs lamps and has never seen a camera.",
    "Ask the council for the papers, they hide them all.",
)


def _rows(party: tuple[str, ...], month: int) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "id": f"c{month}{i}",
                "thread_id": f"lamps-{i % 2}",
                "text": f"{TEXTS[i % 4]} Number {i} of month {month}.",
                "author": f"a{i}",
                "created_at": f"2026-0{month}-1{i % 2}T10:00:00Z",
                "party": party[i % len(party)],
            }
            for i in range(8)
        ]
    )


@pytest.fixture
def may(tmp_path: Path, discourse: Command) -> Path:
    """A workspace of two threads, two parties and two months."""
    if "frames-minilm" not in shipped_bundles():
        pytest.skip("bundles not shipped yet: frames-minilm")
    source, ws = tmp_path / "lamps.csv", tmp_path / "may"
    pl.concat([_rows(("red", "blue"), 4), _rows(("red", "blue"), 5)]).write_csv(source)
    asked = ["--attributes", "party", "--group", "party", "--group", "role", "--split-at", "2026-05-01"]
    said = discourse("run", source, "-o", ws, *asked)
    assert said.code == 0, said.err
    assert "role: all eligible comments whose value is known are" in said.err
    return ws


def test_groups_dates_and_workspaces_are_compared_as_asked(may: Path, tmp_path: Path, discourse: Command) -> None:
    """Threads, a column of the user's and a day make tables, asking anew renews them; then two workspaces do."""
    families = set(pl.read_parquet(may / "estimates" / "*.parquet")["family"].drop_nulls())
    assert {"threads", "group:party", "split_at:2026-05-01"} <= families
    said = discourse("aggregate", may, "--split-at", "2026-04-11", "--json")
    assert said.code == 0, said.err
    families = set(pl.read_parquet(may / "estimates" / "*.parquet")["family"].drop_nulls())
    assert "split_at:2026-04-11" in families
    assert "split_at:2026-05-01" not in families
    june = tmp_path / "june"
    shutil.copytree(may, june)
    page = tmp_path / "both.html"
    found = discourse("compare", may, june, "-o", page, "--json")
    assert found.code == 0, found.err
    assert [each["name"] for each in found.json["compared"]] == ["may", "june"]
    assert {row["unit"] for row in found.json["differences"] if row["contrast"] == "june/all"} == {"may/all"}
    assert all(row["estimate_id"] for row in found.json["differences"])
    assert page.is_file()
    units = set(pl.read_parquet(tmp_path / "both.compare" / "estimates" / "*.parquet")["unit"])
    assert {"may/all", "june/all"} <= units
    assert discourse("compare", may, june, "-o", page).code == 0
    for wrong in ([may, may], [may]):
        again = discourse("compare", *wrong, "-o", page)
        assert again.code == 2
        assert "Traceback" not in again.err
    assert discourse("compare", may, tmp_path / "nowhere", "-o", page).code == 1


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--group", "parti"], 'no attribute "parti"; known are party, platform'),
        (["--group", "party", "--group", "party"], "a name here repeats"),
        (["--split-at", "yesterday"], "split_at"),
    ],
    ids=["unknown group", "twice", "no date"],
)
def test_what_cannot_be_asked_is_said(flags: list[str], said: str, tmp_path: Path, discourse: Command) -> None:
    """An unknown group and a date that is none are wrong usage, in one sentence, before anything is read by a model."""
    _rows(("red", "blue"), 4).write_csv(tmp_path / "lamps.csv")
    assert discourse("collect", tmp_path / "lamps.csv", "--attributes", "party", "-o", tmp_path / "ws").code == 0
    found = discourse("aggregate", tmp_path / "ws", *flags)
    assert found.code == 2
    assert said in found.err
    assert "Traceback" not in found.err
