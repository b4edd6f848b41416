"""The command line: parse, call, print. Each verb is a small file; what it does is a plain function elsewhere."""

from __future__ import annotations

import sys
import traceback

from discourse.errors import DiscourseError
from discourse.progress import say

INTERRUPTED = 130
STOPPED = "interrupted: run the same command again to go on where it stopped"


def main() -> None:
    """Run the command line, and turn every failure into one sentence and an exit code."""
    arguments = sys.argv[1:]
    debug = "--debug" in arguments
    try:
        from discourse.cli.app import app

        app(args=[argument for argument in arguments if argument != "--debug"], standalone_mode=True)
    except DiscourseError as e:
        if debug:
            traceback.print_exc()
        say(f"error: {e}")
        sys.exit(e.exit_code)
    except SystemExit as e:
        # typer turns Ctrl-C into this exit code without a word.
        if e.code == INTERRUPTED:
            say(STOPPED)
        raise
    except KeyboardInterrupt:
        say(STOPPED)
        sys.exit(INTERRUPTED)
    except OSError as e:
        if debug:
            traceback.print_exc()
        say(f"error: {str(e.filename or 'a file')[:200]}: {e.strerror or e}; check the path and the rights to it")
        sys.exit(1)
    except BaseException as e:  # noqa: BLE001  # the last resort; a panic in Rust code is no Exception
        if debug:
            traceback.print_exc()
        first = (str(e).splitlines() or [""])[0][:200]
        say(f"error: this is a fault of discourse ({type(e).__name__}: {first}); run again with --debug and report it")
        sys.exit(1)
