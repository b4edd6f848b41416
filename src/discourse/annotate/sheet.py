"""Read a file of labels, wide (a column for each frame) or long (a row for each label), into label rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from discourse.annotate import potato
from discourse.annotate.exports import Export, read_export, read_potato_table
from discourse.errors import InputError, did_you_mean
from discourse.tables import Design, Stance

ID_COLUMNS = ("comment_id", "id")
EXTRA = ("hard", "annotator", "design", "inclusion", "round", "labelled_at")
YES_NO = {"1": "yes", "yes": "yes", "true": "yes", "0": "no", "no": "no", "false": "no"}
STANCES = {stance.value: stance.value for stance in Stance if stance is not Stance.UNSURE}
STANCE_PREFIX = "stance:"
SHEET_SCHEMA = pl.Schema(
    {
        "id": pl.String(),
        "kind": pl.String(),
        "level": pl.String(),
        "value": pl.String(),
        "hard": pl.Boolean(),
        "annotator": pl.String(),
        "design": pl.String(),
        "inclusion": pl.Float64(),
        "round": pl.Int64(),
        "labelled_at": pl.Datetime("us", "UTC"),
    }
)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What may be labelled: the codebook's frames and the configured targets."""

    frames: tuple[str, ...]
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file's labels in the columns of `SHEET_SCHEMA` (design and inclusion null where not said), and notes."""

    rows: pl.DataFrame
    notes: tuple[str, ...]


def read_sheet(file: Path, vocabulary: Vocabulary) -> Sheet:
    """Read a file of labels: CSV or TSV, or the JSON or JSONL of a known tool; an empty value is a skipped label.

    Raises:
        InputError: the file cannot be read, has no id column or no labels, or a value is outside its vocabulary.
    """
    if file.suffix.lower() in {".json", ".jsonl"}:
        return _of_export(file, read_export(file, vocabulary), vocabulary)
    cells = _read(file)
    if potato.is_table(cells.columns) and not set(ID_COLUMNS) & set(cells.columns):
        return _of_export(file, read_potato_table(file, cells, vocabulary), vocabulary)
    id_column = next((name for name in ID_COLUMNS if name in cells.columns), None)
    if id_column is None:
        raise InputError(f"{file}: has no column comment_id or id; its columns are {', '.join(cells.columns)}")
    cells = cells.with_row_index("row", offset=2).rename({id_column: "id"})
    is_long = {"kind", "level", "value"} <= set(cells.columns)
    rows, used, notes = _long(file, cells, vocabulary) if is_long else _wide(file, cells, vocabulary)
    unknown = [name for name in cells.columns if name not in {"row", "id", *EXTRA, *used}]
    if unknown:
        listed = ", ".join(name + did_you_mean(name, vocabulary.frames) for name in unknown)
        notes.append(f"{file.name}: {len(unknown)} unknown columns were left out: {listed}")
    return Sheet(_extras(file, rows).select(SHEET_SCHEMA.names()).cast(SHEET_SCHEMA), tuple(notes))


def _of_export(file: Path, export: Export, vocabulary: Vocabulary) -> Sheet:
    rows, _, _ = _long(file, export.rows, vocabulary)
    notes: tuple[str, ...] = ()
    if export.left_out:
        listed = ", ".join(name[:40] for name in export.left_out)
        notes = (f"{file.name}: {len(export.left_out)} questions on other things were left out: {listed}",)
    return Sheet(_extras(file, rows).select(SHEET_SCHEMA.names()).cast(SHEET_SCHEMA), notes)


def _read(file: Path) -> pl.DataFrame:
    try:
        raw = file.read_bytes()
        text = raw.decode("utf-8-sig")
    except OSError as e:
        raise InputError(f"{file}: cannot be read ({e.strerror}); name a CSV file in [labels] files") from e
    except UnicodeDecodeError as e:
        raise InputError(f"{file}: is not UTF-8 text; save it as CSV in UTF-8") from e
    header = text.split("\n", 1)[0]
    separator = next((sign for sign in ("\t", ";") if sign in header and "," not in header), ",")
    try:
        cells = pl.read_csv(text.encode(), infer_schema=False, separator=separator)
    except pl.exceptions.PolarsError as e:
        reason = (str(e).strip().splitlines() or ["unreadable"])[0][:160]
        raise InputError(f"{file}: is not valid CSV ({reason}); save it as CSV with a header row") from e
    names = [name.strip() for name in cells.columns]
    if len(set(names)) < len(names):
        raise InputError(f"{file}: two columns have the same name; give each its own")
    cells.columns = names
    return cells.with_columns(pl.all().str.strip_chars()).with_columns(pl.all().replace("", None))


