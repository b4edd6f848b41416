"""Reading comments by workers of a Ray cluster, beside reading them here: one worker, two, and one that is killed.

Every engine reads the same distinct comments with the same encoder in the same shards. The cluster is started for this
run and is there before the clock starts; that the workers load their models is part of what is timed, and the rate
without it is that of the larger of two sizes less the smaller. Local runs are processes of their own with as many
threads as they are said to have.

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
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import corpus
import numpy as np
import polars as pl
import psutil

from discourse.config import parse_config
from discourse.engine import LOCAL, Engine, open_engine
from discourse.models.encoder import load_encoder
from discourse.tables import EMBEDDINGS
from discourse.tag import vectors
from discourse.workspace import Workspace

HERE = "--here"
TOKENS = 256


def main() -> None:
    """Measure, and print ratios of figures from this run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).resolve().parents[2] / "shared/threads")
    parser.add_argument("--quick", action="store_true", help="few comments, one run")
    parser.add_argument("--rows", type=int, help="comments of the larger size; the smaller is a quarter")
    parser.add_argument("--runs", type=int, help="of each, of which the median is taken")
    options = parser.parse_args()
    rows, runs = options.rows or (160 if options.quick else 8_000), options.runs or (1 if options.quick else 5)
    # Four shards or more a worker, so that none waits long for the last.
    vectors.SHARD = rows // 16
    texts = list(dict.fromkeys(corpus.spliced(options.folder, rows, np.random.default_rng(0))))
    small = texts[: len(texts) // 4]
    with tempfile.TemporaryDirectory(prefix="discourse-bench-") as folder:
        found: dict[str, list[tuple[float, float]]] = {}
        for name, threads in (("local, 1 thread", 1), ("local, 2 threads", 2)):
            found[name] = [_elsewhere(Path(folder), small, texts, threads) for _ in range(runs)]
        late: list[float] = []
        for workers in (1, 2):
            name = f"ray, {workers} worker{'s' if workers > 1 else ''} of 1 CPU"
            config = parse_config({"engine": "ray", "ray": {"workers": workers}})
            with open_engine(config, Path(folder) / "cluster") as engine:
                # Two shards: a lone one would be read here, and no cluster be started.
                _read(Path(folder), texts[: vectors.SHARD + 1], engine)
                found[name] = [
                    (_read(Path(folder), small, engine), _read(Path(folder), texts, engine)) for _ in range(runs)
                ]
                if workers == 2:
                    killed = [_read(Path(folder), texts, engine, kill=True) for _ in range(runs)]
                    late = [seconds - statistics.median(t for _, t in found[name]) for seconds in killed]
    _report(found, late, len(texts), len(small), runs)


def _report(found: dict[str, list[tuple[float, float]]], late: list[float], rows: int, less: int, runs: int) -> None:
    whole = {name: statistics.median(t for _, t in times) for name, times in found.items()}
    rate = {
        name: (rows - less) / max(1e-9, statistics.median(t - s for s, t in times)) for name, times in found.items()
    }
    one, two = "local, 1 thread", "local, 2 threads"
    print(f"{rows:,} distinct comments, median of {runs}; {psutil.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}\n")
    print(f"| engine | seconds, with the workers' start | comments/s without it | ÷ {one} | ÷ {two} |")
    print("|---|---|---|---|---|")
    for name in found:
        print(
            f"| {name} | {whole[name]:.1f} | {rate[name]:,.0f} | {rate[name] / rate[one]:.2f} | "
            f"{rate[name] / rate[two]:.2f} |"
        )
    print(f"\none of 2 workers killed in the middle: {statistics.median(late):+.1f} s beside the run without")


def _read(folder: Path, texts: list[str], engine: Engine, *, kill: bool = False) -> float:
    """Return the seconds that reading takes, in a workspace of its own."""
    root = folder / "read"
    shutil.rmtree(root, ignore_errors=True)
    encoder = load_encoder()
    if kill:
        threading.Thread(target=_kill_one, args=(Workspace(root),), daemon=True).start()
    began = time.perf_counter()
    vectors.vectors_of(Workspace(root), encoder, texts, TOKENS, engine)
    return time.perf_counter() - began


def _kill_one(workspace: Workspace) -> None:
    """Kill a worker once the first shards are done."""
    while len(workspace.parts(EMBEDDINGS)) < 3:
        time.sleep(0.02)
    for process in psutil.Process().children(recursive=True):
        if "MapWorker" in " ".join(process.cmdline()):
            process.kill()
            return


def _elsewhere(folder: Path, small: list[str], texts: list[str], threads: int) -> tuple[float, float]:
    pl.DataFrame({"text": texts}).write_parquet(folder / "texts.parquet")
    command = [sys.executable, __file__, HERE, str(folder), str(len(small)), str(vectors.SHARD)]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "POLARS_MAX_THREADS": str(threads)}
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    first, second = done.stdout.split()
    return float(first), float(second)


def _here(folder: Path, less: int, shard: int) -> None:
    vectors.SHARD = shard
    texts = pl.read_parquet(folder / "texts.parquet")["text"].to_list()
    print(_read(folder, texts[:less], LOCAL), _read(folder, texts, LOCAL))


if __name__ == "__main__":
    if sys.argv[1:2] == [HERE]:
        _here(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    else:
        main()
