"""Pasted text: an article, if there is one, and comments as lines or paragraphs, without authors, times or replies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from discourse.collect.encoding import EXCERPT, decode, whole_lines
from discourse.collect.furniture import Furniture, compile_furniture, is_heading
from discourse.collect.rawfile import RawFile
from discourse.collect.sources.base import (
    MAX_TEXT,
    PLATFORM,
    Broken,
    Parsed,
    broken_rows,
    conform,
    file_thread,
    no_attributes,
    thread_row,
)
from discourse.config import InputConfig
from discourse.errors import InputError, UsageError
from discourse.tables import RAW_COMMENTS, Precision, Reason, Role, State


@dataclass(frozen=True, slots=True)
class Passage:
    """A line or paragraph: the numbers of its first and last line, counted from 1, and its text."""

    first: int
    last: int
    text: str

    @property
    def location(self) -> str:
        """The place for a person: ``line 31`` or ``lines 31-33``."""
        return f"line {self.first}" if self.first == self.last else f"lines {self.first}-{self.last}"


class PastedText:
    """Any text that is no table."""

    def recognises(self, raw: RawFile, options: InputConfig) -> bool:
        """Take every file: this source is asked last."""
        del raw, options
        return True

    def parse(self, raw: RawFile, options: InputConfig, collected_at: datetime) -> Parsed:
        """Cut the text into article and comments; see `Source`."""
        if options.map or options.attributes:
            option = "--map" if options.map else "[input] attributes"
            raise UsageError(f"{raw.name}: is read as pasted text, which has no columns for {option}; leave it out")
        decoded = decode(raw)
        furniture = compile_furniture(options.furniture)
        whole = whole_lines(raw, decoded)
        lines = whole.utf8.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n").split("\n")
        if not lines[-1]:
            lines.pop()
        article = _article_span(options, len(lines), raw.name)
        mode = _mode(options, lines, article)
        kept, broken = _sort_out(_passages(lines, article, mode, furniture), article, furniture)
        if whole.cut is not None:
            broken.append(Broken(len(lines), f"line {len(lines) + 1}", Reason.MALFORMED, whole.cut))
        if not kept and not broken:
            raise InputError(f"{raw.name}: no comments follow the article in lines {options.article_lines}")
        thread_id = file_thread(raw, options)
        thread = thread_row(raw, thread_id, collected_at, article=_article(lines, article))
        comments = pl.concat([_comments(raw, thread_id, kept), broken_rows(raw.name, thread_id, PLATFORM, broken)])
        note = _note(raw, mode, kept, broken, decoded.encoding)
        return Parsed(thread, comments.sort("offset"), no_attributes(), note)


def _article_span(options: InputConfig, length: int, name: str) -> range:
    """Return the indices of the article's lines, counted from 0; empty if there is no article."""
    if options.article_lines is None:
        return range(0)
    first, _, last = options.article_lines.partition("-")
    start, end = int(first), int(last or first)
    if not 1 <= start <= end:
        raise UsageError(f'article_lines "{options.article_lines}": give first and last line, such as 1-28')
    if end > length:
        raise InputError(f"{name}: article_lines {options.article_lines} goes beyond its {length:,} lines")
    return range(start - 1, end)


def _mode(options: InputConfig, lines: list[str], article: range) -> str:
    if options.mode != "auto":
        return options.mode
    filled = [bool(line.strip()) for line in lines[article.stop :]]
    within = "".join("x" if one else " " for one in filled).strip()
    return "paragraph" if " " in within else "line"


def _passages(lines: list[str], article: range, mode: str, furniture: Furniture) -> Iterator[Passage]:
    """Cut all but the article; a line of furniture stands alone and ends the paragraph before it."""
    gathered: list[str] = []

    def ended(before: int) -> Iterator[Passage]:
        if gathered:
            yield Passage(before - len(gathered) + 1, before, "\n".join(gathered))
            gathered.clear()

    for number, line in enumerate(lines, 1):
        stripped = line.strip()
        alone = bool(stripped) and (mode == "line" or furniture.holds(stripped))
        if number - 1 in article or not stripped or alone:
            yield from ended(number - 1)
            if alone and number - 1 not in article:
                yield Passage(number, number, stripped)
        else:
            gathered.append(line.rstrip() if gathered else stripped)
    yield from ended(len(lines))


def _sort_out(passages: Iterator[Passage], article: range, furniture: Furniture) -> tuple[list[Passage], list[Broken]]:
    kept: list[Passage] = []
    broken: list[Broken] = []
    leading = bool(article)
    for passage in passages:
        after = passage.first > article.stop
        reason = None
        if furniture.holds(passage.text) or (leading and after and is_heading(passage.text)):
            reason = Reason.FURNITURE
        elif len(passage.text) > MAX_TEXT:
            reason = Reason.TOO_LARGE
        elif after:
            leading = False
        if reason is None:
            kept.append(passage)
        else:
            broken.append(Broken(passage.first - 1, passage.location, reason, passage.text[:EXCERPT]))
    return kept, broken


def _article(lines: list[str], span: range) -> str | None:
    """Join the article's paragraphs by blank lines; without blank lines each line is a paragraph."""
    taken = [line.strip() for line in lines[span.start : span.stop]]
    text = "\n".join(taken).strip()
    if not text:
        return None
    if "" not in text.split("\n"):
        return text.replace("\n", "\n\n")
    return "\n\n".join(part.strip("\n") for part in text.split("\n\n") if part.strip())


def _comments(raw: RawFile, thread_id: str, kept: list[Passage]) -> pl.DataFrame:
    frame = pl.DataFrame(
        {
            "offset": [passage.first - 1 for passage in kept],
            "location": [passage.location for passage in kept],
            "text": [passage.text for passage in kept],
        },
        schema={"offset": pl.Int64, "location": pl.String, "text": pl.String},
    ).with_columns(
        file=pl.lit(raw.name),
        thread_id=pl.lit(thread_id),
        platform=pl.lit(PLATFORM),
        role=pl.lit(Role.UNKNOWN.value),
        created_precision=pl.lit(Precision.UNKNOWN.value),
        markup=pl.lit("plain"),
        state=pl.lit(State.VISIBLE.value),
    )
    return conform(RAW_COMMENTS, frame)


def _note(raw: RawFile, mode: str, kept: list[Passage], broken: list[Broken], encoding: str) -> str:
    unit = "lines" if mode == "line" else "paragraphs"
    furniture = sum(one.reason is Reason.FURNITURE for one in broken)
    said = f"{raw.name} read as pasted text ({unit}): {len(kept):,} comments, {furniture:,} of page furniture"
    if furniture < len(broken):
        said += f", {len(broken) - furniture:,} broken"
    if raw.damage:
        said += f"; {raw.damage}: what could be read is kept"
    return said if encoding == "utf-8" else f"{said}; encoding {encoding}"
