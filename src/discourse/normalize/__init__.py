"""Raw records become one comment table: clean text, stable ids, the reply tree, pseudonyms, languages, duplicates."""

from __future__ import annotations

import polars as pl

from discourse.config import Config
from discourse.errors import InputError
from discourse.normalize.authors import pseudonyms
from discourse.normalize.duplicates import near_duplicates
from discourse.normalize.identity import comment_ids, platform_of, repeated_ids
from discourse.normalize.language import detect_languages
from discourse.normalize.ledger import account, complete_threads, count_reasons, quarantine_rows, thread_counts
from discourse.normalize.quotes import locate_quotes
from discourse.normalize.roles import roles
from discourse.normalize.text import clean_text
from discourse.normalize.thread import reply_tree
from discourse.tables import (
    ATTRIBUTES,
    COMMENTS,
    QUARANTINE,
    RAW_ATTRIBUTES,
    RAW_COMMENTS,
    RAW_THREADS,
    THREADS,
    Reason,
    ReplyKind,
    Role,
    State,
)
from discourse.workspace import Outcome, Workspace

__all__ = ["READS", "WRITES", "clean_text", "run"]

READS = (RAW_THREADS, RAW_COMMENTS, RAW_ATTRIBUTES)
WRITES = (THREADS, COMMENTS, QUARANTINE, ATTRIBUTES)

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


def run(workspace: Workspace, config: Config) -> Outcome:
    """Turn the collected records into threads, comments, quarantine and attributes; every record becomes one row.

    Raises:
        InputError: no comment is left.
        UsageError: a language of `[normalize] languages` is unknown.
    """
    # The order of parts on disk means nothing; the order of records in their files does.
    records = workspace.read(RAW_COMMENTS).sort("file", "offset")
    kept, quarantine = _sift(records)
    if len(records) != len(kept) + len(quarantine):
        raise RuntimeError(f"normalize: {len(records)} records, {len(kept)} comments, {len(quarantine)} in quarantine")
    if kept.is_empty():
        raise InputError(_nothing_left(records, quarantine))
    key = workspace.author_key(config.normalize.author_key)
    raw_threads = complete_threads(workspace.read(RAW_THREADS), records)
    raw_threads = raw_threads.with_columns(
        pseudonyms(raw_threads["article_author"], raw_threads.select(platform_of()).to_series(), key).alias(
            "article_author"
        )
    )
    tree = reply_tree(kept.with_columns(comment_ids(kept).alias("comment_id")))
    comments = _describe(tree, raw_threads, config, key)
    comments = _dated(comments, workspace)
    threads = _threads(raw_threads, comments, quarantine)
    attributes = _attributes(workspace.read(RAW_ATTRIBUTES), comments)

    provenance = {table.name: workspace.digest(table) for table in READS} | {"config": config.fingerprint("normalize")}
    for table, frame in zip(
        WRITES, (threads, comments.select(COMMENTS.columns.keys()), quarantine, attributes), strict=True
    ):
        workspace.write(table, frame, provenance)
    return _outcome(records, comments, threads, quarantine)


