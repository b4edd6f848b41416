"""A worker of the cluster: an actor that loads its models once and then does shard after shard."""

from __future__ import annotations

import os
import pickle
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from discourse.errors import DiscourseError, InputError, memory_is_full
from discourse.progress import uncounted
from discourse.writing import replacing

SHARD = "shard"
FAILED = "failed"

Names = dict[str, NDArray[Any]]


class ShardWorker:
    """Does one work; what fails for a reason is an answer, so that Ray does not try it again."""

    def __init__(self, work: bytes, gpus: int = 0) -> None:
        """Load the work's models.

        Args:
            work: a pickled `Work`, made by the run that asks.
            gpus: how many were given to this worker; without any it must not see those of others.
        """
        if not gpus:
            os.environ["CUDA_VISIBLE_DEVICES"] = ""
        self._failure: Exception | None = None
        try:
            self._work = pickle.loads(work)  # noqa: S301 - by our own run, over Ray, which pickles all that it carries
        except Exception as e:  # noqa: BLE001 - else Ray says of a worker that cannot begin only that it died
            self._failure = e

    def __call__(self, names: Names) -> Names:
        """Do the shards of these names, and say of each whether and how it failed."""
        failed = [_said(self._done(Path(str(name)))) for name in names[SHARD]]
        return {
            SHARD: names[SHARD],
            FAILED: np.array([kind for kind, _ in failed], dtype=object),
            "sentence": np.array([sentence for _, sentence in failed], dtype=object),
        }

    def _done(self, path: Path) -> Exception | None:
        if self._failure is not None:
            return self._failure
        try:
            shard = pl.read_parquet(path)
        except OSError as e:
            return InputError(
                f"ray: a worker cannot read {path} ({e.strerror or e}); put the workspace where every machine of the "
                "cluster sees it under the same path"
            )
        try:
            _put(self._work(shard, uncounted), path)
        except Exception as e:  # noqa: BLE001 - as above
            return e
        return None


def results(path: Path) -> list[Path]:
    """Return where the frames lie that a work made of the shard at `path`, in their order."""
    return sorted(path.parent.glob(f"{path.stem}.*.found"))


def _put(found: Iterable[pl.DataFrame] | None, path: Path) -> None:
    """Lay the frames that a work gives beside its shard, each complete or not there at all."""
    for number, frame in enumerate(found or ()):
        with replacing(path.with_name(f"{path.stem}.{number:03}.found")) as partial:
            frame.write_parquet(partial, compression="lz4", statistics=False)


def _said(failure: Exception | None) -> tuple[str, str]:
    """Name the kind of failure and say it in a sentence; what is nobody's mistake is told to the worker's log."""
    if failure is None:
        return "", ""
    if isinstance(failure, DiscourseError):
        return type(failure).__name__, str(failure)
    if memory_is_full(failure):
        return MemoryError.__name__, ""
    traceback.print_exception(failure)
    said = (str(failure).strip().splitlines() or [""])[0][:200]
    sentence = (
        f"ray: a worker failed ({type(failure).__name__}: {said}); see the worker's log on its machine; what was "
        "finished is kept: run again to go on"
    )
    return DiscourseError.__name__, sentence
