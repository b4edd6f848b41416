"""Output that is full, closed or no longer read, and signals: one sentence, the right exit code, no traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

MAIN = "from discourse.cli import main; main()"
COMMAND = [sys.executable, "-c", MAIN]


def said(process: subprocess.CompletedProcess[bytes]) -> list[str]:
    """The lines on stderr, none of which may be of a traceback."""
    text = process.stderr.decode()
    assert "Traceback" not in text
    assert "Exception ignored" not in text
    return text.splitlines()


def test_a_full_output_is_told() -> None:
    """What cannot be printed is no success."""
    with Path("/dev/full").open("wb") as full:
        process = subprocess.run([*COMMAND, "sources", "--json"], stdout=full, stderr=subprocess.PIPE, check=False)
    assert process.returncode == 1
    assert said(process) == [
        "error: the output cannot be written (No space left on device); send it to a file or a program that takes it"
    ]


def test_an_output_that_nobody_reads_is_told() -> None:
    """As behind `| head`: printing stops."""
    ours, theirs = os.pipe()
    os.close(ours)
    process = subprocess.run([*COMMAND, "sources", "--json"], stdout=theirs, stderr=subprocess.PIPE, check=False)
    os.close(theirs)
    assert process.returncode == 1
    assert said(process) == ["stopped printing: nobody reads the output any more; what was computed is kept"]


def test_a_closed_output_is_told() -> None:
    """No file of ours takes its place, and what was to be printed is no success."""
    process = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", *COMMAND, "sources"], capture_output=True, check=False)
    assert process.returncode == 1
    assert said(process) == [
        "error: the output cannot be written (it is closed); send it to a file or a program that takes it"
    ]


def test_closed_messages_leave_the_output_as_it_is(tmp_path: Path) -> None:
    """Where stderr is closed, messages are dropped and do not get among the data."""
    (tmp_path / "a.txt").write_text("The ferry is late.\n\nIt rains.", encoding="utf-8")
    arguments = ["collect", str(tmp_path / "a.txt"), "-o", str(tmp_path / "ws"), "--json"]
    process = subprocess.run(
        ["sh", "-c", 'exec "$@" 2>&-', "sh", *COMMAND, *arguments], capture_output=True, check=False
    )
    assert process.returncode == 0
    assert process.stdout.startswith(b"{")
    assert process.stdout.rstrip().endswith(b"}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_ends_a_run_with_one_sentence(number: signal.Signals, tmp_path: Path) -> None:
    """Nothing half-written stays, and the exit code says that the run can go on."""
    rows = "\n".join(f"The {place}th ferry of this week came late again.\n" for place in range(3_000))
    (tmp_path / "a.txt").write_text(rows, encoding="utf-8")
    with subprocess.Popen(
        [*COMMAND, "run", str(tmp_path / "a.txt"), "-o", str(tmp_path / "ws")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("normalize:"):
                break
        process.send_signal(number)
        out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (130, "")
    assert err.splitlines()[-1] == "interrupted: run the same command again to go on where it stopped"
    assert "Traceback" not in err
    assert not list(tmp_path.rglob(".partial-*"))
    assert not list(tmp_path.rglob("report.html"))
