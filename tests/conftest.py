"""What every test may use, and what none may touch: the network, the home folder, a model hub."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from discourse.models.bundle import Bundle, load_bundle, shipped_bundles

LOOPBACK = ("127.", "::1", "localhost")


@pytest.fixture(autouse=True)
def fence(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Refuse every connection that leaves this machine, and give each test a home folder of its own."""
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and not str(address[0]).startswith(LOOPBACK):
            raise AssertionError(f"a test must not reach {address!r}")
        real(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of other people's data beside the checkout; tests that need it are skipped where it is absent."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip("no ../shared beside this checkout")
    return folder


@pytest.fixture(scope="session")
def frames_bundle() -> Bundle:
    """The shipped frames bundle."""
    assert "frames-minilm" in shipped_bundles()
    return load_bundle("frames-minilm", "frames")