def _sift(records: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Clean the texts, and part the records into those that become comments and rows of the quarantine."""
    visible = pl.col("state") == State.VISIBLE.value
    cleaned = clean_text(
        records.select(pl.when(visible & pl.col("reason").is_null()).then("text")).to_series(), records["markup"]
    )
    records = records.with_columns(
        cleaned["text"].alias("clean"),
        cleaned["quotes"],
        cleaned["links"],
        *(_named(column) for column in ("native_id", "native_parent")),
    )
    empty = visible & pl.col("clean").is_null() & (pl.col("quotes").list.len() == 0)
    records = records.with_columns(
        pl.coalesce("reason", pl.when(empty).then(pl.lit(Reason.EMPTY.value))).alias("reason")
    )
    good, bad = records.filter(pl.col("reason").is_null()), records.filter(pl.col("reason").is_not_null())
    repeated = good.select(repeated_ids()).to_series()
    again = good.filter(repeated).with_columns(pl.lit(Reason.DUPLICATE_ID.value).alias("reason"))
    quarantine = quarantine_rows(pl.concat([bad, again]).sort("file", "offset"))
    return good.filter(~repeated).drop("text").rename({"clean": "text"}), quarantine


def _named(column: str) -> pl.Expr:
    stripped = pl.col(column).str.strip_chars()
    return pl.when(stripped != "").then(stripped).alias(column)


def _describe(tree: pl.DataFrame, raw_threads: pl.DataFrame, config: Config, key: bytes) -> pl.DataFrame:
    """Add what is known of each comment beside its place in the tree, in the order in which threads are read."""
    about = raw_threads.with_row_index("thread_order").select(
        "thread_id", "thread_order", "article_author", "collected_at"
    )
    comments = (
        tree.with_columns(
            pseudonyms(tree["author"], tree.select(platform_of()).to_series(), key).alias("author"),
            pl.struct("file", "offset").alias("raw"),
        )
        .join(about, on="thread_id", how="left")
        .sort("thread_order", "position")
    )
    comments = comments.with_columns(roles(comments).alias("role"), locate_quotes(comments).alias("quotes"))
    languages = detect_languages(comments, config.normalize.languages)
    return pl.concat([comments, languages], how="horizontal").join(
        _duplicates(comments), on="comment_id", how="left", maintain_order="left"
    )


def _duplicates(comments: pl.DataFrame) -> pl.DataFrame:
    compared = comments.filter(
        pl.col("text").is_not_null(), pl.col("reply_kind") != _OPENING, pl.col("role") != Role.BOT.value
    ).sort("created_at", "thread_order", "position", nulls_last=True)
    return compared.select("comment_id").with_columns(near_duplicates(compared).alias("duplicate_of"))


def _dated(comments: pl.DataFrame, workspace: Workspace) -> pl.DataFrame:
    """Say when a comment was first and last seen: as its answers tell, else as this and an earlier run of a file do."""
    before = workspace.scan(COMMENTS).select("comment_id", pl.col("first_seen").alias("earlier")).collect()
    return comments.join(before, on="comment_id", how="left", maintain_order="left").with_columns(
        pl.coalesce("first_seen", "earlier", "collected_at").alias("first_seen"),
        pl.coalesce("last_seen", "collected_at").alias("last_seen"),
    )


def _threads(raw_threads: pl.DataFrame, comments: pl.DataFrame, quarantine: pl.DataFrame) -> pl.DataFrame:
    opening = comments.filter(pl.col("reply_kind") == _OPENING).select(
        "thread_id", "markup", pl.col("text").alias("opening_text")
    )
    threads = raw_threads.join(opening, on="thread_id", how="left", maintain_order="left").join(
        thread_counts(comments, quarantine), on="thread_id", how="left", maintain_order="left"
    )
    counts = ("collected", "deleted", "removed", "held", "quarantined")
    return threads.with_columns(
        _whole(threads["title"], "auto").alias("title"),
        _whole(threads["article"], threads["markup"]).alias("article"),
        *(pl.col(count).fill_null(0) for count in counts),
    ).select(
        *(name for name in THREADS.columns if name not in {"reason", "article"}),
        pl.coalesce("article", "opening_text").alias("article"),
        account().alias("reason"),
    )


def _whole(texts: pl.Series, markup: pl.Series | str) -> pl.Series:
    """Clean texts in which a quote alone is still worth reading, as in a title that begins with ``>``."""
    cleaned = clean_text(texts, markup)
    passages = pl.col("quotes").list.join("\n\n")
    return cleaned.select(pl.coalesce("text", pl.when(passages != "").then(passages)).alias(texts.name)).to_series()


def _attributes(raw: pl.DataFrame, comments: pl.DataFrame) -> pl.DataFrame:
    return raw.join(comments.select("file", "offset", "comment_id"), on=["file", "offset"]).select(
        pl.lit("comment").alias("unit"), pl.col("comment_id").alias("id"), "name", "value"
    )


def _nothing_left(records: pl.DataFrame, quarantine: pl.DataFrame) -> str:
    files = records["file"].unique(maintain_order=True).to_list()
    if not files:
        return "no comments: nothing was collected; check [input] sources"
    name = files[0] if len(files) == 1 else f"{files[0]} and {len(files) - 1} more"
    return (
        f"{name}: no comments after clean-up: {len(records):,} records, {len(quarantine):,} quarantined "
        f"({count_reasons(quarantine)}); check --map text=COLUMN"
    )


def _outcome(records: pl.DataFrame, comments: pl.DataFrame, threads: pl.DataFrame, quarantine: pl.DataFrame) -> Outcome:
    kinds, states = comments["reply_kind"], comments["state"]
    counts = {
        "records": len(records),
        "comments": len(comments),
        "quarantined": len(quarantine),
        "threads": len(threads),
        "opening": int((kinds == _OPENING).sum()),
        **{one.value: int((states == one.value).sum()) for one in (State.DELETED, State.REMOVED, State.HELD)},
        "orphans": int((kinds == ReplyKind.ORPHAN.value).sum()),
        "cycles": int(comments["loop"].sum()),
        "duplicates": len(comments) - comments["duplicate_of"].null_count(),
        "bots": int((comments["role"] == Role.BOT.value).sum()),
        "quotes": int(comments["quotes"].list.len().sum()),
    }
    notes = [f"{len(records):,} records = {len(comments):,} comments + {len(quarantine):,} quarantined"]
    if len(quarantine):
        notes[0] += f" ({count_reasons(quarantine)})"
    notes += [f"{counts[name]:,} {one if counts[name] == 1 else many}" for name, one, many in _SAID if counts[name]]
    return Outcome(counts, tuple(notes))
