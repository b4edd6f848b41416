"""The estimates as the report looks them up: by unit, level and measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from discourse.tables import ESTIMATES, Mark, Measure

# The best evidence first: labels that people gave to these very comments, then error rates measured elsewhere.
READERS = ("census", "difference_estimator", "exact_stratified", "prediction_powered", "exact_clustered")
MODEL = "heldout_correction"
# The same by an external coder: labels of these comments, but of no person.
CODERS = tuple(f"coder_{method}" for method in READERS)
FEW = 30
ALL = "all"
# Only below this p, corrected over the whole table by Holm, a sentence says that two shares differ.
CLAIM = 0.05


@dataclass(frozen=True, slots=True)
class Estimate:
    """One row of the estimates table, as far as the report needs it."""

    estimate_id: str
    unit: str
    group_by: str | None
    group: str | None
    contrast: str | None
    measure: str
    level: str
    population: str
    variant: str
    denominator: str
    n: int
    n_labelled: int
    n_unsure: int
    estimate: float | None
    low: float | None
    high: float | None
    p_holm: float | None
    family: str | None
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
    def differs(self) -> bool:
        """Whether a comparison may be called a difference: Holm's p over its whole table is below 0.05."""
        return self.p_holm is not None and self.p_holm < CLAIM

    @property
    def by_coder(self) -> bool:
        """Whether it rests on labels that an external coder gave to these comments."""
        return self.method in CODERS

    @property
    def by_readers(self) -> bool:
        """Whether it rests on labels that people gave to these comments."""
        return self.method in READERS


@dataclass(frozen=True, slots=True)
class Estimates:
    """The table by what its rows are of.

    `rows` holds the main numbers by (unit, level, measure); `varied` the same of other variants and populations, by
    (level, measure), of the whole workspace; `split` the parts of the workspace, by what splits it, and `within` those
    of single threads; `compared` what is set against a contrast, in the table's order.
    """

    rows: Mapping[tuple[str, ...], tuple[Estimate, ...]]
    varied: Mapping[tuple[str, ...], tuple[Estimate, ...]]
    split: Mapping[tuple[str, ...], tuple[Estimate, ...]]
    within: Mapping[tuple[str, ...], tuple[Estimate, ...]]
    compared: tuple[Estimate, ...]

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
        return best_first(self.of(level, Measure.SHARE, unit))

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

    def variants(self, level: str, measure: Measure) -> tuple[Estimate, ...]:
        """Return the rows of one quantity of the whole under other choices: variants, and other populations."""
        return self.varied.get((level, measure.value), ())

    def parts(self, group_by: str, measure: Measure) -> tuple[Estimate, ...]:
        """Return the rows of one measure for each part that `group_by` splits the whole into, in the table's order."""
        return tuple(row for row in self.split.get((group_by,), ()) if row.measure == measure.value)

    def assumptions(self) -> dict[str, tuple[str, ...]]:
        """Return the sentences on what must hold, by method; under `not_estimable` why there is no number."""
        found: dict[str, dict[str, None]] = {}
        # Variants assume what the main numbers do; another population assumes more.
        elsewhere = (row for rows in self.varied.values() for row in rows if row.population != "collected")
        parts = (row for rows in self.split.values() for row in rows if row.known)
        beside = (row for row in self.compared if row.known and row.variant == "main")
        for row in (*(row for rows in self.rows.values() for row in rows), *elsewhere, *parts, *beside):
            if row.assumptions.strip():
                method = row.method if row.known else Mark.NOT_ESTIMABLE.value
                found.setdefault(method, {})[row.assumptions.strip()] = None
        return {method: tuple(sentences) for method, sentences in found.items()}


def best_first(rows: Sequence[Estimate]) -> tuple[Estimate, ...]:
    """Return rows of one quantity with the best evidence first: labels of readers, of a coder, then error rates."""
    order = (*READERS, *CODERS, MODEL)
    rank = {method: place for place, method in enumerate(order)}
    return tuple(sorted(rows, key=lambda row: rank.get(row.method, len(order))))


def index(estimates: pl.DataFrame, keep: Sequence[str] | None = None) -> Estimates:
    """Index rows of the estimates table.

    Args:
        estimates: rows that conform to `tables.ESTIMATES`.
        keep: the units whose main numbers are wanted; None takes all.
    """
    table = ESTIMATES.conform(estimates).select(list(Estimate.__dataclass_fields__))
    alone = pl.col("contrast").is_null()
    whole = alone & pl.col("group_by").is_null()
    main = (pl.col("variant") == "main") & (pl.col("population") == "collected")
    wanted = pl.lit(value=True) if keep is None else pl.col("unit").is_in(list(keep))
    here = pl.col("unit") == ALL
    return Estimates(
        rows=_by(table.filter(whole & main & wanted), "unit", "level", "measure"),
        varied=_by(table.filter(whole & ~main & here), "level", "measure"),
        split=_by(table.filter(alone & main & here & pl.col("group_by").is_not_null()), "group_by"),
        within=_by(table.filter(alone & main & ~here & wanted & pl.col("group_by").is_not_null()), "group_by"),
        compared=tuple(Estimate(*values) for values in table.filter(~alone).iter_rows()),
    )


def _by(table: pl.DataFrame, *key: str) -> dict[tuple[str, ...], tuple[Estimate, ...]]:
    found: dict[tuple[str, ...], list[Estimate]] = {}
    for name, values in zip(table.select(key).iter_rows(), table.iter_rows(), strict=True):
        found.setdefault(name, []).append(Estimate(*values))
    return {name: tuple(rows) for name, rows in found.items()}
