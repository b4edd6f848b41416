"""The command line: parse, call, print. Each verb is a small file; what it does is a plain function elsewhere."""

from __future__ import annotations

import signal
import sys
import traceback

from discourse.cli.streams import UNREAD, flush_output, mend_streams, output_fault, silence_output
from discourse.errors import DiscourseError, memory_is_full
from discourse.progress import say

INTERRUPTED = 130
STOPPED = "interrupted: run the same command again to go on where it stopped"
MEMORY = (
    "there is not enough memory; close other programs or take a machine with more of it: what was finished is kept, "
    "run again to go on"
)
# Signals that ask a program to end, as Ctrl-C does.
ENDING = (signal.SIGTERM, signal.SIGHUP)


def main() -> None:
    """Run the command line, and turn every failure into one sentence and an exit code."""
    mend_streams()
    for number in ENDING:
        # A signal that is ignored on purpose, as nohup does, stays so.
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _interrupt)
    output = sys.stdout
    code = _run(sys.argv[1:])
    # typer puts something that never fails in the place of an output that nobody reads.
    fault = UNREAD if sys.stdout is not output else flush_output()
    if fault is not None:
        silence_output()
        say(fault)
        code = code or 1
    sys.exit(code)


def _run(arguments: list[str]) -> int:
    debug = "--debug" in arguments
    try:
        from discourse.cli.app import app

        app(args=[argument for argument in arguments if argument != "--debug"], standalone_mode=True)
    except SystemExit as e:
        code = e.code if isinstance(e.code, int) else 0 if e.code is None else 1
        # typer turns Ctrl-C into this exit code without a word.
        if code == INTERRUPTED:
            say(STOPPED)
        return code
    except KeyboardInterrupt:
        say(STOPPED)
        return INTERRUPTED
    except BaseException as e:  # noqa: BLE001  # the last resort; a panic in Rust code is no Exception
        if debug:
            traceback.print_exc()
        say(output_fault(e) or f"error: {_sentence(e)}")
        return e.exit_code if isinstance(e, DiscourseError) else 1
    return 0


def _sentence(error: BaseException) -> str:
    if isinstance(error, DiscourseError):
        return str(error)
    first = (str(error).splitlines() or [""])[0][:200]
    if memory_is_full(error):
        return MEMORY
    if isinstance(error, OSError):
        return (
            f"{str(error.filename or 'a file')[:200]}: {error.strerror or error}; check the path and the rights to it"
        )
    return f"this is a fault of discourse ({type(error).__name__}: {first}); run again with --debug and report it"


def _interrupt(number: int, frame: object) -> None:
    del frame
    # Asked once is enough: what is half-written is put away undisturbed.
    signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt
