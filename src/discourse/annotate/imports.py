"""Bring files of labels into the labels table, and say how their comments were drawn."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl

from discourse.annotate.sheet import Sheet, Vocabulary, read_sheet
from discourse.codebook import load_codebook
from discourse.config import Config
from discourse.denominator import mark_excluded
from discourse.errors import InputError
from discourse.models.bundle import load_bundle
from discourse.tables import COMMENTS, LABELS, Design
from discourse.workspace import Outcome, Workspace

READS = (COMMENTS,)
WRITES = (LABELS,)

FILE_KEY = "labels_file"  # in a part's provenance: the file that it was imported from


def run(workspace: Workspace, config: Config) -> Outcome:
    """Import `[labels] files`; each becomes one part of the labels table and replaces what it wrote before.

    A level is a census if all eligible comments have a label of it over these files; else the files' own `design` and
    `inclusion` hold, and where they say nothing the design is unknown.

    Raises:
        InputError: a file cannot be read, or a value is outside its vocabulary.
        BundleError: the frames bundle, whose languages tell what is eligible, is missing or damaged.
    """
    files = [Path(file) for file in config.labels.files]
    if not files:
        return Outcome({"labels": workspace.read(LABELS).height})
    names = [file.name for file in files]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise InputError(f"{repeated[0]}: two files of labels have this name; rename one, or list it once")
    vocabulary = Vocabulary(load_codebook(config.codebook.file).names, config.stance.targets)
    sheets = {file.name: read_sheet(file, vocabulary) for file in files}

    languages = load_bundle(config.bundles.frames, "frames").manifest.languages
    comments = mark_excluded(workspace.scan(COMMENTS), languages, config.filter).select("comment_id", "excluded")
    marked = comments.collect()
    eligible = marked.filter(pl.col("excluded").is_null())["comment_id"]
    rows, notes = _placed(sheets, marked["comment_id"])
    rows, repeats = _without_repeats(rows, _others(workspace, set(names)))
    rows = _with_design(rows, eligible)
    if repeats:
        notes.append(f"{repeats:,} labels repeat a comment, level and annotator; the first was kept")
    for name in names:
        _put(workspace, name, rows.filter(pl.col("file") == name).drop("file"))
    kept = workspace.read(LABELS).height
    return Outcome({"labels": kept, "imported": rows.height}, tuple(notes))


def _placed(sheets: dict[str, Sheet], known: pl.Series) -> tuple[pl.DataFrame, list[str]]:
    """Return the labels of all files with the comment_id that each means; those that mean none are counted."""
    notes = [note for sheet in sheets.values() for note in sheet.notes]
    native = pl.DataFrame({"comment_id": known, "id": known.str.splitn(":", 2).struct.field("field_1")})
    native = native.filter(
        pl.col("id").is_not_null() & ~pl.col("id").is_duplicated() & ~pl.col("id").is_in(known.implode())
    )
    by_id = pl.concat([pl.DataFrame({"comment_id": known, "id": known}), native])
    placed: list[pl.DataFrame] = []
    for name, sheet in sheets.items():
        rows = sheet.rows.join(by_id, on="id", how="left", maintain_order="left")
        lost = rows.filter(pl.col("comment_id").is_null())["id"]
        if len(lost):
            first = lost.drop_nulls().head(1).to_list()
            example = f', such as "{first[0][:60]}"' if first else ""
            notes.append(
                f"{name}: {lost.n_unique():,} ids are not those of one comment here and were left out{example}"
            )
        placed.append(rows.filter(pl.col("comment_id").is_not_null()).drop("id").with_columns(file=pl.lit(name)))
    return pl.concat(placed), notes


def _without_repeats(rows: pl.DataFrame, others: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Keep the first label of each key of the table; labels that came by another way stand first."""
    key = list(LABELS.key)
    kept = rows.unique(key, keep="first", maintain_order=True).join(
        others.select(key), on=key, how="anti", maintain_order="left"
    )
    return kept, rows.height - kept.height


def _with_design(rows: pl.DataFrame, eligible: pl.Series) -> pl.DataFrame:
    """Say how the comments of each level were drawn, and with what chance."""
    level = ["kind", "level"]
    within = rows.filter(pl.col("value").is_not_null() & pl.col("comment_id").is_in(eligible.implode()))
    covered = within.group_by(level).agg(pl.col("comment_id").n_unique().alias("covered"))
    is_all = (pl.col("covered") == len(eligible)) & (pl.col("covered") > 0)
    uniform = pl.col("design") == Design.UNIFORM.value
    spread = pl.col("inclusion").max() - pl.col("inclusion").min()
    implied = pl.when(spread.over(level) < 1e-9).then(pl.lit(Design.UNIFORM.value)).otherwise(pl.lit("stratified"))
    stated = pl.when(pl.col("inclusion").is_not_null()).then(implied).otherwise(pl.lit(Design.UNKNOWN.value))
    rows = rows.join(covered, on=level, how="left", maintain_order="left").with_columns(
        pl.col("covered").fill_null(0),
        # A uniform sample tells its own chance: labelled of eligible.
        inclusion=pl.when(uniform)
        .then(pl.coalesce("inclusion", pl.col("covered") / max(len(eligible), 1)))
        .otherwise(pl.col("inclusion")),
    )
    rows = rows.with_columns(design=pl.coalesce("design", stated))
    nothing = pl.col("design").is_in([Design.UNKNOWN.value, Design.CENSUS.value])
    return rows.with_columns(
        design=pl.when(is_all)
        .then(pl.lit(Design.CENSUS.value))
        .when(nothing)
        .then(pl.lit(Design.UNKNOWN.value))
        .otherwise("design"),
        inclusion=pl.when(is_all).then(1.0).when(~nothing & (pl.col("inclusion") > 0)).then("inclusion"),
    ).drop("covered")


def _others(workspace: Workspace, names: set[str]) -> pl.DataFrame:
    """Return the labels that did not come from these files."""
    kept = [part for part in workspace.parts(LABELS) if _file_of(part) not in names]
    return pl.concat([LABELS.empty(), *(pl.read_parquet(part) for part in kept)])


def _put(workspace: Workspace, name: str, rows: pl.DataFrame) -> None:
    """Write a file's labels as one part, in place of what an earlier import of it wrote."""
    # Nothing is lost if the run is killed here: the labels still stand in the file.
    for part in workspace.parts(LABELS):
        if _file_of(part) == name:
            part.unlink()
    if rows.height:
        workspace.append(LABELS, rows, {FILE_KEY: name})


def _file_of(part: Path) -> str | None:
    about = pl.read_parquet_metadata(part).get("discourse", "{}")
    found = json.loads(about).get(FILE_KEY)
    return str(found) if found is not None else None
