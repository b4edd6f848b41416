"""How steady thresholds are, and whether the stated error of `unsure` holds: halves of held-out rows, and simulations.

    python benchmarks/decisions.py [--bundle frames-minilm] [--seed 0]

Thresholds: a half of the threads chooses, F1 is measured on the other half, each row once; the mean over 60 splits,
and the standard deviation of the threshold on the scale of the raw score. `plain` is the greatest F1 on the rows
themselves. Unsure: cut-offs from some simulated threads, loss on new ones, over 400 draws; comments of a thread are
alike in score, base rate and length, and a tenth of them stands for five.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from discourse.models.bundle import load_bundle
from discourse.models.conformal import cutoffs
from discourse.models.decisions import Aim
from discourse.models.figures import tagging
from discourse.models.thresholds import threshold

SPLITS, DRAWS = 60, 400
Floats = NDArray[np.float64]
Labels = NDArray[np.int8]


def plain(scores: Floats, labels: Labels) -> float:
    """Return the score of the greatest F1 on the rows themselves."""
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(labels[order])
    return float(scores[order][np.argmax(2 * hits / (np.arange(1, len(order) + 1) + hits[-1]))])


def aimed(name: str) -> Callable[[Floats, Labels], float]:
    """Return the rule of ours with an aim, as a function that gives a score."""

    def rule(scores: Floats, labels: Labels) -> float:
        aim = Aim("prevalence" if name == "prevalence" else "f1")
        return float(
            logit(np.clip(threshold(expit(scores), scores, labels, np.ones(len(scores)), aim), 1e-9, 1 - 1e-9))
        )

    return rule


RULES = {"plain": plain, "f1": aimed("f1"), "prevalence": aimed("prevalence")}


def steadiness(name: str, scores: Floats, labels: Labels, threads: NDArray[np.str_], seed: int) -> None:
    """Print F1 on the other half, and the spread of the threshold, of each rule."""
    generator = np.random.default_rng(seed)
    names = np.unique(threads)
    f1: dict[str, list[float]] = {rule: [] for rule in RULES}
    cuts: dict[str, list[float]] = {rule: [] for rule in RULES}
    for _ in range(SPLITS):
        half = np.isin(threads, generator.permutation(names)[: len(names) // 2])
        if min(labels[half].sum(), labels[~half].sum()) < 2:
            continue
        for rule, choose in RULES.items():
            cut = choose(scores[half], labels[half])
            cuts[rule].append(cut)
            f1[rule].append(tagging(labels[~half], scores[~half] >= cut, np.ones((~half).sum()))["f1"] or 0.0)
    cells = " | ".join(f"{np.mean(f1[rule]):.3f} ± {np.std(cuts[rule]):.2f}" for rule in RULES)
    print(f"| {name} | {int(labels.sum())} of {len(labels):,} | {cells} |")


def simulated_threads(generator: np.random.Generator, count: int) -> tuple[Floats, Labels, Floats, NDArray[np.str_]]:
    """Return scores, labels, weights and threads."""
    lengths = generator.integers(1, 30, count)
    shift, rate = generator.normal(0, 1, count), generator.beta(1, 6, count)
    thread = np.repeat(np.arange(count), lengths)
    labels = (generator.random(len(thread)) < rate[thread]).astype(np.int8)
    scores = generator.normal(size=len(thread)) + shift[thread] + 1.5 * labels
    return scores, labels, np.where(generator.random(len(thread)) < 0.1, 5.0, 1.0), thread.astype(str)


def losses(count: int, error: float, seed: int) -> None:
    """Print the share of yes and of no that is ruled out in new threads."""
    generator = np.random.default_rng(seed)
    lost, whole = np.zeros(2), np.zeros(2)
    for _ in range(DRAWS):
        found = cutoffs(*simulated_threads(generator, count), error)
        scores, labels, weights, _ = simulated_threads(generator, 60)
        out = np.where(labels == 1, scores < found.low, scores > found.high)
        for answer in (0, 1):
            lost[answer] += weights[(labels == answer) & out].sum()
            whole[answer] += weights[labels == answer].sum()
    no, yes = lost / whole
    print(f"| {count} | {error:.2f} | {yes:.3f} | {no:.3f} |")


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", default="frames-minilm")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    print(f"| held-out rows | yes | {' | '.join(RULES)} |\n|---|---|{'---|' * len(RULES)}")
    heldout = load_bundle(arguments.bundle).heldout().filter(path="exact")
    for (level,), rows in heldout.group_by("level", maintain_order=True):
        label = rows["label"].to_numpy().astype(np.int8)
        steadiness(str(level), rows["score"].to_numpy(), label, rows["thread"].to_numpy().astype(str), arguments.seed)
    generator = np.random.default_rng(arguments.seed)
    for rate, n in ((0.01, 1_500), (0.03, 1_500), (0.05, 3_000)):
        label = (generator.random(n) < rate).astype(np.int8)
        score = generator.normal(size=n) + 1.8 * label
        steadiness(f"simulated, {rate:.0%} yes", score, label, np.arange(n).astype(str), arguments.seed)
    print("\n| threads | stated error | yes ruled out | no ruled out |\n|---|---|---|---|")
    for count in (15, 30, 100, 400):
        losses(count, 0.1, arguments.seed)
    losses(100, 0.25, arguments.seed)


if __name__ == "__main__":
    main()
