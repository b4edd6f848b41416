"""The statistics of the fit check as files of a bundle: `fit.json` and `fit.safetensors`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from discourse.errors import BundleError
from discourse.models.fit import FitStatistics, FitSummary
from discourse.models.fit_measures import BITS, MARKS, PERCENTILES, Space
from discourse.models.fit_thresholds import MEASURED, POWERS, Threshold

JSON_FILE = "fit.json"
ARRAYS_FILE = "fit.safetensors"
PARTS = ("whiten", "centres", "blur")


class _StoredThreshold(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    sizes: Annotated[tuple[int, ...], Field(min_length=1)]
    many: Annotated[tuple[float, ...], Field(min_length=1)]
    thread: float | None


class _Stored(BaseModel):
    """The contents of `fit.json`; arrays lie in `fit.safetensors`, and there are none without thresholds."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    encoder: str
    languages: tuple[str, ...]
    rows: dict[str, int]
    left_out: dict[str, dict[str, float]]
    usual_unknown: Annotated[float, Field(ge=0, le=1)] = 0.0
    thresholds: dict[str, _StoredThreshold] = {}


def save_fit(summary: FitSummary, folder: Path) -> None:
    """Write `fit.json` and, where there are statistics, `fit.safetensors` into a folder."""
    found = summary.statistics
    lines = {} if found is None else found.thresholds
    stored: dict[str, Any] = {
        "encoder": summary.encoder,
        "languages": summary.languages,
        "rows": summary.rows,
        "left_out": summary.left_out,
        "usual_unknown": 0.0 if found is None else found.usual_unknown,
        "thresholds": {
            check: {"sizes": line.sizes, "many": line.many, "thread": line.thread} for check, line in lines.items()
        },
    }
    (folder / JSON_FILE).write_text(json.dumps(stored, indent=1), encoding="utf-8")
    if found is not None:
        save_file(_arrays(found), str(folder / ARRAYS_FILE))


def load_fit(folder: Path) -> FitSummary | None:
    """Read what `save_fit` wrote; None where a bundle has nothing of the kind.

    Raises:
        BundleError: the files are damaged.
    """
    path = folder / JSON_FILE
    if not path.is_file():
        return None
    try:
        stored = _Stored.model_validate_json(path.read_bytes())
        statistics = _statistics(stored, folder / ARRAYS_FILE) if stored.thresholds else None
    except (ValidationError, SafetensorError, OSError, LookupError, ValueError) as e:
        raise BundleError(f"{path}: the statistics of the fit check cannot be read; train the bundle again") from e
    return FitSummary(stored.encoder, stored.languages, stored.rows, stored.left_out, statistics)


def _arrays(found: FitStatistics) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {"known": found.known, "percentiles": found.percentiles.astype(np.float32)}
    for name, space in (("space", found.space), ("style", found.style)):
        arrays |= {f"{name}.{part}": getattr(space, part).astype(np.float32) for part in PARTS}
    return {key: np.ascontiguousarray(value) for key, value in arrays.items()}


def _statistics(stored: _Stored, path: Path) -> FitStatistics:
    arrays = load_file(str(path))
    space, style = (
        Space(*(arrays[f"{name}.{part}"].astype(np.float64) for part in PARTS)) for name in ("space", "style")
    )
    known, percentiles = arrays["known"], arrays["percentiles"].astype(np.float64)
    sound = [
        _is_sound(space),
        _is_sound(style) and style.whiten.shape[0] == MARKS,
        known.shape == (BITS // 8,) and known.dtype == np.uint8,
        percentiles.ndim == 2 and percentiles.shape[1] == len(PERCENTILES) and len(percentiles) > 0,
        set(stored.thresholds) == set(MEASURED),
        all(len(line.sizes) == len(line.many) for line in stored.thresholds.values()),
        all(bool(np.isfinite(value).all()) for value in arrays.values()),
    ]
    if not all(sound):
        raise ValueError(path)
    thresholds = {
        check: Threshold(line.sizes, line.many, line.thread, POWERS[check]) for check, line in stored.thresholds.items()
    }
    return FitStatistics(space, style, known, stored.usual_unknown, percentiles, thresholds)


def _is_sound(space: Space) -> bool:
    if space.whiten.ndim != 2 or space.centres.ndim != 2 or not len(space.centres):
        return False
    return space.centres.shape[1] == space.whiten.shape[1] and space.blur.shape == (len(space.centres),)
