"""How long a command takes that has little to do: help, the status of a workspace, the tags of one comment.

    python benchmarks/startup.py [--quick] [--runs 7]

Each command is a process of its own, timed from its start to its end; commands in turn within each run. Cold: what the
system keeps of files in memory is dropped before (/proc/sys/vm/drop_caches, where that is permitted, else there is no
cold column). Processor time is that of the process and its children, in user and system mode, warm.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from results import write

CACHES = Path("/proc/sys/vm/drop_caches")
DISCOURSE = Path(sys.executable).with_name("discourse")
GOALS = {"discourse --help": "≤ 0.3 s (hope 0.15)", "discourse tag, one comment": "≤ 4 s cold (hope 2)"}


@dataclass(frozen=True, slots=True)
class Taken:
    """Seconds of one process: by the clock, and of processors."""

    wall: float
    cpu: float


def main() -> None:
    """Print the table, and write it unless in a hurry."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="3 runs, nothing written")
    given = parser.parse_args()
    if given.quick:
        given.runs = 3
    with tempfile.TemporaryDirectory() as name:
        lines = table(Path(name), given.runs)
    print("\n".join(lines))
    if not given.quick:
        write("startup.py", "\n".join(lines))


def table(folder: Path, runs: int) -> list[str]:
    """Run all commands and return medians with ranges."""
    commands = prepared(folder)
    cold = drop_caches()
    warm_times: dict[str, list[Taken]] = {name: [] for name in commands}
    cold_times: dict[str, list[Taken]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            if cold and name != "python -c pass":
                drop_caches()
                cold_times[name].append(timed(command, folder))
            else:
                timed(command, folder)
            warm_times[name].append(timed(command, folder))
    lines = [
        f"`python benchmarks/startup.py --runs {runs}`; medians of {runs} [least–most], seconds.",
        "",
        "| command | cold | warm | processor time, warm | goal |",
        "|---|---|---|---|---|",
    ]
    for name in commands:
        seconds = [shown([one.wall for one in times[name]]) for times in (cold_times, warm_times)]
        cpu = shown([one.cpu for one in warm_times[name]])
        lines.append(f"| `{name}` | {' | '.join(seconds)} | {cpu} | {GOALS.get(name, '–')} |")
    if not cold:
        lines += ["", "Caches could not be dropped here: there is no cold column."]
    return lines


def prepared(folder: Path) -> dict[str, list[str]]:
    """Make a workspace and a table of one comment, and return the commands by name."""
    one, texts, workspace = folder / "one.csv", folder / "thread.csv", folder / "workspace"
    one.write_text("id,text\n1,The lamps on our street film us and nobody asked.\n", encoding="utf-8")
    rows = [f"{i},Comment number {i} says that the ferry was late again." for i in range(200)]
    texts.write_text("id,text\n" + "\n".join(rows) + "\n", encoding="utf-8")
    for verb in (["collect", str(texts), "-o"], ["normalize"]):
        subprocess.run([DISCOURSE, *verb, str(workspace)], check=True, capture_output=True)
    tag = ["tag", str(one), "--text-column", "text", "-o", str(folder / "tags.csv")]
    return {
        "python -c pass": [sys.executable, "-c", "pass"],
        "discourse --help": [str(DISCOURSE), "--help"],
        "discourse status, 200 comments": [str(DISCOURSE), "status", str(workspace)],
        "discourse tag, one comment": [str(DISCOURSE), *tag],
    }


def timed(command: list[str], folder: Path) -> Taken:
    """Run a command to its end."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True, env={**os.environ, "HF_HUB_OFFLINE": "1"})
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Taken(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def drop_caches() -> bool:
    """Drop what is kept of files in memory, and tell whether that was permitted."""
    try:
        os.sync()
        CACHES.write_text("3\n", encoding="ascii")
    except OSError:
        return False
    return True


def shown(values: list[float]) -> str:
    """Show a median with the range; a dash where nothing was timed."""
    return f"{np.median(values):.2f} [{min(values):.2f}–{max(values):.2f}]" if values else "–"


if __name__ == "__main__":
    main()
