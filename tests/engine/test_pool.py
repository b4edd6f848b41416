"""Which workers a cluster has room for, told from machines that are only described."""

from __future__ import annotations

import pytest

from discourse.config import RayConfig
from discourse.engine.pool import Pool, pool_of

CORES = {"CPU": 8.0, "memory": 1e9}
BOTH = {"CPU": 8.0, "GPU": 2.0, "accelerator_type:H100": 1.0}
FEW_CORES = {"CPU": 1.0, "GPU": 4.0}


@pytest.mark.parametrize(
    ("machines", "ray", "on_gpu", "pool"),
    [
        ([CORES, CORES], RayConfig(), False, Pool(16, 1)),
        ([CORES, CORES], RayConfig(), True, Pool(16, 1)),
        ([CORES, CORES], RayConfig(cpus=3), False, Pool(4, 3)),
        ([CORES, BOTH], RayConfig(), True, Pool(2, 1, 1)),
        ([CORES, BOTH], RayConfig(), False, Pool(16, 1)),
        ([CORES, BOTH], RayConfig(workers=1), True, Pool(1, 1, 1)),
        ([BOTH, FEW_CORES], RayConfig(), True, Pool(3, 1, 1)),
        ([BOTH, FEW_CORES], RayConfig(cpus=2), True, Pool(2, 2, 1)),
        ([FEW_CORES], RayConfig(cpus=2), True, Pool(0, 2)),
        ([{"CPU": 0.0}], RayConfig(), False, Pool(0, 1)),
        ([], RayConfig(), True, Pool(0, 1)),
    ],
)
def test_each_gpu_gets_a_worker_where_a_work_can_use_one_and_cores_do_else(
    machines: list[dict[str, float]], ray: RayConfig, on_gpu: bool, pool: Pool
) -> None:
    assert pool_of(machines, ray, on_gpu=on_gpu) == pool
