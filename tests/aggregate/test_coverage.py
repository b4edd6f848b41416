"""The proof of the intervals: its rules can fail, and it runs on real threads."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from discourse.aggregate.error_rates import error_rates
from discourse.aggregate.resampling import resample
from discourse.aggregate.shares import correct, corrected_row
from discourse.models.bundle import load_bundle
from discourse.tables import Mark

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def coverage(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the benchmark as a module, by a name that the tool of that name does not have."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    spec = importlib.util.spec_from_file_location("coverage_benchmark", BENCHMARKS / "coverage.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


def _verdict(coverage: ModuleType, **changed: object) -> tuple[str, bool]:
    """Return the verdict on 12 settings that keep every rule but for what is changed in the last."""
    values = {"held": [True] * 960 + [False] * 40, "width": [0.10] * 1_000, "alone": [0.11] * 1_000, "separation": 0.4}
    tallies = []
    for number in range(1, 13):
        own = {**values, **(changed if number == 12 else {})}
        separation = own.pop("separation")
        tallies.append((coverage.setting_of(number), coverage.Tally(1_000, 500, separation, **own)))
    return coverage.verdict(tallies, complete=True)


def test_the_verdict_passes_where_every_rule_holds(coverage: ModuleType) -> None:
    """The verdict passes where every rule holds."""
    said, good = _verdict(coverage)
    assert good
    assert said.startswith("PASS: 12 settings")


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"held": [True] * 900 + [False] * 100}, "covers 90.0%"),
        ({"alone": [0.097] * 1_000}, "wider than labels alone"),
        ({"held": [True] * 700, "width": [0.1] * 700, "alone": []}, "not estimable in 30%"),
    ],
    ids=["too narrow", "too wide", "too silent"],
)
def test_the_verdict_fails_and_names_the_setting(coverage: ModuleType, changed: dict[str, object], word: str) -> None:
    """The verdict fails and names the setting."""
    said, good = _verdict(coverage, **changed)
    assert not good
    assert said.startswith("FAIL")
    assert word in said
    assert coverage.setting_of(12).name in said


def test_silence_is_no_fault_where_tags_tell_nothing(coverage: ModuleType) -> None:
    """Silence is no fault where tags tell nothing."""
    assert _verdict(coverage, held=[], width=[], alone=[], separation=0.1)[1]


def test_a_stray_answer_where_tags_tell_nothing_is_no_proof_either_way(coverage: ModuleType) -> None:
    """One answer in 1,000 that misses is shown as a count and counts for nothing; eight misses of ten are a fault."""
    few = {"width": [0.1], "alone": [], "separation": 0.1}
    said, good = _verdict(coverage, held=[False], **few)
    assert good
    assert "11 settings cover" in said
    assert "1 gives no share in most draws" in said
    tally = coverage.Tally(1_000, 500, 0.1, held=[False], width=[0.1], truth=[0.2], counted=[True], counted_width=[0.1])
    assert "| 0 of 1 |" in coverage.row(5, coverage.setting_of(5), tally)
    assert not _verdict(coverage, held=[False] * 8 + [True] * 2, **few)[1]


def test_intervals_that_always_hold_the_truth_are_a_fault(coverage: ModuleType) -> None:
    """Intervals that always hold the truth are a fault."""
    tally = coverage.Tally(1_000, 500, 0.4, held=[True] * 1_000, width=[0.1] * 1_000)
    said, good = coverage.verdict([(coverage.setting_of(n), tally) for n in range(1, 13)], complete=True)
    assert not good
    assert "only 0 settings cover at most 98%" in said


def test_simulated_held_out_rows_err_as_the_bundle_does_on_average(coverage: ModuleType) -> None:
    """Sensitivity and false-positive rate of many simulated held-out sets are those of the real one."""
    level = coverage.Level(load_bundle(str(coverage.BUNDLE), "frames"), coverage.GOOD)
    rng = np.random.default_rng(0)
    gaps = []
    for _ in range(60):
        found = level.heldout(rng)
        yes, no = found.weight * found.label, found.weight * (1 - found.label)
        gaps.append(yes @ found.tag / yes.sum() - no @ found.tag / no.sum())
    assert np.mean(gaps) == pytest.approx(level.separation, abs=3 * np.std(gaps) / np.sqrt(60))


def test_where_error_rates_differ_the_row_says_that_nothing_was_validated(coverage: ModuleType, shared: Path) -> None:
    """Broken on purpose: the share stands with the mark and the words that the table names."""
    setting = next(each for each in coverage.BROKEN if each.shift)
    rng = np.random.default_rng(1)
    level = coverage.Level(load_bundle(str(coverage.BUNDLE), "frames"), setting.level)
    place = coverage.read_place(shared / f"threads/{setting.file}.parquet", None, 0.0, rng)
    comments = coverage.draw(place, level, setting.prevalence, rng, setting.shift)
    heldout = level.heldout(rng)
    rates = error_rates(heldout, resample(heldout.clusters.source, rng), rng)
    unit = place.eligible.units[0]
    found = correct(place.eligible, unit, comments.tag, rates, rng)
    row = corrected_row("frame:x", unit, found, np.zeros(place.size, dtype=bool))
    assert found.interval is not None
    assert row.mark is Mark.NOT_VALIDATED
    assert row.mark.value in setting.said
    assert "nothing was validated on these threads" in row.assumptions


def test_a_few_draws_on_real_threads_end_with_a_verdict_and_its_exit_code(shared: Path) -> None:
    """A few draws on real threads end with a verdict and its exit code."""
    command = [sys.executable, str(BENCHMARKS / "coverage.py"), str(shared), "--draws", "8", "--only", "2", "6", "14"]
    found = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    lines = found.stdout.strip().splitlines()
    assert [line[:4] for line in lines[2:5]] == ["| 2 ", "| 6 ", "| 14"]
    assert "not_validated" in lines[4]
    assert lines[-1].split(":")[0] == ("PASS" if found.returncode == 0 else "FAIL"), found.stderr
