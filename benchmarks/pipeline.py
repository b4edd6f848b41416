"""The whole way of 1,000 to 1,000,000 comments, from a file to a report, by the command line itself: time and memory.

Comments are those of benchmarks/corpus.py; 8 candidate languages, one stance target, topics without stability runs.
Processor time and the peak of the proportional set size are those of the whole process tree, by stage; memory is looked
at five times a second. Exponents are slopes of log(time) and log(memory) over log(comments), from 10,000 comments on.

    python benchmarks/pipeline.py [--quick] [--sizes N…] [--tier none|static|cascade|exact] [--runs N] [FOLDER]

--tier says who answers:
  none     nobody: languages, frames, stance and vectors are drawn by chance (benchmarks/without_models.py), to time
           everything but the models
  static   the static tier of the frames bundle, whose cut-offs are moved so that it answers every comment. Its answers
           are not to be trusted; this is what a cascade costs at least. No stance, whose bundle needs the encoder
  cascade  the bundle's own cut-offs; what goes up is read by the encoder, at some 45 comments a second of a core
  exact    the encoder, for every comment

--quick: 1,000 and 10,000 comments by nobody, under a minute. Without options: 1,000 to 1,000,000 by nobody, then by
the static tier; about 15 minutes. FOLDER holds real threads as Parquet files; ../shared/threads by default.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import corpus
import numpy as np
import results

SIZES, QUICK_SIZES = (1_000, 10_000, 100_000, 1_000_000), (1_000, 10_000)
TIERS = ("none", "static", "cascade", "exact")
LANGUAGES = ("en", "es", "fr", "de", "it", "pt", "nl", "pl")
TARGET = "vaccines"
FRAMES = "frames-minilm-context"
FIT_FROM = 10_000
# "start" is what Python and the libraries take to be loaded, "topics" the last part of the tag stage.
STAGES = ("start", "collect", "normalize", "tag", "topics", "annotate", "aggregate", "report")
# Finding topics is a model at work, and the models' own loading is no work on comments.
NO_MODELS = ("normalize", "tag", "annotate", "aggregate", "report")
INTERVAL = 0.2
GOALS = "time ≤ 1.05, memory ≤ 0.2; everything but the models ≥ 15,000 comments a second; 1M in ≤ 30 min and ≤ 4 GB"


@dataclass(slots=True)
class Stage:
    """What one stage took: seconds of wall and of processor time, and bytes at its peak."""

    wall: float = 0.0
    processor: float = 0.0
    peak: int = 0


@dataclass(slots=True)
class Run:
    """One run: its stages, and how many comments the static tier and the encoder answered."""

    stages: dict[str, Stage] = field(default_factory=dict[str, Stage])
    static: int = 0
    encoder: int = 0

    def together(self, names: Iterable[str]) -> Stage:
        """Return some stages as one."""
        every = [self.stages[name] for name in names if name in self.stages]
        return Stage(sum(s.wall for s in every), sum(s.processor for s in every), max(s.peak for s in every))


def main() -> None:
    """Measure, print, and keep the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=corpus.THREADS)
    parser.add_argument("--quick", action="store_true", help="1,000 and 10,000 comments, no models, under a minute")
    parser.add_argument("--sizes", type=int, nargs="+", help="comments of each run")
    parser.add_argument("--tier", choices=TIERS, nargs="+", help="who answers; none and static by default")
    parser.add_argument("--runs", type=int, default=1, help="of each size, of which the median is printed")
    parser.add_argument("--kept", type=Path, help="a folder for corpora and workspaces, which are left there")
    options = parser.parse_args()
    if not options.folder.is_dir():
        sys.exit(f"{options.folder}: no such folder of real threads; name one")
    sizes = options.sizes or (QUICK_SIZES if options.quick else SIZES)
    tiers = options.tier or (("none",) if options.quick else ("none", "static"))
    with tempfile.TemporaryDirectory(prefix="discourse-bench-") as temporary:
        root = options.kept or Path(temporary)
        root.mkdir(parents=True, exist_ok=True)
        text = ["quick: few comments" if options.quick else f"medians of {options.runs}", ""]
        for tier in tiers:
            found = {size: [one(root, options.folder, size, tier) for _ in range(options.runs)] for size in sizes}
            text.append(table(tier, found))
            print(text[-1], flush=True)
        text.append(f"Goals, on 2 cores without anything else to do: {GOALS}.")
        if not options.quick:
            text.append("\n### The corpus\n" + corpus.describe(options.folder, min(max(sizes), 200_000), 400))
            print(text[-1])
    results.write("pipeline.py", "\n".join(text))


