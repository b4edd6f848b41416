"""Normalize, tag and aggregate on a cluster of two nodes: rows as here, whoever is killed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import psutil
import pytest
from tests.engine.raw import collected

from discourse import aggregate, normalize
from discourse.aggregate import group_counts
from discourse.config import parse_config
from discourse.engine import LOCAL, Engine, open_engine
from discourse.errors import BundleError, InputError, UsageError
from discourse.models.bundle import Bundle, load_bundle
from discourse.models.encoder import Encoder, load_encoder
from discourse.tables import COMMENTS, EMBEDDINGS, ESTIMATES, FRAMES, SCORES, STANCES, THREADS, Table
from discourse.tables import Path as TagPath
from discourse.tag import frames, stance, vectors
from discourse.tag.read_by import read_by
from discourse.workspace import Workspace

# A busy machine takes long to start a cluster.
pytestmark = pytest.mark.timeout(600)

SHARD, BATCH, ROWS = 6, 12, 44
TARGET = "the council"
LAMPS = [f"Lamp {i} is dark." for i in range(SHARD)]
KEPT = (SCORES, EMBEDDINGS)


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few comments make several shards."""
    # Vectors are few enough to be read here.
    for module in (frames, stance, group_counts):
        monkeypatch.setattr(module, "SHARD", SHARD)


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    """The shipped encoder."""
    return load_encoder()


def normalized(root: Path, engine: Engine = LOCAL) -> Workspace:
    """Return a workspace with comments."""
    workspace = collected(root, ROWS)
    config = parse_config({"normalize": {"languages": ["en", "fr"]}})
    normalize.run(workspace, config, engine, batch=BATCH)
    return workspace


def tag(workspace: Workspace, bundle: Bundle, encoder: Encoder, engine: Engine = LOCAL) -> None:
    """Tag comments by the encoder tier."""
    comments, threads = workspace.read(COMMENTS), workspace.read(THREADS)
    rows = frames.tag_frames(workspace, comments, threads, bundle, encoder, TagPath.EXACT, None, engine)
    workspace.write(FRAMES, rows)


def tables(root: Path, bundle: Bundle, encoder: Encoder, engine: Engine = LOCAL) -> Workspace:
    """Return a workspace with comments, frames, stances and estimates."""
    workspace = normalized(root, engine)
    tag(workspace, bundle, encoder, engine)
    # Stance, too, with the vectors that its gate looks at.
    other = load_bundle("stance-minilm", "stance")
    way = (workspace.read(COMMENTS), other, encoder, (TARGET,), TagPath.EXACT, engine)
    workspace.write(STANCES, stance.read_stance(workspace, *way))
    config = parse_config({"tagging": {"exact": True}, "stance": {"targets": [TARGET]}})
    aggregate.run(workspace, config, engine)
    return workspace


def same(one: Workspace, other: Workspace, *which: Table) -> None:
    """Check that tables have the same rows in the same order and in the same parts, with numbers to 1e-5."""
    for table in which:
        ours, theirs = one.read(table), other.read(table)
        assert ours.height, table.name
        numbers = [name for name, kind in ours.schema.items() if kind.is_float()]
        assert ours.drop(numbers, "vector", strict=False).equals(theirs.drop(numbers, "vector", strict=False))
        for name in numbers:
            assert (ours[name] - theirs[name]).abs().fill_null(0.0).max() <= 1e-5, name
        if "vector" in ours.columns:
            mine, its = (np.array(rows["vector"].to_list(), float) for rows in (ours, theirs))
            assert np.abs(mine - its).max() <= 1e-3
        assert [part.name for part in one.parts(table)] == [part.name for part in other.parts(table)]
        assert not theirs.select(table.key).is_duplicated().any()


def settings(address: str | None, **ray: object) -> dict[str, object]:
    """Return a configuration for a cluster."""
    return {"engine": "ray", "ray": {"address": address, **ray}}


def actors() -> list[psutil.Process]:
    """Return the workers that do shards, of clusters that these tests started."""
    return [one for one in psutil.Process().children(recursive=True) if "MapWorker" in _name(one)]


