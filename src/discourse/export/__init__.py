"""Tables for other programs: CSV, Parquet, JSON, the reply tree as GraphML, and a methods paragraph."""

from __future__ import annotations

from discourse.export.run import FORMATS, ExportResult, run

__all__ = ["FORMATS", "ExportResult", "run"]
