"""Starting other people's servers on loopback, and stopping them."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

PYTHON = Path(__file__).resolve().parents[2] / ".venv" / "servers" / "bin" / "python"
_START = 60.0


def server_python() -> Path:
    """Return the interpreter that has Isso and django-comments-xtd; skip where it was not made."""
    if not PYTHON.exists():
        pytest.skip("no Isso and django-comments-xtd here: run `make servers`")
    return PYTHON


def program(name: str) -> str:
    """Return a system program's path; skip where it is missing."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"no {name} here: run `make servers` as root where apt is at hand")
    return found


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    command: Sequence[str | Path], ready: Callable[[], bool], log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[None]:
    """Run a server until the block is left; `ready` tells when it can be used.

    Raises:
        RuntimeError: it stops, or is not ready in time; its last words are in the message.
    """
    # None of the keys and settings of the person who runs the tests.
    clean = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    with log.open("wb") as out:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**clean, "HOME": str(log.parent), **(environment or {})},
            cwd=log.parent,
            start_new_session=True,
        )
        try:
            until = time.monotonic() + _START
            while not ready():
                if process.poll() is not None or time.monotonic() > until:
                    words = log.read_text(errors="replace")[-2_000:]
                    raise RuntimeError(f"{command[0]} did not start:\n{words}")
                time.sleep(0.05)
            yield
        finally:
            stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a server and all that it started: politely, then not."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, how)
        except ProcessLookupError:
            break
        try:
            process.wait(timeout=10)
            break
        except subprocess.TimeoutExpired:
            continue
    process.wait()


def listens(port: int) -> bool:
    """Tell whether somebody listens on a port of loopback."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
