"""What the report is made from: the tables of a workspace, read once, large ones only as far as they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from discourse.codebook import Codebook, load_codebook
from discourse.config import Config
from discourse.denominator import outside
from discourse.privacy import hidden_denominators
from discourse.receipt import Receipt
from discourse.report.catalogue import Words, words_of
from discourse.report.index import ALL, Estimates, index
from discourse.report.policy import Policy, native_ids
from discourse.report.selection import asked
from discourse.tables import (
    ANSWERS,
    ATTRIBUTES,
    COMMENTS,
    ESTIMATES,
    FIT,
    FRAMES,
    LABELS,
    QUARANTINE,
    STANCES,
    THREADS,
    TOPIC_INFO,
    TOPIC_NAMES,
    TOPIC_TIMES,
    TOPICS,
    by_people,
)
from discourse.workspace import Workspace

OUTLINE = (
    "comment_id",
    "thread_id",
    "parent_id",
    "reply_kind",
    "position",
    "author",
    "role",
    "created_at",
    "created_precision",
    "state",
    "duplicate_of",
)
# Threads beyond these have their numbers in the estimates table only.
THREADS_SHOWN = 200
KEYWORDS = 3  # that stand for a topic where its name may not be told


@dataclass(frozen=True, slots=True)
class Thread:
    """A thread as it is named on the page."""

    thread_id: str
    label: str

    @property
    def unit(self) -> str:
        """How the estimates table names it."""
        return f"thread:{self.thread_id}"


@dataclass(frozen=True, slots=True)
class Material:
    """Tables, settings and names that the views draw on.

    `threads` is in the order of the page, most eligible comments first; `outline` holds every comment inside
    `[filter]` without its text, in the order of threads and positions, with `has_text`. `labels` are those of people;
    `answers` counts those of external coders, and `machine_named` are the topics that one named.
    """

    workspace: Workspace
    config: Config
    codebook: Codebook
    receipt: Receipt
    words: Words
    policy: Policy
    threads: pl.DataFrame
    named: tuple[Thread, ...]
    outline: pl.DataFrame
    quarantine: pl.DataFrame
    frames: pl.DataFrame
    stance: pl.DataFrame
    topics: pl.DataFrame
    topic_info: pl.DataFrame
    topic_times: pl.DataFrame
    fit: pl.DataFrame
    labels: pl.DataFrame
    answers: pl.DataFrame
    machine_named: frozenset[int]
    estimates: Estimates

    @property
    def several(self) -> bool:
        """Whether there is more than one thread to set beside another."""
        return len(self.named) > 1

    def comments(self, ids: list[str]) -> dict[str, Mapping[str, Any]]:
        """Read whole rows of the comments table, by id."""
        rows = self.workspace.scan(COMMENTS).filter(pl.col("comment_id").is_in(ids)).collect()
        return {row["comment_id"]: row for row in rows.iter_rows(named=True)}


def read(workspace: Workspace, config: Config) -> Material:
    """Read what the report shows.

    Raises:
        WorkspaceError: a table or the receipt is damaged.
        InputError: the codebook cannot be read.
        UsageError: the codebook is wrong, or the report is asked for in a language that it does not speak.
    """
    words = words_of(config.report.lang)
    receipt = workspace.receipt()
    estimates = workspace.read(ESTIMATES)
    if config.report.quotes != "full":
        estimates = hidden_denominators(estimates, workspace.author_key(config.normalize.author_key))
    threads = _ranked(workspace.read(THREADS), estimates)
    outline = _outline(workspace, threads, outside(config.filter, workspace.read(ATTRIBUTES)))
    restricted = config.report.quotes != "full"
    ids = [*_ids(workspace), *threads["thread_id"]] if restricted else []
    policy = Policy(config.report.quotes, words, native_ids(ids), config.report.scrub)
    topic_info, coded = _topic_info(workspace, policy)
    named = _named(threads, policy)
    return Material(
        workspace=workspace,
        config=config,
        codebook=load_codebook(config.codebook.file),
        receipt=receipt,
        words=words,
        policy=policy,
        threads=threads,
        named=named,
        outline=outline,
        quarantine=workspace.read(QUARANTINE),
        frames=asked(workspace.scan(FRAMES), "frame", config, receipt),
        stance=asked(workspace.scan(STANCES), "target", config, receipt),
        topics=workspace.read(TOPICS),
        topic_info=topic_info,
        topic_times=workspace.read(TOPIC_TIMES),
        fit=workspace.read(FIT),
        labels=workspace.read(LABELS).filter(by_people()),
        answers=workspace.read(ANSWERS),
        machine_named=coded,
        estimates=index(estimates, [ALL, *(thread.unit for thread in named[:THREADS_SHOWN])]),
    )


def _ids(workspace: Workspace) -> pl.Series:
    return workspace.scan(COMMENTS).select("comment_id").collect()["comment_id"]


def _topic_info(workspace: Workspace, policy: Policy) -> tuple[pl.DataFrame, frozenset[int]]:
    """Read the topics and which of them an external coder named; its words leave with other texts only."""
    info, names = workspace.read(TOPIC_INFO), workspace.read(TOPIC_NAMES)
    coded = info.join(names.select("topic", "label"), on=["topic", "label"], how="semi")["topic"]
    if policy.full:
        return info, frozenset(coded)
    words = [", ".join(each[:KEYWORDS]) or f"topic {topic}" for topic, each in info.select("topic", "keywords").rows()]
    hidden = pl.col("topic").is_in(coded.implode())
    return info.with_columns(
        label=pl.when(hidden).then(pl.Series(words, dtype=pl.String)).otherwise("label")
    ), frozenset()


def _ranked(threads: pl.DataFrame, estimates: pl.DataFrame) -> pl.DataFrame:
    eligible = estimates.filter(pl.col("level") == "data:eligible").select(
        pl.col("unit").str.strip_prefix("thread:").alias("thread_id"), pl.col("estimate").alias("eligible")
    )
    joined = threads.join(eligible.unique("thread_id"), on="thread_id", how="left")
    return joined.sort(pl.col("eligible").fill_null(0), "collected", "thread_id", descending=[True, True, False]).drop(
        "eligible"
    )


def _outline(workspace: Workspace, threads: pl.DataFrame, left_out: pl.Expr) -> pl.DataFrame:
    order = threads.select("thread_id").with_row_index("place").lazy()
    has_text = (pl.col("text").str.len_chars() > 0).fill_null(value=False).alias("has_text")
    comments = workspace.scan(COMMENTS).filter(~left_out).select(*OUTLINE, has_text)
    return (
        comments.join(order, on="thread_id", how="left").sort("place", "thread_id", "position").drop("place").collect()
    )


def _named(threads: pl.DataFrame, policy: Policy) -> tuple[Thread, ...]:
    labels: list[str] = []
    taken: set[str] = set()
    for place, row in enumerate(threads.select("thread_id", "title").iter_rows(named=True), start=1):
        ordinal = policy.words.text("thread.ordinal", number=str(place))
        # A title is somebody's text, and leads to the thread.
        name = (row["title"] or row["thread_id"].partition(":")[2] or row["thread_id"]) if policy.full else ""
        label = policy.line(name) or (ordinal if threads.height > 1 else policy.words.text("thread.only"))
        labels.append(f"{label} ({ordinal})" if label in taken else label)
        taken.add(label)
    return tuple(Thread(name, label) for name, label in zip(threads["thread_id"], labels, strict=True))
