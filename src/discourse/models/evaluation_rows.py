"""The rows of a labelled file on which a bundle is evaluated; what cannot be used is kept out with its reason."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from discourse.errors import InputError, did_you_mean
from discourse.models.training_checks import LONGEST, NO, STANCES, YES

Clean = Callable[[pl.Series], pl.Series]
TEXTS = ("text", "title", "parent")
# Columns that say something of a row and are no frames, whatever their values.
DESCRIBING = {*TEXTS, "context", "id", "comment_id", "source", "thread", "thread_id", "weight", "unsure", "hard"}
SAME_STANCE = {"favour": "favor", "none": "neutral", "off target": "off_target", "off-target": "off_target"}


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row that is not evaluated: its place in the file, why (`empty`, `no_label`, `wrong_label`, `no_target`)."""

    place: int
    reason: str
    excerpt: str


@dataclass(frozen=True, slots=True)
class EvaluationRows:
    """Rows to evaluate on, those left out, and what a person should know of the file.

    `rows`: place, text, title, parent (cleaned), source, thread (one name for each row where the file has none),
    weight (0: unknown), by (the value of the column asked for), and the labels: Int8 for each of `levels`, or target
    and stance.
    """

    rows: pl.DataFrame
    levels: tuple[str, ...]
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]


def frame_rows(
    frame: pl.DataFrame, places: pl.Series, levels: Sequence[str], where: str, clean: Clean, by: str | None = None
) -> EvaluationRows:
    """Read rows for a frames bundle: `text`, optional `title`, `parent`, and one 0/1 column for each frame.

    Args:
        frame: the file's columns.
        places: where each row stands in the file.
        levels: the frames of the bundle; a file may have some of them only.
        where: the file, for messages.
        clean: the clean-up of comments.
        by: a column to group by.

    Raises:
        InputError: a column is missing, or no row can be used.
    """
    _check_text(frame, where)
    present = tuple(level for level in levels if level in frame.columns)
    if not present:
        near = next((did_you_mean(level, frame.columns) for level in levels if did_you_mean(level, frame.columns)), "")
        raise InputError(
            f"{where}: has no column of a frame of the bundle ({', '.join(levels)}){near}; columns: "
            f"{', '.join(frame.columns)}"
        )
    labels = [_plain(frame, level, where).alias(level) for level in present]
    rows = _described(frame, places, where, clean, by).with_columns(labels)
    missing = pl.any_horizontal(pl.col(level) == "" for level in present)
    wrong = pl.any_horizontal(~pl.col(level).is_in([*YES, *NO, ""]) for level in present)
    rows = rows.with_columns(
        reason=pl.when(pl.col("text") == "")
        .then(pl.lit("empty"))
        .when(wrong)
        .then(pl.lit("wrong_label"))
        .when(missing)
        .then(pl.lit("no_label"))
    )
    kept = rows.filter(pl.col("reason").is_null()).with_columns(
        pl.col(level).is_in(YES).cast(pl.Int8).alias(level) for level in present
    )
    notes = [*_absent_frames(frame, levels, present), *_one_class(kept, present)]
    return _finished(rows, kept, present, where, "a label is 0 or 1", notes, [*TEXTS])


def stance_rows(
    frame: pl.DataFrame, places: pl.Series, where: str, clean: Clean, by: str | None = None
) -> EvaluationRows:
    """Read rows for a stance bundle: `text`, `target`, `stance`, optional `context` (a text or a list) or `parent`.

    The comment answered is `parent`, or where that is empty the last of `context`. See `frame_rows` for the rest.
    """
    _check_text(frame, where)
    for column in ("target", "stance"):
        if column not in frame.columns:
            near = did_you_mean(column, frame.columns)
            raise InputError(f'{where}: has no column "{column}"{near}; columns: {", ".join(frame.columns)}')
    rows = _described(frame, places, where, clean, by)
    if "context" in frame.columns:
        above = clean(pl.Series([_last(value) for value in frame["context"].to_list()], dtype=pl.String)).fill_null("")
        rows = rows.with_columns(parent=pl.when(pl.col("parent") == "").then(above).otherwise("parent"))
    rows = rows.with_columns(
        target=clean(frame["target"].cast(pl.String)).fill_null(""),
        stance=_plain(frame, "stance", where).replace(SAME_STANCE),
    )
    rows = rows.with_columns(
        reason=pl.when(pl.col("text") == "")
        .then(pl.lit("empty"))
        .when(pl.col("target") == "")
        .then(pl.lit("no_target"))
        .when(pl.col("stance") == "")
        .then(pl.lit("no_label"))
        .when(~pl.col("stance").is_in(STANCES))
        .then(pl.lit("wrong_label"))
    )
    kept = rows.filter(pl.col("reason").is_null())
    found = kept["stance"].unique().sort().to_list()
    notes = [f"all rows are {found[0]}: figures of the other stances cannot be computed"] if len(found) == 1 else []
    expected = f"a stance is {', '.join(STANCES)}"
    return _finished(rows, kept, STANCES, where, expected, notes, ["text", "parent", "target"])


def _check_text(frame: pl.DataFrame, where: str) -> None:
    if "text" not in frame.columns:
        near = did_you_mean("text", frame.columns)
        raise InputError(f'{where}: has no column "text"{near}; columns: {", ".join(frame.columns)}')
    if frame.is_empty():
        raise InputError(f"{where}: has no rows; give at least one labelled comment")


