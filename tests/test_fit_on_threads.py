"""The fit check on real threads: it warns of strange sources and is quiet on new threads of known ones."""

from __future__ import annotations

import hashlib
import importlib.util
import re
import sys
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from discourse.models.encoder import load_encoder
from discourse.models.frames import embed

BENCHMARK = Path(__file__).resolve().parents[1] / "benchmarks" / "fit.py"


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the benchmark as a module."""
    spec = importlib.util.spec_from_file_location("fit_benchmark", BENCHMARK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


def hashed(texts: list[str]) -> NDArray[np.float32]:
    """Return unit vectors of texts: sums of random directions of their words, which cost no transformer."""
    directions: dict[str, NDArray[np.float32]] = {}

    def of(word: str) -> NDArray[np.float32]:
        if word not in directions:
            seed = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest())
            directions[word] = np.random.default_rng(seed).normal(size=64).astype(np.float32)
        return directions[word]

    sums = np.stack([sum((of(word) for word in re.findall(r"\w+", text.lower())[:60]), np.zeros(64)) for text in texts])
    return (sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)).astype(np.float32)


def warned(benchmark: ModuleType, data: object, seed: int, draws: int, *, told: bool) -> dict[str, float]:
    """Return the share of draws of each pool that warn."""
    summary, seen = benchmark.learn(data, seed)
    found = {}
    for name, pool in benchmark.pools(data, seen).items():
        results = benchmark.draw(data, summary, pool, draws, benchmark.SIZE, seed, told=told)
        found[name] = benchmark.line(name, results, benchmark.SIZE).warned
    return found


@pytest.mark.parametrize("told", [True, False])
def test_strange_sources_warn_and_new_threads_of_known_ones_do_not(
    benchmark: ModuleType, shared: Path, *, told: bool
) -> None:
    """Also where threads are not told, and with vectors of a simple kind: words and manner are enough."""
    data = benchmark.read_data(shared, hashed, 450)
    found = warned(benchmark, data, 0, 20, told=told)
    assert all(found[source] >= 0.95 for source in benchmark.STRANGE)
    assert all(found[pool] <= 0.05 for pool in (benchmark.POOL, *benchmark.KNOWN))


@pytest.mark.soak
def test_at_most_one_draw_in_twenty_warns_of_known_sources(benchmark: ModuleType, shared: Path) -> None:
    """With the encoder's vectors and all comments of the threads, each time another quarter of the threads held out."""
    data = benchmark.read_data(shared, partial(embed, load_encoder()))
    splits = [warned(benchmark, data, seed, 50, told=True) for seed in range(4)]
    assert all(np.mean([found[source] for found in splits]) == 1 for source in benchmark.STRANGE)
    assert all(np.mean([found[pool] for found in splits]) <= 0.05 for pool in (benchmark.POOL, *benchmark.KNOWN))
