"""Attack strings, and a run of the whole pipeline in which they stand wherever words of others can stand."""

from __future__ import annotations

import html
import json
import tomllib
from collections.abc import Sequence
from pathlib import Path

from discourse import pipeline
from discourse.codebook import load_codebook
from discourse.config import parse_config
from discourse.report import run as report_stage
from discourse.workspace import Workspace, open_workspace

WRITTEN: dict[str, list[str]] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
FLOODS = (
    "a" + "\u200b" * 5000 + "z",
    "a" + "\u200d\u200c\u2060\ufeff" * 1000 + "z",
    "Z" + "\u0334\u0316\u0322\u0353\u0348\u033a\u0301\u0302\u0303\u0304" * 200 + "algo",
    "\u202e" * 3000 + "turned",
    "\u2066" * 3000 + "isolated",
    "one line" + "\n" * 4000 + "another",
    "one line" + "\u2028\u2029\u0085\r" * 1000 + "another",
    "tabs" + "\t" * 3000 + "end",
    "W" * 20_000,
    "\ufdfd" * 2000,
    "\u0627" * 20_000,
    "-" * 5000,
    "\u00a0" * 5000 + "pushed",
    "\u3000" * 3000 + "pushed",
    "\U0001f468\u200d" * 1000,
    "<" * 5000,
    "<div>" * 3000,
    "&amp;" * 3000,
)
ATTACKS: tuple[str, ...] = (*(attack for kind in WRITTEN.values() for attack in kind), *FLOODS)
THREADS = 60
FILE_NAME = '"><img src=x onerror=window.owned=1> \u202elnosj.jsonl'
TARGETS = (
    '"><img src=x onerror=window.owned=1>',
    "\u202e\u2067the mayor\u05d0",
    "</text></svg><script>window.owned=1</script>",
    "Z" + "\u0316\u0322\u0353\u0348" * 40 + "algo",
    "W" * 300,
)


def rows() -> list[dict[str, str | None]]:
    """Return a comment for each attack, every second one as markup that decodes to it, with attacks all around it."""
    ids = [f"{place} {attack[:300]}" for place, attack in enumerate(ATTACKS)]
    found: list[dict[str, str | None]] = []
    for place, attack in enumerate(ATTACKS):
        encoded = f"<p>The mayor should answer for this: {html.escape(attack)}</p>"
        link = next((word for word in attack.split() if ":" in word), f"https://example.org/{place}")
        row = {
            "id": ids[place],
            "thread_id": f"t{place // 3 % THREADS}",
            "title": ATTACKS[place // 3 % THREADS * 4],
            "author": attack,
            "parent_id": ids[place - 1] if place % 3 else None,
            "text": encoded if place % 2 else f"{attack} No more cameras!",
            "url": link if place % 4 < 2 else attack[:500],
        }
        found.append(row)
    return found


def codebook(folder: Path) -> Path:
    """Write the shipped codebook with attacks for titles, definitions and rules."""
    shipped = load_codebook("surveillance-culture-secrecy")
    lines = ['name = "hostile"', "version = 1", f"unit = {quoted(ATTACKS[4])}"]
    for place, frame in enumerate(shipped.frames):
        rules = quoted(ATTACKS[place :: 2 * len(shipped.frames)])
        title, definition = quoted(TARGETS[place % len(TARGETS)]), quoted(ATTACKS[-1 - place])
        lines += ["[[frames]]", f'name = "{frame.name}"', f"title = {title}", f"definition = {definition}"]
        lines += [f"yes = {rules}", f"no = {rules}"]
    file = folder / "hostile-codebook.toml"
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


def quoted(value: object) -> str:
    """Write strings as TOML does, which knows no halves of characters."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def run(folder: Path) -> Workspace:
    """Write the files and run every stage but the report on them."""
    source = folder / FILE_NAME
    broken = "".join(f'{{"id": "broken{place}", "text": {attack[:200]}\n' for place, attack in enumerate(ATTACKS[:40]))
    written = "".join(json.dumps(row) + "\n" for row in rows())
    source.write_text(written + broken.replace("\r", ""), encoding="utf-8")
    stages = [name for name in pipeline.STAGE_NAMES if name != "report"]
    pipeline.run(parse_config(settings(source, TARGETS[:1])), folder / "ws", stages)
    return open_workspace(folder / "ws")


def write(workspace: Workspace, output: Path, **report: object) -> None:
    """Write the report; its codebook is hostile, too: a bundle tags by none but its own."""
    (source,) = workspace.root.parent.glob("*.jsonl")
    book = {"codebook": {"file": str(codebook(workspace.root.parent))}, "report": report}
    report_stage(workspace, parse_config({**settings(source, TARGETS), **book}), output)


def settings(source: Path, targets: Sequence[str]) -> dict[str, object]:
    """Return the settings of the run: hostile targets and topic names, too."""
    return {
        "input": {"sources": [str(source)], "map": {"comment_id": "id", "parent_id": "parent_id"}},
        "stance": {"targets": targets},
        "topics": {"rename": {str(number): ATTACKS[number * 7] for number in range(8)}, "random_seeds": (0,)},
    }
