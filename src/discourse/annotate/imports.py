"""Bring files of labels into the labels table, and say how their comments were drawn."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from discourse.annotate.exports import CORRECTIONS, sheet_name
from discourse.annotate.inclusion import inclusions, with_inclusion
from discourse.annotate.names import public_names
from discourse.annotate.sheet import Sheet, Vocabulary, read_sheet
from discourse.codebook import load_codebook
from discourse.config import Config
from discourse.denominator import mark_excluded
from discourse.errors import InputError, UsageError
from discourse.models.reader import reader_of
from discourse.tables import COMMENTS, LABELS, MODEL_ANNOTATOR, SAMPLES, Design, by_people
from discourse.workspace import Outcome, Workspace

READS = (COMMENTS, SAMPLES)
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
        recompute_inclusion(workspace)
        return Outcome({"labels": workspace.read(LABELS).height})
    names = [file.name for file in files]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise InputError(f"{repeated[0]}: two files of labels have this name; rename one, or list it once")
    vocabulary = _vocabulary(config)
    sheets = {_corrections(file) or file.name: read_sheet(file, vocabulary) for file in files}
    found, notes = _bring(workspace, config, sheets)
    kept = workspace.read(LABELS).height
    return Outcome({"labels": kept, "imported": found.labels}, tuple(notes))


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import brought: labels, skipped items (non-response) among them, of known inclusion, and notes."""

    labels: int
    skipped: int
    known_inclusion: int
    notes: tuple[str, ...] = ()


def import_labels(
    workspace: Workspace, config: Config, file: Path, annotator: str | None = None, *, assume_uniform: bool = False
) -> ImportResult:
    """Import one file of labels; it replaces what the same file (or an earlier save of the same sheet) brought before.

    Args:
        workspace: with comments.
        config: codebook, targets and bundles.
        file: CSV, a sheet's JSON, the report's corrections, or an export of Label Studio, Potato or doccano.
        annotator: who labelled, in place of what the file says.
        assume_uniform: take labels without a known inclusion for a simple random sample of the eligible comments.

    Raises:
        InputError: the file cannot be read, none of its labels is of a comment here, or a value is not allowed.
        UsageError: the annotator's name is empty.
    """
    if annotator is not None and not annotator.strip():
        raise UsageError("--annotator: the name is empty; give one, such as --annotator ann")
    sheet = read_sheet(file, _vocabulary(config))
    name = f"sheet {kept}" if (kept := sheet_name(file)) else file.name
    if annotator is not None:
        sheet = replace(sheet, rows=sheet.rows.with_columns(annotator=pl.lit(annotator)))
        name = f"{name} by {annotator}"
    if assume_uniform:
        unsaid = pl.col("design").is_null() & pl.col("inclusion").is_null()
        uniform = pl.when(unsaid).then(pl.lit(Design.UNIFORM.value)).otherwise("design")
        sheet = replace(sheet, rows=sheet.rows.with_columns(design=uniform))
    found, notes = _bring(workspace, config, {name: sheet})
    if not found.labels:
        raise InputError(f"{file}: none of its labels was new and of a comment in {workspace.root}: {'; '.join(notes)}")
    return replace(found, notes=tuple(notes))


def _corrections(file: Path) -> str | None:
    name = sheet_name(file)
    return f"sheet {name}" if name and name.startswith(CORRECTIONS) else None


def _vocabulary(config: Config) -> Vocabulary:
    return Vocabulary(load_codebook(config.codebook.file).names, config.stance.targets)


def _bring(workspace: Workspace, config: Config, sheets: Mapping[str, Sheet]) -> tuple[ImportResult, list[str]]:
    """Put the labels of some files into the table, and recompute the inclusion of all."""
    languages = reader_of(config, "frames").manifest.languages
    comments = mark_excluded(workspace.scan(COMMENTS), languages, config.filter).select("comment_id", "excluded")
    marked = comments.collect()
    eligible = marked.filter(pl.col("excluded").is_null())["comment_id"]
    for name, sheet in sheets.items():
        posing = sheet.rows.filter(~by_people())["annotator"]
        if len(posing):
            raise InputError(
                f'{name}: names "{posing[0][:60]}" as annotator, and names with {MODEL_ANNOTATOR} are those of the '
                "external coder; call people otherwise, or give --annotator NAME"
            )
    rows, notes = _placed(sheets, _identifiers(workspace, config, marked["comment_id"]))
    rows, repeats = _without_repeats(rows, _others(workspace, set(sheets)))
    rows = _with_design(rows, eligible)
    notes += repeats
    for name in sheets:
        _put(workspace, name, rows.filter(pl.col("file") == name).drop("file"))
    recompute_inclusion(workspace)
    brought = pl.concat(
        [LABELS.empty(), *(pl.read_parquet(p) for p in workspace.parts(LABELS) if _file_of(p) in sheets)]
    )
    skipped = brought["value"].null_count()
    if skipped:
        notes.append(f"{skipped:,} items were skipped: non-response, in no estimate")
    given = brought.filter(pl.col("value").is_not_null())
    known = given["inclusion"].len() - given["inclusion"].null_count()
    return ImportResult(brought.height, skipped, known), notes + _of_inclusion(given, workspace.read(LABELS))


