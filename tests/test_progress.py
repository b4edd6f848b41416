"""Long work shows itself to a person at a terminal, and to nobody else."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

from discourse.progress import line

SHOW = """
import time
from discourse.progress import line
with line("Paged") as show:
    show("3 requests, [red]30[/red] comments \\x1b]0;evil\\x07")
    time.sleep(0.5)
"""


def test_the_line_is_quiet_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    """A file or a pipe gets nothing."""
    with line("Paged") as show:
        show("3 requests")
    assert capsys.readouterr() == ("", "")


def test_the_line_shows_at_a_terminal_what_was_said() -> None:
    """The text stands there as it is: no markup is followed, and no control character comes through."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", SHOW], stderr=theirs, env={**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    )
    os.close(theirs)
    seen = b""
    try:
        while piece := os.read(ours, 4096):
            seen += piece
    except OSError:
        pass
    os.close(ours)
    assert process.wait(timeout=30) == 0
    assert b"3 requests" in seen
    assert b"[red]" in seen
    assert b"\x1b]0;" not in seen
