"""The encoder tier against what this machine can multiply, against sentence-transformers, and in 8 bits.

    python benchmarks/encode.py [--quick] [--runs 5] [--comments 600] [--threads N] [--clock wall|cpu]

Real comments (text alone, up to 256 tokens, special tokens included, as sentence-transformers reads them), each way
from texts to vectors, tokenising included; all ways and the multiplications in turn within each run. The limit is the
time that the multiply-adds of the real tokens take, padding not counted: those of the linear steps and of the two
products of attention, each at the rate that torch's fastest single-precision product of that very shape was seen at in
the same run. The stricter limit takes the rate of the linear steps for the products of attention, too.

In 8 bits: the same ways, and the F1 of both precisions on the labelled comments, whose labels the bundle was trained
on: only the difference tells anything. --clock cpu with --threads 1 is for a machine that does other work besides.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import resources

import numpy as np
import torch
from numpy.typing import NDArray
from real_comments import labelled_comments, read_comments, require, said_of_lengths
from results import write
from sentence_transformers import SentenceTransformer
from torch import Tensor
from torch.nn import functional

from discourse.models.bundle import Bundle, load_bundle
from discourse.models.calibration import probability
from discourse.models.encoder import WHEELS, Encoder, load_encoder, mean_pool, padded
from discourse.models.frame_inputs import FrameInput, frame_sequences
from discourse.models.frames import embed, load_frames
from discourse.models.packed import TOKENS_A_BATCH, single_step

MAX_LENGTH = 256
LENGTHS = (8, 16, 32, 64, 96, 128, 192, 256)
OURS, SINGLE, SORTED, DEFAULTS, INT8 = (
    "encoder tier",
    "encoder tier, 1 thread",
    "length-sorted batches, padded",
    "SentenceTransformer.encode",
    "encoder tier, int8",
)
CLOCKS: dict[str, Callable[[], float]] = {"wall": time.perf_counter, "cpu": time.process_time}
Way = Callable[[list[str]], object]


@dataclass(frozen=True, slots=True)
class Work:
    """The multiplications that some comments cost: tokens of each, and the encoder's shape."""

    lengths: NDArray[np.int64]
    width: int
    inner: int
    heads: int
    depth: int

    def linear(self) -> dict[tuple[int, int], float]:
        """Return the multiply-adds of the linear steps by their inputs and outputs."""
        tokens = float(self.lengths.sum()) * self.depth
        shapes = [(self.width, 3 * self.width), (self.width, self.width)]
        shapes += [(self.width, self.inner), (self.inner, self.width)]
        return {(a, b): tokens * a * b for a, b in shapes}

    def attention(self) -> dict[int, float]:
        """Return the multiply-adds of attention's two products by the nearest of `LENGTHS`."""
        nearest = np.abs(self.lengths[:, None] - np.array(LENGTHS)[None]).argmin(1)
        each = 2.0 * self.lengths.astype(float) ** 2 * self.width * self.depth
        return {length: float(each[nearest == i].sum()) for i, length in enumerate(LENGTHS) if (nearest == i).any()}