def one(root: Path, threads: Path, size: int, tier: str) -> Run:
    """Run the command line once on `size` comments in a workspace of its own."""
    file, workspace = root / f"comments-{size}.parquet", root / f"ws-{tier}-{size}"
    if not file.exists():
        corpus.write_file(file, threads, size)
    shutil.rmtree(workspace, ignore_errors=True)
    script = (
        ["-P", str(Path(__file__).with_name("without_models.py"))]
        if tier == "none"
        else ["-c", "from discourse.cli import main; main()"]
    )
    command = [sys.executable, *script, "run", str(file), "-o", str(workspace), *_asked(root, tier)]
    command += ["--set", f"normalize.languages={json.dumps(LANGUAGES)}", "--set", "topics.random_seeds=[0]"]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment)
    run = _watched(process)
    receipt = json.loads((workspace / "receipt.json").read_text(encoding="utf-8"))
    counts = receipt["stages"]["tag"]["counts"]
    run.static = counts.get("answered_by_static", 0)
    run.encoder = counts.get("answered_by_encoder", counts.get("tagged", 0))
    return run


def _asked(root: Path, tier: str) -> list[str]:
    """Return the options that a tier needs."""
    if tier == "static":
        return ["--frames", str(answering_all(root / "answering-all"))]
    return ["--frames", FRAMES, "--target", TARGET, *([] if tier == "cascade" else ["--exact"])]


def answering_all(folder: Path) -> Path:
    """Return a copy of the frames bundle whose cut-offs leave nothing to the encoder."""
    from discourse.models.bundle import load_bundle
    from discourse.workspace import file_sha256

    if folder.exists():
        return folder
    bundle = load_bundle(FRAMES, "frames")
    shutil.copytree(bundle.folder, folder)
    cascade = json.loads((folder / "cascade.json").read_text(encoding="utf-8"))
    for cuts in (cascade["levels"], cascade["alone"]):
        for cut in cuts.values():
            # As few are a yes as the cascade itself would call one, since the evidence of each is looked for.
            cut["high"] = cut["high"] if cut["high"] is not None else 0.0
            cut["low"] = cut["high"]
    (folder / "cascade.json").write_text(json.dumps(cascade), encoding="utf-8")
    manifest = (folder / "bundle.toml").read_text(encoding="utf-8")
    old = tomllib.loads(manifest)["files"]["cascade.json"]
    new = manifest.replace(old, file_sha256(folder / "cascade.json"))
    (folder / "bundle.toml").write_text(new, encoding="utf-8")
    return folder


def _watched(process: subprocess.Popen[str]) -> Run:
    """Let a process run; return what each stage took, told by the lines that it writes."""
    run = Run({"start": Stage()})
    now, lines, done = "start", list[str](), threading.Event()
    began, spent = time.perf_counter(), 0.0

    def look() -> None:
        while not done.wait(INTERVAL):
            stage = run.stages[now]
            stage.peak = max(stage.peak, _memory(process))

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    for line in process.stderr or ():
        lines.append(line)
        # Topics say what they begin with, and are told again in the stage's notes, which are indented.
        name = line.partition(":")[0]
        if name in STAGES and name not in run.stages:
            at, used = time.perf_counter(), _processor(process)
            run.stages[now].wall, run.stages[now].processor = at - began, used - spent
            run.stages[name] = Stage()
            now, began, spent = name, at, used
    used = _ended(process)
    done.set()
    watcher.join()
    run.stages[now].wall, run.stages[now].processor = time.perf_counter() - began, used - spent
    if process.returncode:
        sys.exit("".join(lines[-5:]))
    return run


