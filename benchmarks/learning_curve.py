"""How good a new frame gets from a codebook entry and 0, 8, 32, 128 and 512 labelled comments, on threads held out.

Each frame stands for one that its user has just defined: nothing of ours was trained on it, the encoder is untuned.
Three are frames of the shipped codebook on real comments, the fourth is a side in a stance set turned into a question.
Draws: a quarter of the labels are yes while there are so many, as when people look for the frame first and label then.
Intervals (95 %) resample the draws of labels, and held-out threads within each. Thresholds are those that a bundle
would get: chosen on out-of-fold scores of the labelled rows alone.

    python benchmarks/learning_curve.py [--quick] [--tuned] [--keep FILE] [FOLDER]

FOLDER holds `threads/` and `data/` as Parquet files; `../shared` by default. `--tuned` compares tuned layers, on two
draws of the second frame: slow. `--keep` keeps vectors in a Parquet file for the next run.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
# numba, which UMAP needs, looks for the package coverage and would find the benchmark of that name beside this file.
sys.path.remove(str(Path(__file__).resolve().parent))

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from discourse.codebook import Codebook, Frame, load_codebook
from discourse.models.calibration import calibrate, probability
from discourse.models.decisions import CalibrationSection, Decisions, UnsureSection, decisions_by_label
from discourse.models.encoder import Encoder, load_encoder
from discourse.models.fold_parts import fold_parts
from discourse.models.frames import embed
from discourse.models.heads import Heads, HeadSettings, fit_heads
from discourse.models.learners import learner
from discourse.models.new_frames import DEFINITION, THRESHOLDS
from discourse.models.recipe import DataFile, Recipe, TuningSection, join_threads, read_labelled
from discourse.models.zero_shot import zero_shot_heads
from discourse.normalize import clean_text

CODEBOOK = "surveillance-culture-secrecy"
AGAINST = {
    "name": "against_feminism",
    "title": "Against feminism",
    "definition": "The author speaks against the feminist movement, against feminists or against what they ask for.",
    "yes": ["Blame, mockery or refusal of feminism or of feminists."],
    "no": ["Support of feminism.", "Another subject, whatever is said about it."],
    "examples": [
        {"text": "Feminism stopped being about equality long ago.", "label": True, "why": "refusal"},
        {"text": "Equal pay is the least one can ask for.", "label": False, "why": "support"},
    ],
}
SIZES, QUICK_SIZES = (8, 32, 128, 512), (8, 32)
HELD_OUT = 0.4
TEST_ROWS, POOL_NO = 1_000, 600
RESAMPLES = 200


@dataclass(frozen=True, slots=True)
class Task:
    """One question: texts, answers (0 or 1), the thread of each, and what a codebook says of it."""

    frame: Frame
    codebook: str
    texts: list[str]
    labels: NDArray[np.int8]
    threads: NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class Split:
    """Row numbers to label from, the yes first, and row numbers to judge on."""

    yes: NDArray[np.int64]
    no: NDArray[np.int64]
    test: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Answers:
    """Scores and tags of the held-out rows for one draw of labels, and how many of the labels were yes."""

    scores: NDArray[np.float64]
    tags: NDArray[np.int8]
    yes: int


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=Path("../shared"))
    parser.add_argument("--quick", action="store_true", help="two small sizes, two draws, fewer comments")
    parser.add_argument("--tuned", action="store_true", help="tuned layers too, on one frame; slow")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="a Parquet file of texts and their vectors")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    start = time.monotonic()
    encoder = load_encoder()
    vectors = Vectors(encoder, arguments.keep)
    sizes, draws = (QUICK_SIZES, 2) if arguments.quick else (SIZES, 5)
    tasks = [*_frames(arguments.folder), _side(arguments.folder)]
    print("| frame | labels | of them yes | average precision | F1 at its threshold | base rate, test rows |")
    print("|---|---|---|---|---|---|")
    for number, task in enumerate(tasks):
        _curve(task, vectors, sizes, draws, small=arguments.quick, tuned=arguments.tuned and number == 1)
    print(f"\n{time.monotonic() - start:.0f} seconds", file=sys.stderr)


class Vectors:
    """Vectors of texts, each computed once; kept in a file if one is named."""

    def __init__(self, encoder: Encoder, file: Path | None) -> None:
        """Read what the file keeps."""
        self.encoder, self.file = encoder, file
        self.known: dict[str, NDArray[np.float32]] = {}
        if file is not None and file.exists():
            kept = pl.read_parquet(file)
            self.known = dict(zip(kept["text"], kept["vector"].to_numpy().astype(np.float32), strict=True))

    def of(self, texts: list[str]) -> NDArray[np.float32]:
        """Return unit vectors, texts × width."""
        new = list(dict.fromkeys(text for text in texts if text not in self.known))
        if new:
            self.known |= dict(zip(new, embed(self.encoder, new, 128), strict=True))
            if self.file is not None:
                kept = np.stack(list(self.known.values())).astype(np.float16)
                pl.DataFrame({"text": list(self.known), "vector": kept}).write_parquet(self.file)
        return np.stack([self.known[text] for text in texts])


def _curve(task: Task, kept: Vectors, sizes: tuple[int, ...], draws: int, *, small: bool, tuned: bool) -> None:
    encoder = kept.encoder
    split = _split(task, 150 if small else TEST_ROWS, 100 if small else POOL_NO)
    rows = np.concatenate([split.yes, split.no, split.test])
    vectors = np.zeros((len(task.texts), encoder.width), np.float32)
    vectors[rows] = kept.of([task.texts[row] for row in rows])
    definitions = zero_shot_heads(encoder, [task.frame])
    zero = definitions.scores(vectors[split.test])[:, 0]
    _show(task, split, "0 (definition)", [Answers(zero, (zero >= 0).astype(np.int8), 0)])
    for size in sizes:
        chosen = [_drawn(split, size, seed) for seed in range(draws)]
        found = [_labelled(task, vectors, definitions, rows, split.test) for rows in chosen]
        _show(task, split, str(size), found)
        if tuned and size >= sizes[-2]:
            found = [_tuned(task, encoder, rows, split.test) for rows in chosen[:2]]
            _show(task, split, f"{size}, tuned layers, {len(found)} draws", found)


def _frames(folder: Path) -> list[Task]:
    """Return the frames of the shipped codebook on real comments, with the threads that they stand in."""
    book = load_codebook(CODEBOOK)
    data = DataFile(file=str(folder / "data/frames/real.parquet"), source="real")
    rows = join_threads(read_labelled(data, _clean).rows, (str(folder / "threads/*.parquet"),))
    titled = pl.when(pl.col("thread").str.starts_with("real:") & (pl.col("title") != "")).then("title")
    threads = rows.select((pl.col("source") + "/" + titled.otherwise("thread")).alias("thread"))["thread"].to_numpy()
    return [
        Task(frame, CODEBOOK, rows["text"].to_list(), rows[frame.name].to_numpy().astype(np.int8), threads.astype(str))
        for frame in book.frames
    ]


def _side(folder: Path) -> Task:
    """Return one side to one target of a stance set as a question; every other row is a no, each row its own thread."""
    rows = pl.read_parquet(folder / "data/stance/semeval2016/train.parquet").unique("text", maintain_order=True)
    answers = ((rows["target"] == "Feminist Movement") & (rows["stance"] == "against")).cast(pl.Int8).to_numpy()
    book = Codebook.model_validate({"name": "one", "version": 1, "unit": "One comment.", "frames": [AGAINST]})
    texts = _clean(rows["text"]).fill_null("").to_list()
    return Task(book.frames[0], "", texts, answers, np.arange(len(texts)).astype(str))


def _clean(texts: pl.Series) -> pl.Series:
    return clean_text(texts, "auto")["text"]


def _split(task: Task, most: int, pool: int) -> Split:
    """Hold whole threads out; of the rest keep every yes, and as many no as are drawn from."""
    generator = np.random.default_rng(0)
    names = np.unique(task.threads)
    held = np.isin(task.threads, generator.permutation(names)[: int(HELD_OUT * len(names))])
    rest = [generator.permutation(np.flatnonzero(~held & (task.labels == label))) for label in (1, 0)]
    return Split(rest[0][:pool], rest[1][:pool], np.sort(generator.permutation(np.flatnonzero(held))[:most]))


def _drawn(split: Split, size: int, seed: int) -> NDArray[np.int64]:
    generator = np.random.default_rng([seed, size])
    yes = generator.permutation(split.yes)[: size // 4]
    return np.concatenate([yes, generator.permutation(split.no)[: size - len(yes)]])


def _labelled(
    task: Task, vectors: NDArray[np.float32], definitions: Heads, rows: NDArray[np.int64], test: NDArray[np.int64]
) -> Answers:
    """Do what `bundle train --codebook --data` does, on vectors that are there already."""
    settings = HeadSettings(definition=DEFINITION)

    def fit(some: NDArray[np.int64]) -> Heads:
        y = task.labels[some][:, None]
        return fit_heads((task.frame.name,), vectors[some], y, np.ones(len(some)), settings, definitions)

    return _decided(task, rows, test, lambda seen, asked: fit(seen).scores(vectors[asked])[:, 0])


def _tuned(task: Task, encoder: Encoder, rows: NDArray[np.int64], test: NDArray[np.int64]) -> Answers:
    """Tune two layers; the threshold is chosen on two folds only, for time."""
    everything = np.concatenate([rows, test])
    table = pl.DataFrame({"text": [task.texts[row] for row in everything], "thread": task.threads[everything]})
    table = table.with_columns(
        *(pl.lit("").alias(name) for name in ("title", "parent")),
        pl.Series(task.frame.name, task.labels[everything]),
        source=pl.lit("one"),
        importance=pl.lit(1.0),
        training_only=pl.lit(value=False),
    )
    recipe = Recipe(
        name="curve",
        kind="frames",
        method="layers",
        codebook=task.codebook,
        max_length=128,
        licence="",
        provenance=(),
        data=(DataFile(file="", source="one"),),
        tuning=TuningSection(layers=2, epochs=4),
    )
    fit = learner(recipe, encoder, table, (task.frame.name,))
    place = {int(row): number for number, row in enumerate(everything)}

    def scores(seen: NDArray[np.int64], asked: NDArray[np.int64]) -> NDArray[np.float64]:
        fitted = fit(np.array([place[int(row)] for row in seen]), None)
        return fitted.score(np.array([place[int(row)] for row in asked]), False)[:, 0]

    return _decided(task, rows, test, scores, parts=2)


def _decided(
    task: Task,
    rows: NDArray[np.int64],
    test: NDArray[np.int64],
    score: Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.float64]],
    parts: int | None = None,
) -> Answers:
    y, names = task.labels[rows], rows.astype(str)
    dealt = fold_parts(np.full(len(rows), "one"), names, names, y[:, None]).parts
    held = [part.rows for part in dealt]
    if parts is not None:
        held = [np.sort(np.concatenate(held[n::parts])) for n in range(parts)]
    out = np.zeros(len(rows))
    for part in held:
        out[part] = score(np.delete(rows, part), rows[part])
    calibration = calibrate(out, y, threads=names, decisions=_decisions())
    scores = score(rows, test)
    tags = (probability(scores, calibration) >= calibration.threshold).astype(np.int8)
    return Answers(scores, tags, int(y.sum()))


def _decisions() -> Decisions:
    found = decisions_by_label(CalibrationSection(), THRESHOLDS, UnsureSection(), ("frame",))
    return found["frame"]


def _show(task: Task, split: Split, size: str, found: list[Answers]) -> None:
    y, threads = task.labels[split.test], task.threads[split.test]
    precision = [_interval(y, threads, [each.scores for each in found], average_precision_score)]
    f1 = [_interval(y, threads, [each.tags for each in found], _f1)]
    said = " | ".join(f"{mean:.2f} [{low:.2f}–{high:.2f}]" for mean, low, high in (*precision, *f1))
    base = f"{y.mean():.3f}, {len(y):,}"
    print(f"| {task.frame.name} | {size} | {found[0].yes} | {said} | {base} |", flush=True)


def _f1(y: NDArray[np.int8], tags: NDArray[np.int8]) -> float:
    hits = float((y * tags).sum())
    return 2 * hits / max(float(y.sum() + tags.sum()), 1.0)


def _interval(
    y: NDArray[np.int8],
    threads: NDArray[np.str_],
    answers: list[NDArray[np.float64]] | list[NDArray[np.int8]],
    figure: Callable[[NDArray[np.int8], NDArray[np.float64]], float],
) -> tuple[float, float, float]:
    """Return the mean over draws, and its interval from resampling draws and, the same for all, threads."""
    generator = np.random.default_rng(0)
    _, number = np.unique(threads, return_inverse=True)
    groups = [np.flatnonzero(number == thread) for thread in range(number.max() + 1)]
    means: list[float] = []
    for _ in range(RESAMPLES):
        rows = np.concatenate([groups[group] for group in generator.integers(0, len(groups), len(groups))])
        if y[rows].any():
            chosen = generator.integers(0, len(answers), len(answers))
            means.append(float(np.mean([figure(y[rows], answers[draw][rows]) for draw in chosen])))
    mean = float(np.mean([figure(y, answer) for answer in answers]))
    return mean, float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))


if __name__ == "__main__":
    main()
