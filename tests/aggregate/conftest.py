"""A tiny bundle and a tiny workspace, made by hand, with known numbers of everything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import save_file

from discourse.models.bundle import HELDOUT_SCHEMA, Bundle, seal
from discourse.tables import COMMENTS, FRAMES
from discourse.workspace import Workspace

CALIBRATION = '{"slope": 1.0, "intercept": 0.0, "threshold": 0.5, "unsure_low": 0.3, "unsure_high": 0.7}'

MakeBundle = Callable[..., Bundle]


@pytest.fixture
def heldout_rows() -> Callable[..., list[dict[str, Any]]]:
    """Return the function that makes held-out rows."""
    return _heldout_rows


@pytest.fixture
def comments_table() -> Callable[..., pl.DataFrame]:
    """Return the function that makes comments."""
    return _comments_table


@pytest.fixture
def frames_table() -> Callable[..., pl.DataFrame]:
    """Return the function that makes tags of one frame."""
    return _frames_table


def _heldout_rows(
    level: str, cells: dict[tuple[int, int], int], source: str = "s", path: str = "cascade"
) -> list[dict[str, Any]]:
    """Return rows with `cells[label, tag]` comments each, spread over ten threads."""
    return [
        {
            "text_hash": f"{source}{level}{label}{tag}{i}",
            "level": level,
            "path": path,
            "label": label,
            "score": 2.0 if tag else -2.0,
            "tag": tag,
            "tier": "encoder",
            "source": source,
            "thread": f"t{i % 10}",
            "weight": 1.0,
        }
        for (label, tag), number in cells.items()
        for i in range(number)
    ]


@pytest.fixture
def make_bundle(tmp_path: Path) -> MakeBundle:
    """Return a function that seals a bundle of given labels and held-out rows."""

    def make(
        labels: Sequence[str],
        rows: Sequence[dict[str, Any]],
        kind: str = "frames",
        trained_on: Sequence[str] = (),
        levels: Sequence[str] | None = None,
    ) -> Bundle:
        folder = tmp_path / f"bundle-{kind}"
        folder.mkdir()
        save_file({"w": np.zeros(1, dtype=np.float32)}, folder / "model.safetensors")
        inner = ",".join(f'"{label}": {CALIBRATION}' for label in (levels or labels))
        (folder / "calibration.json").write_text("{" + inner + "}")
        (folder / "metrics.json").write_text("{}")
        pl.DataFrame(list(rows), schema=HELDOUT_SCHEMA).write_parquet(folder / "heldout.parquet")
        (folder / "trained_on.txt").write_text("\n".join(trained_on))
        (folder / "CARD.md").write_text("made for a test")
        manifest = {
            "name": f"tiny-{kind}",
            "kind": kind,
            "labels": list(labels),
            "encoder": "none",
            "encoder_sha256": "0" * 64,
            "method": "heads",
            "languages": ["en"],
            "max_length": 64,
            "licence": "Apache-2.0",
            "provenance": ["made for a test"],
        }
        return seal(folder, manifest)

    return make


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Return an empty workspace."""
    return Workspace(tmp_path / "ws")


def _comments_table(
    number: int, threads: int = 1, authors: Sequence[str | None] = ("a", "b", "c"), **columns: Any
) -> pl.DataFrame:
    """Return `number` eligible comments `file:0`, `file:1`, …, dealt out to threads and authors in turn."""
    base: dict[str, list[Any]] = {
        "comment_id": [f"file:{i}" for i in range(number)],
        "thread_id": [f"file:t{i % threads}" for i in range(number)],
        "reply_kind": ["top"] * number,
        "depth": [0] * number,
        "position": [i // threads for i in range(number)],
        "author": [authors[i % len(authors)] for i in range(number)],
        "role": ["user"] * number,
        "created_precision": ["unknown"] * number,
        "text": [f"comment number {i}" for i in range(number)],
        "quotes": [[] for _ in range(number)],
        "links": [[] for _ in range(number)],
        "language": ["en"] * number,
        "state": ["visible"] * number,
        "raw": [{"file": "f", "offset": i} for i in range(number)],
    }
    return COMMENTS.conform(pl.DataFrame({**base, **columns}, schema_overrides=dict(COMMENTS.schema)))


def _frames_table(bundle: Bundle, comments: pl.DataFrame, yes: Sequence[bool], frame: str = "fear") -> pl.DataFrame:
    """Return tags of one frame for all comments."""
    return FRAMES.conform(
        pl.DataFrame(
            {
                "comment_id": comments["comment_id"],
                "frame": [frame] * comments.height,
                "probability": [0.9 if one else 0.1 for one in yes],
                "above_threshold": list(yes),
                "decision": ["yes" if one else "no" for one in yes],
                "tier": ["encoder"] * comments.height,
                "path": ["cascade"] * comments.height,
                "bundle": [bundle.id] * comments.height,
            }
        )
    )
