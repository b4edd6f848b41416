"""Long work shows itself to a person at a terminal, and to nobody else."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from discourse.progress import line

SHOW = """
import time
from discourse.progress import line
with line("Paged") as show:
    show("3 requests, [red]30[/red] comments \\x1b]0;evil\\x07")
    time.sleep(0.5)
"""

WORK = """
import time
from discourse.progress import bar
with bar("nothing to do", 0), bar("frames", 80) as advance:
    for _ in range(6):
        advance(10)
        time.sleep(0.5)
"""


def test_the_line_is_quiet_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    """A file or a pipe gets nothing."""
    with line("Paged") as show:
        show("3 requests")
    assert capsys.readouterr() == ("", "")


def seen_at_a_terminal(code: str) -> bytes:
    """Run some code whose stderr is a terminal, and return what stands there."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", code], stderr=theirs, env={**os.environ, "TERM": "xterm", "COLUMNS": "100"}
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
    return seen


def test_the_line_shows_at_a_terminal_what_was_said() -> None:
    """The text stands there as it is: no markup is followed, and no control character comes through."""
    seen = seen_at_a_terminal(SHOW)
    assert b"3 requests" in seen
    assert b"[red]" in seen
    assert b"\x1b]0;" not in seen


def test_a_bar_shows_how_much_is_done_and_how_long_the_rest_takes() -> None:
    """Where there is no work there is no bar."""
    seen = seen_at_a_terminal(WORK)
    assert b"frames" in seen
    assert b"60/80" in seen
    assert re.search(rb"0:00:0[1-9]", seen)
    assert b"nothing to do" not in seen


def test_a_message_that_cannot_be_written_stops_nothing() -> None:
    """Where stderr is full, work goes on."""
    code = "from discourse.progress import say; say('x' * 9999); say('y'); print('done')"
    with Path("/dev/full").open("wb") as full:
        process = subprocess.run([sys.executable, "-c", code], stderr=full, stdout=subprocess.PIPE, check=True)
    assert process.stdout == b"done\n"
