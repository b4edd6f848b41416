"""Write docs/sources.md: every source, what it needs and loses, and what it was tested on.

    python benchmarks/sources.py

The recorded answers lie beside the checkout and are other people's; only their number and what was read is written.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from discourse.collect.answers import UnreadableAnswerError
from discourse.collect.rawfile import read_file
from discourse.collect.saved import saved_answers
from discourse.collect.sources.answer_file import owner
from discourse.collect.sources.catalogue import catalogue
from discourse.collect.sources.platforms import platforms
from discourse.errors import InputError

ROOT = Path(__file__).resolve().parents[1]
PAYLOADS = ROOT.parent / "shared" / "payloads"
SERVERS = {"isso": "Isso", "xtd": "django-comments-xtd", "wordpress": "WordPress"}


@dataclass(slots=True)
class Tested:
    """What recorded answers gave for one platform."""

    files: int = 0
    answers: int = 0
    comments: int = 0
    reasons: int = 0
    folders: set[str] = field(default_factory=set[str])


def recorded() -> dict[str, Tested]:
    """Read every recorded answer by the platform that claims it."""
    family = platforms()
    found: dict[str, Tested] = {}
    for path in sorted(PAYLOADS.rglob("*")):
        if not path.is_file() or path.suffix == ".head" or path.name == "README.md":
            continue
        try:
            answers = saved_answers(read_file(path), datetime(2026, 1, 1, tzinfo=UTC), lambda _place, _error: None)
        except InputError:
            continue
        seen: set[str] = set()
        for answer in answers:
            platform = owner(family, answer)
            if platform is None:
                continue
            tested = found.setdefault(platform.name, Tested())
            tested.answers += 1
            tested.files += platform.name not in seen
            seen.add(platform.name)
            tested.folders.add(str(path.parent.relative_to(PAYLOADS)))
            try:
                page = platform.read(answer)
            except UnreadableAnswerError:
                tested.reasons += 1
                continue
            tested.comments += len(page.comments)
            tested.reasons += not page.comments
    return found


def forms() -> dict[str, list[str]]:
    """The forms in which random threads are written and read back, by platform."""
    from importlib import import_module

    sys.path.insert(0, str(ROOT))  # the forms are part of the tests
    from discourse.collect.sources.platforms import platform_of_address

    family = platforms()
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests" / "collect" / "forms").glob("[a-z]*.py")):
        form = import_module(f"tests.collect.forms.{path.stem}")
        name = platform_of_address(form.ADDRESS, family).name if form.ADDRESS else form.PLATFORM
        found.setdefault(name if isinstance(name, str) else name.name, []).append(path.stem)
    return found


def main() -> None:
    """Write the page."""
    tested, written = recorded(), forms()
    lines = [
        "# Sources",
        "",
        "Written by `python benchmarks/sources.py`. *Random threads*: threads made by hypothesis, written in the",
        "platform's own form, paged, permuted, repeated and damaged, and read back",
        "(`tests/collect/test_contract.py`), and collected over HTTP (`tests/collect/test_replay.py`). *Recorded*:",
        "answers of real platforms and servers, which are not in the repository. *Live*: a real server that the tests",
        "start.",
        "",
        "APIs have terms of their own, which are yours to keep; robots.txt is obeyed for pages. Proxies are not",
        "supported, because an address could not be checked through one.",
        "",
        "| source | reads | needs | loses |",
        "|---|---|---|---|",
    ]
    listed = catalogue()
    lines += [f"| {one.title} | {one.reads} | {', '.join(one.needs) or '–'} | {one.loses} |" for one in listed]
    lines += [
        "",
        "| source | random threads | recorded: files, answers, comments read, answers with a reason instead | live |",
        "|---|---|---|---|",
    ]
    for one in platforms():
        got = tested.get(one.name, Tested())
        seen = (
            f"{got.files:,}, {got.answers:,}, {got.comments:,}, {got.reasons:,} ({', '.join(sorted(got.folders))})"
            if got.files
            else "none"
        )
        in_forms, live = ", ".join(written.get(one.name, [])) or "none", SERVERS.get(one.name, "–")
        lines.append(f"| {one.title} | {in_forms} | {seen} | {live} |")
    (ROOT / "docs" / "sources.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(json.dumps({"platforms": len(platforms()), "recorded": sum(one.files for one in tested.values())}))


if __name__ == "__main__":
    main()
