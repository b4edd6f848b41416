"""How much evidence the labelled comments hold: counts, effective yes, weighted shares, agreement of two readings.

    python benchmarks/labels.py

Needs the shared data beside the checkout for the rows that were labelled before.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from discourse.models.krippendorff import krippendorff_alpha

ROOT = Path(__file__).parents[1]
LABELS = ROOT / "data" / "labels"
REAL = ROOT.parent / "shared" / "data" / "frames" / "real.parquet"
FRAMES = ("fear_of_surveillance", "culture_war_framing", "classification_speculation")
OTHER_KIND = "psycomark"  # link introductions, not comments


def main() -> None:
    """Print the table and the agreement."""
    new = pl.read_csv(LABELS / "frames-2026-11.csv", schema_overrides={"id": pl.String})
    weights = pl.read_csv(LABELS / "weights-2026-11.csv", schema_overrides={"id": pl.String})
    rows = new.select("id", "source", *FRAMES)
    if REAL.exists():
        rows = pl.concat([rows, pl.read_parquet(REAL).select("id", "source", *FRAMES)], how="vertical_relaxed")
    rows = rows.join(weights, on="id", how="left")
    counted = rows.filter(pl.col("weight").is_not_null(), pl.col("source") != OTHER_KIND)
    print(f"{rows.height:,} labelled comments, {counted.height:,} of known weight without {OTHER_KIND}\n")
    print("| frame | yes | yes of known weight | effective yes | weighted share | alpha of two readings |")
    print("|---|---|---|---|---|---|")
    again = pl.read_csv(LABELS / "second-reading-2026-11.csv", schema_overrides={"id": pl.String})
    both = again.join(new, on="id", suffix="_first")
    for frame in FRAMES:
        yes = counted.filter(pl.col(frame) == 1)["weight"].to_numpy()
        effective = yes.sum() ** 2 / (yes**2).sum()
        said_yes = both[frame] + both[f"{frame}_first"]
        alpha = krippendorff_alpha(np.column_stack([2 - said_yes.to_numpy(), said_yes.to_numpy()]))
        share = yes.sum() / counted["weight"].sum()
        print(f"| {frame} | {rows[frame].sum()} | {len(yes)} | {effective:.0f} | {share:.2%} | {alpha:.2f} |")


if __name__ == "__main__":
    main()
