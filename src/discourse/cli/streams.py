"""Standard streams that are closed, full or no longer read."""

from __future__ import annotations

import errno
import os
import sys


def mend_streams() -> None:
    """Open streams that this process was started without, so that no file of the workspace takes their numbers.

    Output that is closed can be opened but not written to: whoever prints is told, see `output_fault`. Messages that
    nobody can see are dropped.
    """
    while (opened := os.open(os.devnull, os.O_RDWR)) <= 2:
        if opened == 1:
            os.close(1)
            os.open(os.devnull, os.O_RDONLY)
    os.close(opened)
    if sys.stdout is None:  # pyright: ignore[reportUnnecessaryComparison] - it is where it was closed
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - a stream, for good
    if sys.stderr is None:  # pyright: ignore[reportUnnecessaryComparison] - as above
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - as above


def output_fault() -> str | None:
    """Say in a sentence why what was printed could not be written, or None if it was."""
    try:
        for stream in {id(one): one for one in (sys.stdout, sys.__stdout__) if one is not None}.values():
            stream.flush()
    except OSError as e:
        if e.errno == errno.EPIPE:
            return "stopped printing: nobody reads the output any more; what was computed is kept"
        closed = "it is closed" if e.errno == errno.EBADF else e.strerror or str(e)
        return f"error: the output cannot be written ({closed}); send it to a file or a program that takes it"
    return None


def silence_output() -> None:
    """Send what is still to be printed nowhere, so that the interpreter does not stumble over it when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
