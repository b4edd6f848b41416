"""A bundle on a labelled file: read it, let the bundle answer, and measure the answers against the labels."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from discourse.collect import TableRead, read_table
from discourse.errors import InputError, UsageError
from discourse.models.answers import Answers, StanceAnswers, frame_answers, stance_answers
from discourse.models.bundle import Bundle, load_bundle, text_hash
from discourse.models.encoder import load_encoder
from discourse.models.evaluation import Judged, measured
from discourse.models.evaluation_rows import EvaluationRows, frame_rows, stance_rows
from discourse.models.frame_inputs import FrameInput
from discourse.models.frames import load_frames
from discourse.models.stance import CLASSES, Reading, load_stance
from discourse.models.stance_figures import SIDES, benchmark_scores
from discourse.normalize import clean_text
from discourse.progress import bar

MOST_GROUPS = 200
DRAWS, GROUP_DRAWS = 500, 200
OFF, NO_SIDE = CLASSES.index("off_target"), SIDES.index("no_side")


def evaluate_bundle(reference: str | Path, file: Path, by: str | None = None, seed: int = 0) -> dict[str, Any]:
    """Return how well a bundle reads a labelled file.

    Args:
        reference: a bundle, see `load_bundle`; of frames or stance.
        file: CSV, TSV, JSONL, JSON, Parquet or Excel; see `evaluation_rows` for its columns. Intervals resample its
            `source` and `thread`, rows where there is neither. A `weight` makes error rates and calibration count rows
            as the comments they stand for.
        by: a column; the figures are given for each of its values, too.
        seed: of the draws for the intervals.

    Returns:
        Plain values: kind, n, macro_f1, macro_average_precision, ece, brier, by_label (see `evaluation.measured`;
        threshold is that of the bundle), intervals, by_source if the file has several, and of a stance bundle
        semeval_f and gate_recall; quarantined (total, and count of each reason), trained_on (rows whose text the
        bundle was trained on), notes, and, if asked for, by (column, groups).

    Raises:
        BundleError: the bundle cannot be used or is of another kind.
        InputError: the file cannot be read or no row can be used.
        UsageError: the column to group by has too many values.
    """
    bundle = load_bundle(reference)
    if bundle.manifest.kind == "topics":
        raise InputError(f"{reference}: is a topics bundle, which has no labels; evaluate a frames or a stance bundle")
    table = read_table(file)
    if table.frame.is_empty():
        raise InputError(f"{file}: has no row that could be read; check that it was saved whole")
    rows = _rows(bundle, table, file.name, by)
    groups = rows.rows["by"].unique().sort().to_list() if by else []
    if len(groups) > MOST_GROUPS:
        raise UsageError(f"{file}: {by} has {len(groups):,} values; group by a column of at most {MOST_GROUPS}")
    evaluate = _Frames(bundle, rows) if bundle.manifest.kind == "frames" else _Stance(bundle, rows)
    everything = np.ones(rows.rows.height, bool)
    found = {"bundle": bundle.id, **evaluate.figures(everything, seed, DRAWS)}
    found |= _provenance(bundle, table, rows)
    if by:
        of = rows.rows["by"].to_numpy()
        each = {str(group): evaluate.figures(of == group, seed, GROUP_DRAWS) for group in groups}
        found["by"] = {"column": by, "groups": each}
    return found


class _Frames:
    """The answers of a frames bundle to the rows of a file."""

    def __init__(self, bundle: Bundle, rows: EvaluationRows) -> None:
        inputs = [FrameInput(*row) for row in rows.rows.select("text", "title", "parent").iter_rows()]
        model = load_frames(bundle, load_encoder(bundle.manifest.encoder))
        with bar("frames", len(inputs)) as advance:
            self.answers = frame_answers(model, bundle.calibration(), inputs, advance)
        self.rows, self.thresholds = rows, {level: of.threshold for level, of in bundle.calibration().items()}

    def figures(self, chosen: NDArray[np.bool_], seed: int, draws: int) -> dict[str, Any]:
        """Return the figures of the rows that are marked."""
        table = self.rows.rows.filter(pl.Series(chosen))
        levels = {
            level: _judged(table, table[level].to_numpy(), _some(self.answers[level], chosen))
            for level in self.rows.levels
        }
        found: dict[str, Any] = {"kind": "frames", **_measured(levels, seed, draws)}
        for level, row in found["by_label"].items():
            row["threshold"] = self.thresholds[level]
        return found


class _Stance:
    """The answers of a stance bundle to the rows of a file."""

    def __init__(self, bundle: Bundle, rows: EvaluationRows) -> None:
        readings = [Reading(*row) for row in rows.rows.select("target", "text", "parent").iter_rows()]
        model = load_stance(bundle, load_encoder(bundle.manifest.encoder))
        with bar("stance", 2 * len(readings)) as advance:
            self.answers = stance_answers(model, bundle.calibration(), readings, advance)
        self.rows = rows

    def figures(self, chosen: NDArray[np.bool_], seed: int, draws: int) -> dict[str, Any]:
        """Return the figures of the rows that are marked; neutral and off_target count as one, `no_side`."""
        table = self.rows.rows.filter(pl.Series(chosen))
        answers = StanceAnswers(
            self.answers.passed[chosen], self.answers.probability[chosen], self.answers.answer[chosen]
        )
        stance = np.array([CLASSES.index(each) for each in table["stance"]])
        source, thread = (table[name].to_numpy().astype(str) for name in ("source", "thread"))
        true, answer = np.minimum(stance, NO_SIDE), np.minimum(answers.answer, NO_SIDE)
        p = answers.probability
        sides = {"favor": p[:, 0], "against": p[:, 1], "no_side": p[:, 2] + p[:, 3]}
        levels = {side: _judged(table, true == k, _certain(sides[side], answer == k)) for k, side in enumerate(SIDES)}
        if (stance == OFF).any():
            levels["about"] = _judged(table, stance != OFF, _certain(1 - p[:, OFF], answers.answer != OFF))
        found: dict[str, Any] = {"kind": "stance", **_measured(levels, seed, draws)}
        scores = benchmark_scores(true, answer, source, thread, seed, draws)
        found["intervals"] = {**found["intervals"], **scores.pop("intervals")}
        for row in found["by_label"].values():
            row["threshold"] = None  # the answer is the likeliest class
        # A neutral comment of a data set without off_target may not be about the target at all.
        about = (stance != OFF) if (stance == OFF).any() else stance < NO_SIDE
        recall = round(float(answers.passed[about].mean()), 4) if about.any() else None
        return {**found, **scores, "gate_recall": recall}


def _rows(bundle: Bundle, table: TableRead, where: str, by: str | None) -> EvaluationRows:
    def clean(texts: pl.Series) -> pl.Series:
        return clean_text(texts, "auto")["text"]

    if bundle.manifest.kind == "frames":
        return frame_rows(table.frame, table.places, bundle.manifest.labels, where, clean, by)
    return stance_rows(table.frame, table.places, where, clean, by)


def _some(answers: Answers, chosen: NDArray[np.bool_]) -> Answers:
    return Answers(answers.score[chosen], answers.probability[chosen], answers.tag[chosen], answers.unsure[chosen])


def _certain(p: NDArray[np.float64], answered: NDArray[np.bool_]) -> Answers:
    return Answers(p, np.clip(p, 0, 1), answered.astype(np.int8), np.zeros(len(p), bool))


def _judged(table: pl.DataFrame, label: NDArray[Any], answers: Answers) -> Judged:
    return Judged(
        label.astype(np.int8),
        answers.score,
        answers.probability,
        answers.tag,
        answers.unsure,
        table["weight"].to_numpy(),
        table["source"].to_numpy().astype(str),
        table["thread"].to_numpy().astype(str),
    )


def _measured(levels: dict[str, Judged], seed: int, draws: int) -> dict[str, Any]:
    """Return the figures, by source too if there are several and this is not a group of a file."""
    several = draws == DRAWS and len(np.unique(next(iter(levels.values())).source)) > 1
    found = measured(levels, seed, draws, by_source=several)
    if not several:
        del found["by_source"]
    return found


def _provenance(bundle: Bundle, table: TableRead, rows: EvaluationRows) -> dict[str, Any]:
    """Return what was left out, which rows the bundle has seen, and what a person should know."""
    reasons = Counter(one.reason for one in rows.left_out) + Counter(str(one.reason.value) for one in table.broken)
    seen = bundle.trained_on()
    known = sum(text_hash(text) in seen for text in rows.rows["text"])
    places = sorted(
        [(one.place, one.reason) for one in rows.left_out]
        + [(one.place, str(one.reason.value)) for one in table.broken]
    )
    return {
        "quarantined": {
            "total": len(places),
            "reasons": dict(sorted(reasons.items())),
            "first": [{table.unit: place, "reason": reason} for place, reason in places[:20]],
        },
        "trained_on": known,
        "notes": [*table.notes, *rows.notes],
    }
