"""Rows of the estimates table: one number, what it is of, how it was reached, and the caution that goes with it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

import polars as pl

from discourse.aggregate.prevalence import Interval
from discourse.tables import ESTIMATES, Mark, Measure

LOW_SAMPLE = 30


@dataclass(frozen=True, slots=True)
class Estimate:
    """A row of the estimates table but for its id."""

    unit: str
    measure: Measure
    level: str
    denominator: str
    n: int
    method: str
    assumptions: str
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    mark: Mark | None = None
    n_effective: float | None = None
    n_labelled: int = 0
    n_unsure: int = 0
    variant: str = "main"
    population: str = "collected"
    group_by: str | None = None
    group: str | None = None
    contrast: str | None = None
    p: float | None = None
    p_holm: float | None = None
    family: str | None = None


def ends(found: Interval) -> dict[str, float]:
    """Return the three numbers of an interval by the names of their columns."""
    return asdict(found)


def caution(n: float, otherwise: Mark | None = None) -> Mark | None:
    """Return the mark of an estimate that rests on `n` comments: too few win over what else is to be said."""
    return Mark.LOW_SAMPLE if n < LOW_SAMPLE else otherwise


def estimate_id(row: Estimate) -> str:
    """Return 16 hexadecimal digits that name what is estimated and how; the same in every run."""
    split = (row.group_by or "", row.group or "", row.contrast or "")
    what = (row.unit, *split, row.measure.value, row.level, row.population, row.variant, row.method)
    return hashlib.sha256("|".join(what).encode()).hexdigest()[:16]


def as_table(rows: Sequence[Estimate]) -> pl.DataFrame:
    """Return the rows as a frame that conforms to `ESTIMATES`, in their order."""
    names = [field.name for field in fields(Estimate)]
    # Column by column: a dict of each of some hundred thousand rows would take gigabytes.
    columns = {name: [getattr(row, name) for row in rows] for name in names}
    schema = {name: ESTIMATES.schema[name] for name in names}
    ids = pl.Series("estimate_id", [estimate_id(row) for row in rows], dtype=pl.String)
    return ESTIMATES.conform(pl.DataFrame(columns, schema=schema).with_columns(ids))
