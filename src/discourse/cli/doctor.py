"""`discourse doctor`: is everything here that a run needs?"""

from __future__ import annotations

import typer

from discourse.cli.options import Json, print_json


def doctor(as_json: Json = False) -> None:
    """Check the installation: libraries, encoder weights by hash, bundles, codebooks, the sample.

    Example:

      discourse doctor
    """
    from discourse.diagnosis import diagnose

    checks = diagnose()
    if as_json:
        print_json({"ok": all(check.ok for check in checks), "checks": checks})
    else:
        for check in checks:
            print(f"{'ok  ' if check.ok else 'FAIL'} {check.name}: {check.found}")
    if not all(check.ok for check in checks):
        raise typer.Exit(1)