def _described(frame: pl.DataFrame, places: pl.Series, where: str, clean: Clean, by: str | None) -> pl.DataFrame:
    """Return place, texts, clusters, weight and group of each row."""
    nothing = pl.Series([""] * frame.height, dtype=pl.String)
    texts = {
        name: clean(_text(frame, name, where)).fill_null("") if name in frame.columns else nothing for name in TEXTS
    }
    own = "row " + places.cast(pl.String)
    thread = next((name for name in ("thread", "thread_id") if name in frame.columns), None)
    if by is not None and by not in frame.columns:
        near = did_you_mean(by, frame.columns)
        raise InputError(f'{where}: has no column "{by}" to group by{near}; columns: {", ".join(frame.columns)}')
    groups = _text(frame, by, where).fill_null("(empty)") if by else nothing
    return pl.DataFrame(
        {
            "place": places,
            **texts,
            "source": _names(frame, "source", pl.Series(["file"]).new_from_index(0, frame.height)),
            "thread": _names(frame, thread, own) if thread else own,
            "weight": _weights(frame),
            "by": groups,
        }
    )


def _weights(frame: pl.DataFrame) -> pl.Series:
    """Return weights above 0, and 0 where there is none or it is no such number."""
    if "weight" not in frame.columns or frame.schema["weight"].is_nested() or frame.schema["weight"] == pl.Binary():
        return pl.Series("weight", [0.0]).new_from_index(0, frame.height)
    given = pl.col("weight").cast(pl.Float64, strict=False)
    return frame.select(pl.when(given.is_finite() & (given > 0)).then(given).otherwise(0.0)).to_series()


def _text(frame: pl.DataFrame, name: str, where: str) -> pl.Series:
    if frame.schema[name].is_nested() or frame.schema[name] == pl.Binary():
        raise InputError(f'{where}: the column "{name}" holds {frame.schema[name]}, not text')
    return frame[name].cast(pl.String)


def _names(frame: pl.DataFrame, column: str, default: pl.Series) -> pl.Series:
    if column not in frame.columns or frame.schema[column].is_nested() or frame.schema[column] == pl.Binary():
        return default
    return frame.select(pl.coalesce(pl.col(column).cast(pl.String), default)).to_series()


def _plain(frame: pl.DataFrame, column: str, where: str) -> pl.Series:
    """Return labels in lower case without white space; empty where there is none."""
    return _text(frame, column, where).fill_null("").str.strip_chars().str.to_lowercase()


def _last(value: object) -> str | None:
    """Return the last comment of a context: of a list, of a list written as JSON, or the text itself."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except ValueError:
            return str(value)
    if isinstance(value, list):
        texts = [each for each in value if isinstance(each, str) and each.strip()]
        return texts[-1] if texts else None
    return value if isinstance(value, str) else None


def _absent_frames(frame: pl.DataFrame, levels: Sequence[str], present: Sequence[str]) -> list[str]:
    notes: list[str] = []
    absent = [level for level in levels if level not in present]
    if absent:
        notes.append(f"the file has no column {', '.join(absent)}: not evaluated")
    for column in frame.columns:
        if column in levels or column in DESCRIBING or frame.schema[column].is_nested():
            continue
        values = {str(value).lower() for value in frame[column].drop_nulls().unique().head(5).to_list()}
        if values and values <= {*YES, *NO}:
            near = did_you_mean(column, levels)
            notes.append(f'the column "{column}" looks like a frame and is none of the bundle{near}: ignored')
    return notes


def _one_class(rows: pl.DataFrame, levels: Sequence[str]) -> list[str]:
    said: list[str] = []
    for level in levels:
        found = rows[level].unique().to_list()
        if found == [0]:
            said.append(f"{level}: no row is a yes, so that F1, recall and average precision cannot be computed")
        if found == [1]:
            said.append(f"{level}: every row is a yes, so that its false positives and calibration cannot be computed")
    return said


def _finished(
    rows: pl.DataFrame,
    kept: pl.DataFrame,
    levels: tuple[str, ...],
    where: str,
    expected: str,
    notes: list[str],
    same: list[str],
) -> EvaluationRows:
    gone = rows.filter(pl.col("reason").is_not_null())
    left_out = tuple(
        LeftOut(*row) for row in gone.select("place", "reason", pl.col("text").str.slice(0, 80)).iter_rows()
    )
    if kept.is_empty():
        counts = ", ".join(
            f"{count:,} {reason}" for reason, count in gone["reason"].value_counts(sort=True).iter_rows()
        )
        raise InputError(f"{where}: no row can be evaluated on ({counts}); each needs a text, and {expected}")
    labels = ["stance"] if "stance" in kept.columns else list(levels)
    differing = kept.group_by(same).agg(pl.struct(labels).n_unique().alias("readings")).filter(pl.col("readings") > 1)
    if differing.height:
        notes.append(f"{differing.height:,} texts stand there more than once with different labels: all rows count")
    long = kept.filter(pl.col("text").str.len_chars() > LONGEST).height
    if long:
        notes.append(f"{long:,} texts are longer than {LONGEST:,} letters: the model reads their start")
    return EvaluationRows(kept.drop("reason"), levels, left_out, tuple(notes))
