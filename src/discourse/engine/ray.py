"""The side of a run that hands shards to Ray: a process of its own talks to the cluster, and this one watches it.

Ray ends the process that drives it when the head of the cluster is lost, and leaves the rest to chance. So the driver
is a child: whatever becomes of it, the run says one sentence, and all that was started is ended.
"""

from __future__ import annotations

import os
import pickle
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType

import polars as pl

from discourse import errors
from discourse.config import RayConfig
from discourse.engine.address import address_of
from discourse.engine.messages import Cluster, Failed, Finished, Job, Progress, Started
from discourse.engine.work import LOCAL, Frames, Function, Work
from discourse.engine.worker import results
from discourse.errors import DiscourseError
from discourse.progress import Advance, say

FOLDER = ".ray"
PATIENCE = 20.0
"""Seconds that the driver gets to end by itself, and the cluster that it started with it."""
IMPATIENCE = 3.0
"""The same after a failure or an interruption, when it may be waiting for what never comes."""


class Ray:
    """Works by actors of a Ray cluster, each of which loads its models once; the cluster is reached at first use."""

    def __init__(self, config: RayConfig, root: Path) -> None:
        """Take note of what is asked for; nothing is started yet.

        Args:
            config: the cluster's address, and how many workers of how many cores.
            root: the workspace folder, which every worker must see under the same path.
        """
        self._config = config
        self._folder = root.absolute() / FOLDER
        self._driver: subprocess.Popen[bytes] | None = None
        self._line: Connection | None = None
        self._short: Path | None = None
        self._there = False
        self._jobs = 0

    def __enter__(self) -> Ray:
        """Give the engine."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End the driver, and with it the cluster that it started; logs are kept only where something failed."""
        self._end(PATIENCE if kind is None else IMPATIENCE)
        shutil.rmtree(self._folder / "shards", ignore_errors=True)
        if kind is None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def each(self, work: Work, shards: Iterable[pl.DataFrame], advance: Advance) -> None:
        """Do `work` on each shard by the workers; a lone shard, which cannot be shared out, is done here at once.

        Raises:
            DiscourseError: the cluster cannot be reached or was lost, or a worker failed for good.
        """
        rest = iter(shards)
        first = list(islice(rest, 2))
        if len(first) < 2:
            LOCAL.each(work, first, advance)
            return
        folder = self._new_folder()
        self._do(work, _put(folder, chain(first, rest)), advance)
        shutil.rmtree(folder, ignore_errors=True)

    def map(self, function: Function, frames: Iterable[pl.DataFrame], advance: Advance) -> Iterator[Frames]:
        """Yield what `function` makes of each frame, made by the workers and put down until it is asked for.

        Raises:
            DiscourseError: as `each`.
        """
        rest = iter(frames)
        first = list(islice(rest, 2))
        if len(first) < 2:
            yield from LOCAL.map(function, first, advance)
            return
        folder = self._new_folder()
        rows = _put(folder, chain(first, rest))
        first.clear()
        self._do(_Mapped(function), rows, advance)
        for name in rows:
            yield tuple(pl.read_parquet(path, memory_map=False) for path in results(Path(name)))
            for path in results(Path(name)):
                path.unlink()
        shutil.rmtree(folder, ignore_errors=True)

    def _do(self, work: Work | _Mapped, rows: dict[str, int], advance: Advance) -> None:
        line = self._line or self._start()
        self._tell(line, Job(pickle.dumps(work), tuple(rows), bool(getattr(work, "on_gpu", False))))
        while not isinstance(said := self._hear(line), Finished):
            if isinstance(said, Progress):
                advance(rows[said.shard])

    def _new_folder(self) -> Path:
        """Return where the shards of the next job go; what a killed run left is removed.

        No two jobs have the same: workers of a run that was just killed must not lay anything beside our shards.
        """
        if not self._jobs:
            shutil.rmtree(self._folder / "shards", ignore_errors=True)
        self._jobs += 1
        return self._folder / "shards" / f"{self._jobs}-{secrets.token_hex(8)}"

    def _start(self) -> Connection:
        ours, theirs = Pipe()
        self._line = ours
        # Sockets have paths of at most 107 bytes: a short link leads to the folder in the workspace.
        self._short = Path(tempfile.mkdtemp(prefix="discourse-"))
        (self._short / "ray").symlink_to(self._folder)
        with theirs, (self._folder / "driver.log").open("wb") as log:
            self._driver = subprocess.Popen(
                # -P: a file called ray.py where the command runs must not stand in for Ray.
                [sys.executable, "-P", "-m", "discourse.engine.driver", str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                env=environment(self._config, alone=not address_of(self._config)),
                start_new_session=True,
            )
        self._tell(ours, Cluster(self._config, self._short / "ray"))
        started = self._hear(ours)
        if isinstance(started, Started):
            self._there = True
            workers = f"{started.workers} worker{'s' if started.workers > 1 else ''}"
            gpus = ", GPUs for the encoder" if started.gpus else ""
            say(f"  ray: {workers} of {self._config.cpus} CPU{gpus}, {started.place}")
        return ours

    def _tell(self, line: Connection, message: object) -> None:
        try:
            line.send(message)
        except OSError as e:
            raise self._lost() from e

    def _hear(self, line: Connection) -> object:
        try:
            said = line.recv()
        except (EOFError, OSError) as e:
            raise self._lost() from e
        if isinstance(said, Failed):
            kind = getattr(errors, said.kind, DiscourseError)
            raise kind(said.sentence.replace("{log}", str(self._folder / "driver.log")))
        return said

    def _lost(self) -> DiscourseError:
        log, address = self._folder / "driver.log", address_of(self._config)
        if self._there:
            return DiscourseError(
                f"ray: the cluster was lost while it worked (see {log}); what was finished is kept: run again to go on"
            )
        if address:
            return errors.InputError(
                f"ray: the cluster at {address} did not let this machine in (see {log}); is it one of its machines, "
                "and does it know the cluster by this address?"
            )
        return DiscourseError(f"ray: no cluster could be started here (see {log})")

    def _end(self, patience: float) -> None:
        driver, self._driver = self._driver, None
        if self._line is not None:
            self._line.close()
            self._line = None
        if driver is not None:
            try:
                driver.wait(patience)
            except subprocess.TimeoutExpired:
                pass
            finally:
                _kill_group(driver)
        if self._short is not None:
            shutil.rmtree(self._short, ignore_errors=True)
            self._short = None


def _put(folder: Path, shards: Iterable[pl.DataFrame]) -> dict[str, int]:
    """Write the shards for the workers to read, and return how many rows each file has."""
    rows: dict[str, int] = {}
    try:
        folder.mkdir(parents=True)
        for number, shard in enumerate(shards):
            path = folder / f"{number:07}.parquet"
            shard.write_parquet(path, compression="zstd")
            rows[str(path)] = shard.height
    except OSError as e:
        raise errors.WorkspaceError(
            f"{folder}: cannot be written ({e.strerror or e}); free space or choose another with -o"
        ) from e
    return rows


@dataclass(frozen=True, slots=True)
class _Mapped:
    """A function as a work: the worker lays what it returns beside the shard."""

    function: Function

    def __call__(self, shard: pl.DataFrame, advance: Advance) -> Frames:
        del advance
        return self.function(shard)


def _kill_group(driver: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(driver.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    driver.wait()


def environment(config: RayConfig, *, alone: bool) -> dict[str, str]:
    """Return what the driver and the cluster that it starts find in their environment.

    Args:
        config: cores of a worker.
        alone: whether the cluster is this machine's alone, and nothing leaves it.
    """
    cpus = config.cpus
    return {
        **os.environ,
        # Despite its name this is what keeps a cluster on Linux, too, to the loopback address.
        **({"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"} if alone else {}),
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_DEDUP_LOGS": "0",
        "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
        "RAY_TRAIN_ENABLE_V2_MIGRATION_WARNINGS": "0",
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
        # Ray starts workers at niceness 15: beside anything else that runs they would get next to nothing.
        "RAY_worker_niceness": "0",
        # A head that is gone for so many seconds is taken for lost.
        "RAY_gcs_rpc_server_reconnect_timeout_s": "20",
        "OMP_NUM_THREADS": str(cpus),
        "POLARS_MAX_THREADS": str(cpus),
        "TOKENIZERS_PARALLELISM": "false" if cpus == 1 else "true",
    }
