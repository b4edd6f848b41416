"""The same thread at two times: which comments are new, which disappeared, which were edited."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import polars as pl

from discourse.aggregate.across import Part
from discourse.aggregate.estimates import Estimate
from discourse.tables import CHANGES, Change, Measure, ReplyKind, State

FAMILY = "same_thread"
COUNTED = "Comments are told apart by their ids; nothing is estimated."
WITHOUT_IDS = "Comments without ids of their own are told apart by their words: an edited one counts as gone and new."


def thread_changes(parts: Sequence[Part]) -> pl.DataFrame:
    """Return what became of the comments of every thread that several workspaces hold.

    Its collections are put in the order of time (of the order of `parts` where that is unknown) and each is compared
    with the one before. A comment is there while it can be read: one that is deleted, removed or held has disappeared.

    Returns:
        Rows of `CHANGES`, by thread, in the order of the comments.
    """
    found = [
        _changes(thread, earlier, later)
        for thread, holders in shared_threads(parts)
        for earlier, later in pairwise(holders)
    ]
    return CHANGES.conform(pl.concat(found)) if found else CHANGES.empty()


def shared_threads(parts: Sequence[Part]) -> list[tuple[str, list[Part]]]:
    """Return the threads that two or more workspaces hold, each with these, the earliest collection first."""
    held: dict[str, list[tuple[object, int, Part]]] = {}
    for place, part in enumerate(parts):
        for thread, collected in part.threads.select("thread_id", pl.col("collected_at").dt.epoch("us")).iter_rows():
            held.setdefault(thread, []).append((collected, place, part))
    shared: list[tuple[str, list[Part]]] = []
    for thread, holders in held.items():
        if len(holders) > 1:
            dated = all(collected is not None for collected, *_ in holders)
            holders.sort(key=lambda holder: (holder[0] if dated else 0, holder[1]))
            shared.append((thread, [part for *_, part in holders]))
    return shared


def change_counts(parts: Sequence[Part], changes: pl.DataFrame) -> list[Estimate]:
    """Count new, disappeared, edited and kept comments of each thread that several workspaces hold.

    Args:
        parts: the workspaces.
        changes: as `thread_changes` gives them.

    Returns:
        Rows with unit `<later>/thread:<id>`, contrast `<earlier>/thread:<id>` and level `comments:<change>`; of those
        that disappeared n is the number before, of all others the number now.
    """
    rows: list[Estimate] = []
    for thread, holders in shared_threads(parts):
        for earlier, later in pairwise(holders):
            before, now = (_there(part, thread)["comment_id"] for part in (earlier, later))
            pair = (
                (pl.col("thread_id") == thread) & (pl.col("earlier") == earlier.name) & (pl.col("later") == later.name)
            )
            counts = dict(changes.filter(pair)["change"].value_counts().iter_rows())
            counts["kept"] = len(set(before) & set(now))
            for change in (*(each.value for each in Change), "kept"):
                of = len(before) if change == Change.DISAPPEARED.value else len(now)
                when = f"before, in {earlier.name}" if change == Change.DISAPPEARED.value else f"now, in {later.name}"
                rows.append(
                    Estimate(
                        f"{later.name}/thread:{thread}",
                        Measure.COUNT,
                        f"comments:{change}",
                        f"{of:,} comments that could be read {when}",
                        of,
                        "comment_ids",
                        COUNTED if not thread.startswith("file:") else f"{COUNTED} {WITHOUT_IDS}",
                        estimate=float(counts.get(change, 0)),
                        contrast=f"{earlier.name}/thread:{thread}",
                        family=FAMILY,
                    )
                )
    return rows


def _there(part: Part, thread: str) -> pl.DataFrame:
    """Return the comments of a thread that can be read, without its opening post."""
    return part.comments.filter(
        (pl.col("thread_id") == thread)
        & (pl.col("state") == State.VISIBLE.value)
        & (pl.col("reply_kind") != ReplyKind.OPENING.value)
    ).sort("position")


def _changes(thread: str, earlier: Part, later: Part) -> pl.DataFrame:
    before, now = (_there(part, thread) for part in (earlier, later))
    columns = ("comment_id", "author", "created_at", "url", "text")
    gone = before.join(now, on="comment_id", how="anti", maintain_order="left").select(columns)
    new = now.join(before, on="comment_id", how="anti", maintain_order="left").select(columns)
    both = now.join(before.select("comment_id", was="text"), on="comment_id", maintain_order="left")
    edited = both.filter(pl.col("text").ne_missing(pl.col("was"))).select(columns)
    # What disappeared is not shown again: somebody may have wanted it gone.
    told = {
        Change.NEW: new,
        Change.DISAPPEARED: gone.with_columns(text=pl.lit(None, dtype=pl.String)),
        Change.EDITED: edited,
    }
    return pl.concat(
        [
            frame.with_columns(
                thread_id=pl.lit(thread),
                earlier=pl.lit(earlier.name),
                later=pl.lit(later.name),
                change=pl.lit(change.value),
            )
            for change, frame in told.items()
        ]
    )
