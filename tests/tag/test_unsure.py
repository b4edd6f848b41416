"""Between the two cut-offs of its calibration a bundle is unsure, by its own doing, and still has a forced answer."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
from tests.models.tiny_bundle import tiny_bundle
from tests.tag.test_tagging import THREADS_OF, comments

from discourse.models.bundle import seal
from discourse.models.encoder import load_encoder
from discourse.tables import FRAMES
from discourse.tag.frames import tag_frames
from discourse.workspace import Workspace


def test_a_bundle_is_unsure_between_its_cutoffs_and_says_that_it_was_the_model(tmp_path: Path) -> None:
    made = tiny_bundle(tmp_path / "tiny")
    calibration = {level: of.model_dump() for level, of in made.calibration().items()}
    level = made.manifest.labels[0]
    calibration[level] |= {"unsure_low": 0.3, "unsure_high": 0.7}
    (made.folder / "calibration.json").write_text(json.dumps(calibration), encoding="utf-8")
    bundle = seal(made.folder, made.manifest.model_dump(exclude={"format", "files"}))
    table = comments(*({"text": f"Comment number {i} on lamp {i % 7} and bridge {i * i}."} for i in range(60)))
    found = FRAMES.conform(tag_frames(Workspace(tmp_path / "ws"), table, THREADS_OF, bundle, load_encoder()))
    own = found.filter(frame=level)
    p = own["probability"].to_numpy()
    expected = np.select([p < 0.3, p >= 0.7], ["no", "yes"], "unsure")
    assert own["decision"].to_list() == expected.tolist()
    assert {"yes", "no", "unsure"} >= set(expected) > {"unsure"}
    assert own["above_threshold"].to_list() == (p >= 0.5).tolist()
    assert own.filter(pl.col("decision") == "unsure")["reason"].unique().to_list() == ["model"]
    assert own.filter(pl.col("decision") != "unsure")["reason"].null_count() == (expected != "unsure").sum()
    others = found.filter(pl.col("frame") != level)
    assert "unsure" not in others["decision"].to_list()
