"""Files of answers: what a platform sent, saved by a browser, a crawler, a script or an export."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import polars as pl

from discourse.collect.answers import Answer, UnreadableAnswerError
from discourse.collect.encoding import decode
from discourse.collect.formats import table_format
from discourse.collect.harvest import Collected, harvest
from discourse.collect.rawfile import RawFile
from discourse.collect.saved import WHOLE, is_archive, saved_answers
from discourse.collect.sources.base import PLATFORM, Broken, Parsed, broken_rows, file_thread, thread_row
from discourse.collect.sources.platform import Platform
from discourse.config import InputConfig
from discourse.errors import InputError, UsageError


class AnswerFile:
    """A file that holds answers of one platform or of several.

    Args:
        platforms: asked in this order whose an answer is.
    """

    def __init__(self, platforms: Sequence[Platform]) -> None:
        self.platforms = platforms

    def recognises(self, raw: RawFile, options: InputConfig) -> bool:
        """Take what a platform claims, and archives of answers; a file whose columns are mapped is a table."""
        if options.map or options.mode != "auto" or options.article_lines is not None:
            return False
        answers = saved_answers(raw, _NEVER, _ignore)
        if is_archive(raw) or len(answers) != 1 or answers[0].location != WHOLE:
            return is_archive(raw) or bool(answers)
        return owner(self.platforms, answers[0]) is not None or _is_strange(raw, answers[0])

    def parse(self, raw: RawFile, options: InputConfig, collected_at: datetime) -> Parsed:
        """Read all answers, each by the platform that claims it; see `Source`."""
        if options.attributes:
            raise UsageError(f"{raw.name}: holds answers of a platform, which have no columns for [input] attributes")
        refused: list[tuple[str, UnreadableAnswerError]] = []
        answers = saved_answers(raw, collected_at, lambda place, error: refused.append((place, error)))
        owned: dict[str, tuple[Platform, list[Answer]]] = {}
        strangers = 0
        for answer in answers:
            platform = owner(self.platforms, answer)
            if platform is None:
                strangers += 1
            else:
                owned.setdefault(platform.name, (platform, []))[1].append(answer)
        how = Collected(raw.name, collected_at, options.thread or raw.name, {})
        parts = [harvest(platform, mine, how) for platform, mine in owned.values()]
        if not any(part.threads.height or part.comments.height for part in parts):
            raise InputError(f"{raw.name}: {_nothing(parts, answers, refused)}")
        parsed = _joined(parts)
        if refused:
            faults = [
                Broken(parsed.comments.height + number, f"{place} (answer)", error.reason, error.excerpt)
                for number, (place, error) in enumerate(refused)
            ]
            thread = file_thread(raw, options)
            lost = broken_rows(raw.name, thread, PLATFORM, faults)
            threads = pl.concat([parsed.threads, thread_row(raw, thread, collected_at)])
            parsed = Parsed(threads, pl.concat([parsed.comments, lost]), parsed.attributes, parsed.note)
        note = parsed.note + (f"; {strangers:,} answers are of no platform that we read" if strangers else "")
        return Parsed(parsed.threads, parsed.comments, parsed.attributes, note)


def owner(platforms: Sequence[Platform], answer: Answer) -> Platform | None:
    """Return the first platform that claims an answer."""
    for platform in platforms:
        try:
            if platform.claims(answer):
                return platform
        except (UnreadableAnswerError, RecursionError):
            continue
    return None


def _is_strange(raw: RawFile, answer: Answer) -> bool:
    """Tell a JSON document that is neither a platform's nor a table; read as one it would become nonsense."""
    if answer.media != "application/json":
        return False
    try:
        body = answer.json()
    except UnreadableAnswerError:
        return False
    found = table_format(raw, decode(raw))
    # One object alone is a record only where the file's name says that each line is one.
    return found is None or (isinstance(body, dict) and found == "JSONL" and raw.suffix not in {".jsonl", ".ndjson"})


def _joined(parts: Sequence[Parsed]) -> Parsed:
    """Join what several platforms found in one file; records are numbered through."""
    comments: list[pl.DataFrame] = []
    number = 0
    for part in parts:
        comments.append(part.comments.with_columns(pl.col("offset") + number))
        number += part.comments.height
    return Parsed(
        pl.concat([part.threads for part in parts]),
        pl.concat(comments),
        pl.concat([part.attributes for part in parts]),
        " · ".join(part.note for part in parts),
    )


def _nothing(
    parts: Sequence[Parsed], answers: Sequence[Answer], refused: Sequence[tuple[str, UnreadableAnswerError]]
) -> str:
    if refused:
        return f"nothing in it can be read ({refused[0][0]}: {refused[0][1]}); save it again"
    if parts:
        return (
            f"{parts[0].note.partition(' read as ')[2] or 'holds no comments'}; save the answer that lists the comments"
        )
    return f"holds {len(answers):,} answers, and none is of a platform that we read; see: discourse sources"


def _ignore(place: str, error: UnreadableAnswerError) -> None:
    del place, error


_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
