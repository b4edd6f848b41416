"""How well the fit check tells known ground from strange ground: draws of real comments, and the table of docs/fit.md.

From the repository, where the data lies beside the checkout:

    python benchmarks/fit.py            # five splits of threads, docs/fit.md is written
    python benchmarks/fit.py --quick    # one split

The statistics learn from labelled comments of five sources without a quarter of their threads. Then 200 comments are
drawn again and again from the threads left out, and from three sources that were left out whole.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from discourse.models.encoder import load_encoder
from discourse.models.fit import CHECKS, Fit, FitSummary, check_fit, summarise
from discourse.models.fit_files import load_fit, save_fit
from discourse.models.frames import embed
from discourse.normalize import clean_text

SHARED = Path(__file__).resolve().parents[2] / "shared"
DOCS = Path(__file__).resolve().parents[1] / "docs" / "fit.md"
STRANGE = ("reddit_music_2025", "discourse_iitm_tds", "psycomark")
KNOWN = ("reddit_conspiracy_2025", "mtcsd_reddit", "reddit_cmv", "vast", "reddit_privacy")
POOL = "held-out threads of all five"
DRAWS = 200
SIZE = 200

Reader = Callable[[list[str]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Data:
    """Labelled rows and whole threads (text, thread, source, weight), and a vector for each text."""

    labelled: pl.DataFrame
    whole: pl.DataFrame
    vectors: dict[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Line:
    """What draws of one pool got: share of draws that warn, median effect of each check, and how often it warned."""

    pool: str
    draws: int
    comments: int
    warned: float
    effects: tuple[float, ...]
    by_check: tuple[float, ...]


def read_data(shared: Path, read: Reader, most: int | None = None, seed: int = 0) -> Data:
    """Read labelled rows and whole threads and embed the texts.

    Args:
        shared: the folder of other people's data.
        read: gives a vector for each text.
        most: comments of the threads of each source, all by default.
        seed: of the choice.
    """
    threads = pl.concat(
        pl.read_parquet(path, columns=["thread_id", "text"]).select(
            "text", thread="thread_id", source=pl.lit(path.stem), weight=pl.lit(None, pl.Float64)
        )
        for path in sorted((shared / "threads").glob("*.parquet"))
    ).with_columns(pl.col("text").map_elements(_id, return_dtype=pl.String).alias("id"))
    real = pl.read_parquet(shared / "data" / "frames" / "real.parquet")
    known = threads.unique("id", keep="first", maintain_order=True).select("id", "thread")
    labelled = real.join(known, on="id", how="left", maintain_order="left").select(
        "text",
        pl.coalesce(
            "thread",
            pl.when(pl.col("source") == "psycomark").then("id").otherwise(pl.concat_str("source", "title")),
        ).alias("thread"),
        "source",
        "weight",
    )
    whole = pl.concat(
        part.sample(min(most or part.height, part.height), seed=seed)
        for part in threads.partition_by("source", maintain_order=True)
    )
    labelled, whole = _cleaned(labelled), _cleaned(whole.select(labelled.columns))
    texts = pl.concat([labelled["text"], whole["text"]]).unique(maintain_order=True).to_list()
    return Data(labelled, whole, dict(zip(texts, read(texts), strict=True)))


def learn(data: Data, seed: int) -> tuple[FitSummary, frozenset[str]]:
    """Describe the known sources without a seeded quarter of their threads; return the threads that were seen, too."""
    rows = data.labelled.filter(pl.col("source").is_in(KNOWN))
    threads = rows["thread"].unique(maintain_order=True).to_list()
    out = np.random.default_rng(seed).choice(threads, len(threads) // 4, replace=False).tolist()
    rows = rows.filter(~pl.col("thread").is_in(out))
    summary = summarise(
        np.stack([data.vectors[text] for text in rows["text"]]),
        rows["text"].to_list(),
        rows["source"].to_list(),
        rows["thread"].to_list(),
        ("en",),
        "benchmark",
        rows["weight"].to_list(),
        seed,
    )
    with tempfile.TemporaryDirectory() as folder:
        save_fit(summary, Path(folder))
        loaded = load_fit(Path(folder))
    if loaded is None:
        raise AssertionError("nothing was saved")
    return loaded, frozenset(rows["thread"])


def pools(data: Data, seen: frozenset[str]) -> dict[str, pl.DataFrame]:
    """Return the comments to draw from: each known source and all of them without seen threads, each strange one."""
    found: dict[str, pl.DataFrame] = {}
    for source in (*KNOWN, *STRANGE):
        rows = data.whole.filter(source=source)
        if rows.is_empty():
            rows = data.labelled.filter(source=source)
        found[source] = rows if source in STRANGE else rows.filter(~pl.col("thread").is_in(list(seen)))
    return {POOL: pl.concat([found[source] for source in KNOWN]), **found}


def draw(
    data: Data, summary: FitSummary, pool: pl.DataFrame, draws: int, size: int, seed: int, *, told: bool = True
) -> list[tuple[Fit, ...]]:
    """Check seeded draws of comments; `told`: with their threads, else as if all were of one thread.

    A pool that is smaller than two draws gives one, of all its comments.
    """
    generator = np.random.default_rng(seed)
    if pool.height < 2 * size:
        draws, size = 1, pool.height
    results: list[tuple[Fit, ...]] = []
    for _ in range(draws):
        some = pool[np.sort(generator.permutation(pool.height)[:size])]
        vectors = np.stack([data.vectors[text] for text in some["text"]])
        threads = some["thread"].to_list() if told else None
        results.append(check_fit(summary, vectors, some["text"].to_list(), threads))
    return results


def single_threads(data: Data, summary: FitSummary, pool: pl.DataFrame, least: int = 50) -> list[tuple[Fit, ...]]:
    """Check each thread of a pool that has enough comments, whole."""
    parts = pool.partition_by("thread", maintain_order=True)
    return [draw(data, summary, part, 1, part.height, 0)[0] for part in parts if part.height >= least]


def line(pool: str, results: list[tuple[Fit, ...]], comments: int) -> Line:
    """Sum up draws of one pool."""
    differs = np.array([[fit.verdict == "differs" for fit in found] for found in results])
    effects = np.array([[fit.effect if fit.effect is not None else np.nan for fit in found] for found in results])
    return Line(
        pool,
        len(results),
        comments,
        float(differs.any(1).mean()),
        tuple(np.nanmedian(effects[:, :-1], axis=0).tolist()),
        tuple(differs.mean(0).tolist()),
    )


def run(data: Data, splits: int, draws: int) -> list[Line]:
    """Return the lines of the table: draws of all splits together, with and without their threads, single threads."""
    found: dict[tuple[str, str], list[tuple[Fit, ...]]] = {}
    for seed in range(splits):
        summary, seen = learn(data, seed)
        for name, pool in pools(data, seen).items():
            found.setdefault((name, ""), []).extend(draw(data, summary, pool, draws // splits, SIZE, seed))
            if name == POOL or name in STRANGE:
                untold = draw(data, summary, pool, draws // splits, SIZE, seed, told=False)
                found.setdefault((name, ", threads not told"), []).extend(untold)
            if name != POOL and (whole := single_threads(data, summary, pool)):
                found.setdefault((name, ", single threads"), []).extend(whole)
    ways = ("", ", threads not told", ", single threads")
    ordered = sorted(found, key=lambda key: ways.index(key[1]))
    return [line(f"{name}{way}", found[name, way], SIZE) for name, way in ordered]


def table(lines: list[Line]) -> str:
    """Return the lines as a Markdown table."""
    shown = [check for check in CHECKS if check != "language"]
    head = [
        f"| comments of | draws | warned | {' | '.join(shown)} |",
        f"|---|---|---|{'---|' * len(shown)}",
    ]
    rows = [
        f"| {row.pool} | {row.draws} | {row.warned:.1%} | "
        + " | ".join(
            f"{effect:.2f} ({share:.0%})" for effect, share in zip(row.effects, row.by_check[: len(shown)], strict=True)
        )
        + " |"
        for row in lines
    ]
    return "\n".join([*head, *rows])


def main() -> None:
    """Print the table and, unless it was asked to be quick, write it into docs/fit.md between its marks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one split, fewer draws, docs/fit.md is left alone")
    quick = parser.parse_args().quick
    encoder = load_encoder()
    data = read_data(SHARED, lambda texts: embed(encoder, texts), 300 if quick else None)
    lines = run(data, 1 if quick else 5, 40 if quick else DRAWS)
    text = table(lines)
    print(text)
    quiet = next(row for row in lines if row.pool == POOL)
    print(f"\nfalse warnings: {round(quiet.warned * quiet.draws)} of {quiet.draws} draws of {SIZE} comments")
    if not quick:
        start, end = "<!-- benchmarks/fit.py -->\n", "<!-- end -->"
        before, _, rest = DOCS.read_text(encoding="utf-8").partition(start)
        DOCS.write_text(f"{before}{start}{text}\n{end}{rest.partition(end)[2]}", encoding="utf-8")


def _id(text: str) -> str:
    return hashlib.sha1(" ".join(text.split()).encode(), usedforsecurity=False).hexdigest()[:10]


def _cleaned(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(clean_text(rows["text"], "auto")["text"].fill_null("").alias("text")).filter(
        pl.col("text") != ""
    )


if __name__ == "__main__":
    main()
