"""A small sound frames bundle: heads of random weights on the shipped encoder and codebook."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from discourse.codebook import load_codebook
from discourse.models.bundle import HELDOUT_SCHEMA, Bundle, seal
from discourse.models.encoder import KNOWN_SHA256, MINILM
from discourse.models.heads import Heads, save_heads

CODEBOOK = "surveillance-culture-secrecy"
WIDTH = 384


def tiny_bundle(folder: Path, **changes: Any) -> Bundle:
    """Write the bundle into a new folder; `changes` are fields of the manifest."""
    book = load_codebook(CODEBOOK)
    generator = np.random.default_rng(0)
    folder.mkdir(parents=True)
    weights = generator.normal(size=(len(book.names), WIDTH)).astype(np.float32)
    save_heads(Heads(book.names, weights, np.zeros(len(book.names), np.float32)), folder / "weights.safetensors")
    plain = {"slope": 1, "intercept": 0, "threshold": 0.5, "unsure_low": 0.5, "unsure_high": 0.5}
    (folder / "calibration.json").write_text(json.dumps(dict.fromkeys(book.names, plain)), encoding="utf-8")
    (folder / "metrics.json").write_text('{"by_label": {}, "by_source": {}}', encoding="utf-8")
    rows = [
        (f"{n:020x}", name, "exact", n % 2, n - 4.5, int(n > 4), "encoder", f"s{n % 3}", f"t{n}", 1.0)
        for name in book.names
        for n in range(10)
    ]
    pl.DataFrame(rows, schema=HELDOUT_SCHEMA, orient="row").write_parquet(folder / "heldout.parquet")
    (folder / "trained_on.txt").write_text("0" * 20 + "\n", encoding="utf-8")
    (folder / "CARD.md").write_text("# tiny\n\nWritten for a test.\n", encoding="utf-8")
    (folder / "codebook.json").write_text(book.model_dump_json(), encoding="utf-8")
    manifest = {
        "name": "tiny",
        "kind": "frames",
        "labels": book.names,
        "codebook": book.name,
        "codebook_sha256": book.sha256,
        "encoder": MINILM,
        "encoder_sha256": KNOWN_SHA256[MINILM],
        "method": "heads",
        "languages": ("en",),
        "max_length": 64,
        "licence": "CC0-1.0",
        "provenance": ("made for a test",),
    }
    return seal(folder, {**manifest, **changes})
