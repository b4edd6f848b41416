"""A real Ray cluster of two nodes with one CPU each, on this machine and on the loopback address alone."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Generator
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
IMPORTED = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
ENVIRONMENT = {
    "PYTHONPATH": IMPORTED,  # workers import what tests let them do
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_worker_niceness": "0",
    "OMP_NUM_THREADS": "1",
    "POLARS_MAX_THREADS": "1",
}
HEAD = """
import sys
from ray.cluster_utils import Cluster
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False,
    "object_store_memory": 150 * 2**20})
cluster.add_node(num_cpus=1, object_store_memory=150 * 2**20)
cluster.wait_for_nodes()
print(cluster.address, flush=True)
sys.stdin.read()
cluster.shutdown()
"""


@pytest.fixture(scope="session")
def two_nodes(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """The address of the cluster's head."""
    if find_spec("ray") is None:
        pytest.skip('Ray is not installed: pip install "ray[data]"')
    folder = tmp_path_factory.mktemp("cluster")
    running = subprocess.Popen(
        [sys.executable, "-c", HEAD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=(folder / "head.log").open("w"),
        text=True,
        cwd=folder,
        env={**os.environ, **ENVIRONMENT},
        start_new_session=True,
    )
    assert running.stdin is not None
    assert running.stdout is not None
    try:
        address = running.stdout.readline().strip()
        assert address, "the cluster did not start"
        yield address
    finally:
        below = psutil.Process(running.pid).children(recursive=True)
        running.stdin.close()
        try:
            running.wait(30)
        except subprocess.TimeoutExpired:
            running.kill()
        for process in below:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a run and its workers find in their environment."""
    monkeypatch.setenv("PYTHONPATH", IMPORTED)
    # The loopback address is not taken for that of the machine.
    monkeypatch.setenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)


@pytest.fixture
def no_one(tmp_path: Path) -> str:
    """An address where nothing listens."""
    del tmp_path
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"
