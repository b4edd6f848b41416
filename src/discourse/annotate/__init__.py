"""Labels: samples drawn, sheets written or an external coder asked, files read, agreement and planning."""

from __future__ import annotations

from discourse.annotate.agreement import Agreement, agreement
from discourse.annotate.imports import READS, WRITES, ImportResult, import_labels, run
from discourse.annotate.judge import JudgeResult, judge_sample, judge_sample_cost
from discourse.annotate.power import Power, power
from discourse.annotate.readings import Level, level_of, levels_of
from discourse.annotate.sample import SampleResult, sample

__all__ = [
    "READS",
    "WRITES",
    "Agreement",
    "ImportResult",
    "JudgeResult",
    "Level",
    "Power",
    "SampleResult",
    "agreement",
    "import_labels",
    "judge_sample",
    "judge_sample_cost",
    "level_of",
    "levels_of",
    "power",
    "run",
    "sample",
]