def _wide(file: Path, cells: pl.DataFrame, vocabulary: Vocabulary) -> tuple[pl.DataFrame, set[str], list[str]]:
    """Return one row for each cell of a label column, the columns that were read, and notes."""
    levels = {name: ("frame", name) for name in vocabulary.frames if name in cells.columns}
    for name in cells.columns:
        if name.startswith(STANCE_PREFIX) and len(name) > len(STANCE_PREFIX):
            levels[name] = ("stance", name.removeprefix(STANCE_PREFIX).strip())
    notes: list[str] = []
    if "stance" in cells.columns:
        if len(vocabulary.targets) == 1:
            levels["stance"] = ("stance", vocabulary.targets[0])
        else:
            notes.append(
                f'{file.name}: the column "stance" was left out, because [stance] targets names '
                f'{len(vocabulary.targets)} targets; call it "stance:<target>"'
            )
    if not levels and not notes:
        allowed = ", ".join([*vocabulary.frames, "stance"])
        raise InputError(f"{file}: has no column of labels; name one of {allowed}")
    extras = [name for name in EXTRA if name in cells.columns]
    parts = [
        cells.select(
            "row",
            "id",
            *extras,
            kind=pl.lit(kind),
            level=pl.lit(level),
            value=_checked(file, cells, column, YES_NO if kind == "frame" else STANCES),
        )
        for column, (kind, level) in levels.items()
    ]
    empty = cells.select("row", "id", *extras, *(pl.lit(None, pl.String).alias(n) for n in ("kind", "level", "value")))
    return pl.concat(parts) if parts else empty.clear(), {*levels, "stance"}, notes


def _long(file: Path, cells: pl.DataFrame, vocabulary: Vocabulary) -> tuple[pl.DataFrame, set[str], list[str]]:
    kinds = {"frame": YES_NO, "stance": STANCES}
    cells = cells.with_columns(kind=_checked(file, cells, "kind", {kind: kind for kind in kinds}))
    _refuse_empty(file, cells, ("kind", "level"))
    frames = cells.filter(pl.col("kind") == "frame")
    levels = {name: name for name in vocabulary.frames}
    _checked(file, frames.with_columns(pl.col("level").str.to_lowercase()), "level", levels)
    parts = [
        part.with_columns(
            value=_checked(file, part, "value", allowed),
            level=pl.col("level").str.to_lowercase() if kind == "frame" else pl.col("level"),
        )
        for kind, allowed in kinds.items()
        for part in [cells.filter(pl.col("kind") == kind)]
    ]
    return pl.concat(parts), {"kind", "level", "value"}, []


def _extras(file: Path, rows: pl.DataFrame) -> pl.DataFrame:
    """Read the columns that say who labelled, how sure, and how the comment was drawn."""
    absent = [pl.lit(None, pl.String).alias(name) for name in EXTRA if name not in rows.columns]
    rows = rows.with_columns(absent)
    hard = _checked(file, rows, "hard", YES_NO)
    design = _checked(file, rows, "design", {design.value: design.value for design in Design})
    rows = rows.with_columns(
        hard=(hard == "yes").fill_null(value=False),
        design=design,
        annotator=pl.col("annotator").fill_null(file.stem),
        read_inclusion=pl.col("inclusion").cast(pl.Float64, strict=False),
        read_round=pl.col("round").cast(pl.Int64, strict=False),
        read_time=pl.col("labelled_at").str.to_datetime(time_unit="us", time_zone="UTC", strict=False),
    )
    inside = ((pl.col("read_inclusion") > 0) & (pl.col("read_inclusion") <= 1)).fill_null(value=False)
    _refuse(file, rows, "inclusion", inside, "a number above 0 and at most 1")
    _refuse(file, rows, "round", (pl.col("read_round") >= 0).fill_null(value=False), "a whole number from 0")
    _refuse(file, rows, "labelled_at", pl.col("read_time").is_not_null(), "a time such as 2026-01-31T12:00:00Z")
    return rows.with_columns(
        inclusion=pl.col("read_inclusion"), round=pl.col("read_round").fill_null(0), labelled_at=pl.col("read_time")
    )


def _checked(file: Path, cells: pl.DataFrame, column: str, allowed: dict[str, str]) -> pl.Series:
    """Return a column's values in the words of `allowed`; an empty cell stays null."""
    found = cells[column].cast(pl.String).str.to_lowercase()
    read = found.replace_strict(allowed, default=None, return_dtype=pl.String)
    wrong = cells.filter(found.is_not_null() & read.is_null())
    if wrong.height:
        _raise(file, wrong, column, ", ".join(allowed))
    return read


def _refuse(file: Path, rows: pl.DataFrame, column: str, valid: pl.Expr, allowed: str) -> None:
    wrong = rows.filter(pl.col(column).is_not_null() & ~valid).sort("row")
    if wrong.height:
        _raise(file, wrong, column, allowed)


def _refuse_empty(file: Path, cells: pl.DataFrame, columns: Sequence[str]) -> None:
    for column in columns:
        wrong = cells.filter(pl.col(column).is_null())
        if wrong.height:
            raise InputError(f"{file}: row {wrong['row'][0]}: {column} is empty; say which {column} is labelled")


def _raise(file: Path, wrong: pl.DataFrame, column: str, allowed: str) -> None:
    row, value = wrong["row"][0], str(wrong[column][0])[:60]
    more = f" ({wrong.height - 1} more such rows)" if wrong.height > 1 else ""
    raise InputError(f'{file}: row {row}: {column} is "{value}"{more}; allowed: {allowed}')
