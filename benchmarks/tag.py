"""Tags of a file of comments from end to end: exact, cascade and int8, against a notebook and a zero-shot classifier.

    python benchmarks/tag.py [--quick] [--runs 5] [--comments 200] [--bundle frames-minilm-context] [--clock wall|cpu]

Real comments with title and parent, from a CSV file to files of tags: frames with the sentence that carries each, the
fit check, and stance to one target. Our ways load and verify their bundles each time; the notebook (see `notebook`)
has its encoder loaded. All ways in turn within each run, medians of the ratios of the same run.

Zero-shot classification reads each comment once a frame by a cross-encoder of the size of DeBERTa-v3-base with random
weights, on a few comments, for its cost; it has no F1.

F1: on the labelled comments that the bundle's held-out rows cover, each judged by models that saw nothing of its
source: the bundle's own out-of-fold tags, and for the notebook vectors of the text with one logistic regression a
frame, fitted on the other sources, its threshold the best for F1 there. Brackets: 95 % intervals from resampling rows.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import torch
from notebook import load_reader, tag_file
from numpy.typing import NDArray
from real_comments import labelled_comments, read_comments, require, said_of_lengths
from results import write
from sklearn.linear_model import LogisticRegression

from discourse.config import Config, override
from discourse.models.bundle import Bundle, load_bundle, text_hash
from discourse.models.cascade import load_cascade
from discourse.models.encoder import load_encoder
from discourse.models.frame_inputs import FrameInput, frame_sequences
from discourse.models.frames import embed
from discourse.table_tagging import tag_table

CLOCKS: dict[str, Callable[[], float]] = {"wall": time.perf_counter, "cpu": time.process_time}
NOTEBOOK, ZERO_SHOT = "notebook", "zero-shot classification"
TARGET = "government surveillance"
HYPOTHESIS = 14  # word pieces of "This comment is about …" with its special tokens
DRAWS = 1_000


def main() -> None:
    """Print both tables, and write them unless in a hurry."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", default="frames-minilm-context")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--comments", type=int, default=200)
    parser.add_argument("--zero-shot", type=int, default=8, help="comments that the cross-encoder reads in each run")
    parser.add_argument("--clock", choices=list(CLOCKS), default="wall")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="40 comments, 2 runs, no F1, nothing written")
    given = parser.parse_args()
    if given.quick:
        given.comments, given.runs, given.zero_shot = 40, 2, 3
    require()
    bundle = load_bundle(given.bundle, "frames")
    lines = [
        (
            f"`python benchmarks/tag.py --bundle {bundle.manifest.name} --runs {given.runs} "
            f"--comments {given.comments} --clock {given.clock} --seed {given.seed}`; {torch.get_num_threads()} threads"
        ),
        "",
        *speeds(given, bundle),
    ]
    if not given.quick:
        lines += ["", *quality(bundle, given.seed)]
    print("\n".join(lines))
    if not given.quick:
        write("tag.py", "\n".join(lines))


def speeds(given: argparse.Namespace, bundle: Bundle) -> list[str]:
    """Time all ways in turn, run after run, and return a table of medians and ranges."""
    inputs = read_comments(given.comments, given.seed)
    clock = CLOCKS[given.clock]
    with tempfile.TemporaryDirectory() as name:
        ways = ways_of(Path(name), inputs, given, bundle)
        taken: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(given.runs):
            for way, (run, comments) in ways.items():
                started = clock()
                run()
                taken[way].append((clock() - started) / comments)
    notebook = np.array(taken[NOTEBOOK])
    lengths = frame_sequences(load_encoder(), [FrameInput(row.text) for row in inputs], 256).lengths
    lines = [
        f"{said_of_lengths(lengths)} in the texts alone.",
        "",
        f"| way | comments a second | ÷ {NOTEBOOK} [least–most of the runs] |",
        "|---|---|---|",
    ]
    for way, seconds in taken.items():
        ratio = notebook / np.array(seconds)
        speed = 1 / np.median(seconds)
        lines.append(f"| {way} | {speed:,.2f} | {np.median(ratio):.2f}× [{ratio.min():.2f}–{ratio.max():.2f}] |")
    return lines


def ways_of(
    folder: Path, inputs: list[FrameInput], given: argparse.Namespace, bundle: Bundle
) -> dict[str, tuple[Callable[[], object], int]]:
    """Return the ways, each with the number of comments that it reads."""
    source = folder / "comments.csv"
    parts = [(row.text, row.title, row.parent) for row in inputs]
    pl.DataFrame(parts, ["text", "title", "parent"], orient="row").write_csv(source)
    reader = load_reader()
    asked = {"bundles.frames": given.bundle, "stance.targets": (TARGET,)}
    ours = {
        "exact": {"tagging.exact": True},
        "exact, text alone": {"tagging.exact": True, "tagging.context": False},
        "exact, int8": {"tagging.exact": True, "tagging.precision": "int8"},
        "exact, no stance": {"tagging.exact": True, "stance.targets": ()},
    }
    if load_cascade(bundle) is not None:
        ours["cascade"] = {}
        ours["cascade, int8"] = {"tagging.precision": "int8"}
    ways: dict[str, tuple[Callable[[], object], int]] = {
        NOTEBOOK: (partial(tag_file, reader, source, folder / "n.csv", bundle.manifest.labels, TARGET), len(inputs))
    }
    for name, changes in ours.items():
        config = override(Config(), {**asked, **changes})
        ways[name] = (partial(tag_table, source, "text", None, folder / "tags.csv", config), len(inputs))
    chosen = inputs[: given.zero_shot]
    ways[ZERO_SHOT] = (zero_shot(chosen, len(bundle.manifest.labels)), len(chosen))
    return ways


