"""Recorded answers with changed bytes: each must give rows or one reason."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from discourse.collect.rawfile import unpack
from discourse.collect.sources import recognise
from discourse.collect.sources.platforms import platforms
from discourse.config import InputConfig
from discourse.errors import DiscourseError
from discourse.tables import RAW_COMMENTS, RAW_THREADS

AT = datetime(2026, 1, 1, tzinfo=UTC)
_LARGE = 200_000
_TOKENS = (b"null", b"{}", b"[]", b"-1", b"1e999", b"\\ud800", b"<", b">", b"&#0;", b"\x00", b"\xff", b'"', b"}" * 3)


def payload_files(folder: Path) -> list[Path]:
    """The recorded answers of at most 200 kB, in a fixed order."""
    kept = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix in _SUFFIXES)
    return [path for path in kept if path.stat().st_size <= _LARGE]


_SUFFIXES = {".json", ".body", ".xml", ".rss", ".yaml", ".html"}


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Change a few bytes, cut the end off, repeat a part, or put something else in the place of one."""
    body = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        place = chance.randrange(len(body) + 1)
        kind = chance.random()
        if kind < 0.4 and place < len(body):
            body[place] = chance.randrange(256)
        elif kind < 0.6:
            body[place : place + chance.randrange(12)] = chance.choice(_TOKENS)
        elif kind < 0.8:
            body[place:place] = body[place : place + chance.randrange(200)]
        elif kind < 0.9:
            del body[place : place + chance.randrange(200)]
        else:
            del body[max(place, 1) :]
    return bytes(body)


def outcomes(files: list[Path], count: int, seed: int = 0) -> Iterator[str]:
    """Read `count` mutated answers and yield what each gave: rows, or reason. A fault of ours is raised."""
    chance = random.Random(seed)
    family = platforms()
    options = InputConfig()
    for number in range(count):
        path = files[number % len(files)]
        try:
            raw = unpack(path.name, mutated(path.read_bytes(), chance))
            parsed = recognise(raw, options, family).parse(raw, options, AT)
        except DiscourseError:
            yield "reason"
            continue
        RAW_COMMENTS.conform(parsed.comments)
        RAW_THREADS.conform(parsed.threads)
        yield "rows" if parsed.comments.height else "reason"


def counted(files: list[Path], count: int, seed: int = 0) -> Counter[str]:
    """Count the outcomes."""
    return Counter(outcomes(files, count, seed))
