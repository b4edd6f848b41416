"""Put together what the answers about a thread hold, in whatever order they came and however often.

One comment is one row, however many answers show it: the newest answer says how it stands now, and what that one leaves
out is filled from the others. Nothing here knows a platform.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta

import polars as pl

from discourse.collect.answers import Answer, Ask, UnreadableAnswerError
from discourse.collect.archive import Unanswered
from discourse.collect.moments import UNKNOWN
from discourse.collect.sources.base import MAX_TEXT, Broken, Parsed, broken_rows, conform, no_attributes
from discourse.collect.sources.platform import Page, Platform, RawComment, RawThread, read_answer
from discourse.tables import RAW_COMMENTS, RAW_THREADS, Reason, State

EXCERPT = 200
_AHEAD = timedelta(days=1)
_GONE = (State.DELETED, State.REMOVED)
_LAST = datetime(9999, 1, 1, tzinfo=UTC)
_REASONS = 3
_BEHIND = "some lie behind further requests"


@dataclass(frozen=True, slots=True)
class Collected:
    """How the answers were got.

    Attributes:
        file: name of the file in `WS/raw` that holds them.
        at: when the file was read or the collection ended; stands for times that answers do not tell.
        thread: native id for comments of which no answer tells the thread.
        unanswered: requests that were never answered, by `Ask.key`.
        round_began: when the newest round of a live collection began, None for a file.
        keep_deleted: whether the text of a comment that was deleted since is kept.
    """

    file: str
    at: datetime
    thread: str
    unanswered: Mapping[str, Unanswered]
    round_began: datetime | None = None
    keep_deleted: bool = False


@dataclass(frozen=True, slots=True)
class _Read:
    """One distinct answer: what it holds, and when it was first and last received."""

    answer: Answer
    page: Page
    first: datetime
    last: datetime
    digest: str


@dataclass(frozen=True, slots=True)
class _Shown:
    """One comment as one answer shows it."""

    comment: RawComment
    read: _Read
    place: int


@dataclass(frozen=True, slots=True)
class _Row:
    """One comment, put together."""

    comment: RawComment
    first: datetime
    last: datetime
    location: str
    ahead: bool


def harvest(platform: Platform, answers: Sequence[Answer], how: Collected) -> Parsed:
    """Read all answers and merge them into raw threads and raw comments.

    Args:
        platform: whose answers they are.
        answers: in any order, repeated or not; those of all rounds.
        how: see `Collected`.

    Returns:
        Rows of RAW_THREADS and RAW_COMMENTS. Equal for every order of `answers`, but for `location` and, where answers
        contradict each other at one time, the choice among them, which depends on their content alone.
    """
    reads, broken = _read_all(platform, answers)
    shown = _place_in_threads(
        [_Shown(comment, read, place) for read in reads for place, comment in enumerate(read.page.comments)],
        _default_thread(reads, how),
    )
    rows = _merge_comments(shown, how)
    rows = _without_vanished(rows, reads, how)
    threads = _merge_threads(platform, reads, rows, how)
    comments = _comment_frame(platform, rows, how)
    if broken:
        thread = threads["thread_id"][0] if threads.height == 1 else f"{platform.name}:{how.thread}"
        lost = [
            Broken(comments.height + number, f"{answer.location} (answer)", error.reason, error.excerpt)
            for number, (answer, error) in enumerate(broken)
        ]
        comments = pl.concat([comments, broken_rows(how.file, thread, platform.name, lost)])
    return Parsed(threads, comments, no_attributes(), _note(platform, how, reads, rows, broken))


def _read_all(
    platform: Platform, answers: Sequence[Answer]
) -> tuple[list[_Read], list[tuple[Answer, UnreadableAnswerError]]]:
    """Read each distinct answer once; an answer that could not be read is forgiven if a later try brought it."""
    distinct: dict[str, tuple[Answer, datetime, datetime]] = {}
    for answer in answers:
        digest = _digest(answer)
        kept = distinct.get(digest)
        first = min(kept[1], answer.at) if kept else answer.at
        last = max(kept[2], answer.at) if kept else answer.at
        distinct[digest] = (kept[0] if kept else answer, first, last)
    reads: list[_Read] = []
    broken: list[tuple[Answer, UnreadableAnswerError]] = []
    for digest, (answer, first, last) in distinct.items():
        try:
            reads.append(_Read(answer, read_answer(platform, answer), first, last, digest))
        except UnreadableAnswerError as e:
            broken.append((answer, e))
    good = {read.answer.key for read in reads if read.answer.key and read.answer.ok}
    broken = [one for one in broken if not one[0].key or one[0].key not in good]
    return sorted(reads, key=lambda read: (read.last, read.digest)), broken


def _digest(answer: Answer) -> str:
    about = f"{answer.key}\n{answer.url}\n{answer.status}\n{sorted(answer.context.items())}\n".encode()
    return hashlib.sha256(about + answer.body).hexdigest()


def _default_thread(reads: Sequence[_Read], how: Collected) -> str:
    named = {thread.native_id for read in reads for thread in read.page.threads}
    named |= {comment.thread for read in reads for comment in read.page.comments if comment.thread is not None}
    return named.pop() if len(named) == 1 else how.thread


def _place_in_threads(shown: Sequence[_Shown], default: str) -> list[_Shown]:
    """Give each comment its thread: as told by any answer, else that of the comment it answers, else the default."""
    told = {one.comment.native_id: one.comment.thread for one in shown if one.comment.thread is not None}
    parents = {one.comment.native_id: one.comment.parent for one in shown}
    found: list[_Shown] = []
    for one in shown:
        thread, above, seen = one.comment.thread, one.comment.native_id, set[str | None]()
        while thread is None and above is not None and above not in seen:
            seen.add(above)
            thread = told.get(above)
            above = parents.get(above)
        found.append(replace(one, comment=replace(one.comment, thread=thread or default)))
    return found


def _merge_comments(shown: Sequence[_Shown], how: Collected) -> list[_Row]:
    by_id: dict[tuple[str | None, str], list[_Shown]] = {}
    nameless: list[_Shown] = []
    aliases: dict[tuple[str | None, str], str] = {}
    for one in shown:
        comment = one.comment
        if comment.native_id is None:
            nameless.append(one)
            continue
        by_id.setdefault((comment.thread, comment.native_id), []).append(one)
        if comment.alias is not None:
            aliases[comment.thread, comment.alias] = comment.native_id
    rows = [_merge(group, how) for group in by_id.values()] + [_merge([one], how) for one in nameless]
    rows = [_resolve(row, aliases, by_id.keys()) for row in rows]
    return sorted(rows, key=_order)


def _merge(group: list[_Shown], how: Collected) -> _Row:
    """Make one comment of all that show it: the newest first, of equally new ones the one that says most."""
    newest = sorted(group, key=lambda one: (one.read.last, _said(one.comment), repr(one.comment)), reverse=True)
    best = newest[0].comment
    filled: dict[str, object] = {}
    for field in fields(RawComment):
        mine = getattr(best, field.name)
        if field.name in {"text", "markup", "state", "kind", "reason", "excerpt"}:
            continue
        # Who deletes a comment takes the name off it, too.
        if field.name == "author" and best.state in _GONE and not how.keep_deleted:
            continue
        if mine is None or mine == field.default:
            filled[field.name] = next(
                (
                    value
                    for one in newest
                    if (value := getattr(one.comment, field.name)) is not None and value != field.default
                ),
                mine,
            )
    filled["kind"] = next((one.comment.kind for one in newest if one.comment.kind is not None), None)
    texts = [one.comment for one in newest if one.comment.text is not None]
    text, markup = best.text, best.markup
    if text is None and texts and (best.state not in _GONE or how.keep_deleted):
        text, markup = texts[0].text, texts[0].markup
    if best.state in _GONE and not how.keep_deleted:
        text = None
    merged = replace(best, **filled, text=text, markup=markup)  # type: ignore[arg-type]
    last = max(one.read.last for one in group)
    ahead = merged.created.at is not None and merged.created.at > last + _AHEAD
    if ahead:
        merged = replace(merged, created=UNKNOWN)
    if merged.text is not None and len(merged.text) > MAX_TEXT and merged.reason is None:
        merged = replace(merged, reason=Reason.TOO_LARGE, excerpt=merged.text[:EXCERPT], text=None)
    location = f"{newest[0].read.answer.location}, comment {newest[0].place + 1}"
    return _Row(merged, min(one.read.first for one in group), last, location, ahead)


def _said(comment: RawComment) -> int:
    return sum(getattr(comment, field.name) not in (None, field.default) for field in fields(RawComment))


def _resolve(row: _Row, aliases: Mapping[tuple[str | None, str], str], known: Iterable[tuple[str | None, str]]) -> _Row:
    comment = row.comment
    if comment.parent is None or (comment.thread, comment.parent) in known:
        return row
    parent = aliases.get((comment.thread, comment.parent), comment.parent)
    return replace(row, comment=replace(comment, parent=parent))


def _order(row: _Row) -> tuple[object, ...]:
    """Sort by thread and time, then by id as people count: 9 before 10."""
    name = row.comment.native_id or ""
    return row.comment.thread, row.comment.created.at or _LAST, len(name), name, row.comment.text or "", row.location


def _without_vanished(rows: list[_Row], reads: Sequence[_Read], how: Collected) -> list[_Row]:
    """Mark as deleted what a complete newest round no longer shows: many platforms delete without a trace.

    A round is complete for a thread if the platform declares no more comments than the round brought.
    """
    began = how.round_began
    if began is None:
        return rows
    declared = _declared(reads, how)
    now = {name: sum(row.comment.thread == name and row.last >= began for row in rows) for name in declared}
    whole = {name for name, number in declared.items() if now[name] >= number and now[name]}
    return [
        replace(
            row, comment=replace(row.comment, state=State.DELETED, text=row.comment.text if how.keep_deleted else None)
        )
        if row.comment.thread in whole
        and row.last < began
        and row.comment.state not in _GONE
        and not row.comment.reason
        else row
        for row in rows
    ]


def _declared(reads: Sequence[_Read], how: Collected) -> dict[str, int]:
    """The largest number that the answers of the newest round declare for each thread."""
    found: dict[str, int] = {}
    for read in reads:
        if how.round_began is None or read.last >= how.round_began:
            for thread in read.page.threads:
                if thread.declared is not None:
                    found[thread.native_id] = max(thread.declared, found.get(thread.native_id, 0))
    return found


def _merge_threads(platform: Platform, reads: Sequence[_Read], rows: Sequence[_Row], how: Collected) -> pl.DataFrame:
    told: dict[str, list[RawThread]] = {}
    for read in reversed(reads):
        for thread in read.page.threads:
            told.setdefault(thread.native_id, []).append(thread)
    for row in rows:
        told.setdefault(row.comment.thread or how.thread, [])
    # A thread that every answer left out is still what was asked for.
    for lost in how.unanswered.values():
        if lost.thread or not told:
            told.setdefault(lost.thread or how.thread, [])
    declared = _declared(reads, how)
    missing = _missing(reads, how, default=next(iter(told)) if len(told) == 1 else how.thread)
    collected: dict[str | None, int] = {}
    for row in rows:
        if row.comment.kind != "opening":
            collected[row.comment.thread] = collected.get(row.comment.thread, 0) + 1
    found = [
        _thread_row(
            platform, name, seen, declared.get(name), missing.get(name, _Missing()), collected.get(name, 0), how
        )
        for name, seen in told.items()
    ]
    return conform(RAW_THREADS, pl.DataFrame(found, infer_schema_length=None)) if found else RAW_THREADS.empty()


@dataclass(frozen=True, slots=True)
class _Missing:
    """What of a thread is known not to be there: comments behind requests without an answer, and why."""

    unreachable: int = 0
    capped: int = 0
    why: tuple[str, ...] = ()


def _thread_row(
    platform: Platform,
    name: str,
    seen: Sequence[RawThread],
    declared: int | None,
    missing: _Missing,
    collected: int,
    how: Collected,
) -> dict[str, object]:
    def first(field: str) -> object:
        return next((value for one in seen if (value := getattr(one, field)) is not None), None)

    published = next((one.published for one in seen if one.published.at is not None), UNKNOWN)
    unreachable, capped = missing.unreachable, missing.capped
    if declared is not None:
        # Two answers may speak of the same missing comments; no more can be missing than is declared.
        gap = max(declared - collected, 0)
        capped = min(capped, gap)
        unreachable = min(unreachable, gap - capped)
    why = [one for one in missing.why if one != _BEHIND or unreachable + capped]
    reasons = [*dict.fromkeys(one.reason for one in seen if one.reason), *why]
    return {
        "thread_id": f"{platform.name}:{name}",
        "platform": platform.name,
        **{field: first(field) for field in ("site", "community", "url", "title", "article")},
        "article_author": first("author"),
        "published_at": published.at,
        "collected_at": how.at,
        "declared": declared,
        "unreachable": unreachable,
        "capped": capped,
        "reason": "; ".join(reasons[: 2 * _REASONS]) or None,
        "source": how.file,
    }


def _missing(reads: Sequence[_Read], how: Collected, default: str) -> dict[str, _Missing]:
    """Count what lies behind requests that no answer came for, by thread."""
    answered = {read.answer.key for read in reads if read.answer.key and read.answer.ok}
    asks: dict[tuple[str, str], Ask] = {}
    for read in reads:
        if how.round_began is None or read.last >= how.round_began:
            for ask in read.page.next:
                # Asks without an address are told apart by what they are about.
                asks[ask.key, "" if ask.url else repr(ask)] = ask
    found: dict[str, _Missing] = {}

    def add(thread: str, expects: int, why: str, *, capped: bool) -> None:
        before = found.get(thread, _Missing())
        known = before.why if why in before.why or len(before.why) >= _REASONS else (*before.why, why)
        found[thread] = _Missing(
            before.unreachable + (0 if capped else expects), before.capped + (expects if capped else 0), known
        )

    for ask in asks.values():
        lost = how.unanswered.get(ask.key)
        if lost is None and ask.expects and ask.key not in answered:
            add(ask.thread or default, ask.expects, _BEHIND, capped=False)
    for key, lost in how.unanswered.items():
        ask = asks.get((key, ""))
        expects = ask.expects if ask is not None else lost.expects
        add(lost.thread or (ask.thread if ask else "") or default, expects, lost.why, capped=lost.capped)
    return found


def _comment_frame(platform: Platform, rows: Sequence[_Row], how: Collected) -> pl.DataFrame:
    schema = RAW_COMMENTS.schema
    found = [
        {
            "file": how.file,
            "offset": offset,
            "location": row.location,
            "thread_id": f"{platform.name}:{row.comment.thread}",
            "platform": platform.name,
            "native_id": row.comment.native_id,
            "native_parent": row.comment.parent,
            "reply_kind": row.comment.kind.value if row.comment.kind else None,
            "author": row.comment.author,
            "role": row.comment.role.value,
            "created_at": row.comment.created.at,
            "created_precision": row.comment.created.precision.value,
            "first_seen": row.first,
            "last_seen": row.last,
            "text": row.comment.text,
            "markup": row.comment.markup,
            "score": row.comment.score,
            "state": row.comment.state.value,
            "url": row.comment.url,
            "reason": row.comment.reason.value if row.comment.reason else None,
            "excerpt": row.comment.excerpt[:EXCERPT] if row.comment.excerpt else None,
        }
        for offset, row in enumerate(rows)
    ]
    return pl.DataFrame(found, schema=schema) if found else RAW_COMMENTS.empty()


def _note(
    platform: Platform,
    how: Collected,
    reads: Sequence[_Read],
    rows: Sequence[_Row],
    broken: Sequence[tuple[Answer, UnreadableAnswerError]],
) -> str:
    parts = [f"{how.file} read as {platform.title}: {len(reads):,} answers, {len(rows):,} comments"]
    if broken:
        parts.append(f"{len(broken):,} answers could not be read, the first ({broken[0][0].location}): {broken[0][1]}")
    ahead = sum(row.ahead for row in rows)
    if ahead:
        parts.append(f"{ahead:,} times in the future left out")
    return "; ".join(parts)
