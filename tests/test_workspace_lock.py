"""One writer at a time; a lock of the dead is free; what they left half-written is swept."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from discourse.errors import WorkspaceError
from discourse.workspace import Workspace

HOLD = (
    "import sys; from pathlib import Path; from discourse.workspace import Workspace\n"
    "with Workspace(Path(sys.argv[1])).lock(): print('held', flush=True); sys.stdin.read()"
)


def holding(root: Path) -> subprocess.Popen[str]:
    """Start a process that holds the lock until its input ends."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def test_a_second_writer_is_told_who_is_writing_and_where(tmp_path: Path) -> None:
    """The sentence names process and machine; when the first is done, the second may write."""
    root = tmp_path / "ws"
    with holding(root) as holder:
        said = f"another run \\(process {holder.pid} on {socket.gethostname()}\\) is writing here"
        with pytest.raises(WorkspaceError, match=said), Workspace(root).lock():
            pass
        holder.communicate("")
    with Workspace(root).lock():
        pass


def test_the_lock_of_a_killed_run_is_free(tmp_path: Path) -> None:
    """The file stays and still names the dead process, which keeps nobody out."""
    with holding(tmp_path) as holder:
        holder.send_signal(signal.SIGKILL)
        holder.wait(timeout=30)
    assert (tmp_path / ".lock").read_text().startswith(f"{holder.pid} ")
    with Workspace(tmp_path).lock():
        assert (tmp_path / ".lock").read_text() == f"{os.getpid()} {socket.gethostname()}"


@pytest.mark.parametrize("content", [b"", b"\xff\x00 nobody", b"12 \x1b[31mred", b"9" * 400])
def test_a_damaged_lock_file_keeps_nobody_out_and_is_not_echoed(content: bytes, tmp_path: Path) -> None:
    """What the file says is for the sentence alone."""
    with holding(tmp_path) as holder:
        (tmp_path / ".lock").write_bytes(content)
        with pytest.raises(WorkspaceError, match="another run") as caught, Workspace(tmp_path).lock():
            pass
        assert str(caught.value).isprintable()
        holder.communicate("")
    (tmp_path / ".lock").write_bytes(content)
    with Workspace(tmp_path).lock():
        pass


def test_what_a_killed_run_left_is_swept(tmp_path: Path) -> None:
    """Half-written files and folders go; links are not followed."""
    (tmp_path / "ws" / "frames").mkdir(parents=True)
    left = tmp_path / "ws" / "frames" / ".partial-abc"
    left.write_text("half", encoding="utf-8")
    (tmp_path / "ws" / ".partial-batches" / "cleaned").mkdir(parents=True)
    (tmp_path / "ws" / ".partial-batches" / "cleaned" / "0.parquet").write_bytes(b"half")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.doc").write_text("mine", encoding="utf-8")
    (tmp_path / "ws" / ".partial-link").symlink_to(tmp_path / "other")
    with Workspace(tmp_path / "ws").lock():
        assert not list((tmp_path / "ws").rglob(".partial-*"))
    assert (tmp_path / "other" / "thesis.doc").read_text(encoding="utf-8") == "mine"
