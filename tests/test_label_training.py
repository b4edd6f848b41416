"""A bundle learns from the labels of a workspace, and answers for them out of fold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from discourse.aggregate.heldout import cross_fitted, read_heldout
from discourse.config import Config
from discourse.errors import InputError
from discourse.label_training import train_from_labels
from discourse.models.bundle import text_hash
from discourse.receipt import Receipt
from discourse.tables import COMMENTS, LABELS
from discourse.workspace import Workspace

WATCHED = "The cameras on pole {} film my door all night and I am afraid of who looks at it."
OTHER = "The bakery on corner {} has good bread again and opens early on market days."


def workspace(root: Path, number: int) -> Workspace:
    """Comments by ten authors, half of them about fear, each labelled with a chance of one half."""
    found = Workspace(root)
    ids = [f"file:c-{i}" for i in range(number)]
    fixed = {"thread_id": "file:t", "reply_kind": "top", "depth": 0, "role": "user", "created_precision": "unknown"}
    rows = [
        {
            **fixed,
            "comment_id": name,
            "position": i,
            "author": f"p{i % 10}",
            "text": (WATCHED if i % 2 else OTHER).format(i),
            "quotes": [],
            "links": [],
            "language": "en",
            "state": "visible",
            "raw": {"file": "f", "offset": i},
        }
        for i, name in enumerate(ids)
    ]
    nested = {name: COMMENTS.schema[name] for name in ("quotes", "links")}
    found.write(COMMENTS, pl.DataFrame(rows, schema_overrides=nested))
    drawn = {"kind": "frame", "hard": False, "annotator": "ann", "design": "uniform", "inclusion": 0.5, "round": 1}
    frame = "fear_of_surveillance"
    found.write(
        LABELS,
        pl.DataFrame(
            [{**drawn, "comment_id": c, "level": frame, "value": "yes" if i % 2 else "no"} for i, c in enumerate(ids)]
        ),
    )
    found.save_receipt(Receipt(config=Config().model_dump(mode="json")))
    return found


def test_labels_become_a_bundle_that_corrects_only_through_out_of_fold_scores(tmp_path: Path) -> None:
    """Every labelled text is in trained_on and has an out-of-fold answer, which stands in for the bundle's own."""
    found = workspace(tmp_path / "ws", 60)
    bundle = train_from_labels(tmp_path / "ws", None, tmp_path / "bundle")
    comments = found.read(COMMENTS).select("comment_id", "text")
    assert bundle.manifest.labels == ("fear_of_surveillance",)
    assert bundle.trained_on() == {text_hash(text) for text in comments["text"]}
    assert bundle.heldout()["weight"].unique().to_list() == [2.0]
    held = read_heldout(bundle, "exact", np.random.default_rng(0))
    answers = cross_fitted(comments, bundle, held)
    assert answers.height == comments.height
    truth = [bool(i % 2) for i in range(60)]
    beside = comments.join(answers, on="comment_id", maintain_order="left")
    assert np.mean(beside["tag"].to_numpy() == truth) > 0.9
    parts = bundle.heldout().join(
        pl.DataFrame(
            {"text_hash": [text_hash(t) for t in comments["text"]], "author": [f"p{i % 10}" for i in range(60)]}
        ),
        on="text_hash",
    )
    assert parts.group_by("author").agg(pl.col("source").n_unique())["source"].unique().to_list() == [1]


def test_too_few_labels_are_refused_with_the_command_that_asks_for_more(tmp_path: Path) -> None:
    """Fewer than twenty labelled comments, or one reading only, leave no bundle."""
    found = workspace(tmp_path / "ws", 10)
    with pytest.raises(InputError, match=r"10 comments have a label of each.*annotate sample"):
        train_from_labels(tmp_path / "ws", None, tmp_path / "bundle")
    found.write(LABELS, found.read(LABELS).filter(pl.col("value") == "no"))
    with pytest.raises(InputError, match="both yes and no"):
        train_from_labels(tmp_path / "ws", None, tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()
