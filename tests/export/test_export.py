"""What an export holds: every table, inert in spreadsheets, and under short and none nothing that leads to people."""

from __future__ import annotations

import csv
import json
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from discourse.config import parse_config
from discourse.errors import InputError, UsageError
from discourse.export import run
from discourse.tables import ATTRIBUTES, COMMENTS, FRAMES, LABELS, QUARANTINE, STANCES, THREADS, TOPIC_INFO
from discourse.workspace import Workspace

SECRETS = ("native77", "example.org", "Zebra", "12:34", "thread55", "quagga", "file-of-mine")
NASTY = '=HYPERLINK("http://example.org") <b>Zebra</b> & \x0b'
NAMESPACE = "{http://graphml.graphdrawing.org/xmlns}"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Three comments whose every text, id, address and time can be told again."""
    found = Workspace(tmp_path / "ws")
    time = datetime(2026, 3, 7, 12, 34, 56, tzinfo=UTC)
    ids = [f"file:native77-{i}" for i in range(3)]
    comments = pl.DataFrame(
        {
            "comment_id": ids,
            "thread_id": ["file:thread55"] * 3,
            "parent_id": [None, ids[0], ids[1]],
            "reply_kind": ["top", "reply", "reply"],
            "depth": [0, 1, 2],
            "position": [0, 1, 2],
            "author": ["p1", "p2", None],
            "role": ["user"] * 3,
            "created_at": [time] * 3,
            "created_precision": ["exact"] * 3,
            "first_seen": [time] * 3,
            "text": [NASTY, "-1 quagga", 'plain, with "quotes" of a Zebra\nand a line'],
            "quotes": [[{"text": "Zebra", "comment_id": None}], [], []],
            "links": [["http://example.org"], [], []],
            "language": ["en"] * 3,
            "state": ["visible"] * 3,
            "duplicate_of": [None, None, ids[0]],
            "url": ["http://example.org/native77"] * 3,
            "raw": [{"file": "file-of-mine", "offset": i} for i in range(3)],
        },
        schema_overrides={name: COMMENTS.schema[name] for name in ("quotes", "links", "raw")},
    )
    found.write(COMMENTS, comments)
    found.write(
        THREADS,
        pl.DataFrame(
            {
                "thread_id": ["file:thread55"],
                "platform": ["file"],
                "url": ["http://example.org"],
                "title": ["A Zebra"],
                "article": ["quagga"],
                "published_at": [time],
                **{name: [0] for name in ("deleted", "removed", "held", "unreachable", "capped", "quarantined")},
                "collected": [3],
                "source": ["file-of-mine"],
            }
        ),
    )
    tag = {"probability": 0.5, "above_threshold": True, "decision": "yes", "tier": "encoder", "bundle": "b@1"}
    paths = [(ids[0], "exact"), (ids[1], "exact"), (ids[1], "text_only")]
    found.write(FRAMES, pl.DataFrame([{"comment_id": i, "frame": "fear", "path": p, **tag} for i, p in paths]))
    found.write(
        STANCES,
        pl.DataFrame(
            [
                {
                    "comment_id": ids[0],
                    "target": "lamps",
                    "stance": "favor",
                    "tier": "encoder",
                    "path": "exact",
                    "bundle": "b",
                }
            ]
        ),
    )
    found.write(
        LABELS,
        pl.DataFrame(
            [
                {
                    "comment_id": ids[0],
                    "kind": "frame",
                    "level": "fear",
                    "value": "yes",
                    "hard": False,
                    "annotator": "ann",
                    "design": "unknown",
                    "round": 0,
                    "labelled_at": time,
                }
            ]
        ),
    )
    found.write(
        QUARANTINE,
        pl.DataFrame(
            [
                {
                    "source": "file-of-mine",
                    "location": "line 12:34",
                    "thread_id": "file:thread55",
                    "reason": "empty",
                    "excerpt": "Zebra",
                }
            ]
        ),
    )
    found.write(
        ATTRIBUTES,
        pl.DataFrame(
            [
                {"unit": "comment", "id": ids[0], "name": "town", "value": "quagga"},
                {"unit": "comment", "id": ids[0], "name": "team", "value": "red"},
            ]
        ),
    )
    found.write(
        TOPIC_INFO,
        pl.DataFrame([{"topic": 0, "label": "Zebra", "keywords": ["word"], "representatives": [ids[0]], "size": 3}]),
    )
    return found


def export(workspace: Workspace, folder: Path, quotes: str = "full", **options: Any) -> Path:
    """Export under a privacy setting, comparing by the attribute `team`."""
    config = parse_config({"report": {"quotes": quotes}, "compare": {"groups": ["team"]}})
    run(workspace, config, folder, **options)
    return folder


def test_every_table_stands_in_three_formats_with_equal_rows(workspace: Workspace, tmp_path: Path) -> None:
    """CSV, Parquet and JSON hold the same rows, Parquet the table itself."""
    folder = export(workspace, tmp_path / "out")
    for name in ("comments", "threads", "frames", "stance", "labels", "quarantine", "attributes", "topic_info", "tags"):
        with (folder / f"{name}.csv").open(newline="", encoding="utf-8") as handle:
            rows = list(csv.DictReader(handle))
        assert len(rows) == len(json.loads((folder / f"{name}.json").read_text())), name
        assert len(rows) == pl.read_parquet(folder / f"{name}.parquet").height, name
    assert pl.read_parquet(folder / "comments.parquet").equals(workspace.read(COMMENTS))


def test_no_cell_is_run_by_a_spreadsheet(workspace: Workspace, tmp_path: Path) -> None:
    """Text that begins like a formula gets an apostrophe; Excel's option adds its byte order mark."""
    folder = export(workspace, tmp_path / "out", formats=("csv",), excel=True)
    raw = (folder / "comments.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(raw.decode("utf-8-sig").splitlines(keepends=True)))
    assert [row["text"][:2] for row in rows] == ["'=", "'-", "pl"]
    assert not any(
        cell.startswith(("=", "+", "@", "-")) for row in rows for cell in row.values() if isinstance(cell, str)
    )


@pytest.mark.parametrize("quotes", ["short", "none"])
def test_nothing_that_leads_to_people_leaves(workspace: Workspace, tmp_path: Path, quotes: str) -> None:
    """Under short and none no text, native id, address or exact time stands in any file; tables still join."""
    folder = export(workspace, tmp_path / "out", quotes)
    for file in folder.iterdir():
        content = file.read_bytes().decode("utf-8", errors="ignore") if file.suffix != ".parquet" else ""
        if file.suffix == ".parquet":
            content = str(pl.read_parquet(file).to_dicts())
        assert not [secret for secret in SECRETS if secret in content], file.name
    comments = pl.read_parquet(folder / "comments.parquet")
    assert comments["created_at"].dt.day().unique().to_list() == [1]
    assert comments["parent_id"].to_list()[1:] == comments["comment_id"].to_list()[:2]
    frames = pl.read_parquet(folder / "frames.parquet")
    assert frames.join(comments, on="comment_id").height == frames.height
    assert pl.read_parquet(folder / "attributes.parquet")["value"].to_list() == ["red"]


def test_tags_stand_side_by_side(workspace: Workspace, tmp_path: Path) -> None:
    """One row for each comment; answers read for the reply tree do not double them."""
    tags = pl.read_parquet(export(workspace, tmp_path / "out") / "tags.parquet")
    assert tags["frame:fear"].to_list() == ["yes", "yes", None]
    assert tags["stance:lamps"].to_list() == ["favor", None, None]


def test_the_reply_tree_is_a_graph_with_all_attributes(workspace: Workspace, tmp_path: Path) -> None:
    """GraphML is well formed whatever the comments hold; edges go from a reply to what it answers."""
    root = ET.parse(export(workspace, tmp_path / "out") / "replies.graphml").getroot()  # noqa: S314  # our own file
    graph = root.find(f"{NAMESPACE}graph")
    assert graph is not None
    nodes, edges = graph.findall(f"{NAMESPACE}node"), graph.findall(f"{NAMESPACE}edge")
    assert [(edge.get("source"), edge.get("target")) for edge in edges] == [
        ("file:native77-1", "file:native77-0"),
        ("file:native77-2", "file:native77-1"),
    ]
    names = {key.get("id"): key.get("attr.name") for key in root.findall(f"{NAMESPACE}key")}
    first = {names[data.get("key")]: data.text for data in nodes[0]}
    assert (first["frame:fear"], first["stance:lamps"], first["attribute:team"]) == ("yes", "favor", "red")
    assert str(first["text"]).startswith("=HYPERLINK")
    assert first["created_at"] is not None


def test_the_methods_text_names_versions_and_a_citation(workspace: Workspace, tmp_path: Path) -> None:
    """The paragraph says how many labels there are, and how to cite; CITATION.cff stands beside the licence."""
    text = (export(workspace, tmp_path / "out") / "methods.md").read_text()
    assert "One annotator gave 1 labels, 0 of known inclusion." in text
    assert "[software]" in text
    root = Path(__file__).resolve().parents[2]
    assert "cff-version: 1.2.0" in (root / "CITATION.cff").read_text()


def test_bad_requests_are_refused_in_one_sentence(workspace: Workspace, tmp_path: Path) -> None:
    """An unknown format, a file in place of a folder, and an empty workspace are told apart."""
    with pytest.raises(UsageError, match="did you mean"):
        export(workspace, tmp_path / "out", formats=("jsn",))
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="is a file"):
        export(workspace, tmp_path / "file")
    with pytest.raises(InputError, match="no comments to export"):
        export(Workspace(tmp_path / "empty"), tmp_path / "out")
