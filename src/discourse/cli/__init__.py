"""The command line: parse, call, print. Each verb is a small file; what it does is a plain function elsewhere."""

from __future__ import annotations

import sys
import traceback

from discourse.errors import DiscourseError
from discourse.progress import say

INTERRUPTED = 130


def main() -> None:
    """Run the command line, and turn every failure into one sentence and an exit code."""
    from discourse.cli.app import app

    arguments = sys.argv[1:]
    debug = "--debug" in arguments
    try:
        app(args=[argument for argument in arguments if argument != "--debug"], standalone_mode=True)
    except DiscourseError as e:
        if debug:
            traceback.print_exc()
        say(f"error: {e}")
        sys.exit(e.exit_code)
    except KeyboardInterrupt:
        say("interrupted: run the same command again to go on where it stopped")
        sys.exit(INTERRUPTED)
    except Exception as e:  # noqa: BLE001  # the last resort: a person must not read a traceback unless asked for
        if debug:
            traceback.print_exc()
        first = (str(e).splitlines() or [""])[0][:200]
        say(f"error: this is a fault of discourse ({type(e).__name__}: {first}); run again with --debug and report it")
        sys.exit(1)
