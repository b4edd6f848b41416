"""The models on any table: read it, clean its texts as comments are cleaned, tag, and write tags beside or into it."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from discourse.collect import read_table
from discourse.config import Config
from discourse.engine import open_engine
from discourse.errors import InputError, UsageError, did_you_mean
from discourse.models.bundle import load_bundle
from discourse.models.encoder import load_reader
from discourse.normalize import clean_text
from discourse.normalize.language import detect_languages
from discourse.progress import say, warn
from discourse.tables import FRAMES, STANCES, ReplyKind, Role, State
from discourse.tag.cascade import way_of
from discourse.tag.fit import check_fits
from discourse.tag.frames import tag_frames
from discourse.tag.stance import tag_stance
from discourse.workspace import Workspace
from discourse.writing import replacing

WRITERS = (".csv", ".jsonl", ".parquet")
CONTEXT = ("title", "parent", "context")
FORMULA = r"^[=+\-@\t\r]"


@dataclass(frozen=True, slots=True)
class TableTagging:
    """What was done: rows tagged, rows that could not be, the columns read, the files written, and what to know."""

    rows: int
    unreadable: int
    columns: list[str]
    written: list[Path]
    notes: list[str]


def tag_table(
    source: Path, text_column: str, id_column: str | None, output: Path, config: Config, *, wide: bool = False
) -> TableTagging:
    """Tag the rows of a CSV, TSV, JSONL or Parquet file.

    Args:
        source: the file.
        text_column: the column with the text.
        id_column: the column that becomes comment_id, as text; else the row number, counted from 1.
        output: gets the long frames table (or, with `wide`, the input's columns plus one for each tag); with targets
            the stance table is written beside it as NAME.stance.SUFFIX.
        config: bundles, targets and whether context is read.
        wide: see `output`.

    Raises:
        InputError: the file cannot be read or has no text.
        UsageError: a column is not there, ids repeat, or the output's form is unknown.
    """
    if output.suffix not in WRITERS:
        raise UsageError(f"{output}: tags are written as {', '.join(WRITERS)}; choose one of these suffixes")
    beside = output.with_name(f"{output.stem}.stance{output.suffix}")
    written = [output, beside] if config.stance.targets and not wide else [output]
    if source.resolve() in {path.resolve() for path in written}:
        raise UsageError(f"{source}: would be overwritten by the tags; choose another -o")
    table = read_table(source)
    for row in table.broken[:3]:
        say(f"  {source.name} {table.unit} {row.place}: left out ({row.reason.value})")
    frame = table.frame
    for column in (text_column, id_column):
        if column is not None and column not in frame.columns:
            raise UsageError(
                f'{source}: has no column "{column}"{did_you_mean(column, frame.columns)}; columns: '
                f"{', '.join(frame.columns)}"
            )
        if column is not None and not _is_plain(frame.schema[column]):
            raise UsageError(f'{source}: column "{column}" holds {frame.schema[column]}, not text; choose another')
    context = [name for name in CONTEXT if config.tagging.context and _is_plain(frame.schema.get(name, pl.Binary()))]
    read = [text_column, *context]
    say(f"{source.name}: reading {', '.join(read)}")
    comments = _comments(source, frame, text_column, id_column, context, config)
    frames, stances, notes = _tag(comments, config)
    for note in notes:
        say(note)
    _write(_widened(frame, comments, frames, stances) if wide else frames, output)
    if stances is not None and not wide:
        _write(stances, beside)
    return TableTagging(comments.height, len(table.broken), read, written, notes)


def _is_plain(dtype: pl.DataType) -> bool:
    """Return whether values of a type can be read as text."""
    return not (dtype.is_nested() or dtype == pl.Binary())


def _comments(
    source: Path, frame: pl.DataFrame, text_column: str, id_column: str | None, context: list[str], config: Config
) -> pl.DataFrame:
    """Return the rows as comments of one thread, with the text answered where a column gives one."""
    cleaned = clean_text(frame[text_column].cast(pl.String), "auto")["text"]
    ids = frame[id_column].cast(pl.String) if id_column else pl.Series(range(1, frame.height + 1)).cast(pl.String)
    if ids.null_count() or ids.is_duplicated().any():
        raise UsageError(f'{source}: ids in column "{id_column}" are empty or repeat; choose another --id-column')
    if cleaned.drop_nulls().is_empty():
        raise InputError(f'{source}: no row has text in column "{text_column}"; name another with --text-column')
    nothing = pl.Series([None] * frame.height, dtype=pl.String)
    titles = clean_text(frame["title"].cast(pl.String), "auto")["text"] if "title" in context else nothing
    # Rows of one title stand in one thread, which gives them that title.
    comments = pl.DataFrame({"comment_id": ids, "text": cleaned, "thread_id": titles.fill_null("")}).with_columns(
        state=pl.lit(State.VISIBLE.value), reply_kind=pl.lit(ReplyKind.TOP.value)
    )
    answered = next((column for column in ("parent", "context") if column in context), None)
    parent = clean_text(frame[answered].cast(pl.String), "auto")["text"] if answered else nothing
    languages = detect_languages(comments, config.normalize.languages)
    return pl.concat([comments, languages], how="horizontal").with_columns(parent.alias("parent"))


def _tag(comments: pl.DataFrame, config: Config) -> tuple[pl.DataFrame, pl.DataFrame | None, list[str]]:
    bundle = load_bundle(config.bundles.frames, "frames", config.tagging.precision)
    if bundle.doubt:
        warn(bundle.doubt)
    encoder = load_reader(bundle.manifest.encoder, precision=config.tagging.precision)
    with tempfile.TemporaryDirectory(prefix="discourse-") as folder, open_engine(config, Path(folder)) as engine:
        workspace = Workspace(Path(folder))
        # Parents are rows of their own, which are read along and not tagged.
        answering = pl.when(pl.col("parent").is_not_null()).then(pl.lit("parent of ") + pl.col("comment_id"))
        parents = comments.filter(pl.col("parent").is_not_null()).with_columns(
            comment_id=pl.lit("parent of ") + pl.col("comment_id"),
            text=pl.col("parent"),
            reply_kind=pl.lit(ReplyKind.OPENING.value),
            parent_id=pl.lit(None, pl.String),
        )
        both = pl.concat([comments.with_columns(parent_id=answering), parents]).drop("parent")
        threads = comments.select("thread_id", title="thread_id").unique()
        path, cascade = way_of(bundle, config.tagging)
        frames = FRAMES.conform(tag_frames(workspace, both, threads, bundle, encoder, path, cascade, engine))
        # Without threads in a table, its rows are taken for comments of one.
        alike = [(bundle, comments.with_columns(role=pl.lit(Role.USER.value)))]
        notes = check_fits(workspace, alike, encoder, config)
        if not config.stance.targets:
            return frames, None, notes
        stance = load_bundle(config.bundles.stance, "stance", config.tagging.precision)
        stances = tag_stance(workspace, both, stance, encoder, config, engine)
        return frames, STANCES.conform(stances), notes


def _widened(
    frame: pl.DataFrame, comments: pl.DataFrame, frames: pl.DataFrame, stances: pl.DataFrame | None
) -> pl.DataFrame:
    ids = comments.select("comment_id")
    tags = frames.pivot("frame", index="comment_id", values=["probability", "decision"])
    tags = tags.rename({name: f"{name.split('_', 1)[1]}_{name.split('_', 1)[0]}" for name in tags.columns[1:]})
    found = ids.join(tags, on="comment_id", how="left", maintain_order="left")
    if stances is not None:
        sides = stances.pivot("target", index="comment_id", values="stance")
        sides = sides.rename({name: f"stance: {name}" for name in sides.columns[1:]})
        found = found.join(sides, on="comment_id", how="left", maintain_order="left")
    added = found.drop("comment_id")
    added = added.rename({name: f"discourse {name}" for name in added.columns if name in frame.columns})
    return pl.concat([frame, added], how="horizontal")


def _write(frame: pl.DataFrame, output: Path) -> None:
    if output.suffix != ".parquet":
        # Neither CSV nor JSON has bytes.
        frame = frame.with_columns(pl.col(pl.Binary).bin.encode("base64"))
    with replacing(output) as partial:
        if output.suffix == ".parquet":
            frame.write_parquet(partial, compression="zstd")
        elif output.suffix == ".jsonl":
            frame.write_ndjson(partial)
        else:
            _formula_safe(frame).write_csv(partial)


def _formula_safe(frame: pl.DataFrame) -> pl.DataFrame:
    """Put an apostrophe before text and names that a spreadsheet would run as a formula (OWASP, CSV injection)."""
    texts = [name for name, dtype in frame.schema.items() if not (dtype.is_numeric() or dtype.is_temporal())]
    nested = [name for name in texts if frame.schema[name].is_nested()]
    # CSV has no form for lists; Python's is readable.
    listed = [pl.Series(name, [row and str(row) for row in frame[name].to_list()], pl.String) for name in nested]
    frame = frame.with_columns(listed).with_columns(pl.col(texts).cast(pl.String))
    frame = frame.with_columns(pl.col(name).str.replace(FORMULA, "'$0") for name in texts)
    return frame.rename({name: f"'{name}" for name in frame.columns if re.match(FORMULA, name)})
