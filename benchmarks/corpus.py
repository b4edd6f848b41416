"""Comments for benchmarks, as many as are asked for: threads of real sizes, texts spliced from real ones, no model.

Threads are drawn from those of a folder of real ones, each with the texts of one source (see benchmarks/splicing.py).
A reply tree, authors and times are drawn with the skew of real threads. Two comments in a hundred are planted
near-duplicates: an earlier comment word by word, or with one word changed. Whatever the size, the first comments are
the same.

    python benchmarks/corpus.py -n 1000000 -o comments.parquet    # or .csv, .jsonl
    python benchmarks/corpus.py --describe                        # beside the real threads, 200,000 comments
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
import polars as pl
from splicing import Source, load_sources, splice

THREADS = Path(__file__).resolve().parents[2] / "shared" / "threads"
START_US = 1_767_592_800_000_000  # 5 January 2026, 06:00
MINUTE_US = 60_000_000
PLANTED = 0.02
# So that one changed word leaves most three-word sequences alike.
LEAST_TO_CHANGE = 16
BLOCK = 100  # threads
COLUMNS = ("platform", "thread_id", "comment_id", "parent_id", "author", "created_at", "title", "score", "text")
_NEW_AUTHORS, _ALL_AUTHORS = 3_000, 1_000_000


def comments(folder: Path, size: int, seed: int = 0) -> Iterator[pl.DataFrame]:
    """Yield frames of whole threads with `COLUMNS`, and `source` and `planted`, that have `size` rows in all.

    Args:
        folder: holds real threads as Parquet files.
        size: how many comments; the last thread is cut.
        seed: of everything drawn.
    """
    sources = load_sources(folder)
    # As many comments of each source as it has of the real ones, so fewer threads where they are long.
    weight = np.array([source.share / source.threads.mean() for source in sources])
    left, block = size, 0
    while left > 0:
        rng = np.random.default_rng([seed, block])
        kinds = np.sort(rng.choice(len(sources), BLOCK, p=weight / weight.sum()))
        parts: list[pl.DataFrame] = []
        for number, source in enumerate(sources):
            sizes = rng.choice(source.threads, int((kinds == number).sum()))
            if len(sizes):
                parts.append(_threads(source, sizes, BLOCK * block + int((kinds < number).sum()), block, rng))
        rows = pl.concat(parts).head(left)
        left -= rows.height
        block += 1
        yield rows


def spliced(folder: Path, size: int, rng: np.random.Generator) -> list[str]:
    """Return texts of all sources in the proportions of the real comments, in no order, none of them planted."""
    found: list[str] = []
    for source in load_sources(folder):
        found += splice(source, -(-round(size * source.share * 1_000) // 1_000) + 1, rng)
    return [found[place] for place in rng.permutation(len(found))[:size]]


def write_file(path: Path, folder: Path, size: int, seed: int = 0) -> None:
    """Write the corpus as Parquet, CSV or JSONL, by the suffix, with no more than one block of threads in memory."""
    if path.suffix == ".parquet":
        with tempfile.TemporaryDirectory(dir=path.parent) as parts:
            for number, frame in enumerate(comments(folder, size, seed)):
                frame.select(COLUMNS).write_parquet(Path(parts) / f"{number:06}.parquet", compression="lz4")
            pl.scan_parquet(f"{parts}/*.parquet").sink_parquet(path, row_group_size=50_000)
        return
    with path.open("wb") as file:
        for number, frame in enumerate(comments(folder, size, seed)):
            if path.suffix == ".csv":
                frame.select(COLUMNS).write_csv(file, include_header=number == 0)
            else:
                frame.select(COLUMNS).write_ndjson(file)


def _threads(source: Source, sizes: np.ndarray, first: int, block: int, rng: np.random.Generator) -> pl.DataFrame:
    """Return the rows of some threads of one source, numbered from `first`."""
    total = int(sizes.sum())
    thread = np.repeat(np.arange(len(sizes)), sizes)
    begin = np.repeat(np.cumsum(sizes) - sizes, sizes)
    position = np.arange(total) - begin
    texts, planted = _plant(splice(source, total, rng), rng)
    # Two comments in three answer one before them in the thread, mostly a late one.
    back = np.minimum(rng.geometric(0.2, total), position)
    answers = (rng.random(total) < 2 / 3) & (back > 0)
    names = [hashlib.blake2b(f"{first}-{place}".encode(), digest_size=6).hexdigest() for place in range(total)]
    # A few write much, everywhere; most write once or twice.
    often = rng.zipf(1.6, total) % _ALL_AUTHORS
    author = np.where(
        rng.random(total) < 0.4, often, _ALL_AUTHORS + block * _NEW_AUTHORS + rng.integers(0, 3_000, total)
    )
    minutes = (first + thread) * 60 + np.sort(rng.integers(0, 6_000, total) + 6_000 * thread) % 6_000
    titles = [" ".join(text.split()[:9]) for text in splice(source, len(sizes), rng)]
    return pl.DataFrame(
        {
            "platform": "demo",
            "thread_id": [f"thread{first + number}" for number in thread],
            "comment_id": names,
            "parent_id": [
                names[at - by] if yes else None for at, by, yes in zip(range(total), back, answers, strict=True)
            ],
            "author": [f"author{number}" for number in author],
            "created_at": pl.Series(START_US + minutes * MINUTE_US).cast(pl.Datetime("us", "UTC")),
            "title": [titles[number] for number in thread],
            "score": np.round(rng.standard_t(2, total) * 5),
            "text": texts,
            "source": source.name,
            "planted": planted,
        },
        schema_overrides={"parent_id": pl.String},
    )


def _plant(texts: list[str], rng: np.random.Generator) -> tuple[list[str], np.ndarray]:
    """Replace some texts by copies of earlier ones; return the texts and which of them are copies."""
    planted = rng.random(len(texts)) < PLANTED
    whole = [place for place, text in enumerate(texts) if text.count(" ") >= LEAST_TO_CHANGE]
    for place in np.flatnonzero(planted):
        earlier = [one for one in whole[: np.searchsorted(whole, place)] if not planted[one]]
        if not earlier:
            planted[place] = False
            continue
        words = texts[earlier[int(rng.integers(len(earlier)))]].split(" ")
        if rng.random() < 0.5:
            words[int(rng.integers(len(words)))] = "thing"
        texts[place] = " ".join(words)
    return texts, planted


def describe(folder: Path, size: int, tagged: int) -> str:
    """Return a table of what the corpus is like, beside the real comments that it is made of.

    Args:
        folder: holds real threads as Parquet files.
        size: comments of the corpus that are looked at.
        tagged: comments of each that the frames bundle reads.
    """
    from discourse.models.encoder import load_encoder
    from discourse.normalize import clean_text
    from discourse.normalize.duplicates import near_duplicates

    made = pl.concat(comments(folder, size))
    made = made.with_columns(clean_text(made["text"], "auto")["text"])
    real = pl.concat(
        pl.read_parquet(path, columns=["thread_id", "text"]).drop_nulls("text")
        for source in load_sources(folder)
        if (path := folder / f"{source.name}.parquet").is_file()
    )
    real = real.with_columns(clean_text(real["text"], "auto")["text"]).drop_nulls("text")
    encoder = load_encoder()
    rows: list[tuple[str, ...]] = []
    for name, frame in (("real", real), ("made", made.drop_nulls("text"))):
        named = frame.select("text", comment_id=pl.int_range(pl.len()).cast(pl.String))
        duplicates = near_duplicates(named).is_not_null()
        planted = frame["planted"].sum() if name == "made" else None
        others = int((duplicates & ~frame["planted"]).sum()) if name == "made" else int(duplicates.sum())
        some = frame.sample(min(20_000, frame.height), seed=0)["text"].to_list()
        lengths = np.array([len(one.ids) for one in encoder.tokenise(some)])
        threads = frame.group_by("thread_id").len()["len"].to_numpy()
        rows.append(
            (
                name,
                f"{frame.height:,}",
                f"{frame['text'].n_unique() / frame.height:.1%}",
                "–" if planted is None else f"{planted / frame.height:.1%}",
                f"{others / frame.height:.2%}",
                f"{lengths.mean():.0f} ({', '.join(f'{q:.0f}' for q in np.quantile(lengths, (0.1, 0.5, 0.9, 0.99)))})",
                f"{threads.mean():.0f} ({', '.join(f'{q:.0f}' for q in np.quantile(threads, (0.1, 0.5, 0.9)))})",
                shares(some[:tagged]),
            )
        )
    head = (
        "comments", "n", "distinct", "planted near-duplicates", "other near-duplicates",
        "tokens: mean (10, 50, 90, 99 %)", "thread: mean (10, 50, 90 %)", f"exact-tier yes of {tagged:,}",
    )  # fmt: skip
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|", *(f"| {' | '.join(row)} |" for row in rows)]
    return "\n".join(lines)


def shares(texts: list[str]) -> str:
    """Return the share of texts with any frame, and of each frame, by the default bundle's encoder without context."""
    from discourse.config import parse_config
    from discourse.models.bundle import load_bundle
    from discourse.models.calibration import probability
    from discourse.models.encoder import load_encoder
    from discourse.models.frame_inputs import FrameInput
    from discourse.models.frames import load_frames

    if not texts:
        return "–"
    bundle = load_bundle(parse_config({}).bundles.frames, "frames")
    model = load_frames(bundle, load_encoder(bundle.manifest.encoder))
    scores = model.read([FrameInput(text) for text in texts]).scores
    calibration = bundle.calibration()
    yes = np.column_stack(
        [
            probability(scores[:, k], calibration[one]) >= calibration[one].threshold
            for k, one in enumerate(model.levels)
        ]
    )
    each = ", ".join(f"{level} {share:.1%}" for level, share in zip(model.levels, yes.mean(0), strict=True))
    return f"{yes.any(1).mean():.1%} ({each})"


def main() -> None:
    """Write a corpus, or say what it is like."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=THREADS, help="real threads as Parquet files")
    parser.add_argument("-n", type=int, default=200_000, help="comments")
    parser.add_argument("-o", type=Path, help="the file to write: .parquet, .csv or .jsonl")
    parser.add_argument("--describe", action="store_true", help="print what it is like, beside the real comments")
    parser.add_argument("--tagged", type=int, default=1_000, help="comments that --describe reads with the encoder")
    options = parser.parse_args()
    if not options.folder.is_dir():
        sys.exit(f"{options.folder}: no such folder of real threads; name one")
    if options.o:
        write_file(options.o, options.folder, options.n)
    if options.describe or not options.o:
        print(describe(options.folder, options.n, options.tagged))


if __name__ == "__main__":
    main()