def _name(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return ""


def lamps() -> list[pl.DataFrame]:
    """Return two shards of texts."""
    return [pl.DataFrame({"text": [text]}) for text in LAMPS[:2]]


def nothing(done: int = 1) -> None:
    """Count nothing."""
    del done


def when(ready: Callable[[], object], then: Callable[[], None]) -> threading.Thread:
    """Do something once as soon as something is there."""

    def wait() -> None:
        end = time.monotonic() + 120
        while time.monotonic() < end:
            if ready():
                then()
                return
            time.sleep(0.02)

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def test_two_nodes_give_the_tables_of_the_local_engine(
    two_nodes: str, tmp_path: Path, frames_bundle: Bundle, encoder: Encoder
) -> None:
    here = tables(tmp_path / "here", frames_bundle, encoder)
    with open_engine(parse_config(settings(two_nodes)), tmp_path / "there") as engine:
        there = tables(tmp_path / "there", frames_bundle, encoder, engine)
    same(here, there, *normalize.WRITES, FRAMES, STANCES, ESTIMATES, *KEPT)
    assert len(here.parts(COMMENTS)) > 2
    assert read_by(there) == read_by(here)
    assert set(read_by(there)) == {f"rows read by {encoder.device}"}
    assert not (tmp_path / "there" / ".ray").exists()


@pytest.mark.soak
def test_a_worker_that_is_killed_while_it_reads_is_replaced_without_loss_or_repeat(
    two_nodes: str, tmp_path: Path, frames_bundle: Bundle, encoder: Encoder
) -> None:
    here, there = normalized(tmp_path / "here"), normalized(tmp_path / "there")
    tag(here, frames_bundle, encoder)
    killed: list[int] = []

    def kill() -> None:
        for victim in actors()[:1]:
            killed.append(victim.pid)
            victim.kill()

    killer = when(lambda: there.parts(SCORES) and actors(), kill)
    with open_engine(parse_config(settings(two_nodes)), there.root) as engine:
        tag(there, frames_bundle, encoder, engine)
    killer.join()
    assert killed
    same(here, there, FRAMES, *KEPT)


def test_a_lone_shard_is_done_here(tmp_path: Path, encoder: Encoder) -> None:
    pytest.importorskip("ray")
    with open_engine(parse_config(settings(None)), tmp_path) as engine:
        found = vectors.vectors_of(Workspace(tmp_path), encoder, LAMPS, 64, engine)
    assert found.shape == (SHARD, encoder.width)
    assert not (tmp_path / ".ray").exists()


@pytest.mark.parametrize("address", ["ray://127.0.0.1:10001", "nowhere"])
def test_what_is_no_address_of_a_cluster_is_refused(address: str, tmp_path: Path, encoder: Encoder) -> None:
    pytest.importorskip("ray")
    config = parse_config(settings(address))
    with pytest.raises(UsageError, match="HOST:PORT"), open_engine(config, tmp_path) as engine:
        engine.each(vectors.VectorWork(Workspace(tmp_path), encoder, 64), lamps(), nothing)


def test_a_cluster_that_is_not_there_is_said_in_one_sentence(no_one: str, tmp_path: Path, encoder: Encoder) -> None:
    pytest.importorskip("ray")
    config = parse_config(settings(no_one))
    with (
        pytest.raises(InputError, match=r"^ray: the cluster at .* cannot be reached"),
        open_engine(config, tmp_path) as engine,
    ):
        engine.each(vectors.VectorWork(Workspace(tmp_path), encoder, 64), lamps(), nothing)


@pytest.mark.soak
def test_a_model_that_a_worker_cannot_load_is_said_as_it_is_here(
    two_nodes: str, tmp_path: Path, encoder: Encoder
) -> None:
    lost = Encoder(encoder.name, "0" * 64, encoder.tokenizer, encoder.model, encoder.reference)
    with (
        pytest.raises(BundleError, match="has SHA-256"),
        open_engine(parse_config(settings(two_nodes)), tmp_path) as engine,
    ):
        engine.each(vectors.VectorWork(Workspace(tmp_path), lost, 64), lamps(), nothing)
