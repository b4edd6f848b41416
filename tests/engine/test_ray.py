"""Tagging by Ray, on a cluster of two nodes and on one that a run starts: results as here, whoever is killed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import psutil
import pytest

from discourse.config import parse_config
from discourse.engine import LOCAL, Engine, open_engine
from discourse.errors import BundleError, DiscourseError, InputError, UsageError
from discourse.models.bundle import Bundle, load_bundle
from discourse.models.encoder import Encoder, load_encoder
from discourse.tables import EMBEDDINGS, FRAMES, SCORES, STANCES, ReplyKind, State
from discourse.tables import Path as TagPath
from discourse.tag import frames, stance, vectors
from discourse.workspace import Workspace

# A busy machine takes long to start a cluster.
pytestmark = pytest.mark.timeout(600)

SHARD = 6
THREADS_OF = pl.DataFrame({"thread_id": ["t"], "title": ["The lamp posts of Ferry Street"]})
LAMPS = [f"Lamp {i} is dark." for i in range(SHARD + 1)]
TABLES = (SCORES, EMBEDDINGS)


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few comments make several shards; the loopback address is not taken for that of the machine."""
    monkeypatch.setenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    for module in (frames, stance, vectors):
        monkeypatch.setattr(module, "SHARD", SHARD)


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    """The shipped encoder."""
    return load_encoder()


def comments(rows: int) -> pl.DataFrame:
    """Comments written for this test: an answer to the one before, every seventh in another language."""
    said = ("the council reads our mail through the lamp posts", "lamps are lamps", "they want us divided again")
    return pl.DataFrame(
        {
            "comment_id": [f"c{i:03}" for i in range(rows)],
            "thread_id": ["t"] * rows,
            "parent_id": [None if i % 3 == 0 else f"c{i - 1:03}" for i in range(rows)],
            "text": [f"Neighbour {i} says that {said[i % 3]}." + " Really." * (i % 5) for i in range(rows)],
            "language": ["fr" if i % 7 == 3 else "en" for i in range(rows)],
            "state": [State.VISIBLE.value] * rows,
            "reply_kind": [ReplyKind.TOP.value] * rows,
        }
    )


def tag(root: Path, bundle: Bundle, encoder: Encoder, engine: Engine = LOCAL, rows: int = 40) -> pl.DataFrame:
    """Return the rows of frames of a workspace that is tagged by the encoder tier."""
    return frames.tag_frames(Workspace(root), comments(rows), THREADS_OF, bundle, encoder, TagPath.EXACT, None, engine)


def same(one: pl.DataFrame, other: pl.DataFrame) -> None:
    """Check that rows are the same in the same order, with numbers to 1e-5."""
    numbers = [name for name, kind in one.schema.items() if kind.is_float()]
    assert one.drop(numbers, "vector", strict=False).equals(other.drop(numbers, "vector", strict=False))
    for name in numbers:
        assert (one[name] - other[name]).abs().fill_null(0.0).max() <= 1e-5, name
    if "vector" in one.columns and one.height:
        ours, theirs = (np.array(rows["vector"].to_list(), float) for rows in (one, other))
        assert np.abs(ours - theirs).max() <= 1e-3


def same_workspace(one: Path, other: Path) -> None:
    """Check that what is kept by input key is the same, each key once."""
    for table in TABLES:
        ours, theirs = Workspace(one).read(table), Workspace(other).read(table)
        same(ours, theirs)
        assert not theirs.select(table.key).is_duplicated().any()
        assert [part.name for part in Workspace(one).parts(table)] == [p.name for p in Workspace(other).parts(table)]


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


def test_two_nodes_give_the_rows_of_the_local_engine(
    two_nodes: str, tmp_path: Path, frames_bundle: Bundle, encoder: Encoder
) -> None:
    here = FRAMES.conform(tag(tmp_path / "here", frames_bundle, encoder))
    config = parse_config(settings(two_nodes))
    with open_engine(config, tmp_path / "there") as engine:
        there = FRAMES.conform(tag(tmp_path / "there", frames_bundle, encoder, engine))
        same(here, there)
        same_workspace(tmp_path / "here", tmp_path / "there")
        # Stance, too, with the vectors that its gate looks at.
        bundle = load_bundle("stance-minilm", "stance")
        way = (comments(40), bundle, encoder, ("the council",), TagPath.EXACT)
        sides = STANCES.conform(stance.read_stance(Workspace(tmp_path / "here"), *way))
        same(sides, STANCES.conform(stance.read_stance(Workspace(tmp_path / "there"), *way, engine)))
    same_workspace(tmp_path / "here", tmp_path / "there")
    assert not (tmp_path / "there" / ".ray").exists()


