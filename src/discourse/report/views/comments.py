"""The comments themselves, thread by thread, and all that is needed to print one."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from discourse.report.cards import Card, Cards, Tag, spans_of, tags_of
from discourse.report.corpus import Corpus, corpus
from discourse.report.embedding import EMBEDDED
from discourse.report.figures import total
from discourse.report.material import Material
from discourse.report.passages import LIST_LETTERS
from discourse.report.phrases import Phrase
from discourse.report.selection import LISTED, listed
from discourse.report.tag_codes import mostly_doubted
from discourse.tables import Decision, Stance


@dataclass(frozen=True, slots=True)
class ThreadView:
    """One thread's comments that are shown, in its order."""

    label: str
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class CommentsView:
    """The list and its rule; all comments as data for the script, and what of them is left out."""

    rule: Phrase
    threads: tuple[ThreadView, ...]
    left_out: str
    corpus: Corpus | None


def cards(material: Material, quoted: list[str]) -> Cards:
    """Read the texts that are printed: of the quoted comments, the list, and what they answer.

    Args:
        material: the tables.
        quoted: comment_ids that are shown in the sections.
    """
    policy, outline = material.policy, material.outline
    yes = material.frames.filter(pl.col("decision") == Decision.YES.value).select("comment_id")
    sides = material.stance.filter(pl.col("stance").is_in([Stance.FAVOR.value, Stance.AGAINST.value]))
    tagged = pl.concat([yes, sides.select("comment_id")]).unique()
    chosen = listed(outline, quoted, tagged) if policy.texts else outline.head(0)
    shown = outline.filter(pl.col("comment_id").is_in([*chosen["comment_id"], *quoted])) if policy.texts else chosen
    ids = list(dict.fromkeys([*shown["comment_id"], *shown["parent_id"].drop_nulls()]))
    frames = material.frames.filter(pl.col("comment_id").is_in(ids))
    stance = material.stance.filter(pl.col("comment_id").is_in(ids))
    titles = {frame.name: frame.title for frame in material.codebook.frames}
    tags = tags_of(frames, stance, titles, policy, mostly_doubted(material.frames))
    for name, extra in _reader_tags(material, titles, ids).items():
        tags[name] = tags.get(name, ()) + extra
    for name, label in _topic_labels(material, ids).items():
        tags[name] = (*tags.get(name, ()), Tag("topic", policy.line(label)))
    return Cards(
        rows=material.comments(ids),
        listed=frozenset(chosen["comment_id"]),
        tags=tags,
        spans=spans_of(frames, stance),
        threads={thread.thread_id: thread.label for thread in material.named},
        key=material.workspace.author_key(material.config.normalize.author_key),
        policy=policy,
        keep_deleted=material.config.collect.keep_deleted,
    )


def comments(material: Material, found: Cards) -> CommentsView:
    """Print the chosen comments, thread by thread."""
    chosen = material.outline.filter(pl.col("comment_id").is_in(list(found.listed)))
    by_thread: dict[str, list[Card]] = {}
    for name, thread in chosen.select("comment_id", "thread_id").iter_rows():
        by_thread.setdefault(thread, []).append(found.card(name, found.spans.get(name, ())))
    views = tuple(ThreadView(found.threads.get(thread, ""), tuple(cards)) for thread, cards in by_thread.items())
    data = corpus(material, found, list(found.rows))
    return CommentsView(_rule(material), views, _left_out(material, data), data)


def _left_out(material: Material, data: Corpus | None) -> str:
    """Say what of the comments is not in the file, if anything."""
    words, said = material.words, list[str]()
    if data is not None and material.outline.height > EMBEDDED:
        said.append(words.text("comments.sampled", most=words.number(EMBEDDED), seed=str(material.config.seed)))
    if data is not None and material.policy.full and data.letters < LIST_LETTERS:
        said.append(words.text("comments.cut", most=words.number(data.letters)))
    return " ".join(said)


def _rule(material: Material) -> Phrase:
    words = material.words
    if not material.policy.texts:
        return words.phrase("comments.rule.none")
    count = material.estimates.count("data:comments")
    of = total(count, words) if count is not None else ""
    key = "comments.rule.some" if material.outline.height > LISTED else "comments.rule.all"
    return words.phrase(key if count is not None else f"{key}.uncounted", count=of, most=str(LISTED))


def _reader_tags(material: Material, titles: dict[str, str], ids: list[str]) -> dict[str, tuple[Tag, ...]]:
    words = material.words
    given = (
        material.labels.filter(pl.col("comment_id").is_in(ids) & pl.col("value").is_not_null())
        .group_by("comment_id", "kind", "level", maintain_order=True)
        .agg(pl.col("value").unique().sort())
        .sort("comment_id", "kind", "level")
    )
    found: dict[str, tuple[Tag, ...]] = {}
    for name, _, level, values in given.iter_rows():
        title = str(titles.get(level, level))
        if len(values) > 1:
            tag = Tag("reader", words.text("tag.readers.divided", title=title))
        elif values[0] in {"no", Stance.OFF_TARGET.value}:
            continue
        else:
            tag = Tag("reader", words.text(f"tag.readers.{values[0]}", title=title))
        found[name] = (*found.get(name, ()), tag)
    return found


def _topic_labels(material: Material, ids: list[str]) -> dict[str, str]:
    labels = material.topic_info.select("topic", "label").filter(
        ~pl.col("topic").is_in(list(material.config.topics.hide))
    )
    rows = material.topics.filter(pl.col("comment_id").is_in(ids)).join(labels, on="topic")
    return dict(rows.select("comment_id", "label").iter_rows())