def _of_inclusion(given: pl.DataFrame, every: pl.DataFrame) -> list[str]:
    """Say which of the labels just brought are of no use to estimates, and where labels disagree on the chance.

    Args:
        given: the labels brought, without skipped ones.
        every: the whole labels table.
    """
    unsaid = given.filter(pl.col("inclusion").is_null())
    drawn = unsaid.filter(pl.col("design") != Design.UNKNOWN.value)
    notes: list[str] = []
    if unsaid.height > drawn.height:
        notes.append(
            f"{unsaid.height - drawn.height:,} labels are of comments that were not drawn by chance as far as is "
            "known: they serve training, agreement and evaluation, no estimate"
        )
    if drawn.height:
        notes.append(
            f"{drawn.height:,} labels say how their comments were drawn ({drawn['design'][0]}) but not with what "
            "chance: they serve no estimate until a column inclusion gives it"
        )
    about = ["comment_id", "kind", "level"]
    said = every.filter(pl.col("inclusion").is_not_null()).join(given.select(about).unique(), on=about, how="semi")
    unlike = said.group_by(about).agg((pl.col("inclusion").max() - pl.col("inclusion").min()).alias("spread"))
    against = unlike.filter(pl.col("spread") > 1e-9).height
    if against:
        notes.append(f"{against:,} comments have labels that give different inclusions; the smallest is used")
    return notes


def recompute_inclusion(workspace: Workspace) -> None:
    """Bring the inclusion of every label up to date with all rounds of samples.

    Corrections stay of unknown inclusion, also where their comment was drawn: a reader chose it because of its tag.
    """
    samples = workspace.read(SAMPLES)
    if samples.is_empty():
        return
    labels = workspace.read(LABELS)
    for part in workspace.parts(LABELS):
        before, name = pl.read_parquet(part), _file_of(part)
        if name is not None and name.startswith(f"sheet {CORRECTIONS}"):
            continue
        # The chance of a label by people is over the rounds that people were asked about, and a coder's is apart.
        coder = before.filter(~by_people())["annotator"]
        alike = labels.filter(annotator=coder[0]) if len(coder) else labels.filter(by_people())
        after = with_inclusion(before, inclusions(samples, alike))
        if not after.equals(before):
            workspace.append(LABELS, after, {} if name is None else {FILE_KEY: name})


def _identifiers(workspace: Workspace, config: Config, known: pl.Series) -> pl.DataFrame:
    """Return comment_id and every id that means it: itself, the platform's own, and the name in sheets and reports.

    The comment_id is null where a name means several comments.
    """
    native = pl.DataFrame({"comment_id": known, "id": known.str.splitn(":", 2).struct.field("field_1")})
    native = native.filter(
        pl.col("id").is_not_null() & ~pl.col("id").is_duplicated() & ~pl.col("id").is_in(known.implode())
    )
    key = workspace.author_key(config.normalize.author_key)
    public = pl.DataFrame({"comment_id": known, "id": pl.Series(public_names(key, known), dtype=pl.String)})
    public = public.with_columns(comment_id=pl.when(~pl.col("id").is_duplicated()).then("comment_id"))
    every = pl.concat([pl.DataFrame({"comment_id": known, "id": known}), native, public])
    return every.unique("id", keep="first", maintain_order=True)


def _placed(sheets: Mapping[str, Sheet], by_id: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """Return the labels of all files with the comment_id that each means; those that mean none are counted."""
    notes = [note for sheet in sheets.values() for note in sheet.notes]
    placed: list[pl.DataFrame] = []
    for name, sheet in sheets.items():
        rows = sheet.rows.join(by_id, on="id", how="left", maintain_order="left")
        lost = rows.filter(pl.col("comment_id").is_null())["id"]
        if len(lost):
            first = lost.drop_nulls().head(1).to_list()
            example = f', such as "{first[0][:60]}"' if first else ""
            several = lost.drop_nulls().unique().is_in(by_id["id"].implode()).sum()
            more = f" ({several:,} of them mean several comments)" if several else ""
            notes.append(
                f"{name}: {lost.n_unique():,} ids are not those of one comment here and were left out{example}{more}"
            )
        placed.append(rows.filter(pl.col("comment_id").is_not_null()).drop("id").with_columns(file=pl.lit(name)))
    return pl.concat(placed), notes


def _without_repeats(rows: pl.DataFrame, others: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """Keep one label by each annotator for each item: the first; labels that came by another way stand first."""
    key = ["comment_id", "kind", "level", "annotator"]
    first = rows.unique(key, keep="first", maintain_order=True)
    kept = first.join(others.select(key).unique(), on=key, how="anti", maintain_order="left")
    stands = pl.concat([others.select(*key, "value"), kept.select(*key, "value")])
    values = stands.unique(key, keep="first", maintain_order=True).rename({"value": "stands"})
    against = rows.join(values, on=key).filter(pl.col("value").ne_missing(pl.col("stands")))
    repeats = rows.height - kept.height
    if not repeats:
        return kept, []
    note = f"{repeats:,} labels repeat a comment, level and annotator; the first was kept"
    return kept, [f"{note} ({against.height:,} of them say another thing than it)" if against.height else note]


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
