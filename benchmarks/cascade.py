"""The cascade against the encoder alone: share answered by the static tier, speed, and F1 lost.

    python benchmarks/cascade.py [--bundle frames-minilm] [--runs 5] [--quick]

Speed: real comments with their titles and parents, each distinct one once, all ways in turn within each run, medians
of the ratios of the same run; sentences for evidence are not looked for by any way. The first way is what people write:
SentenceTransformer.encode with its defaults and scikit-learn's linear heads. F1: held-out rows of the bundle, each read
by models that saw nothing of its source; brackets hold 95 % intervals from resampling sources and threads. Without
--quick the tables are written to docs/cascade.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import numpy as np
import torch
from notebook import frame_heads, load_reader
from real_comments import SHARED, read_comments

from discourse.models.bundle import Bundle, load_bundle
from discourse.models.cascade import Cascade, goes_up, load_cascade, says_yes
from discourse.models.cascade_cost import cascade_cost, table_lines
from discourse.models.encoder import load_encoder
from discourse.models.frame_inputs import FrameInput
from discourse.models.frames import FramesModel, load_frames
from discourse.models.static import StaticTier
from discourse.models.text_vectors import static_tier

HOW = """\
A *static tier* gives every comment a score for each frame from its word pieces alone: each word piece was run once
through the tuned encoder, so that no transformer is needed at work (model2vec: Tulkens & van Dongen 2024). Vectors of
comment, parent and title stand side by side; a ridge regression on them and on random Fourier features of them
(Rahimi & Recht 2007), and one on the comment's word pieces and pairs of them, were taught to give the encoder's own
log-odds.

A comment is answered by it where every frame's score lies below that frame's lower cut-off (no) or reaches its upper
one (yes); all others *go up* to the encoder. Two losses are kept for each frame, in expectation over comments like
those that the cut-offs were found on: of the comments that the encoder would tag, at most 5 % are answered no, of the
others at most 0.2 % yes (conformal risk control: Angelopoulos, Bates, Fisch, Lei & Schuster 2024). The units are
threads: each counts V = min(W, c) comments, W being the weight of its comments in question, and the cut-off is the
highest at which Σ loss + c ≤ bound · (Σ V + c). The cap c is the highest that takes up at most an eighth of what may
be lost, and never below the lightest thread's weight; with one comment a thread the rule is the (n · R + 1) / (n + 1)
≤ bound of the paper. So 19 threads with an encoder-yes are the least that 5 % can be promised with, and 499 threads
for 0.2 %: without them that side answers nothing, and a frame without a lower cut-off takes every comment up. The
scores are out-of-fold: each source is scored by an encoder and a static tier that saw nothing of it; labels are not
used for the cut-offs. On comments unlike those the promise does not hold: the fit check looks at that, and `--exact`
turns the tier off. Tags of the cascade are corrected by held-out rows of the cascade.
"""
DOCS = Path(__file__).resolve().parents[1] / "docs" / "cascade.md"
Way = Callable[[list[FrameInput]], object]


def main() -> None:
    """Print both tables, and write them unless in a hurry."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--bundle", default="frames-minilm")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--comments", type=int, default=1_500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="100 comments, 2 runs, nothing written")
    given = parser.parse_args()
    if given.quick:
        given.comments, given.runs = 100, 2
    bundle = load_bundle(given.bundle, "frames")
    cascade = load_cascade(bundle)
    if cascade is None:
        raise SystemExit(f"{given.bundle}: has no static tier; train it again with [static] on = true")
    lines = [f"bundle {bundle.id}: {cascade.said}", "", *cut_off_lines(cascade), ""]
    lines += table_lines(cascade_cost(bundle.heldout(), given.seed))
    if (SHARED / "threads").is_dir():
        inputs = read_comments(given.comments, given.seed)
        lines += ["", *speed(inputs, bundle, cascade, given.runs)]
    else:
        lines += ["", f"no speed: {SHARED} is not here"]
    print("\n".join(lines))
    if not given.quick:
        DOCS.write_text(page(given, lines), encoding="utf-8")


def cut_off_lines(cascade: Cascade) -> list[str]:
    """Return the cut-offs of each frame as a table."""
    lines = [
        "| frame | threads with an encoder-yes | of the calibration: yes lost | no turned | answers |",
        "|---|---|---|---|---|",
    ]
    for level, cut in cascade.levels.items():
        known = [name for name, found in (("no", cut.low), ("yes", cut.high)) if found is not None]
        answers = " and ".join(known) or "nothing: goes up whole"
        lines.append(
            f"| {level} | {cut.yes_threads} | {cut.lost:.1%} of at most {cascade.lost:.1%} "
            f"| {cut.turned:.2%} of at most {cascade.turned:.2%} | {answers} |"
        )
    return lines


def speed(inputs: list[FrameInput], bundle: Bundle, cascade: Cascade, runs: int) -> list[str]:
    """Time all ways in turn, run after run, and return a table of medians."""
    encoder = load_encoder(bundle.manifest.encoder)
    model, tier = load_frames(bundle, encoder), static_tier(bundle, encoder)
    cut = list(cascade.levels.values())
    up = goes_up(tier.scores(inputs), cut)
    heads = frame_heads(load_reader(), len(bundle.manifest.labels))
    ways: dict[str, Way] = {
        "SentenceTransformer.encode + heads": lambda some: heads([row.text for row in some]),
        "encoder tier (exact)": model.read,
        "static tier": tier.scores,
        "cascade": lambda some: both(some, model, tier, cascade),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        way(inputs[:20])
    for _ in range(runs):
        for name, way in ways.items():
            started = time.perf_counter()
            way(inputs)
            seconds[name].append(time.perf_counter() - started)
    first = np.array(next(iter(seconds.values())))
    lines = [
        f"Of these {len(inputs):,} comments {1 - up.mean():.1%} are answered by the static tier.",
        "",
        "| way | comments a second | ÷ SentenceTransformer.encode + heads [least–most of the runs] |",
        "|---|---|---|",
    ]
    for name, taken in seconds.items():
        ratio = first / np.array(taken)
        lines.append(
            f"| {name} | {len(inputs) / np.median(taken):,.0f} | {np.median(ratio):.1f}× "
            f"[{ratio.min():.1f}–{ratio.max():.1f}] |"
        )
    return lines


def both(inputs: list[FrameInput], model: FramesModel, tier: StaticTier, cascade: Cascade) -> object:
    """Score all by the static tier, and by the encoder those that go up."""
    cut = list(cascade.levels.values())
    scores = tier.scores(inputs)
    up = np.flatnonzero(goes_up(scores, cut))
    return says_yes(scores, cut), model.read([inputs[row] for row in up]) if len(up) else None


def page(given: argparse.Namespace, lines: list[str]) -> str:
    """Return docs/cascade.md."""
    libraries = ("torch", "sentence-transformers", "tokenizers")
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in libraries)
    told = f"--runs {given.runs} --comments {given.comments} --seed {given.seed}"
    machine = f"{platform.machine()}, {os.cpu_count()} cores, {torch.get_num_threads()} torch threads"
    return "\n".join(
        [
            "# The static tier and the cascade",
            "",
            HOW,
            f"    python benchmarks/cascade.py --bundle {Path(given.bundle).name} {told}",
            "",
            f"{machine}, Python {platform.python_version()}, {versions}; {time.strftime('%Y-%m-%d')}.",
            "",
            *lines,
            "",
        ]
    )


if __name__ == "__main__":
    main()
