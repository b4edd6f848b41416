"""A model as ONNX gives the scores that torch gives, and its folder tells a stranger how to use it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.models.tiny_bundle import tiny_bundle
from tokenizers import Tokenizer

from discourse.errors import BundleError, UsageError
from discourse.models.bundle import Bundle, load_bundle
from discourse.models.encoder import load_encoder
from discourse.models.frame_inputs import FrameInput
from discourse.models.frames import load_frames
from discourse.models.onnx_export import export_onnx
from discourse.models.stance import Reading, load_stance

onnxruntime = pytest.importorskip("onnxruntime", reason="the extra discourse[onnx] is not installed")
pytest.importorskip("onnx", reason="the extra discourse[onnx] is not installed")

TEXTS = [
    "Short.",
    "[SEP] a comment that writes [CLS] special tokens, and çödé points 🎉",
    "They log every ticket and every face, and nobody asked us whether we wanted that. " * 30,
    "",
]


def read_as_the_readme_says(folder: Path, rows: list[list[str]], limits: list[int]) -> NDArray[np.float32]:
    """Run model.onnx on rows of parts, the comment last, by the steps in README.md and nothing of discourse."""
    about: dict[str, Any] = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    start, end = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    found: list[tuple[list[int], list[int]]] = []
    for *context, comment in rows:
        parts = [tokenizer.encode(part, add_special_tokens=False).ids for part in context]
        parts = [part[:limit] for part, limit in zip(parts, limits, strict=True)]
        parts = [part for part in parts if part]
        room = about["max_length"] - 2 - sum(len(part) + 1 for part in parts)
        last = tokenizer.encode(comment, add_special_tokens=False).ids[:room]
        before = [start, *(token for part in parts for token in [*part, end])]
        found.append(([*before, *last, end], [0] * len(before) + [int(bool(parts))] * (len(last) + 1)))
    longest = max(len(ids) for ids, _ in found)
    inputs = {
        name: np.zeros((len(found), longest), np.int64) for name in ("input_ids", "token_type_ids", "attention_mask")
    }
    for i, (ids, segments) in enumerate(found):
        for name, values in zip(inputs, (ids, segments, [1] * len(ids)), strict=True):
            inputs[name][i, : len(ids)] = values
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    return session.run([about["output"]], inputs)[0]


def test_frames_read_by_a_strangers_code_get_the_scores_of_torch(tmp_path: Path) -> None:
    bundle = tiny_bundle(tmp_path / "tiny", context=("title", "parent"))
    export_onnx(bundle, tmp_path / "onnx")
    model = load_frames(bundle, load_encoder())
    rows = [["", "", text] for text in TEXTS]
    rows += [
        ["A long title " * 20, "", TEXTS[0]],
        ["Title", "A parent " * 60, TEXTS[2]],
    ]
    found = read_as_the_readme_says(tmp_path / "onnx", rows, [24, 48])
    wanted = model.read([FrameInput(text, title, parent) for title, parent, text in rows]).scores
    assert np.abs(found - wanted).max() < 1e-3
    assert np.abs(read_as_the_readme_says(tmp_path / "onnx", rows[:1], [24, 48]) - wanted[:1]).max() < 1e-3
    about = json.loads((tmp_path / "onnx" / "model.json").read_text(encoding="utf-8"))
    assert about["labels"] == list(bundle.manifest.labels)
    assert about["calibration"].keys() == set(bundle.manifest.labels)
    readme = (tmp_path / "onnx" / "README.md").read_text(encoding="utf-8")
    assert "title (its first 24 tokens) [SEP] comment answered (its first 48 tokens) [SEP] comment" in readme
    with pytest.raises(BundleError, match="never written over"):
        export_onnx(bundle, tmp_path / "onnx")


@pytest.mark.parametrize("kind", ["frames", "stance"])
def test_the_shipped_models_get_the_scores_of_torch(kind: str, tmp_path: Path) -> None:
    bundle: Bundle = load_bundle(f"{kind}-minilm")
    export_onnx(bundle, tmp_path / "onnx")
    if kind == "stance":
        model = load_stance(bundle, load_encoder())
        rows = [["harbour gates", "", TEXTS[0]], ["harbour gates", "It is about fares.", TEXTS[2]]]
        wanted = model.log_probabilities([Reading(target, text, parent) for target, parent, text in rows])
        found = read_as_the_readme_says(tmp_path / "onnx", rows, [16, 32])
    else:
        frames = load_frames(bundle, load_encoder())
        rows = [["A title", "A parent", text] for text in TEXTS]
        wanted = frames.read([FrameInput(text, "A title", "A parent") for text in TEXTS]).scores
        context = bundle.manifest.context
        kept = [[part for part, name in zip(row, ("title", "parent"), strict=False) if name in context] for row in rows]
        limits = [limit for limit, name in ((24, "title"), (48, "parent")) if name in context]
        found = read_as_the_readme_says(
            tmp_path / "onnx", [[*parts, row[-1]] for parts, row in zip(kept, rows, strict=True)], limits
        )
    assert np.abs(found - wanted).max() < 1e-3


def test_without_the_extra_the_way_to_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("discourse.models.onnx_export.util.find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r"pip install 'discourse\[onnx\]'"):
        export_onnx(load_bundle("stance-minilm"), tmp_path / "onnx")
    assert list(tmp_path.iterdir()) == []
