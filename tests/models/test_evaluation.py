"""Held-out rows in, figures with intervals out: each number rests on the rows that may carry it."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from scipy.special import expit

from discourse.models.bundle import HELDOUT_SCHEMA
from discourse.models.calibration import calibrate
from discourse.models.cluster_draws import cluster_draws
from discourse.models.decisions import Decisions
from discourse.models.evaluation import Judged, measure_frames, measured


def judged(seed: int = 0, n: int = 600, rate: float = 0.3, sources: int = 4) -> Judged:
    """Return rows of a model that is right about its probabilities; the last fifth has no weight."""
    generator = np.random.default_rng(seed)
    score = generator.normal(np.log(rate / (1 - rate)), 2, n)
    label = (generator.random(n) < expit(score)).astype(np.int8)
    weight = np.where(np.arange(n) < 0.8 * n, generator.choice([1.0, 4.0], n), np.nan)
    source = np.array([f"s{i % sources}" for i in range(n)])
    thread = np.array([f"t{i % 60}" for i in range(n)])
    p = expit(score)
    return Judged(label, score, p, (p >= 0.5).astype(np.int8), np.abs(p - 0.5) < 0.1, weight, source, thread)


def test_the_figures_of_a_good_model_and_their_intervals() -> None:
    found = measured({"one": judged()}, seed=1, draws=100)
    row = found["by_label"]["one"]
    assert (row["n"], row["n_weighted"], row["proven"]) == (600, 480, True)
    assert row["ece"] < 0.04
    assert 0.7 < row["slope"] < 1.3
    assert row["brier_skill"] > 0.2
    assert row["f1_answered"] > row["f1"]
    assert row["coverage_yes"] > row["sensitivity"]
    for name, (low, high) in row["intervals"].items():
        assert low <= row[name] <= high, name
        assert low < high, name
    assert found["macro_f1"] == row["f1"]
    assert found["intervals"]["macro_f1"] == row["intervals"]["f1"]
    assert sorted(found["by_source"]["one"]) == ["s0", "s1", "s2", "s3"]
    assert sum(bar["rows"] for bar in row["reliability"]) == 480
    rest = judged().take(judged().source != "s0")
    others = np.nan_to_num(rest.weight) * rest.label
    kish = others.sum() ** 2 / (others**2).sum()
    assert found["by_source"]["one"]["s0"]["yes_effective_without"] == pytest.approx(kish, abs=0.06)
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_error_rates_and_calibration_rest_on_rows_of_known_weight_alone() -> None:
    rows = judged()
    spoiled = judged()
    unknown = np.isnan(rows.weight)
    spoiled.label[unknown] = 1 - spoiled.label[unknown]
    good, bad = (measured({"one": each}, draws=20)["by_label"]["one"] for each in (rows, spoiled))
    assert bad["f1"] < good["f1"]
    for name in ("ece", "slope", "brier", "sensitivity", "false_positive_rate", "coverage_yes", "reliability"):
        assert bad[name] == good[name]


def test_what_the_rows_do_not_determine_is_none_and_never_a_wrong_number() -> None:
    rows = judged(n=40)
    empty = Judged(
        np.zeros(40, np.int8),
        rows.score,
        rows.probability,
        rows.tag,
        rows.unsure,
        rows.weight,
        rows.source,
        rows.thread,
    )
    found = measured({"none": empty, "some": rows}, draws=50)
    row = found["by_label"]["none"]
    assert [row[name] for name in ("f1", "recall", "average_precision", "slope", "coverage_yes")] == [None] * 5
    assert not row["proven"]
    assert row["false_positive_rate"] is not None
    assert found["macro_f1"] == found["by_label"]["some"]["f1"]
    json.dumps(found, allow_nan=False)


def test_a_resample_keeps_threads_whole_and_draws_sources_first() -> None:
    source, thread = np.array(list("aaabbb")), np.array(["1", "1", "2", "2", "2", "2"])
    draws = list(cluster_draws(source, thread, seed=0, draws=200))
    assert {tuple(times) for times in draws} > {(0, 0, 0, 2, 2, 2), (2, 2, 2, 0, 0, 0)}
    for times in draws:
        assert times[0] == times[1]
        assert times[3] == times[4] == times[5]
    # Two sources are drawn; each drawn gives as many threads as it has.
    assert np.mean([times[0] + times[2] for times in draws]) == pytest.approx(2, abs=0.4)


def test_a_frames_bundle_is_judged_by_what_other_sources_taught() -> None:
    rows = judged(n=900, rate=0.1)
    heldout = pl.DataFrame(
        {
            "text_hash": [str(i) for i in range(900)],
            "level": "one",
            "path": "exact",
            "label": rows.label,
            "score": 3 * rows.score,
            "tag": rows.tag,
            "tier": "encoder",
            "source": rows.source,
            "thread": rows.thread,
            "weight": pl.Series(rows.weight).fill_nan(None),
        },
        schema=HELDOUT_SCHEMA,
    )
    calibration = calibrate(3 * rows.score, rows.label, rows.weight, rows.thread)
    found = measure_frames(heldout, {"one": Decisions()}, {"one": calibration}, seed=0)
    row = found["by_label"]["one"]
    assert found["judged_by"] == "leave-one-source-out"
    assert row["threshold"] == calibration.threshold
    assert row["aim"] == "f1"
    assert 0.7 < row["slope"] < 1.3, "scores three times too bold were calibrated"
    for answer in ("yes", "no"):
        low, high = row["intervals"][f"set_coverage_{answer}"]
        assert low <= 0.9 <= high
        assert row[f"coverage_{answer}"] >= row[f"set_coverage_{answer}"] - 1e-9
        assert row[f"error_{answer}"] == 0.1


def test_with_one_source_what_decides_has_not_seen_the_thread() -> None:
    rows = judged(n=300, sources=1)
    heldout = pl.DataFrame(
        {
            "text_hash": [str(i) for i in range(300)],
            "level": "one",
            "path": "exact",
            "label": rows.label,
            "score": rows.score,
            "tag": rows.tag,
            "tier": "encoder",
            "source": "s",
            "thread": rows.thread,
            "weight": None,
        },
        schema=HELDOUT_SCHEMA,
    )
    found = measure_frames(heldout, {"one": Decisions()}, {"one": calibrate(rows.score, rows.label)}, seed=0)
    assert found["by_label"]["one"]["borrowed"] == 0
    assert found["by_label"]["one"]["n_weighted"] == 300
