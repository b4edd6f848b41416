"""Workers, runs and heads that are killed at drawn moments: what is there in the end is what a clean run gives.

Works without models stand for tagging, so that many moments can be tried; normalize is the real stage.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import psutil
import pytest
from tests.engine import lettering
from tests.engine.raw import collected

from discourse.engine import Engine, open_engine
from discourse.errors import DiscourseError
from discourse.normalize import WRITES
from discourse.tables import SCORES
from discourse.workspace import Workspace

pytestmark = pytest.mark.timeout(7200)

ROWS = 60
EVERY = (*WRITES, SCORES)
FEW = 2
MANY = pytest.param(30, marks=pytest.mark.soak)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace that nobody disturbed, made by the local engine."""
    pytest.importorskip("ray")
    root = tmp_path_factory.mktemp("clean")
    collected(root, ROWS)
    lettering.run(root, lettering.config_of(None, "local"))
    assert Workspace(root).read(SCORES).height > 30
    return root


def same(one: Path, other: Path) -> None:
    """Check that every table has the same rows: in the same order, but for scores, which are kept by key."""
    for table in EVERY:
        ours, theirs = Workspace(one).read(table), Workspace(other).read(table)
        if table is SCORES:
            ours, theirs = ours.sort("input_key"), theirs.sort("input_key")
        assert ours.equals(theirs), table.name


def started(root: Path, address: str | None) -> subprocess.Popen[str]:
    """Start a run as a process of its own."""
    command = [sys.executable, "-m", "tests.engine.lettering", str(root), *([address] if address else [])]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=root)


def length(run: Callable[[], object]) -> float:
    """Return the seconds that something takes."""
    began = time.monotonic()
    run()
    return time.monotonic() - began


