"""Labels of people: their files become rows of the labels table."""

from __future__ import annotations

from discourse.annotate.imports import READS, WRITES, run

__all__ = ["READS", "WRITES", "run"]
