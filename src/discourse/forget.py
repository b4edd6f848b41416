"""Forget a person's or a comment's words: in raw files, tables and the report of one workspace."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from discourse.checksums import file_sha256
from discourse.collect.forgetting import clean_raw, live_comments, texts_in
from discourse.collect.forgotten import blanked, remember_forgotten, thing
from discourse.collect.sources.platform import RawComment
from discourse.collect.wording import PIECE, Words, take_out, words_of
from discourse.config import Config
from discourse.errors import InputError, UsageError, WorkspaceError
from discourse.models.judge.comments import inputs_of
from discourse.models.judge.kept import forget_answers
from discourse.normalize.authors import pseudonyms
from discourse.normalize.identity import platform_of
from discourse.tables import (
    COMMENTS,
    FRAMES,
    RAW_ATTRIBUTES,
    RAW_COMMENTS,
    STANCES,
    TABLES,
    THREADS,
    VOTES,
    State,
    Table,
)
from discourse.workspace import Workspace, open_workspace

_QUOTES = pl.List(pl.Struct({"text": pl.String(), "comment_id": pl.String()}))


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was done.

    Attributes:
        comments: rows that lost text and author.
        files: raw files rewritten.
        passages: passages taken out of them.
        dropped: archived answers that had to be dropped whole, with all the comments in them.
        cells: cells of other rows, such as quotes, that lost the words.
        report_removed: whether `report.html` was there and was deleted.
        left: files of the workspace in which a piece of the words still stands.
        unchecked: forgotten texts too short to be looked for afterwards.
    """

    comments: int
    files: int
    passages: int
    dropped: int
    cells: int
    report_removed: bool
    left: tuple[str, ...]
    unchecked: int


@dataclass(frozen=True, slots=True)
class _Chosen:
    """Whose words: raw rows (a mask), comment ids, and every text and author name as delivered."""

    rows: pl.Series
    ids: frozenset[str]
    texts: tuple[str, ...]
    names: tuple[str, ...]


def forget(root: Path, *, author: str | None = None, comment: str | None = None) -> Forgotten:
    """Take the words of one author or one comment out of everything in a workspace; rows stay, without their text.

    Args:
        root: the workspace.
        author: the name as delivered, or the pseudonym that the tables show.
        comment: a comment_id.

    Raises:
        InputError: there is no such author or comment.
        UsageError: not exactly one of `author` and `comment` is given.
        WorkspaceError: the workspace is damaged, locked or cannot be written.
    """
    if (author is None) == (comment is None):
        raise UsageError("name either --author NAME or --comment ID")
    workspace = open_workspace(root)
    config = Config.model_validate(workspace.receipt().config)
    with workspace.lock():
        raw, comments = workspace.read(RAW_COMMENTS), workspace.read(COMMENTS)
        chosen = _choose(workspace, config, raw, comments, author, comment)
        others = comments.filter(~pl.col("comment_id").is_in(chosen.ids))["text"].drop_nulls()
        words = words_of(chosen.texts, others)
        # Remembered first: a run that is killed half-way has not lost whom it was to forget.
        remember_forgotten(workspace, _things(raw, chosen, person=author is not None))
        before = {name: workspace.digest(table) for name, table in TABLES.items()}
        sources = _digests(workspace)
        cleaned = clean_raw(workspace, config.collect, words, chosen.names if author is not None else ())
        _forget_answers(workspace, comments, chosen, words)
        cells = _clean_tables(workspace, raw, chosen, words)
        report = root / "report.html"
        removed = report.is_file()
        report.unlink(missing_ok=True)
        _keep_fresh(workspace, before, sources)
        untouched = raw.filter(chosen.rows, pl.col("text").is_not_null(), ~pl.col("file").is_in(cleaned.names))["file"]
        kept = [*cleaned.kept, *(f"raw/{name}" for name in untouched)]
        left = tuple(dict.fromkeys([*kept, *_left(workspace, words)]))
    return Forgotten(
        comments=len(chosen.ids),
        files=cleaned.files,
        passages=cleaned.passages,
        dropped=cleaned.dropped,
        cells=cells,
        report_removed=removed,
        left=left,
        unchecked=len(set(chosen.texts)) - sum(bool(words_of([one], []).pieces) for one in set(chosen.texts)),
    )


