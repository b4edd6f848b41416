"""The estimates as the report looks them up: by unit, level and measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from discourse.tables import ESTIMATES, Mark, Measure

# The best evidence first: labels that people gave to these very comments, then error rates measured elsewhere.
READERS = ("census", "difference_estimator", "exact_stratified")
MODEL = "heldout_correction"
FEW = 30
ALL = "all"


@dataclass(frozen=True, slots=True)
class Estimate:
    """One row of the estimates table, as far as the report needs it."""

    estimate_id: str
    unit: str
    measure: str
    level: str
    denominator: str
    n: int
    n_labelled: int
    n_unsure: int
    estimate: float | None
    low: float | None
    high: float | None
    method: str
    assumptions: str
    mark: str | None

    @property
    def value(self) -> float:
        """The estimate, 0 where there is none: ask `known` first."""
        return self.estimate or 0.0

    @property
    def known(self) -> bool:
        """Whether there is a point to print."""
        return self.estimate is not None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The ends of the 95 % interval, None where there is none or it has no width."""
        if self.low is None or self.high is None or self.high - self.low < 1e-9:
            return None
        return self.low, self.high

    @property
    def few(self) -> bool:
        """Whether too few comments stand behind the number to lean on it."""
        return self.mark == Mark.LOW_SAMPLE or self.n < FEW

    @property
    def by_readers(self) -> bool:
        """Whether it rests on labels that people gave to these comments."""
        return self.method in READERS


@dataclass(frozen=True, slots=True)
class Estimates:
    """Every row of the main variant, ungrouped and uncontrasted, by (unit, level, measure)."""

    rows: Mapping[tuple[str, str, str], tuple[Estimate, ...]]

    def of(self, level: str, measure: Measure, unit: str = ALL) -> tuple[Estimate, ...]:
        """Return the rows of one quantity, one for each method, in the table's order."""
        return self.rows.get((unit, level, measure.value), ())

    def first(self, level: str, measure: Measure, unit: str = ALL) -> Estimate | None:
        """Return the first row of one quantity."""
        return next(iter(self.of(level, measure, unit)), None)

    def count(self, level: str, unit: str = ALL) -> Estimate | None:
        """Return the row of a count; None where nothing was counted."""
        row = self.first(level, Measure.COUNT, unit)
        return row if row is not None and row.known else None

    def shares(self, level: str, unit: str = ALL) -> tuple[Estimate, ...]:
        """Return the rows of a share, the best evidence first."""
        order = (*READERS, MODEL)
        rank = {method: place for place, method in enumerate(order)}
        return tuple(sorted(self.of(level, Measure.SHARE, unit), key=lambda row: rank.get(row.method, len(order))))

    def share(self, level: str, unit: str = ALL) -> Estimate | None:
        """Return the share on the best evidence that gives a point; else the first row, which says why not."""
        rows = self.shares(level, unit)
        return next((row for row in rows if row.known), rows[0] if rows else None)

    def levels(self, prefix: str, measure: Measure, unit: str = ALL) -> tuple[Estimate, ...]:
        """Return the rows of one unit whose level starts with `prefix`, in the table's order."""
        return tuple(
            row
            for (where, level, what), rows in self.rows.items()
            if where == unit and what == measure.value and level.startswith(prefix)
            for row in rows
        )

    def assumptions(self) -> dict[str, tuple[str, ...]]:
        """Return the sentences on what must hold, by method; under `not_estimable` why there is no number."""
        found: dict[str, dict[str, None]] = {}
        for rows in self.rows.values():
            for row in rows:
                if row.assumptions.strip():
                    method = row.method if row.known else Mark.NOT_ESTIMABLE.value
                    found.setdefault(method, {})[row.assumptions.strip()] = None
        return {method: tuple(sentences) for method, sentences in found.items()}


def index(estimates: pl.DataFrame, keep: Sequence[str] | None = None) -> Estimates:
    """Index rows of the estimates table.

    Args:
        estimates: rows that conform to `tables.ESTIMATES`.
        keep: the units that are wanted; None takes all.
    """
    plain = pl.col("group_by").is_null() & pl.col("contrast").is_null() & (pl.col("variant") == "main")
    chosen = ESTIMATES.conform(estimates).filter(plain)
    if keep is not None:
        chosen = chosen.filter(pl.col("unit").is_in(list(keep)))
    names = list(Estimate.__dataclass_fields__)
    rows: dict[tuple[str, str, str], tuple[Estimate, ...]] = {}
    for values in chosen.select(names).iter_rows():
        row = Estimate(*values)
        key = (row.unit, row.level, row.measure)
        rows[key] = (*rows.get(key, ()), row)
    return Estimates(rows)
