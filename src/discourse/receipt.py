"""What was read, with what, to get the tables of a workspace."""

from __future__ import annotations

from datetime import datetime
from importlib import metadata

from pydantic import BaseModel

from discourse.tables import SCHEMA_VERSION

LIBRARIES = ("discourse", "polars", "torch", "transformers", "bertopic", "scikit-learn", "numpy")


class StageRecord(BaseModel):
    """What a finished stage read and wrote: enough to tell whether it must run again."""

    inputs: dict[str, str]
    outputs: dict[str, str]
    counts: dict[str, int] = {}
    notes: list[str] = []
    seconds: float = 0.0
    finished_at: datetime


class Receipt(BaseModel):
    """What was read, with what, to get this result."""

    schema_version: int = SCHEMA_VERSION
    versions: dict[str, str] = {}
    config: dict[str, object] = {}
    sources: dict[str, str] = {}
    bundles: dict[str, str] = {}
    stages: dict[str, StageRecord] = {}


def library_versions() -> dict[str, str]:
    """Return the versions of the libraries that results depend on."""
    found: dict[str, str] = {}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