def _choose(
    workspace: Workspace, config: Config, raw: pl.DataFrame, comments: pl.DataFrame, author: str | None, id_: str | None
) -> _Chosen:
    key = workspace.author_key(config.normalize.author_key)
    prefixes = raw.select(platform_of()).to_series()
    hidden = pseudonyms(raw["author"], prefixes, key)
    if author is not None:
        mask = ((raw["author"].str.strip_chars() == author.strip()) | (hidden == author)).fill_null(value=False)
        wanted = {author.strip(), author, *raw.filter(mask)["author"].str.strip_chars()}
        places = raw.select("file", prefixes.alias("prefix")).unique()
        prefix_of = dict(places.iter_rows())

        def mine(one: RawComment, file: str) -> bool:
            name = pl.Series([one.author], dtype=pl.String)
            prefix = pl.Series([prefix_of.get(file, "")], dtype=pl.String)
            return one.author is not None and (
                one.author.strip() in wanted or pseudonyms(name, prefix, key)[0] == author
            )

    else:
        at = comments.filter(pl.col("comment_id") == id_).select(pl.col("raw").struct.unnest())
        twins = raw.join(at, on=["file", "offset"], how="semi").select("thread_id", "native_id").drop_nulls()
        mask = _at(raw, at, ["file", "offset"]) | _at(raw, twins, ["thread_id", "native_id"])
        natives = raw.filter(mask)["native_id"].drop_nulls().to_list()
        files = set(raw.filter(mask)["file"])

        def mine(one: RawComment, file: str) -> bool:
            return file in files and one.native_id in natives

    versions = live_comments(workspace, config.collect, mine)
    if author is not None and versions:
        # The newest answer may no longer name the author of a comment that was deleted since.
        seen = pl.DataFrame({"native_id": [one.native_id for one in versions]}, schema={"native_id": pl.String})
        live = raw["file"].is_in([file for file in raw["file"].unique() if file.startswith("live-")])
        mask = mask | (_at(raw, seen.drop_nulls(), ["native_id"]) & live)
    if not mask.any() and not versions:
        what = f"author {author}" if author is not None else f"comment {id_}"
        raise InputError(f"{workspace.root}: there is no {what}; look for it in the table comments")
    rows = raw.filter(mask)
    chosen = comments.filter(_at(comments.unnest("raw"), rows, ["file", "offset"]))
    texts = [*rows["text"], *rows["excerpt"], *chosen["text"], *(one.text for one in versions)]
    names = [*rows["author"], *(one.author for one in versions)]
    return _Chosen(
        mask,
        frozenset(chosen["comment_id"]),
        tuple(dict.fromkeys(text for text in texts if text and text.strip())),
        tuple(dict.fromkeys(name.strip() for name in names if name and name.strip())),
    )


def _at(frame: pl.DataFrame, rows: pl.DataFrame, on: list[str]) -> pl.Series:
    marked = rows.select(on).unique().with_columns(pl.lit(value=True).alias("_found"))
    return frame.select(on).join(marked, on=on, how="left", maintain_order="left")["_found"].fill_null(value=False)


def _things(raw: pl.DataFrame, chosen: _Chosen, *, person: bool) -> list[str]:
    found: list[str] = []
    columns = ("thread_id", "native_id", "platform", "author", "text")
    for thread, native, platform, author, text in raw.filter(chosen.rows).select(columns).iter_rows():
        if native is not None:
            found.append(thing("id", thread, native))
        elif text is not None:
            found.append(thing("text", text.strip()))
        if person and author is not None:
            found.append(thing("author", platform, author.strip()))
    return found


def _clean_tables(workspace: Workspace, raw: pl.DataFrame, chosen: _Chosen, words: Words) -> int:
    """Rewrite each table that holds the rows or the words; return how many cells of other rows lost some."""
    cells = 0
    for table in TABLES.values():
        if not workspace.parts(table):
            continue
        frame = workspace.read(table)
        mine = _without_rows(table, frame, raw, chosen)
        cleaned, count = _without_words(mine, words)
        cells += count
        if not cleaned.equals(frame):
            workspace.write(table, cleaned)
    return cells


def _forget_answers(workspace: Workspace, comments: pl.DataFrame, chosen: _Chosen, words: Words) -> None:
    """Take what an external coder answered on these comments, with its quotes of them, out of its raw answers."""
    mine = comments.filter(pl.col("comment_id").is_in(chosen.ids), pl.col("text").is_not_null())
    threads = workspace.read(THREADS)
    read = [inputs_of(mine, comments, threads, context=context) for context in (True, False)]
    forget_answers(workspace, {item.key for each in read for item in each.items}, words.stand_in)


