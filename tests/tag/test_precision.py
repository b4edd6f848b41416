"""`[tagging] precision = "int8"`: tags of its own, kept apart from those in single precision."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl

from discourse.config import Config, override
from discourse.models.bundle import Bundle, load_bundle
from discourse.models.encoder import load_encoder
from discourse.table_tagging import tag_table
from discourse.tables import SCORES
from discourse.tag.frames import tag_frames
from discourse.workspace import Workspace

THREADS_OF = pl.DataFrame({"thread_id": ["t"], "title": ["Lamps"]})
COMMENTS = pl.DataFrame(
    [
        {"comment_id": f"file:{i}", "text": text, "state": "visible", "reply_kind": "top", "language": "en"}
        for i, text in enumerate(["The lamps film us.", "No pie today. None."])
    ]
).with_columns(thread_id=pl.lit("t"), parent_id=pl.lit(None, pl.String))


def test_scores_of_both_precisions_are_kept_apart_in_one_workspace(frames_bundle: Bundle, tmp_path: Path) -> None:
    workspace, encoder = Workspace(tmp_path / "ws"), load_encoder()
    single = tag_frames(workspace, COMMENTS, THREADS_OF, frames_bundle, encoder)
    small = load_bundle(frames_bundle.folder, "frames", "int8")
    found = tag_frames(workspace, COMMENTS, THREADS_OF, small, replace(encoder, precision="int8"))
    assert set(found["bundle"]) == {f"{frames_bundle.id}+int8"}
    assert set(single["bundle"]) == {frames_bundle.id}
    kept = workspace.read(SCORES)
    assert dict(kept["bundle"].value_counts().iter_rows()) == {frames_bundle.id: 6, small.id: 6}
    assert kept["input_key"].n_unique() == 4
    differences = (found["probability"] - single["probability"]).abs().to_numpy()
    assert 0 < differences.max() < 0.1


def test_a_table_is_tagged_in_int8_where_the_configuration_says_so(tmp_path: Path) -> None:
    table, output = tmp_path / "one.csv", tmp_path / "tags.csv"
    table.write_text("body\nWho asked for these lamps?\n", encoding="utf-8")
    tag_table(table, "body", None, output, override(Config(), {"tagging.precision": "int8"}), wide=False)
    assert pl.read_csv(output)["bundle"].str.ends_with("+int8").all()
