"""What became of all records, counted while the comments pass by."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import polars as pl

from discourse.normalize.ledger import comment_counts, count_reasons
from discourse.tables import ReplyKind, Role, State
from discourse.workspace import Outcome

_OPENING = ReplyKind.OPENING.value

_SAID = (
    ("deleted", "comment deleted by its author", "comments deleted by their authors"),
    ("removed", "comment removed by moderators", "comments removed by moderators"),
    ("held", "comment waiting for moderation", "comments waiting for moderation"),
    ("orphans", "reply lost its parent", "replies lost their parent"),
    ("cycles", "loop of replies was cut", "loops of replies were cut"),
    ("duplicates", "near-duplicate of an earlier comment", "near-duplicates of earlier comments"),
    ("bots", "comment of a bot", "comments of bots"),
)


@dataclass(slots=True)
class Summary:
    """Counts of records, and of each thread what its row needs.

    Attributes:
        records: how many there are.
        quarantine: rows of the quarantine table.
        collected: rows of `ledger.comment_counts`.
        openings: thread_id, markup and text of opening posts.
    """

    records: int
    quarantine: pl.DataFrame
    collected: list[pl.DataFrame] = field(default_factory=list[pl.DataFrame])
    openings: list[pl.DataFrame] = field(default_factory=list[pl.DataFrame])
    _counts: Counter[str] = field(default_factory=Counter[str])

    def add(self, comments: pl.DataFrame) -> None:
        """Count the comments of whole threads, with all their columns, `markup` and `loop` too."""
        self.collected.append(comment_counts(comments))
        self.openings.append(
            comments.filter(pl.col("reply_kind") == _OPENING).select(
                "thread_id", "markup", pl.col("text").alias("opening_text")
            )
        )
        kinds, states = comments["reply_kind"], comments["state"]
        self._counts.update(
            {
                "comments": len(comments),
                "opening": int((kinds == _OPENING).sum()),
                **{one.value: int((states == one.value).sum()) for one in (State.DELETED, State.REMOVED, State.HELD)},
                "orphans": int((kinds == ReplyKind.ORPHAN.value).sum()),
                "cycles": int(comments["loop"].sum()),
                "duplicates": len(comments) - comments["duplicate_of"].null_count(),
                "bots": int((comments["role"] == Role.BOT.value).sum()),
                "quotes": int(comments["quotes"].list.len().sum()),
            }
        )

    def outcome(self, threads: int) -> Outcome:
        """Say it in counts and sentences."""
        own = dict(self._counts)
        counts = {
            "records": self.records,
            "comments": own.pop("comments"),
            "quarantined": len(self.quarantine),
            "threads": threads,
            **own,
        }
        notes = [f"{self.records:,} records = {counts['comments']:,} comments + {len(self.quarantine):,} quarantined"]
        if len(self.quarantine):
            notes[0] += f" ({count_reasons(self.quarantine)})"
        said = [(counts[name], one, many) for name, one, many in _SAID]
        notes += [f"{number:,} {one if number == 1 else many}" for number, one, many in said if number]
        return Outcome(counts, tuple(notes))
