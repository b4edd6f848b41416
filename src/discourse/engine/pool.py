"""How many workers a cluster has room for, and what each of them gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from discourse.config import RayConfig


@dataclass(frozen=True, slots=True)
class Pool:
    """So many workers, each with so many cores and GPUs; none: no machine has the cores for one."""

    workers: int
    cpus: int
    gpus: int = 0


def pool_of(machines: Sequence[Mapping[str, float]], config: RayConfig, *, on_gpu: bool) -> Pool:
    """Say which workers do a work.

    Where a work can use GPUs and there is one, each GPU gets a worker of its own and cores alone get none: a GPU reads
    as fast as dozens of cores, so that these would only make the run wait for the last of their shards.

    Args:
        machines: for each machine of the cluster what Ray may use, `CPU` and `GPU` by number.
        config: cores of a worker, and the most workers.
        on_gpu: whether the work can use a GPU.
    """
    rooms = [(int(one.get("CPU", 0)) // config.cpus, int(one.get("GPU", 0))) for one in machines]
    with_gpu = sum(min(room) for room in rooms)
    if on_gpu and with_gpu:
        return Pool(min(config.workers or with_gpu, with_gpu), config.cpus, 1)
    room = sum(cores for cores, _ in rooms)
    return Pool(min(config.workers or room, room), config.cpus)
