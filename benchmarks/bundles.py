"""Two frames bundles on the held-out comments that both were judged on: average precision, and best F1.

    python benchmarks/bundles.py frames-minilm frames-minilm-context

Each comment is scored by models that saw nothing of its source. The threshold of the best F1 flatters both alike.
"""

from __future__ import annotations

import argparse

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from discourse.models.bundle import Bundle, load_bundle

LEAST_YES = 3


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundles", nargs=2)
    first, second = (load_bundle(name, "frames") for name in parser.parse_args().bundles)
    print(f"| frame | comments of | rows | yes | {first.manifest.name}: AP | F1 | {second.manifest.name}: AP | F1 |")
    print("|---|---|---|---|---|---|---|---|")
    for level in first.manifest.labels:
        both = scores(first, level).join(scores(second, level), on="text_hash", suffix="_second")
        for source in ["all", *both["source"].unique().sort()]:
            rows = both if source == "all" else both.filter(source=source)
            label = rows["label"].to_numpy()
            if label.sum() < LEAST_YES:
                continue
            cells = [
                f"{average_precision_score(label, score):.2f} | {best_f1(label, score):.2f}"
                for score in (rows["score"].to_numpy(), rows["score_second"].to_numpy())
            ]
            print(f"| {level} | {source} | {len(label):,} | {label.sum()} | {' | '.join(cells)} |")


def scores(bundle: Bundle, level: str) -> pl.DataFrame:
    """Return text_hash, source, label and score of a level on the encoder's path, each text once."""
    rows = bundle.heldout().filter(level=level, path="exact")
    return rows.unique("text_hash", keep="first", maintain_order=True).select("text_hash", "source", "label", "score")


def best_f1(label: NDArray[np.int8], score: NDArray[np.float64]) -> float:
    """Return the F1 of the threshold that is best on these very rows."""
    hits = np.cumsum(label[np.argsort(-score, kind="stable")])
    return float((2 * hits / (np.arange(1, len(label) + 1) + label.sum())).max())


if __name__ == "__main__":
    main()
