"""A worker by itself: what it does with shards, and how it says what failed."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from discourse.engine.worker import FAILED, SHARD, ShardWorker
from discourse.errors import BundleError
from discourse.progress import Advance


@dataclass(frozen=True)
class Copying:
    """Writes each shard into a folder; a shard with the word itself fails for that reason."""

    folder: Path

    def __call__(self, shard: pl.DataFrame, advance: Advance) -> None:
        advance(shard.height)
        text = shard["text"][0]
        if text == "memory":
            np.zeros(2**50)
        if text == "unforeseen":
            raise ValueError("no such letter")
        if text == "torch":
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")
        if text == "bundle":
            raise BundleError("my-bundle: is damaged; fetch it again")
        (self.folder / f"{text}.txt").write_text(text)


@dataclass(frozen=True)
class Unloadable:
    """A work whose models cannot be loaded where it arrives."""

    def __call__(self, shard: pl.DataFrame, advance: Advance) -> None:
        del shard, advance

    def __reduce__(self) -> tuple[Callable[[], Unloadable], tuple[()]]:
        """Fail on arrival."""
        return broken, ()


def broken() -> Unloadable:
    """Fail as a bundle does that is not on this machine."""
    raise BundleError("my-bundle: is no bundle")


def shards(folder: Path, *texts: str) -> dict[str, np.ndarray]:
    """Write a shard for each text and return the batch that a worker gets."""
    paths = [folder / f"{i}.parquet" for i in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        pl.DataFrame({"text": [text]}).write_parquet(path)
    return {SHARD: np.array([str(path) for path in paths], dtype=object)}


def test_a_worker_does_each_shard_and_answers_for_each(tmp_path: Path) -> None:
    batch = shards(tmp_path, "one", "two")
    said = ShardWorker(pickle.dumps(Copying(tmp_path)))(batch)
    assert list(said[SHARD]) == list(batch[SHARD])
    assert list(said[FAILED]) == ["", ""]
    assert (tmp_path / "one.txt").exists()
    assert (tmp_path / "two.txt").exists()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("memory", "MemoryError"),
        ("torch", "MemoryError"),
        ("bundle", "BundleError"),
        ("unforeseen", "DiscourseError"),
    ],
)
def test_what_the_user_can_mend_is_an_answer_and_no_crash(text: str, kind: str, tmp_path: Path) -> None:
    said = ShardWorker(pickle.dumps(Copying(tmp_path)))(shards(tmp_path, text, "next"))
    assert list(said[FAILED]) == [kind, ""]
    assert (tmp_path / "next.txt").exists()


def test_a_shard_that_a_worker_does_not_see_is_named(tmp_path: Path) -> None:
    gone = {SHARD: np.array([str(tmp_path / "gone.parquet")], dtype=object)}
    said = ShardWorker(pickle.dumps(Copying(tmp_path)))(gone)
    assert said[FAILED][0] == "InputError"
    assert "gone.parquet" in said["sentence"][0]
    assert "same path" in said["sentence"][0]


def test_models_that_cannot_be_loaded_fail_each_shard_in_the_words_of_a_local_run(tmp_path: Path) -> None:
    said = ShardWorker(pickle.dumps(Unloadable()))(shards(tmp_path, "one"))
    assert (said[FAILED][0], said["sentence"][0]) == ("BundleError", "my-bundle: is no bundle")
