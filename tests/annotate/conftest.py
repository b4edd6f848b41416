"""A workspace with ten comments, a codebook of two frames and the smallest bundle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import save_file

from discourse.annotate import run
from discourse.config import parse_config
from discourse.models.bundle import HELDOUT_SCHEMA, seal
from discourse.tables import COMMENTS, LABELS
from discourse.workspace import Outcome, Workspace

CODEBOOK = """
name = "two"
version = 1
unit = "one comment"
""" + "".join(
    f'\n[[frames]]\nname = "{name}"\ntitle = "{name}"\ndefinition = "d"\nyes = ["y"]\nno = ["n"]\n'
    for name in ("fear", "secrecy")
)


@dataclass(frozen=True, slots=True)
class Desk:
    """A folder to put files of labels in, and the workspace that they are imported to."""

    folder: Path
    workspace: Workspace

    def bring(self, targets: tuple[str, ...] = (), **files: str) -> Outcome:
        """Write each file as `<name>.csv` and import them all, in order."""
        for name, text in files.items():
            (self.folder / f"{name}.csv").write_text(text, encoding="utf-8")
        values: dict[str, Any] = {
            "bundles": {"frames": str(self.folder / "bundle")},
            "codebook": {"file": str(self.folder / "codebook.toml")},
            "stance": {"targets": list(targets)},
            "labels": {"files": [str(self.folder / f"{name}.csv") for name in files]},
        }
        return run(self.workspace, parse_config(values))

    def labels(self) -> pl.DataFrame:
        """Return the labels table, sorted by its key."""
        return self.workspace.read(LABELS).sort(LABELS.key)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Return a desk whose workspace holds comments `file:c-0` to `file:c-9`, the last two not eligible."""
    (tmp_path / "codebook.toml").write_text(CODEBOOK)
    _bundle(tmp_path / "bundle")
    workspace = Workspace(tmp_path / "ws")
    number = 10
    comments = pl.DataFrame(
        {
            "comment_id": [f"file:c-{i}" for i in range(number)],
            "thread_id": ["file:t"] * number,
            "reply_kind": ["top"] * number,
            "depth": [0] * number,
            "position": list(range(number)),
            "role": ["user"] * number,
            "created_precision": ["unknown"] * number,
            "text": ["a text"] * number,
            "quotes": [[] for _ in range(number)],
            "links": [[] for _ in range(number)],
            "language": ["en"] * 9 + ["es"],
            "state": ["visible"] * 8 + ["deleted", "visible"],
            "raw": [{"file": "f", "offset": i} for i in range(number)],
        },
        schema_overrides={name: COMMENTS.schema[name] for name in ("quotes", "links")},
    )
    workspace.write(COMMENTS, COMMENTS.conform(comments))
    return Desk(tmp_path, workspace)


@pytest.fixture
def wide() -> Callable[..., str]:
    """Return a function that writes a wide file with one column of labels for the comments `c-<i>`."""

    def write(column: str, values: dict[int, str]) -> str:
        return f"id,{column}\n" + "".join(f"c-{i},{value}\n" for i, value in values.items())

    return write


def _bundle(folder: Path) -> None:
    folder.mkdir()
    save_file({"w": np.zeros(1, dtype=np.float32)}, folder / "model.safetensors")
    for name in ("calibration.json", "metrics.json"):
        (folder / name).write_text("{}")
    pl.DataFrame(schema=HELDOUT_SCHEMA).write_parquet(folder / "heldout.parquet")
    (folder / "trained_on.txt").write_text("")
    (folder / "CARD.md").write_text("made for a test")
    manifest = {
        "name": "tiny",
        "kind": "frames",
        "labels": ["fear", "secrecy"],
        "encoder": "none",
        "encoder_sha256": "0" * 64,
        "method": "heads",
        "languages": ["en"],
        "max_length": 64,
        "licence": "Apache-2.0",
        "provenance": ["made for a test"],
    }
    seal(folder, manifest)
