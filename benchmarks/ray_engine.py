"""Reading comments by workers of a Ray cluster, beside reading them here: one worker, two, and one that is killed.

Every engine reads the same distinct comments with the same encoder in the same shards, in turns. The cluster is there
before the clock starts, its workers are not: that they start, load their models and are joined is timed, too. Local
runs are processes of their own with as many threads as they are said to have, and have their model before the clock
starts.

    python benchmarks/ray_engine.py [--quick] [--rows N] [--runs N] [FOLDER]

FOLDER holds real threads as Parquet files, from which comments are spliced; `../shared/threads` by default.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
# The cluster of this benchmark knows itself by the loopback address, and so must those who join it, without a token.
os.environ |= {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_AUTH_MODE": "disabled"}

import corpus
import numpy as np
import polars as pl
import psutil
import results

from discourse.config import parse_config
from discourse.engine import LOCAL, Engine, open_engine
from discourse.engine.ray import environment
from discourse.models.encoder import load_encoder
from discourse.tables import EMBEDDINGS
from discourse.tag import vectors
from discourse.workspace import Workspace

HERE = "--here"
TOKENS = 256
# Shards of both workers together, and more, so that neither waits long for the other's last.
SHARDS = 16
ONE, TWO = "local, 1 thread", "local, 2 threads"
RAY_ONE, RAY_TWO, KILLED = "ray, 1 worker", "ray, 2 workers", "ray, 2 workers, one killed"
HEAD = """
import sys
import ray
ray.init("local", num_cpus=2, include_dashboard=False, object_store_memory=200 * 2**20, _node_ip_address="127.0.0.1")
print(ray.get_runtime_context().gcs_address, flush=True)
sys.stdin.read()
"""


def main() -> None:
    """Measure, print ratios of figures from this run, and keep them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=corpus.THREADS)
    parser.add_argument("--quick", action="store_true", help="few comments, one run, under a minute")
    parser.add_argument("--rows", type=int, help="distinct comments")
    parser.add_argument("--runs", type=int, help="of each, in turns, of which the median is taken")
    options = parser.parse_args()
    rows, runs = options.rows or (96 if options.quick else 1_920), options.runs or (1 if options.quick else 5)
    texts = list(dict.fromkeys(corpus.spliced(options.folder, rows, np.random.default_rng(0))))
    vectors.SHARD = -(-len(texts) // SHARDS)
    with tempfile.TemporaryDirectory(prefix="discourse-bench-") as folder:
        began = time.perf_counter()
        with _cluster(Path(folder)) as address:
            started = time.perf_counter() - began
            found = _measured(Path(folder), texts, address, runs)
    said = _table(found, len(texts), runs, started)
    print(said)
    results.write("ray_engine.py", ("Quick: figures of one run.\n\n" if options.quick else "") + said)


def _measured(folder: Path, texts: list[str], address: str, runs: int) -> dict[str, list[tuple[float, float]]]:
    """Return seconds and steady rate of each way to read the texts, run after run in turns."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in (ONE, TWO, RAY_ONE, RAY_TWO, KILLED)}
    with ExitStack() as open_engines:
        engines: dict[int, Engine] = {}
        for workers in (1, 2):
            config = parse_config({"engine": "ray", "ray": {"address": address, "workers": workers}})
            engines[workers] = open_engines.enter_context(open_engine(config, folder / f"engine {workers}"))
            # The driver's connection to the cluster is made at first use, and once a run.
            _read(folder, texts[: vectors.SHARD + 1], engines[workers])
        for _ in range(runs):
            found[ONE].append(_elsewhere(folder, texts, 1))
            found[TWO].append(_elsewhere(folder, texts, 2))
            found[RAY_ONE].append(_read(folder, texts, engines[1]))
            found[RAY_TWO].append(_read(folder, texts, engines[2], 2))
            found[KILLED].append(_read(folder, texts, engines[2], 2, kill=True))
    return found


def _table(found: dict[str, list[tuple[float, float]]], rows: int, runs: int, started: float) -> str:
    taken = {name: [seconds for seconds, _ in each] for name, each in found.items()}
    middle = {name: statistics.median(seconds) for name, seconds in taken.items()}
    steady = {name: statistics.median(rate for _, rate in each) for name, each in found.items()}
    about = (
        f"{rows:,} distinct comments in {SHARDS} shards read by the encoder, median of {runs} in turns (least to "
        "most); the start of workers and the loading of their models included, that of the cluster not "
        f"({started:.1f} s)."
    )
    lines = [
        about,
        "",
        f"| engine | seconds | comments/s | speed ÷ {ONE} | speed ÷ {TWO} | comments/s once all read |",
        "|---|---|---|---|---|---|",
    ]
    for name, seconds in taken.items():
        spread = f"{middle[name]:.1f} ({min(seconds):.1f} to {max(seconds):.1f})"
        speed = f"{middle[ONE] / middle[name]:.2f} | {middle[TWO] / middle[name]:.2f}"
        lines.append(f"| {name} | {spread} | {rows / middle[name]:,.0f} | {speed} | {steady[name]:,.0f} |")
    late = statistics.median(k - w for k, w in zip(taken[KILLED], taken[RAY_TWO], strict=True))
    over = statistics.median(r - h for r, h in zip(taken[RAY_ONE], taken[ONE], strict=True))
    end = (
        f"2 workers of one core ÷ local with 2 threads: {middle[TWO] / middle[RAY_TWO]:.2f} with the start of workers, "
        f"{steady[RAY_TWO] / steady[TWO]:.2f} once all read (goal 0.7, hope 0.9). One worker takes {over:+.1f} s "
        "beside one thread here: start, models and hand-over. With one of two workers killed after the first shards a "
        f"run ends {late:+.1f} s later."
    )
    lines += ["", end]
    return "\n".join(lines)


@contextmanager
def _cluster(folder: Path) -> Generator[str]:
    """Start a cluster of two cores on the loopback address, and end it with the block."""
    log = folder / "head.log"
    running = subprocess.Popen(
        [sys.executable, "-c", HEAD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log.open("w"),
        text=True,
        cwd=folder,
        env=environment(parse_config({}).ray, alone=True),
        start_new_session=True,
    )
    assert running.stdin is not None, "it is a pipe"  # noqa: S101 - for the type checker
    assert running.stdout is not None, "it is a pipe"  # noqa: S101 - as above
    try:
        address = next((line for line in running.stdout if line.startswith("127.0.0.1:")), "").strip()
        if not address:
            raise SystemExit(f"the cluster did not start: {log.read_text()[-1000:]}")
        yield address
    finally:
        running.stdin.close()
        below = psutil.Process(running.pid).children(recursive=True)
        try:
            running.wait(30)
        except subprocess.TimeoutExpired:
            running.kill()
        for process in psutil.wait_procs(below, timeout=5)[1]:
            process.kill()


def _read(
    folder: Path, texts: list[str], engine: Engine, workers: int = 1, *, kill: bool = False
) -> tuple[float, float]:
    """Return the seconds that reading takes, in a workspace of its own, and comments a second once all workers read.

    The second figure is that of the shards behind the first of each worker.
    """
    root = folder / "read"
    shutil.rmtree(root, ignore_errors=True)
    encoder = load_encoder()
    if kill:
        threading.Thread(target=_kill_one, args=(Workspace(root),), daemon=True).start()
    began = time.perf_counter()
    vectors.Vectors(Workspace(root), encoder, TOKENS, engine).keep([pl.Series("text", texts)])
    seconds = time.perf_counter() - began
    kept = Workspace(root).scan(EMBEDDINGS).select(pl.len()).collect().item()
    if kept != len(texts):
        raise SystemExit(f"{kept} vectors of {len(texts)} texts: comments were lost or read twice")
    ends = sorted(part.stat().st_mtime for part in Workspace(root).parts(EMBEDDINGS))
    left = len(texts) * (len(ends) - workers) / len(ends)
    return seconds, left / max(1e-9, ends[-1] - ends[workers - 1])


def _kill_one(workspace: Workspace) -> None:
    """Kill a worker once the first shards are done."""
    while len(workspace.parts(EMBEDDINGS)) < 3:
        time.sleep(0.02)
    for process in psutil.Process().children(recursive=True):
        if "MapWorker" in " ".join(process.cmdline()):
            process.kill()
            return


def _elsewhere(folder: Path, texts: list[str], threads: int) -> tuple[float, float]:
    pl.DataFrame({"text": texts}).write_parquet(folder / "texts.parquet")
    command = [sys.executable, __file__, HERE, str(folder), str(vectors.SHARD)]
    environs = {**os.environ, "OMP_NUM_THREADS": str(threads), "POLARS_MAX_THREADS": str(threads)}
    done = subprocess.run(command, env=environs, check=True, capture_output=True, text=True)
    seconds, rate = done.stdout.split()
    return float(seconds), float(rate)


def _here(folder: Path, shard: int) -> None:
    vectors.SHARD = shard
    print(*_read(folder, pl.read_parquet(folder / "texts.parquet")["text"].to_list(), LOCAL))


if __name__ == "__main__":
    if sys.argv[1:2] == [HERE]:
        _here(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        main()