def _ended(process: subprocess.Popen[str]) -> float:
    """Wait for the end of a process; return the processor time of it and its children."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime


def _processor(process: subprocess.Popen[str]) -> float:
    """Return the seconds of processor time of a process, its children, and those of them that have ended."""
    ticks = 0
    for place, pid in enumerate(_tree(process.pid)):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        # Of a child, what it has waited for is counted when the first process waits for it.
        ticks += sum(int(value) for value in fields[11 : 15 if place == 0 else 13])
    return ticks / os.sysconf("SC_CLK_TCK")


def _memory(process: subprocess.Popen[str]) -> int:
    """Return the proportional set size of a process and its children, in bytes."""
    total = 0
    for pid in _tree(process.pid):
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) * 1024
    return total


def _tree(pid: int) -> list[int]:
    found, asked = list[int](), [pid]
    while asked:
        found.append(asked.pop())
        for children in Path(f"/proc/{found[-1]}/task").glob("*/children"):
            try:
                asked += map(int, children.read_text(encoding="ascii").split())
            except OSError:
                continue
    return found


def table(tier: str, found: dict[int, list[Run]]) -> str:
    """Return a table of stages and sizes, and the exponents."""
    lines = [f"### {tier}", _said(tier), ""]
    lines += ["| comments | stage | processor s | wall s | peak MB | comments per processor second |", "|---" * 6 + "|"]
    whole: dict[int, tuple[Stage, Stage]] = {}
    for size, runs in found.items():
        for name in STAGES:
            if name in runs[0].stages:
                lines.append(_row(size, name, _median([run.stages[name] for run in runs])))
        whole[size] = (
            _median([run.together(STAGES[2:]) for run in runs]),
            _median([run.together(STAGES) for run in runs]),
        )
        lines.append(_row(size, "**normalize → report**", whole[size][0]))
        lines.append(_row(size, "**all**", whole[size][1]))
        if tier == "none":
            bare = _median([run.together(NO_MODELS) for run in runs])
            lines.append(_row(size, "**everything but the models**", bare))
    lines.append("")
    for size, runs in found.items():
        answered = runs[0].static + runs[0].encoder
        if tier != "none":
            lines.append(f"{size:,} comments: {runs[0].encoder / max(1, answered):.1%} went up to the encoder.")
    for place, name in ((0, "normalize → report"), (1, "all stages")):
        lines.append(_exponents(name, {size: each[place] for size, each in whole.items()}))
    return "\n".join(lines) + "\n"


def _said(tier: str) -> str:
    return {
        "none": (
            "Languages, frames, stance and vectors are drawn by chance. Everything but the models: "
            f"{', '.join(NO_MODELS)}; that is without finding topics, and without collect."
        ),
        "static": "The static tier answers every comment (cut-offs moved, answers not to be trusted); no stance.",
        "cascade": f"The cascade of {FRAMES} as it ships, one stance target.",
        "exact": f"The encoder reads every comment for {FRAMES}, one stance target.",
    }[tier]


def _row(size: int, name: str, stage: Stage) -> str:
    rate = f"{size / stage.processor:,.0f}" if stage.processor > 0.05 else "–"
    return f"| {size:,} | {name} | {stage.processor:.1f} | {stage.wall:.1f} | {stage.peak / 1e6:,.0f} | {rate} |"


def _median(stages: list[Stage]) -> Stage:
    return Stage(
        statistics.median(stage.wall for stage in stages),
        statistics.median(stage.processor for stage in stages),
        int(statistics.median(stage.peak for stage in stages)),
    )


def _exponents(name: str, whole: dict[int, Stage]) -> str:
    sizes = [size for size in whole if size >= FIT_FROM]
    if len(sizes) < 2:
        sizes = list(whole)
    if len(sizes) < 2:
        return f"{name}: one size tells no exponent."
    x = np.log(sizes)
    wall, processor, memory = (
        np.polyfit(x, np.log([getattr(whole[size], part) for size in sizes]), 1)[0]
        for part in ("wall", "processor", "peak")
    )
    return (
        f"Growth exponents of {name}, {sizes[0]:,} to {sizes[-1]:,}: processor time {processor:.2f}, wall time "
        f"{wall:.2f}, memory {memory:.2f}.\n"
    )


if __name__ == "__main__":
    main()
