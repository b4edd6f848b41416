"""Standard streams that are closed, full or no longer read."""

from __future__ import annotations

import errno
import os
import sys

UNREAD = "stopped printing: nobody reads the output any more; what was computed is kept"
# What printing can fail with. Files of ours have a name in their errors, the output has none.
_FAULTS = {errno.EBADF, errno.EIO, errno.ENOSPC, errno.EPIPE}


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


def output_fault(error: BaseException) -> str | None:
    """Say in a sentence why what was printed could not be written, or None if the error is of something else."""
    if not isinstance(error, OSError) or error.filename is not None or error.errno not in _FAULTS:
        return None
    if error.errno == errno.EPIPE:
        return UNREAD
    reason = "it is closed" if error.errno == errno.EBADF else error.strerror
    return f"error: the output cannot be written ({reason}); send it to a file or a program that takes it"


def flush_output() -> str | None:
    """Write what still waits to be printed; return why that failed, if it did."""
    try:
        sys.stdout.flush()
    except OSError as e:
        return output_fault(e)
    return None


def silence_output() -> None:
    """Send what is still to be printed nowhere, so that the interpreter does not stumble over it when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
