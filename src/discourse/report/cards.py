"""Comments as the page shows them: who, when, what was said, what it answers, and how it was tagged."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from discourse.privacy import pseudonym
from discourse.report.passages import LIST_LETTERS, QUOTE_LETTERS, Passage, Span, passages
from discourse.report.policy import Policy, When
from discourse.report.selection import Example
from discourse.tables import Decision, ReplyKind, Role, Stance, State

DEEPEST = 6
# Pseudonyms are long hexadecimal words; this much of one tells authors apart.
NAME_LETTERS = 10


@dataclass(frozen=True, slots=True)
class Tag:
    """One small label: `kind` is yes, unsure, favor, against or neutral."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Quoted:
    """A passage that a comment quotes, and the anchor of the comment it was found in."""

    text: str
    anchor: str | None


@dataclass(frozen=True, slots=True)
class Card:
    """One comment as it is printed."""

    anchor: str
    listed: bool
    author: str
    role: str | None
    when: When | None
    thread: str
    address: str | None
    passages: tuple[Passage, ...]
    placeholder: str | None
    quotes: tuple[Quoted, ...]
    answers: str | None
    answers_anchor: str | None
    depth: int
    tags: tuple[Tag, ...]
    parent: Card | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """A comment shown as an example, and why it was chosen."""

    kind: str
    card: Card


@dataclass(frozen=True, slots=True)
class Cards:
    """All that is needed to print a comment by its id."""

    rows: Mapping[str, Mapping[str, Any]]
    listed: frozenset[str]
    tags: Mapping[str, tuple[Tag, ...]]
    spans: Mapping[str, tuple[Span, ...]]
    threads: Mapping[str, str]
    key: bytes
    policy: Policy
    keep_deleted: bool

    def samples(self, examples: Sequence[Example]) -> tuple[Sample, ...]:
        """Print examples, each with the comment it answers; none where no text may be shown."""
        found = [example for example in examples if self.policy.texts and example.comment_id in self.rows]
        return tuple(Sample(example.kind, self._with_parent(example)) for example in found)

    def card(self, comment_id: str, spans: Sequence[Span] = (), limit: int = LIST_LETTERS) -> Card:
        """Print one comment of `rows` with the given evidence."""
        row = self.rows[comment_id]
        words = self.policy.words
        shown = row["text"] is not None and (row["state"] == State.VISIBLE or self.keep_deleted)
        parent = self.rows.get(row["parent_id"] or "")
        # The opening post is the article: enough of it to know it by.
        limit = QUOTE_LETTERS if row["reply_kind"] == ReplyKind.OPENING else limit
        # Short quotes of one comment at several places must be the same words, or together they would be many.
        spans = spans if self.policy.full else self.spans.get(comment_id, ())
        return Card(
            anchor=self.anchor(comment_id),
            listed=comment_id in self.listed,
            author=row["author"][:NAME_LETTERS] if row["author"] else words.text("comment.no_author"),
            role=words.text(f"role.{row['role']}") if row["role"] not in {Role.USER, Role.UNKNOWN} else None,
            when=self.policy.when(row["created_at"], row["created_precision"]),
            thread=self.threads.get(row["thread_id"], ""),
            address=self.policy.link(row["url"]),
            passages=passages(str(row["text"]), spans, self.policy, limit) if shown else (),
            placeholder=None if shown else words.text(f"placeholder.{row['state']}"),
            quotes=self.quotations(row["quotes"]) if shown else (),
            answers=self._answers(row, parent),
            answers_anchor=self.anchor(row["parent_id"]) if row["parent_id"] in self.listed else None,
            depth=min(row["depth"], DEEPEST),
            tags=self.tags.get(comment_id, ()),
        )

    def anchor(self, comment_id: str) -> str:
        """Return the name of a comment's place in the file, as `#c=` of a link has it."""
        return f"c={self.ref(comment_id)}"

    def ref(self, comment_id: str) -> str:
        """Return 12 digits that name a comment, as `annotate import` reads them; without the key they tell nothing."""
        return pseudonym(self.key, comment_id)

    def quotations(self, quotes: Sequence[Mapping[str, Any]], *, every: bool = False) -> tuple[Quoted, ...]:
        """Print the passages that a comment quotes.

        Args:
            quotes: as in `comments.quotes`.
            every: name also the places of comments that are not in the list.
        """
        if not self.policy.full:
            return ()
        return tuple(
            Quoted(
                self.policy.scrubbed(quote["text"])[0][:QUOTE_LETTERS],
                self.anchor(quote["comment_id"])
                if quote["comment_id"] and (every or quote["comment_id"] in self.listed)
                else None,
            )
            for quote in quotes
            if quote["text"]
        )

    def _with_parent(self, example: Example) -> Card:
        card = self.card(example.comment_id, [example.span] if example.span else [], QUOTE_LETTERS)
        parent_id = self.rows[example.comment_id]["parent_id"]
        if parent_id is None or parent_id not in self.rows:
            return card
        return replace(card, parent=self.card(parent_id, limit=QUOTE_LETTERS))

    def _answers(self, row: Mapping[str, Any], parent: Mapping[str, Any] | None) -> str | None:
        words = self.policy.words
        if row["reply_kind"] in {ReplyKind.OPENING, ReplyKind.ORPHAN, ReplyKind.FLATTENED}:
            return words.text(f"reply.{row['reply_kind']}")
        if parent is None:
            return None
        author = parent["author"]
        return words.text("reply.to", author=author[:NAME_LETTERS]) if author else words.text("reply.to_unknown")