class Machine:
    """Rates of products, multiply-adds a second, taken afresh in each run."""

    def __init__(self, work: Work, clock: Callable[[], float], seconds: float) -> None:
        """Prepare matrices; `seconds` is about what one rate may take."""
        self.work, self.clock, self.seconds = work, clock, seconds
        self.products: dict[object, list[tuple[float, Callable[[], Tensor]]]] = {}
        for a, b in work.linear():
            x, weight, bias = torch.randn(TOKENS_A_BATCH, a), torch.randn(b, a), torch.randn(b)
            step = single_step(weight, bias)
            ways = [lambda x=x, step=step: step(x), lambda x=x, w=weight, c=bias: functional.linear(x, w, c)]
            self.products[a, b] = [(float(TOKENS_A_BATCH) * a * b, way) for way in ways]
        for length in work.attention():
            rows = max(1, TOKENS_A_BATCH // length) * work.heads
            query, key = (torch.randn(rows, length, work.width // work.heads) for _ in range(2))
            scores = torch.randn(rows, length, length)
            count = 2.0 * rows * length**2 * (work.width // work.heads)

            def both(query: Tensor = query, key: Tensor = key, scores: Tensor = scores) -> Tensor:
                torch.bmm(query, key.transpose(1, 2))
                return torch.bmm(scores, key)

            self.products[length] = [(count, both)]

    def limits(self) -> tuple[float, float, float]:
        """Return the seconds that the work takes: by shape, at the linear rate, and so by torch's own product."""
        rates = {key: [self._rate(count, way) for count, way in ways] for key, ways in self.products.items()}
        linear, attention = self.work.linear(), self.work.attention()
        steps = sum(count / max(rates[key]) for key, count in linear.items())
        by_shape = steps + sum(count / max(rates[key]) for key, count in attention.items())
        more = 1 + sum(attention.values()) / sum(linear.values())
        return by_shape, steps * more, more * sum(count / rates[key][1] for key, count in linear.items())

    def _rate(self, count: float, way: Callable[[], Tensor]) -> float:
        way()
        started, done = self.clock(), 0
        while (taken := self.clock() - started) < self.seconds:
            way()
            done += 1
        return done * count / taken


def main() -> None:
    """Print the table, and write it unless in a hurry."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--comments", type=int, default=600)
    parser.add_argument("--labelled", type=int, default=100_000, help="labelled comments that F1 is taken on")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--clock", choices=list(CLOCKS), default="wall")
    parser.add_argument("--bundle", default="frames-minilm-context", help="whose F1 is taken")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="120 comments, 3 runs, nothing written")
    given = parser.parse_args()
    if given.quick:
        given.comments, given.runs, given.labelled = 120, 3, 150
    require()
    torch.set_num_threads(given.threads)
    lines = speeds(given)
    bundle = load_bundle(given.bundle, "frames")
    lines += ["", *quality(bundle, given.labelled, given.seed)]
    print("\n".join(lines))
    if not given.quick:
        write("encode.py", "\n".join(lines))


def speeds(given: argparse.Namespace) -> list[str]:
    """Time all ways in turn, run after run, and return medians and ranges of the ratios within the runs."""
    texts = [row.text for row in read_comments(given.comments, given.seed)]
    encoder = load_encoder()
    lengths = frame_sequences(encoder, [FrameInput(text) for text in texts], MAX_LENGTH).lengths
    config, clock = encoder.model.config, CLOCKS[given.clock]
    work = Work(lengths, encoder.width, config.intermediate_size, config.num_attention_heads, encoder.depth)
    machine = Machine(work, clock, 0.05 if given.quick else 0.2)
    ways = ways_of(encoder, given.threads)
    for way in ways.values():
        way(texts[:50])
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    limits: list[NDArray[np.float64]] = []
    for run in range(given.runs):
        before = np.array(machine.limits())
        for name in list(ways)[run % len(ways) :] + list(ways)[: run % len(ways)]:
            started = clock()
            ways[name](texts)
            seconds[name].append(clock() - started)
        limits.append((before + np.array(machine.limits())) / 2)
    return [
        (
            f"`python benchmarks/encode.py --runs {given.runs} --comments {given.comments} --threads {given.threads} "
            f"--clock {given.clock} --seed {given.seed}`"
        ),
        "",
        (
            f"{said_of_lengths(lengths)}; {given.threads} threads, {torch.backends.cpu.get_cpu_capability()}; "
            f"multiply-adds of attention: {sum(work.attention().values()) / sum(work.linear().values()):.1%} of those "
            "of the linear steps. Medians of the ratios within the runs [least–most]."
        ),
        "",
        *table(np.array(limits), {name: np.array(taken) for name, taken in seconds.items()}, len(texts), work),
    ]


def table(limits: NDArray[np.float64], seconds: dict[str, NDArray[np.float64]], comments: int, work: Work) -> list[str]:
    """Return a row for each way: speed, and ratios to the limits, to the defaults and to sorted batches."""
    rates = 2 * sum(work.linear().values()) * (1 + sum(work.attention().values()) / sum(work.linear().values())) / 1e9
    lines = [
        (
            f"Limit: {np.median(rates / limits[:, 1]):,.0f} GFLOP/s in the linear steps "
            f"(torch's own product: {np.median(rates / limits[:, 2]):,.0f})."
        ),
        "",
        (
            "| way | comments a second | ÷ limit, each shape at its rate | ÷ limit, all at the linear rate "
            f"| ÷ limit of torch's own product | ÷ {DEFAULTS} | ÷ {SORTED} |"
        ),
        "|---|---|---|---|---|---|---|",
    ]
    for name, taken in seconds.items():
        shown = [ratio(limits[:, i] / taken) for i in range(3)]
        shown += [ratio(seconds[other] / taken) for other in (DEFAULTS, SORTED)]
        lines.append(f"| {name} | {comments / np.median(taken):,.0f} | {' | '.join(shown)} |")
    return lines


def ratio(values: NDArray[np.float64]) -> str:
    """Show a median with the range."""
    return f"{np.median(values):.2f} [{values.min():.2f}–{values.max():.2f}]"


def ways_of(encoder: Encoder, threads: int) -> dict[str, Way]:
    """Return all ways from texts to vectors."""
    theirs = SentenceTransformer(str(resources.files(next(iter(WHEELS.values()))) / "model"), device="cpu")
    small = replace(encoder, precision="int8")

    def single(texts: list[str]) -> object:
        torch.set_num_threads(1)
        found = embed(encoder, texts, MAX_LENGTH)
        torch.set_num_threads(threads)
        return found

    found: dict[str, Way] = {OURS: lambda texts: embed(encoder, texts, MAX_LENGTH)}
    if threads > 1:
        found[SINGLE] = single
    return {
        **found,
        SORTED: lambda texts: sorted_batches(encoder, texts),
        DEFAULTS: lambda texts: theirs.encode(texts, show_progress_bar=False),
        INT8: lambda texts: embed(small, texts, MAX_LENGTH),
    }


def sorted_batches(encoder: Encoder, texts: list[str]) -> NDArray[np.float32]:
    """Return vectors by the plain modules over padded batches of rows of like length, at most 4,096 tokens each."""
    sequences = frame_sequences(encoder, [FrameInput(text) for text in texts], MAX_LENGTH)
    order, start = np.argsort(-sequences.lengths, kind="stable"), 0
    found = np.zeros((len(texts), encoder.width), np.float32)
    with torch.inference_mode():
        while start < len(order):
            rows = order[start : start + max(1, 4_096 // int(sequences.lengths[order[start]]))]
            batch = padded(sequences, rows)
            *_, hidden = encoder.run_layers(encoder.embed(batch), batch.mask, 0, encoder.depth)
            found[rows] = mean_pool(hidden, batch.mask).numpy()
            start += len(rows)
    return found


def quality(bundle: Bundle, most: int, seed: int) -> list[str]:
    """Return F1 and tags that differ between fp32 and int8, on labelled comments as the bundle reads them."""
    inputs, labels, _ = labelled_comments(bundle.manifest.labels)
    chosen = np.sort(np.random.default_rng(seed).permutation(len(inputs))[:most])
    inputs, labels = [inputs[row] for row in chosen], labels[chosen]
    encoder, calibration = load_encoder(bundle.manifest.encoder), bundle.calibration()
    tags: list[NDArray[np.bool_]] = []
    for one in (encoder, replace(encoder, precision="int8")):
        scores = load_frames(bundle, one).read(inputs).scores
        levels = enumerate(bundle.manifest.labels)
        above = [probability(scores[:, k], calibration[name]) >= calibration[name].threshold for k, name in levels]
        tags.append(np.column_stack(above))
    single, small = (f1(found, labels) for found in tags)
    rng = np.random.default_rng(seed)
    draws = [rng.integers(0, len(labels), len(labels)) for _ in range(1_000)]
    lost = np.array([f1(tags[0][rows], labels[rows]) - f1(tags[1][rows], labels[rows]) for rows in draws]) * 100
    low, high = np.quantile(lost.mean(1), [0.025, 0.975])
    lines = [
        f"int8 and fp32 on {len(inputs):,} labelled comments, bundle {bundle.id}:",
        "",
        "| frame | F1 fp32 | F1 int8 | points lost | tags that differ |",
        "|---|---|---|---|---|",
    ]
    for k, name in enumerate(bundle.manifest.labels):
        differ = (tags[0][:, k] != tags[1][:, k]).mean()
        lines.append(
            f"| {name} | {single[k]:.3f} | {small[k]:.3f} | {100 * (single[k] - small[k]):.2f} | {differ:.2%} |"
        )
    differ = (tags[0] != tags[1]).mean()
    macro = 100 * (single.mean() - small.mean())
    lines.append(
        f"| macro | {single.mean():.3f} | {small.mean():.3f} | {macro:.2f} [{low:.2f}–{high:.2f}] | {differ:.2%} |"
    )
    return lines


def f1(tags: NDArray[np.bool_], labels: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the F1 of each column."""
    return 2 * (tags & labels).sum(0) / np.maximum(1, tags.sum(0) + labels.sum(0))


if __name__ == "__main__":
    main()