def _without_rows(table: Table, frame: pl.DataFrame, raw: pl.DataFrame, chosen: _Chosen) -> pl.DataFrame:
    if table is RAW_COMMENTS:
        return blanked(frame, chosen.rows)
    if table is RAW_ATTRIBUTES:
        mine = _at(frame, raw.filter(chosen.rows), ["file", "offset"])
        return frame.with_columns(pl.when(~pl.lit(mine)).then("value").alias("value"))
    if table is COMMENTS:
        kept = ~pl.col("comment_id").is_in(chosen.ids)
        lost = ("text", "author", "language", "language_confidence", "duplicate_of")
        return frame.with_columns(
            *(pl.when(kept).then(pl.col(name)).alias(name) for name in lost),
            pl.when(kept).then("quotes").otherwise(pl.lit([], dtype=_QUOTES)).alias("quotes"),
            pl.when(kept).then("links").otherwise(pl.lit([], dtype=pl.List(pl.String))).alias("links"),
            pl.when(kept).then("state").otherwise(pl.lit(State.DELETED.value)).alias("state"),
        ).with_columns(
            pl.col("quotes").list.eval(
                pl.struct(
                    pl.when(~pl.element().struct.field("comment_id").is_in(chosen.ids).fill_null(value=False))
                    .then(pl.element().struct.field("text"))
                    .otherwise(pl.lit("[deleted]"))
                    .alias("text"),
                    pl.element().struct.field("comment_id"),
                )
            )
        )
    if table.name == "attributes":
        kept = ~(pl.col("id").is_in(chosen.ids) & (pl.col("unit") == "comment"))
        return frame.with_columns(pl.when(kept).then("value").alias("value"))
    if table in (FRAMES, STANCES, VOTES):
        kept = ~pl.col("comment_id").is_in(chosen.ids)
        return frame.with_columns(
            pl.when(kept).then(pl.col(name)).alias(name) for name in ("evidence_start", "evidence_end")
        )
    return frame


def _without_words(frame: pl.DataFrame, words: Words) -> tuple[pl.DataFrame, int]:
    """Take the words out of every cell of text, but for keys and short texts: those are taken out by row."""
    long = Words(tuple(one for one in words.whole if len(one) >= PIECE), words.pieces, words.marked)
    count = 0
    for name, dtype in frame.schema.items():
        if dtype == pl.String and (name in {"text", "excerpt", "article", "title", "value", "label"}):
            cells = [None if cell is None else take_out(cell, long) for cell in frame[name]]
            count += sum(cell[1] > 0 for cell in cells if cell)
            frame = frame.with_columns(pl.Series(name, [cell and cell[0] for cell in cells], dtype=pl.String))
        elif dtype == _QUOTES:
            quotes = [
                [{**one, "text": take_out(one["text"] or "", long)[0]} for one in cell]
                for cell in frame[name].to_list()
            ]
            count += sum(new != old for new, old in zip(quotes, frame[name].to_list(), strict=True))
            frame = frame.with_columns(pl.Series(name, quotes, dtype=dtype))
        elif name == "links":
            links = [[one for one in cell if not words.stand_in(one)] for cell in frame[name].to_list()]
            count += sum(new != old for new, old in zip(links, frame[name].to_list(), strict=True))
            frame = frame.with_columns(pl.Series(name, links, dtype=dtype))
    return frame, count


def _digests(workspace: Workspace) -> dict[str, str]:
    return {path.name: file_sha256(path) for path in sorted(workspace.raw.iterdir()) if path.is_file()}


def _keep_fresh(workspace: Workspace, before: dict[str, str], sources: dict[str, str]) -> None:
    """Let the receipt say what is on disk now, so that no stage reads the words again from where they came."""
    receipt, new = workspace.receipt(), {name: workspace.digest(table) for name, table in TABLES.items()}
    archives = {sources[name]: digest for name, digest in _digests(workspace).items() if name in sources}
    for stage in receipt.stages.values():
        for name, digest in new.items():
            if stage.outputs.get(name) == before[name]:
                stage.outputs[name] = digest
            if stage.inputs.get(f"table {name}") == before[name]:
                stage.inputs[f"table {name}"] = digest
        for name, digest in stage.inputs.items():
            if name.startswith("source ") and "://" in name:
                stage.inputs[name] = archives.get(digest, digest)
    receipt.sources = {
        name: archives.get(digest, digest) if "://" in name else digest for name, digest in receipt.sources.items()
    }
    workspace.save_receipt(receipt)


def _left(workspace: Workspace, words: Words) -> list[str]:
    """Return the files of the workspace in which a piece of the words stands, or which cannot be looked into."""
    found: list[str] = []
    for path in sorted(one for one in workspace.root.rglob("*") if one.is_file()):
        name = str(path.relative_to(workspace.root))
        try:
            if any(words.stand_in(text) for text in texts_in(path.read_bytes())):
                found.append(name)
        except (ValueError, OSError, RuntimeError, pl.exceptions.PolarsError) as e:
            found.append(f"{name} (cannot be looked into: {type(e).__name__})")
    return found


def check(done: Forgotten, root: Path) -> None:
    """Raise if something was left.

    Raises:
        WorkspaceError: a file still holds some of the words; it is named.
    """
    if done.left:
        raise WorkspaceError(
            f"{root / done.left[0]}: still holds some of the words"
            + (f", and so do {len(done.left) - 1} more files" if len(done.left) > 1 else "")
            + "; delete it, and collect again what should stay"
        )