def tags_of(
    frames: pl.DataFrame, stance: pl.DataFrame, titles: Mapping[str, str], policy: Policy, doubted: Collection[str]
) -> dict[str, tuple[Tag, ...]]:
    """Return the labels of each comment: yes and unsure of frames in the codebook's order, then sides of targets.

    Args:
        frames: one row for each comment and frame, of the comments that are printed.
        stance: one row for each comment and target, likewise.
        titles: of the frames, by name, in the codebook's order.
        policy: gives the words.
        doubted: frames that are not printed where the model is unsure of them, see `tag_codes.mostly_doubted`.
    """
    words = policy.words
    found: dict[str, dict[Tag, None]] = {}
    order = {name: place for place, name in enumerate(titles)}
    chosen = frames.filter((pl.col("decision") != Decision.NO.value) & pl.col("frame").is_in(list(order)))
    chosen = chosen.sort(pl.col("frame").replace_strict(order, return_dtype=pl.Int32))
    for name, frame, decision, reason in chosen.select("comment_id", "frame", "decision", "reason").iter_rows():
        if decision == Decision.YES:
            tag = Tag("yes", titles[frame])
        elif reason == "language":
            tag = Tag("unsure", words.text("tag.language"))
        elif frame in doubted:
            continue
        else:
            tag = Tag("unsure", words.text("tag.unsure", title=titles[frame]))
        found.setdefault(name, {})[tag] = None
    sided = stance.filter(pl.col("stance") != Stance.OFF_TARGET.value).sort("target")
    for name, target, side, reason in sided.select("comment_id", "target", "stance", "reason").iter_rows():
        if reason == "language":
            tag = Tag("unsure", words.text("tag.language"))
        else:
            tag = Tag(side, words.text(f"tag.{side}", title=target))
        found.setdefault(name, {})[tag] = None
    return {name: tuple(tags) for name, tags in found.items()}


def spans_of(frames: pl.DataFrame, stance: pl.DataFrame) -> dict[str, tuple[Span, ...]]:
    """Return the evidence of each comment that is tagged yes of a frame or takes a side."""
    columns = ["comment_id", "evidence_start", "evidence_end"]
    sides = [Stance.FAVOR.value, Stance.AGAINST.value]
    both = pl.concat(
        [
            frames.filter(pl.col("decision") == Decision.YES.value).select(columns),
            stance.filter(pl.col("stance").is_in(sides)).select(columns),
        ]
    ).drop_nulls()
    found: dict[str, tuple[Span, ...]] = {}
    for name, start, end in both.unique().sort(columns).iter_rows():
        found[name] = (*found.get(name, ()), (start, end))
    return found