def named(word: str, below: int | None = None) -> list[psutil.Process]:
    """Return the processes below one that have a word in their command line."""
    found: list[psutil.Process] = []
    for one in psutil.Process(below).children(recursive=True):
        try:
            if word in " ".join(one.cmdline()):
                found.append(one)
        except (psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
    return found


def kill(victims: list[psutil.Process]) -> int:
    """Kill them by force and return how many were there."""
    number = 0
    for victim in victims:
        try:
            victim.kill()
            number += 1
        except psutil.NoSuchProcess:
            continue
    return number


def moments(times: int, whole: float, seed: int) -> list[float]:
    """Draw moments over the length of a run."""
    draw = random.Random(seed)
    return [draw.uniform(0, whole) for _ in range(times)]


@pytest.mark.parametrize("times", [FEW, MANY])
def test_a_worker_that_is_killed_at_any_moment_is_replaced_without_loss_or_repeat(
    times: int, two_nodes: str, tmp_path: Path
) -> None:
    rows = pl.DataFrame({"text": [f"text {i}" for i in range(60)]})
    hit = 0
    with open_engine(lettering.config_of(two_nodes), tmp_path / "engine") as engine:
        length(lambda: _kept(engine, rows, tmp_path / "first"))
        whole = length(lambda: _kept(engine, rows, tmp_path / "second"))
        for number, moment in enumerate(moments(times, whole, seed=1)):
            # By turns a work that keeps its results, and a function whose results come back in order.
            work = _kept if number % 2 else _given
            victims, over = list[int](), threading.Event()
            killer = threading.Thread(target=_kill_one_from, args=(moment, victims, over))
            killer.start()
            work(engine, rows, tmp_path / str(number))
            over.set()
            killer.join()
            hit += sum(victims)
    print(f"workers: {times} moments within {whole:.1f} s, a worker was killed at {hit} of them")
    assert hit >= times // 2


def _kept(engine: Engine, rows: pl.DataFrame, root: Path) -> None:
    done = list[int]()
    work = lettering.Lettering(Workspace(root))
    engine.each(work, lettering.shards_of(rows), lambda number=1: done.append(number))
    kept = Workspace(root).read(SCORES)["input_key"]
    assert sum(done) == kept.len() == rows.height
    assert set(kept) == {lettering.key_of(text) for text in rows["text"]}


def _given(engine: Engine, rows: pl.DataFrame, root: Path) -> None:
    del root
    function, shards = lettering.Halved(lettering.SECONDS), lettering.shards_of(rows)
    found = list(engine.map(function, shards, lettering.nothing))
    wanted = [function(shard) for shard in lettering.shards_of(rows)]
    assert [[frame["text"].to_list() for frame in one] for one in found] == [
        [frame["text"].to_list() for frame in one] for one in wanted
    ]


def _kill_one_from(moment: float, victims: list[int], over: threading.Event) -> None:
    """Kill a worker at a moment, or as soon after it as one is there."""
    time.sleep(moment)
    while not over.is_set() and not sum(victims):
        victims.append(kill(named("MapWorker")[-1:]))
        time.sleep(0.05)


@pytest.mark.parametrize("times", [1, MANY])
def test_a_run_that_is_killed_at_any_moment_goes_on_to_the_tables_of_a_clean_one(
    times: int, clean: Path, two_nodes: str, tmp_path: Path
) -> None:
    collected(tmp_path / "whole", ROWS)
    whole = length(lambda: started(tmp_path / "whole", two_nodes).communicate())
    same(clean, tmp_path / "whole")
    hit = 0
    for number, moment in enumerate(moments(times, whole, seed=2)):
        root = tmp_path / str(number)
        collected(root, ROWS)
        running = started(root, two_nodes)
        time.sleep(moment)
        hit += running.poll() is None
        running.kill()
        running.communicate()
        # By turns it goes on here and on the cluster.
        config = lettering.config_of(two_nodes, "local" if number % 2 else "ray", workers=1)
        with open_engine(config, root) as engine:
            lettering.run(root, config, engine)
        same(clean, root)
        # What a worker of the killed run was writing in its last moment is swept by the next run.
        with Workspace(root).lock():
            assert not list(root.rglob(".partial-*"))
    print(f"runs: {times} moments within {whole:.1f} s, {hit} of them before the end")
    assert times == 1 or hit >= times // 2


@pytest.mark.parametrize("times", [1, MANY])
def test_a_head_that_is_killed_at_any_moment_is_one_sentence_and_the_next_run_goes_on(
    times: int, clean: Path, tmp_path: Path
) -> None:
    collected(tmp_path / "whole", ROWS)
    whole = length(lambda: started(tmp_path / "whole", None).communicate())
    same(clean, tmp_path / "whole")
    hit = 0
    for number, moment in enumerate(moments(times, whole, seed=3)):
        root = tmp_path / str(number)
        collected(root, ROWS)
        running = started(root, None)
        time.sleep(moment)
        victims = kill(named("gcs_server", running.pid)) if running.poll() is None else 0
        said = running.communicate(timeout=600)[1]
        assert "Traceback" not in said
        # A busy machine may fail to start a cluster in Ray's own time, which is said in one sentence, too.
        assert running.returncode in {0, 1}, said
        if running.returncode:
            hit += victims
            assert "error: ray: " in said
            assert said.count("\n") <= 2
        config = lettering.config_of(None, "local")
        lettering.run(root, config)
        same(clean, root)
    print(f"heads: {times} moments within {whole:.1f} s, {hit} of them while it was needed")
    assert times == 1 or hit >= times // 3


def test_nothing_of_a_run_that_was_killed_is_left(tmp_path: Path) -> None:
    """The cluster that it started ends, too."""
    pytest.importorskip("ray")
    collected(tmp_path, ROWS)
    running = started(tmp_path, None)
    end = time.monotonic() + 240
    while time.monotonic() < end and not named("MapWorker", running.pid):
        time.sleep(0.1)
    left = psutil.Process(running.pid).children(recursive=True)
    assert left
    os.kill(running.pid, signal.SIGKILL)
    running.communicate()
    _, alive = psutil.wait_procs(left, timeout=120)
    assert not [one for one in alive if one.status() != psutil.STATUS_ZOMBIE]


def test_a_worker_that_runs_out_of_memory_is_one_sentence_and_what_was_finished_is_kept(
    two_nodes: str, tmp_path: Path
) -> None:
    rows = pl.DataFrame({"text": [*(f"text {i}" for i in range(8)), "fill the memory"]})
    work = lettering.Lettering(Workspace(tmp_path), 0.0)
    with (
        pytest.raises(DiscourseError, match=r"^ray: a worker ran out of memory[^\n]+is kept"),
        open_engine(lettering.config_of(two_nodes, workers=1), tmp_path) as engine,
    ):
        engine.each(work, lettering.shards_of(rows), lettering.nothing)
    assert Workspace(tmp_path).read(SCORES).height
