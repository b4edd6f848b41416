"""A bundle's model as ONNX: one file that reads token numbers and gives scores, with all that is needed to use it."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import util
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from discourse.errors import BundleError, UsageError
from discourse.models.bundle import Bundle
from discourse.models.encoder import Encoder, load_encoder, mean_pool, padded
from discourse.models.frame_inputs import PARENT_TOKENS, TITLE_TOKENS, FrameInput, frame_sequences
from discourse.models.frames import FramesModel, load_frames
from discourse.models.heads import Heads
from discourse.models.new_folder import check_new, new_folder
from discourse.models.packed import Sequences
from discourse.models.stance import PARENT_TOKENS as STANCE_PARENT_TOKENS
from discourse.models.stance import TARGET_TOKENS, Reading, StanceModel, load_stance, stance_sequences
from discourse.models.tuned import POOLED_SCALE, TunedTop

OPSET = 17
TOLERANCE = 1e-3
INPUTS = ("input_ids", "token_type_ids", "attention_mask")
SAMPLES = (
    FrameInput("They log every ticket and every face.", "New gates at the harbour", "It is about fares."),
    FrameInput("The ferry is late again, third time this week."),
)


@dataclass(frozen=True, slots=True)
class Exported:
    """What is written: the graph, the name of its output, and two samples with the scores that torch gives them."""

    graph: nn.Module
    output: str
    samples: list[dict[str, Any]]


class Graph(nn.Module):
    """Embeddings, layers, mean pooling and a last linear step, as a bundle's model runs them, in one piece."""

    def __init__(self, encoder: Encoder, scorer: Heads | TunedTop, *, log_softmax: bool) -> None:
        """Take the parts from a loaded model; nothing is copied."""
        super().__init__()
        self.log_softmax, self.unit = log_softmax, isinstance(scorer, Heads)
        own: list[Any] = list(encoder.model.encoder.layer)
        if isinstance(scorer, Heads):
            self.embeddings, layers = encoder.model.embeddings, own
            self.last = nn.Linear(encoder.width, len(scorer.levels))
            self.last.load_state_dict(
                {"weight": torch.from_numpy(scorer.weights), "bias": torch.from_numpy(scorer.bias)}
            )
        else:
            self.embeddings = scorer.embeddings if scorer.reads_tokens else encoder.model.embeddings
            layers = [*own[: scorer.first(encoder)], *scorer.layers]
            self.last = scorer.classifier
        self.layers = nn.ModuleList(layers)

    def forward(self, input_ids: Tensor, token_type_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return log-odds or log-probabilities, rows × labels."""
        hidden = self.embeddings(input_ids=input_ids, token_type_ids=token_type_ids)
        mask = attention_mask.to(torch.bool)
        hindered = torch.where(mask[:, None, None, :], 0.0, torch.finfo(torch.float32).min)
        for layer in self.layers:
            hidden = layer(hidden, hindered)
        pooled = mean_pool(hidden, mask)
        if self.unit:
            pooled = pooled / pooled.norm(dim=-1, keepdim=True).clamp(min=1e-12)
            # As kept vectors are rounded, see `frames.half`.
            return self.last(pooled.half().float())
        found = self.last(pooled * POOLED_SCALE)
        return found.log_softmax(1) if self.log_softmax else found


def export_onnx(bundle: Bundle, output: Path) -> None:
    """Write model.onnx, tokenizer.json, model.json (labels, calibration, samples) and README.md to a new folder.

    Raises:
        BundleError: `output` exists, or the bundle does not fit the encoder.
        UsageError: the extra is not installed, or the bundle holds topics.
    """
    if bundle.manifest.kind == "topics":
        raise UsageError(f"{bundle.manifest.name}: a topics bundle has no model of its own to export")
    missing = [name for name in ("onnx", "onnxruntime") if util.find_spec(name) is None]
    if missing:
        raise UsageError(f"--onnx needs {missing[0]}, which is not installed: pip install 'discourse[onnx]'")
    check_new(output)
    encoder = load_encoder(bundle.manifest.encoder, bundle.manifest.encoder_sha256)
    exported = _frames(bundle, encoder) if bundle.manifest.kind == "frames" else _stance(bundle, encoder)
    with new_folder(output) as folder:
        _write_graph(exported, folder / "model.onnx")
        (folder / "tokenizer.json").write_text(_tokenizer(encoder), encoding="utf-8")
        about = _about(bundle, exported)
        (folder / "model.json").write_text(json.dumps(about, indent=1, ensure_ascii=False), encoding="utf-8")
        (folder / "README.md").write_text(_readme(bundle, exported), encoding="utf-8")


def _frames(bundle: Bundle, encoder: Encoder) -> Exported:
    model: FramesModel = load_frames(bundle, encoder)
    inputs = [row.as_read(model.context) for row in SAMPLES]
    sequences = frame_sequences(encoder, inputs, model.max_length)
    scores = model.read(SAMPLES).scores
    samples = _samples(
        [{"text": row.text, "title": row.title, "parent": row.parent} for row in inputs], sequences, scores
    )
    return Exported(Graph(encoder, model.scorer, log_softmax=False), "scores", samples)


def _stance(bundle: Bundle, encoder: Encoder) -> Exported:
    model: StanceModel = load_stance(bundle, encoder)
    readings = [Reading("the harbour gates", row.text, row.parent) for row in SAMPLES]
    sequences = stance_sequences(encoder, readings, model.max_length)
    scores = model.log_probabilities(readings)
    said = [{"target": row.target, "text": row.text, "parent": row.parent} for row in readings]
    return Exported(Graph(encoder, model.top, log_softmax=True), "log_probabilities", _samples(said, sequences, scores))


def _samples(said: Sequence[dict[str, str]], sequences: Sequences, scores: NDArray[np.float64]) -> list[dict[str, Any]]:
    return [
        {**parts, "input_ids": ids.tolist(), "token_type_ids": segments.tolist(), "scores": row.round(5).tolist()}
        for parts, ids, segments, row in zip(said, sequences.ids, sequences.segments, scores, strict=True)
    ]


def _write_graph(exported: Exported, path: Path) -> None:
    rows = np.arange(len(exported.samples))
    ids, segments = (
        [np.array(row[key], np.int32) for row in exported.samples] for key in ("input_ids", "token_type_ids")
    )
    batch = padded(Sequences(ids, segments), rows)
    tensors = (batch.ids, batch.segments, batch.mask.to(torch.int64))
    with warnings.catch_warnings():
        # It warns of its successor, which takes ten times as long and three libraries more, and of traced constants.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            exported.graph.eval(),
            tensors,
            str(path),
            input_names=list(INPUTS),
            output_names=[exported.output],
            dynamic_axes={**{name: {0: "rows", 1: "tokens"} for name in INPUTS}, exported.output: {0: "rows"}},
            opset_version=OPSET,
            dynamo=False,
        )
    _check(exported, tensors, path)


def _check(exported: Exported, tensors: tuple[Tensor, ...], path: Path) -> None:
    """Run the file and compare with what torch gave, so that no export is handed out that reads otherwise."""
    import onnxruntime

    session: Any = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    named = {name: tensor.numpy() for name, tensor in zip(INPUTS, tensors, strict=True)}
    wanted = np.array([row["scores"] for row in exported.samples])
    gap = float(np.abs(session.run([exported.output], named)[0] - wanted).max())
    if not gap <= TOLERANCE:
        raise BundleError(f"the ONNX file gives scores that differ by {gap:.4f}; report this as a fault of discourse")


def _tokenizer(encoder: Encoder) -> str:
    """Return the tokenizer without its list of special tokens, so that a comment that writes [SEP] writes a word."""
    values: dict[str, Any] = json.loads(encoder.tokenizer.to_str())
    return json.dumps({**values, "added_tokens": []}, ensure_ascii=False)


def _about(bundle: Bundle, exported: Exported) -> dict[str, Any]:
    manifest = bundle.manifest
    return {
        "bundle": bundle.id,
        "sha256": bundle.sha256,
        "kind": manifest.kind,
        "labels": manifest.labels,
        "languages": manifest.languages,
        "max_length": manifest.max_length,
        "context": manifest.context,
        "output": exported.output,
        "calibration": {level: value.model_dump() for level, value in bundle.calibration().items()},
        "validated": manifest.validated,
        "licence": manifest.licence,
        "samples": exported.samples,
    }


def _readme(bundle: Bundle, exported: Exported) -> str:
    manifest = bundle.manifest
    if manifest.kind == "frames":
        parts = [f"title (its first {TITLE_TOKENS} tokens)"] if "title" in manifest.context else []
        parts += [f"comment answered (its first {PARENT_TOKENS} tokens)"] if "parent" in manifest.context else []
        out = FRAMES_OUT
    else:
        parts = [
            f"target (its first {TARGET_TOKENS} tokens)",
            f"comment answered (its first {STANCE_PARENT_TOKENS} tokens)",
        ]
        out = STANCE_OUT
    joined = " [SEP] ".join([*parts, "comment"])
    doubt = "" if manifest.validated else "\n**Not validated**: made from definitions alone and judged on no labels.\n"
    return README.format(
        id=bundle.id,
        kind=manifest.kind,
        sha256=bundle.sha256,
        doubt=doubt,
        joined=joined,
        max_length=manifest.max_length,
        output=exported.output,
        labels=", ".join(manifest.labels),
        out=out,
        languages=", ".join(manifest.languages),
        licence=manifest.licence,
    )


FRAMES_OUT = """Each number is a log-odds `s`. For the label's entry in `calibration`, the probability is
`1 / (1 + exp(-(slope * s + intercept)))`, or, where there are `knots` of (score, probability), linear between them and
constant outside. A comment is tagged if the probability is at least `threshold`; it is `unsure` if the probability is
at least `unsure_low` and below `unsure_high`."""
STANCE_OUT = """Multiply by the `slope` of `calibration.classes` and take the softmax for calibrated probabilities; the
likeliest class is the answer. The gate that decides whether a comment is about the target at all is not in this file:
without it, ask only about comments that are about the target."""
README = """# {id} as ONNX

The model of a *{kind}* bundle of `discourse` (SHA-256 {sha256}), for any ONNX runtime. It is the encoder's way of
answering, `--exact`; a bundle's static tier is not in it. How good it is and when not to use it stands in the bundle's
card: `discourse bundle show`.
{doubt}
## What goes in

Three int64 tensors, rows × tokens: `input_ids`, `token_type_ids`, `attention_mask` (1 for real tokens, 0 for padding).

1. Split each part into tokens with `tokenizer.json`, without special tokens.
2. Join them as `[CLS] {joined} [SEP]`. Parts that are absent are left out with their `[SEP]`.
3. Cut the end of the comment so that a row has at most {max_length} tokens.
4. `token_type_ids` is 1 for the comment and its `[SEP]` if another part stands before it, else 0 everywhere.

Languages: {languages}.

## What comes out

`{output}`, float32, rows × labels, in this order: {labels}.

{out}

`model.json` holds labels, calibration and two samples with their token numbers and the scores that they must get, to
0.001: check your own code against them.

Licence: {licence}.
"""
