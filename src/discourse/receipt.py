"""What was read, with what, to get the tables of a workspace."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from functools import cache
from importlib import metadata
from typing import Any, cast

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
    return dict(_versions())


@cache
def _versions() -> tuple[tuple[str, str], ...]:
    """Look once: every part of a table names them, and the look takes milliseconds."""
    found: list[tuple[str, str]] = []
    for name in LIBRARIES:
        try:
            found.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            continue
    return tuple(found)


def receipt_text(receipt: Receipt) -> str:
    """Return a receipt as JSON, with a checksum of all the rest."""
    values = json.loads(receipt.model_dump_json())
    return json.dumps({**values, "sha256": _checksum(values)}, indent=1, ensure_ascii=False)


def read_receipt(data: bytes) -> Receipt:
    """Read what `receipt_text` wrote; receipts of earlier versions have no checksum.

    Raises:
        ValueError: it is damaged.
    """
    values: object = json.loads(data)
    if isinstance(values, dict):
        values = cast("dict[str, Any]", values)
        expected = values.pop("sha256", None)
        if expected is not None and expected != _checksum(values):
            raise ValueError("it is not as it was written")
    return Receipt.model_validate(values)


def _checksum(values: object) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
