"""The process that drives Ray for a run: it reaches or starts a cluster, does jobs on it, and ends with the run."""

from __future__ import annotations

import logging
import os
import queue
import signal
import socket
import sys
import threading
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import ray
import ray.data
from ray.exceptions import OutOfMemoryError, RayActorError, RayError

from discourse.config import RayConfig
from discourse.engine.address import address_of
from discourse.engine.messages import Cluster, Failed, Finished, Job, Progress, Started
from discourse.engine.pool import pool_of
from discourse.engine.worker import FAILED, SHARD, ShardWorker

OBJECT_STORE = 200 * 2**20
"""Bytes for what travels between processes of a cluster that we start: little more than names of shards."""
DEATHS = 4
"""So often a shard is given to a fresh worker after its worker died."""
GRACE = 5.0
"""Seconds after the end of its run in which this process ends by itself."""
MEMORY = (
    "ray: a worker ran out of memory; start fewer of them ([ray] workers) or smaller ones, then run again: what was "
    "finished is kept"
)


def main(descriptor: int) -> None:
    """Serve the run at the other end of a pipe until it closes it.

    Args:
        descriptor: of our end of the pipe.
    """
    line = Connection(descriptor)
    said = _listened(line)
    try:
        wanted = said.get()
        if not isinstance(wanted, Cluster):
            return
        started = _reach(wanted.config, wanted.folder)
        line.send(started)
        while isinstance(job := said.get(), Job):
            _do(job, wanted.config, line)
            line.send(Finished())
    except _RefusedError as e:
        line.send(e.failed)
    except Exception as e:  # noqa: BLE001 - whatever Ray raises becomes one sentence, and the rest is in the log
        traceback.print_exc()
        line.send(Failed("DiscourseError", _sentence(e)))
    finally:
        ray.shutdown()


class _RefusedError(Exception):
    """Ends the service with a sentence for the user."""

    def __init__(self, kind: str, sentence: str) -> None:
        super().__init__(sentence)
        self.failed = Failed(kind, sentence)


def _listened(line: Connection) -> queue.SimpleQueue[object]:
    """Return what the run says, put there by a thread; where the run is gone, None follows and then the end.

    A run that was killed cannot end anything any more: this process, and the cluster that hangs on it, must notice.
    """
    said = queue.SimpleQueue[object]()

    def listen() -> None:
        try:
            while True:
                said.put(line.recv())
        except (EOFError, OSError):
            said.put(None)
        # A job that is under way would never ask the queue.
        threading.Event().wait(GRACE)
        os.killpg(os.getpgid(0), signal.SIGKILL)

    threading.Thread(target=listen, daemon=True).start()
    return said


def _reach(config: RayConfig, folder: Path) -> Started:
    """Connect to the cluster at `[ray] address` or RAY_ADDRESS, or start one on this machine alone."""
    address = address_of(config)
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR, "configure_logging": True}
    if address:
        _check_answers(address)
        try:
            ray.init(address=address, **quiet)
        except (RayError, OSError, RuntimeError, ValueError, AssertionError) as e:
            traceback.print_exc()
            raise _unreachable(address, _first_line(e)) from e
        place = f"at {address}"
    else:
        workers = config.workers or max(1, (os.cpu_count() or 1) // config.cpus)
        ray.init(
            address="local",
            num_cpus=workers * config.cpus,
            object_store_memory=OBJECT_STORE,
            include_dashboard=False,
            _temp_dir=str(folder),
            _node_ip_address="127.0.0.1",
            **quiet,
        )
        place = "started for this run"
    machines = _machines()
    pool = pool_of(machines, config, on_gpu=False)
    if pool.workers < 1:
        largest = max((int(one.get("CPU", 0)) for one in machines), default=0)
        raise _RefusedError(
            "UsageError",
            f"ray: no machine of the cluster has {config.cpus} CPUs for a worker (the largest has {largest}); set "
            "[ray] cpus lower",
        )
    return Started(pool.workers, pool_of(machines, config, on_gpu=True).gpus, place)


def _machines() -> list[dict[str, float]]:
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def _check_answers(address: str) -> None:
    """Ask whether anything listens at host:port: Ray itself would try for minutes."""
    if address.startswith("ray://"):
        raise _RefusedError(
            "UsageError",
            f"ray: {address} is the address of a Ray client; run on a machine of the cluster and give HOST:PORT of "
            "its head",
        )
    host, _, port = address.rpartition(":")
    if address == "auto":
        return
    if not host or not port.isdigit():
        raise _RefusedError("UsageError", f'ray: "{address}" is no address of a cluster; give HOST:PORT of its head')
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except (OSError, OverflowError) as e:
        raise _unreachable(address, str(e)) from e


def _unreachable(address: str, why: str) -> _RefusedError:
    return _RefusedError(
        "InputError",
        f"ray: the cluster at {address} cannot be reached ({why}); start it with ray start, or leave out [ray] address "
        "and RAY_ADDRESS and one is started here",
    )


def _do(job: Job, config: RayConfig, line: Connection) -> None:
    """Do a work on all shards by a pool of actors, and say when each is done.

    The blocks that travel are the names of shards. A worker reads its shard from the workspace and puts the result
    there, in one step and under a name made of the rows' keys, so that a shard done twice leaves one result.
    """
    pool = pool_of(_machines(), config, on_gpu=job.on_gpu)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    # Ray Data sets memory aside for blocks of this size before it starts anything; ours are names of shards.
    context.target_max_block_size = 2**20
    shards = ray.data.from_items([{SHARD: path} for path in job.shards], override_num_blocks=len(job.shards))
    done = shards.map_batches(
        ShardWorker,
        fn_constructor_args=(job.work, pool.gpus),
        batch_size=None,
        batch_format="numpy",
        zero_copy_batch=True,
        compute=ray.data.ActorPoolStrategy(size=min(pool.workers, len(job.shards)), max_tasks_in_flight_per_actor=2),
        num_cpus=pool.cpus,
        num_gpus=pool.gpus or None,
        max_restarts=-1,
        max_task_retries=DEATHS,
    )
    for block in done.iter_batches(batch_size=None, batch_format="numpy", prefetch_batches=0):
        for shard, kind, sentence in zip(block[SHARD], block[FAILED], block["sentence"], strict=True):
            if kind:
                raise _RefusedError(str(kind), MEMORY if kind == MemoryError.__name__ else str(sentence))
            line.send(Progress(str(shard)))


def _sentence(error: Exception) -> str:
    """Say in one sentence what Ray means."""
    causes: list[BaseException] = [error]
    while (cause := causes[-1].__cause__) is not None and cause not in causes:
        causes.append(cause)
    if any(isinstance(cause, OutOfMemoryError) for cause in causes):
        return MEMORY
    if any(isinstance(cause, RayActorError) for cause in causes):
        return (
            f"ray: workers died {DEATHS + 1} times over one shard, for want of memory or by someone's hand (see "
            "{log}); what was finished is kept: run again to go on"
        )
    return f"ray: {_first_line(causes[-1])} (see {{log}}); what was finished is kept: run again to go on"


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[-1] if isinstance(error, RayError) and lines else lines[0] if lines else type(error).__name__)[:200]


if __name__ == "__main__":
    main(int(sys.argv[1]))
