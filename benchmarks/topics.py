"""Topics on comments whose subjects are known, beside BERTopic with its default settings on the same vectors.

The truth of `mtcsd_reddit` and of the two stance sets is their targets; that of every other file is the thread that a
comment stands in, which is a rough one: a thread wanders, and two threads may have one subject. The sizes that
discourse uses were chosen on the threads; the stance sets were looked at only afterwards.

    python benchmarks/topics.py [--quick] [FOLDER]

The last figures are in benchmarks/RESULTS.md. --quick takes under a minute, all files some minutes.

FOLDER holds `threads/` and `data/stance/` as Parquet files; `../shared` by default.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import results

# numba, which UMAP needs, looks for the package coverage and would find the benchmark of that name beside this file.
sys.path.remove(str(Path(__file__).resolve().parent))

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

from discourse import pipeline
from discourse.config import FilterConfig, parse_config
from discourse.denominator import mark_excluded
from discourse.models.encoder import Encoder, load_encoder
from discourse.models.frames import embed
from discourse.normalize import clean_text
from discourse.tables import COMMENTS
from discourse.tag.topics.clustering import group, settled
from discourse.tag.topics.hierarchy import parents
from discourse.tag.topics.naming import words_of
from discourse.workspace import Workspace

WITH_TARGETS = "threads/mtcsd_reddit"
THREADS = ("threads/reddit_conspiracy_2025", "threads/reddit_music_2025", "threads/discourse_iitm_tds")
SETS = ("data/stance/semeval2016/train", "data/stance/pstance/val")
FILES = (WITH_TARGETS, *THREADS, "threads/reddit_cmv", *SETS)
QUICK_FILES = (WITH_TARGETS, "threads/reddit_cmv")
METHODS = ("BERTopic, defaults", "… left over to nearest", "discourse, topics", "discourse, broad topics")
SEEDS, QUICK_SEEDS = (0, 1, 2), (0, 1)
QUICK_COMMENTS = 500


@dataclass(frozen=True, slots=True)
class Comments:
    """Texts of one file with unit vectors, which of them have words enough, and what they are known to be about."""

    texts: list[str]
    vectors: NDArray[np.float32]
    wordy: NDArray[np.bool_]
    truth: NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class Found:
    """The topics of each comment, or -1, by each of `METHODS`, and the seconds that each took."""

    labels: tuple[NDArray[np.int64], ...]
    seconds: tuple[float, ...]


def main() -> None:
    """Print one table and a verdict; the exit code follows the files whose truth is subjects."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).resolve().parents[2] / "shared")
    parser.add_argument("--quick", action="store_true", help="two files, at most 500 comments each, two seeds")
    options = parser.parse_args()
    seeds = QUICK_SEEDS if options.quick else SEEDS
    ahead: dict[str, list[bool]] = {"subjects": [], "threads": []}
    lines = [
        "| file | comments | truth | method | topics | without | AMI | over seeds | over 80 % | seconds |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    print("\n".join(lines))
    encoder = load_encoder()
    for name in QUICK_FILES if options.quick else FILES:
        path = options.folder / f"{name}.parquet"
        if not path.is_file():
            lines.append(f"| {name} | absent |")
            print(lines[-1])
            continue
        comments = read(path, encoder, QUICK_COMMENTS if options.quick else None)
        if not any(ahead.values()):
            # Code that is compiled when first used is no part of a method's time.
            find(part(comments, np.arange(min(300, len(comments.texts)))), 0)
        scores, rows = report(name.removeprefix("threads/").removeprefix("data/stance/"), comments, seeds)
        lines += rows
        truth = "subjects" if name == WITH_TARGETS or name in SETS else "threads"
        ahead[truth].append(scores[2] > max(scores[:2]))
    counts = [f"{sum(found)} of {len(found)} files whose truth is {truth}" for truth, found in ahead.items() if found]
    said = f"AMI above that of BERTopic's defaults, left-over comments given away or not: {', '.join(counts)}"
    print(f"\n{said}")
    kind = f"quick: at most {QUICK_COMMENTS:,} comments of two files" if options.quick else "all files"
    lines = [f"{kind}, seeds {', '.join(map(str, seeds))}; every method on the same vectors.", "", *lines, "", said]
    results.write("topics.py", "\n".join(lines))
    sys.exit(0 if all(ahead["subjects"]) else 1)


def report(name: str, comments: Comments, seeds: tuple[int, ...]) -> tuple[list[float], list[str]]:
    """Print a row for each method, means over seeds; return each one's adjusted mutual information, and the rows."""
    n = len(comments.texts)
    whole = [find(comments, seed) for seed in seeds]
    choices = [np.sort(np.random.default_rng(seed).choice(n, round(0.8 * n), replace=False)) for seed in seeds]
    parts = [find(part(comments, rows), seed) for rows, seed in zip(choices, seeds, strict=True)]
    scores, lines = list[float](), list[str]()
    for k, method in enumerate(METHODS):
        found = [one.labels[k] for one in whole]
        ami = [adjusted_mutual_info_score(comments.truth, labels) for labels in found]
        topics = np.mean([len(set(labels[labels >= 0].tolist())) for labels in found])
        without = np.mean([(labels < 0).mean() for labels in found])
        over_seeds = np.mean([adjusted_rand_score(found[0], other) for other in found[1:]])
        over_parts = np.mean(
            [adjusted_rand_score(found[0][r], one.labels[k]) for r, one in zip(choices, parts, strict=True)]
        )
        seconds = np.mean([one.seconds[k] for one in whole])
        scores.append(float(np.mean(ami)))
        lines.append(
            f"| {name} | {n:,} | {len(set(comments.truth))} | {method} | {topics:.0f} | {without:.0%} "
            f"| {np.mean(ami):.3f} ({min(ami):.3f}–{max(ami):.3f}) | {over_seeds:.2f} | {over_parts:.2f} "
            f"| {seconds:.1f} |"
        )
        print(lines[-1], flush=True)
    return scores, lines


def find(comments: Comments, seed: int) -> Found:
    """Group comments by each method."""
    began = time.perf_counter()
    default = by_default(comments, seed)
    middle = time.perf_counter()
    given = settled(comments.vectors, default, comments.wordy).labels
    start = time.perf_counter()
    groups = group(comments.vectors, seed, None, comments.wordy)
    above = parents(groups.centres)
    # A topic that is alone in its family stays one.
    broad = np.array([above.get(int(label), int(label)) for label in groups.labels], np.int64)
    ours, theirs = time.perf_counter() - start, middle - began
    return Found((default, given, groups.labels, broad), (theirs, start - began, ours, ours))


def by_default(comments: Comments, seed: int) -> NDArray[np.int64]:
    """Group with BERTopic as it comes, but for the seed of UMAP, which its defaults leave open."""
    from bertopic import BERTopic
    from umap import UMAP

    flat = UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", random_state=seed, low_memory=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        topics, _ = BERTopic(umap_model=flat, embedding_model=None).fit_transform(comments.texts, comments.vectors)
    return np.array(topics, np.int64)


def part(comments: Comments, rows: NDArray[np.int64]) -> Comments:
    """Return some of the comments."""
    return Comments(
        [comments.texts[row] for row in rows], comments.vectors[rows], comments.wordy[rows], comments.truth[rows]
    )


def read(path: Path, encoder: Encoder, most: int | None) -> Comments:
    """Clean the texts of a file as a run does and encode those that count, near-duplicates once."""
    rows = labelled(path) if "stance" in path.parts else threads(path)
    if most is not None and rows.height > most:
        rows = rows.sample(most, seed=0)
    texts = rows["text"].to_list()
    return Comments(texts, embed(encoder, texts), words_of(texts).per_comment >= 2, rows["truth"].to_numpy())


def threads(path: Path) -> pl.DataFrame:
    """Return text and truth of the eligible comments of a file of threads."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "ws"
        pipeline.run(parse_config({"input": {"sources": [str(path)]}}), root, ["collect", "normalize"])
        rows = mark_excluded(Workspace(root).scan(COMMENTS), ["en"], FilterConfig()).collect()
    thread = pl.col("thread_id")
    truth = thread.str.split("-").list.get(1) if path.stem == Path(WITH_TARGETS).name else thread
    counted = pl.col("excluded").is_null() & pl.col("duplicate_of").is_null()
    return rows.filter(counted).sort("comment_id").select("text", truth=truth)


def labelled(path: Path) -> pl.DataFrame:
    """Return text and target of each different text of a stance set."""
    table = pl.read_parquet(path)
    cleaned = table.select(text=clean_text(table["text"], "auto")["text"], truth="target")
    return cleaned.drop_nulls().unique("text", keep="first", maintain_order=True)


if __name__ == "__main__":
    main()
