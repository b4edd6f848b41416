"""The last figures of each benchmark, in benchmarks/RESULTS.md: one section a benchmark, replaced when it is run again.

python benchmarks/results.py    # says what machine and versions a section would name
"""

from __future__ import annotations

import fcntl
import os
import platform
import re
import tempfile
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

RESULTS = Path(__file__).with_name("RESULTS.md")
TITLE = (
    "# Results of the benchmarks\n\n"
    "Each section is written by the script that it names, when that script was last run whole, and says on what.\n"
)
LIBRARIES = ("torch", "polars", "numpy", "transformers", "tokenizers", "sentence-transformers", "onnxruntime", "ray")


def write(section: str, markdown: str, path: Path = RESULTS) -> None:
    """Replace one section of the results, atomically; a new section goes behind the others.

    Args:
        section: its heading, such as ``pipeline.py``; lower-case letters, digits, ``.``, ``_`` and ``-``.
        markdown: tables and sentences, without a heading; the machine, the versions and the date are added above them.
        path: the file, made if absent.

    Raises:
        ValueError: the section's name could not stand in a marker.
    """
    if not re.fullmatch(r"[a-z0-9._-]+", section):
        raise ValueError(f"section {section!r}: use lower-case letters, digits, dots, underscores and hyphens")
    begin, end = f"<!-- begin {section} -->", f"<!-- end {section} -->"
    block = f"{begin}\n## {section}\n{stamp()}\n\n{markdown.strip()}\n{end}\n"
    with Path(tempfile.gettempdir(), "discourse-benchmark-results.lock").open("w") as lock:
        # Two benchmarks that end at once must not lose each other's section.
        fcntl.flock(lock, fcntl.LOCK_EX)
        text = path.read_text(encoding="utf-8") if path.exists() else TITLE
        pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}\n?", re.DOTALL)
        # A function, so that no backslash of the block is read as a group.
        text, found = pattern.subn(lambda _: block, text)
        if not found:
            text = f"{text.rstrip()}\n\n{block}"
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".partial-")
        with os.fdopen(handle, "w", encoding="utf-8") as partial:
            partial.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(path)


def stamp() -> str:
    """Say when and on what a benchmark is run: date, cores, processor, memory, other load, and versions."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = os.getloadavg()[0]
    return (
        f"*{datetime.now(UTC):%Y-%m-%d %H:%M} UTC · {len(os.sched_getaffinity(0))} cores of {_processor()} · "
        f"{memory:.0f} GiB of memory · load {load:.1f} in the last minute · {_versions()}*"
    )


def _versions() -> str:
    found = [f"Python {platform.python_version()}"]
    for name in ("discourse", *LIBRARIES):
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    return ", ".join(found)


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


if __name__ == "__main__":
    print(stamp())