def zero_shot(inputs: list[FrameInput], levels: int) -> Callable[[], object]:
    """Return a pass of comment and hypothesis, once a frame, through a network of DeBERTa-v3-base's shape."""
    from transformers import DebertaV2Config, DebertaV2ForSequenceClassification

    config = DebertaV2Config(
        vocab_size=128_100,
        hidden_size=768,
        num_hidden_layers=12,
        num_attention_heads=12,
        intermediate_size=3_072,
        relative_attention=True,
        position_buckets=256,
        norm_rel_ebd="layer_norm",
        share_att_key=True,
        pos_att_type=["p2c", "c2p"],
        type_vocab_size=0,
        num_labels=3,
    )
    model = DebertaV2ForSequenceClassification(config).eval()
    # Lengths by our word pieces, which are about as many as its own.
    lengths = frame_sequences(load_encoder(), [FrameInput(row.text) for row in inputs], 256).lengths + HYPOTHESIS
    generator = torch.Generator().manual_seed(0)
    rows = [torch.randint(5, 128_000, (1, int(length)), generator=generator) for length in lengths]

    def read() -> object:
        with torch.inference_mode():
            return [model(input_ids=row.expand(levels, -1)).logits for row in rows]

    return read


def quality(bundle: Bundle, seed: int) -> list[str]:
    """Return the F1 of the bundle's ways and of the notebook on the same labelled comments."""
    inputs, labels, sources = labelled_comments(bundle.manifest.labels)
    place = {text_hash(row.text): i for i, row in enumerate(inputs)}
    heldout = bundle.heldout().filter(pl.col("text_hash").is_in(list(place)))
    covered = np.array(sorted({place[key] for key in heldout["text_hash"]}))
    vectors = embed(load_encoder(), [row.text for row in inputs])
    tags = {NOTEBOOK: out_of_fold(vectors, labels, sources.to_numpy().astype(str))[covered]}
    for path in ("exact", "cascade", "text_only"):
        rows = heldout.filter(path=path)
        if rows.height:
            found = np.zeros(labels.shape, bool)
            for k, level in enumerate(bundle.manifest.labels):
                some = rows.filter(level=level)
                found[[place[key] for key in some["text_hash"]], k] = some["tag"].to_numpy() == 1
            tags[path] = found[covered]
    truth = labels[covered]
    rng = np.random.default_rng(seed)
    draws = [rng.integers(0, len(truth), len(truth)) for _ in range(DRAWS)]
    lines = [
        (
            f"F1 on {len(truth):,} labelled comments of {sources[covered].n_unique()} sources, each judged by what saw "
            f"nothing of its source, bundle {bundle.id}:"
        ),
        "",
        f"| way | {' | '.join(bundle.manifest.labels)} | macro |",
        "|---|---|---|---|---|",
    ]
    for way, found in tags.items():
        each = f1(found, truth)
        low, high = np.quantile([f1(found[rows], truth[rows]).mean() for rows in draws], [0.025, 0.975])
        shown = " | ".join(f"{value:.3f}" for value in each)
        lines.append(f"| {way} | {shown} | {each.mean():.3f} [{low:.3f}–{high:.3f}] |")
    return lines


def out_of_fold(
    vectors: NDArray[np.float32], labels: NDArray[np.bool_], sources: NDArray[np.str_]
) -> NDArray[np.bool_]:
    """Return the notebook's tags of each source by heads that were fitted on the others."""
    tags = np.zeros(labels.shape, bool)
    for source in np.unique(sources):
        here = sources == source
        for k in range(labels.shape[1]):
            head = LogisticRegression(max_iter=2_000).fit(vectors[~here], labels[~here, k])
            p, known = head.predict_proba(vectors[~here])[:, 1], labels[~here, k]
            order = np.argsort(-p, kind="stable")
            hits = np.cumsum(known[order])
            best = int((2 * hits / (np.arange(1, len(p) + 1) + known.sum())).argmax())
            tags[here, k] = head.predict_proba(vectors[here])[:, 1] >= p[order][best]
    return tags


def f1(tags: NDArray[np.bool_], labels: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the F1 of each column."""
    return 2 * (tags & labels).sum(0) / np.maximum(1, tags.sum(0) + labels.sum(0))


if __name__ == "__main__":
    main()