def test_a_worker_that_is_killed_is_replaced_without_loss_or_repeat(
    two_nodes: str, tmp_path: Path, frames_bundle: Bundle, encoder: Encoder
) -> None:
    here = tag(tmp_path / "here", frames_bundle, encoder)
    killed: list[int] = []

    def kill() -> None:
        for victim in actors()[:1]:
            killed.append(victim.pid)
            victim.kill()

    parts = Workspace(tmp_path / "there").parts
    killer = when(lambda: parts(SCORES) and actors(), kill)
    with open_engine(parse_config(settings(two_nodes)), tmp_path / "there") as engine:
        there = tag(tmp_path / "there", frames_bundle, encoder, engine)
    killer.join()
    assert killed
    same(here, there)
    same_workspace(tmp_path / "here", tmp_path / "there")


def test_a_head_that_is_killed_ends_the_run_in_one_sentence_and_the_next_run_goes_on(
    tmp_path: Path, frames_bundle: Bundle, encoder: Encoder
) -> None:
    pytest.importorskip("ray")
    here = tag(tmp_path / "here", frames_bundle, encoder, rows=300)
    own = psutil.Process()
    # The cluster of the tests before this one lives as long as the module.
    before = set(own.children(recursive=True))

    def fresh() -> list[psutil.Process]:
        return [one for one in own.children(recursive=True) if one not in before]

    def kill() -> None:
        for process in fresh():
            if "gcs_server" in _name(process) or "raylet/raylet" in _name(process):
                process.kill()

    killer = when(lambda: Workspace(tmp_path / "there").parts(SCORES), kill)
    with (
        pytest.raises(DiscourseError, match=r"^ray: [^\n]+run again") as said,
        open_engine(parse_config(settings(None, workers=1)), tmp_path / "there") as engine,
    ):
        tag(tmp_path / "there", frames_bundle, encoder, engine, 300)
    killer.join()
    assert "Traceback" not in str(said.value)
    assert not [one for one in fresh() if one.status() != psutil.STATUS_ZOMBIE]
    assert Workspace(tmp_path / "there").parts(SCORES)
    same(here, tag(tmp_path / "there", frames_bundle, encoder, rows=300))
    same_workspace(tmp_path / "here", tmp_path / "there")


def test_a_lone_shard_is_done_here(tmp_path: Path, encoder: Encoder) -> None:
    pytest.importorskip("ray")
    with open_engine(parse_config(settings(None)), tmp_path) as engine:
        found = vectors.vectors_of(Workspace(tmp_path), encoder, LAMPS[:SHARD], 64, engine)
    assert found.shape == (SHARD, encoder.width)
    assert not (tmp_path / ".ray").exists()


@pytest.mark.parametrize("address", ["ray://127.0.0.1:10001", "nowhere"])
def test_what_is_no_address_of_a_cluster_is_refused(address: str, tmp_path: Path, encoder: Encoder) -> None:
    pytest.importorskip("ray")
    config = parse_config(settings(address))
    with pytest.raises(UsageError, match="HOST:PORT"), open_engine(config, tmp_path) as engine:
        vectors.vectors_of(Workspace(tmp_path), encoder, LAMPS, 64, engine)


def test_a_cluster_that_is_not_there_is_said_in_one_sentence(no_one: str, tmp_path: Path, encoder: Encoder) -> None:
    pytest.importorskip("ray")
    config = parse_config(settings(no_one))
    with (
        pytest.raises(InputError, match=r"^ray: the cluster at .* cannot be reached"),
        open_engine(config, tmp_path) as engine,
    ):
        vectors.vectors_of(Workspace(tmp_path), encoder, LAMPS, 64, engine)


def test_a_model_that_a_worker_cannot_load_is_said_as_it_is_here(
    two_nodes: str, tmp_path: Path, encoder: Encoder
) -> None:
    lost = Encoder(encoder.name, "0" * 64, encoder.tokenizer, encoder.model, encoder.reference)
    shards = [pl.DataFrame({"text": [text]}) for text in LAMPS]
    with (
        pytest.raises(BundleError, match="has SHA-256"),
        open_engine(parse_config(settings(two_nodes)), tmp_path) as engine,
    ):
        engine.each(vectors.VectorWork(Workspace(tmp_path), lost, 64), shards, nothing)
