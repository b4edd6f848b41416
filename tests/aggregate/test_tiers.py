"""Tags of the cascade: corrected by held-out rows of the same path, calibrated by the tier that answered, counted."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from tests.models.cascade_bundle import cascade_bundle

from discourse.aggregate.heldout import cross_fitted, read_heldout
from discourse.aggregate.tiers import tier_counts
from discourse.aggregate.units import eligible_comments
from discourse.config import Config
from discourse.models.bundle import HELDOUT_SCHEMA, Bundle, seal, text_hash
from discourse.models.calibration import probability
from discourse.models.cascade import FILE, load_cascade
from discourse.models.encoder import load_encoder
from discourse.tables import ATTRIBUTES, COMMENTS, FRAMES

TEXTS = ("Lamps that listen.", "Pies that cool.", "Trams that wait.")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle with held-out rows of both paths, and another calibration for its static tier."""
    folder = tmp_path_factory.mktemp("tiers") / "bundle"
    made = cascade_bundle(folder, load_encoder())
    level = made.manifest.labels[0]
    rows = [
        (text_hash(text), level, path, n % 2, 0.5 - n, tag, tier, "s", f"t{n}", 1.0)
        for n, text in enumerate(TEXTS)
        for path, tag, tier in (("exact", 1, "encoder"), ("cascade", n % 2, ("static", "encoder", "static")[n]))
    ]
    pl.DataFrame(rows, schema=HELDOUT_SCHEMA, orient="row").write_parquet(folder / "heldout.parquet")
    (folder / "trained_on.txt").write_text("\n".join(text_hash(text) for text in TEXTS), encoding="ascii")
    told = load_cascade(made)
    assert told is not None
    own = {name: value.model_copy(update={"slope": 3.0, "intercept": -1.0}) for name, value in told.calibration.items()}
    (folder / FILE).write_text(told.model_copy(update={"calibration": own}).model_dump_json(), encoding="utf-8")
    (folder / "bundle.toml").unlink()
    return seal(folder, made.manifest.model_dump(exclude={"format", "files"}))


def test_each_path_is_corrected_by_its_own_rows_and_each_tier_by_its_own_calibration(bundle: Bundle) -> None:
    comments = pl.DataFrame({"comment_id": ["a", "b", "c"], "text": TEXTS})
    level, cascade = bundle.manifest.labels[0], load_cascade(bundle)
    assert cascade is not None
    by_path = {path: read_heldout(bundle, path, np.random.default_rng(0)) for path in ("exact", "cascade")}
    assert by_path["exact"].scored(level)[0].tag.sum() == 3
    assert by_path["cascade"].scored(level)[0].tag.sum() == 1
    found = cross_fitted(comments, bundle, by_path["cascade"]).sort("comment_id")
    assert found["tag"].to_list() == [False, True, False]
    calibrations = (cascade.calibration[level], bundle.calibration()[level], cascade.calibration[level])
    for n, (value, calibration) in enumerate(zip(found["probability"], calibrations, strict=True)):
        assert value == pytest.approx(float(probability(np.array([0.5 - n]), calibration)[0]))


def test_comments_are_counted_by_the_tier_that_answered(bundle: Bundle) -> None:
    plain = {
        "thread_id": "t",
        "reply_kind": "top",
        "depth": 0,
        "role": "user",
        "created_at": datetime(2026, 1, 1, tzinfo=UTC),
        "created_precision": "exact",
        "text": "x",
        "language": "en",
        "state": "visible",
        "quotes": [],
        "links": [],
        "raw": {"file": "f", "offset": 0},
    }
    comments = COMMENTS.conform(pl.DataFrame([{"comment_id": f"c{n}", "position": n, **plain} for n in range(5)]))
    same = {"above_threshold": False, "decision": "no", "path": "cascade", "bundle": bundle.id, "probability": 0.1}
    tags = [
        {"comment_id": f"c{n}", "frame": name, "tier": "encoder" if n == 3 else "static", **same}
        for n in range(4)
        for name in bundle.manifest.labels
    ]
    frames = FRAMES.conform(pl.DataFrame(tags))
    eligible = eligible_comments(comments, ("en",), Config().filter, ATTRIBUTES.empty())
    rows = tier_counts(eligible, frames, Config().tagging)
    assert [(row.level, row.estimate, row.n) for row in rows] == [("tier:static", 3, 4), ("tier:encoder", 1, 4)]
    assert tier_counts(eligible, frames.with_columns(tier=pl.lit("encoder")), Config().tagging) == []
