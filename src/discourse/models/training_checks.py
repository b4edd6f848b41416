"""What labelled rows must be before a model learns from them; what is left out is counted and named, never silent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from discourse.errors import BundleError, InputError, did_you_mean

STANCES = ("favor", "against", "neutral", "off_target")
LONGEST = 20_000  # letters; no encoder of ours reads past a tenth of them
YES = ("1", "1.0", "yes", "y", "true")
NO = ("0", "0.0", "no", "n", "false")
NO_FRAMES = ("text", "title", "parent", "context", "id", "source", "thread", "thread_id", "weight", "sample", "unsure")
MADE = ("row", "text_hash", "original_hash", "importance", "training_only")
FEW_YES = 8  # below it, a threshold rests on a handful of comments, see docs/new-frames.md
NAMED = 5  # row numbers that a sentence lists


@dataclass(frozen=True, slots=True)
class Checked:
    """Rows that can be learned from, how many were not by reason, and a sentence for each reason, naming rows.

    Reasons: `empty`, `unlabelled`, `no_target`, `contradictory` (rows left out); `outvoted` (rows whose label was
    changed to that of most rows of the same text), `cut` (long texts of which only the start is read).
    """

    rows: pl.DataFrame
    dropped: dict[str, int] = field(default_factory=dict[str, int])
    notes: tuple[str, ...] = ()

    def then(self, following: Checked) -> Checked:
        """Return what a check of these rows found, together with what was found before."""
        counts = {
            reason: self.dropped.get(reason, 0) + following.dropped.get(reason, 0)
            for reason in (*self.dropped, *following.dropped)
        }
        return Checked(following.rows, counts, (*self.notes, *following.notes))


def numbered(frame: pl.DataFrame) -> pl.DataFrame:
    """Add `row`, counting from 1 below the header, so that a person finds the row again."""
    return frame if "row" in frame.columns else frame.with_row_index("row", 1)


def check_columns(frame: pl.DataFrame, wanted: Sequence[str], where: str) -> None:
    """Check that a table has the columns.

    Raises:
        InputError: one is missing; the nearest name is asked for.
    """
    missing = [name for name in wanted if name not in frame.columns]
    if missing:
        near = did_you_mean(missing[0], [name for name in frame.columns if name not in wanted])
        raise InputError(f'{where}: lacks the column "{missing[0]}"{near}; its columns: {", ".join(frame.columns)}')


def unknown_frames(frame: pl.DataFrame, names: Sequence[str], where: str) -> tuple[str, ...]:
    """Name columns that hold labels of no frame of the codebook, so that a misspelt one is not passed over.

    Args:
        frame: as it was read.
        names: all frames of the codebook.
        where: the file, for messages.
    """
    others = [name for name in frame.columns if name not in {*names, *NO_FRAMES, *MADE}]
    strange = [name for name in others if frame.select(_plain(name).is_in([*YES, *NO, ""]).all()).item()]
    return tuple(
        f"{where}: the column {name} is not used, since the codebook has no such frame{did_you_mean(name, names)}"
        for name in strange
        if frame[name].null_count() < frame.height
    )


def without_empty(frame: pl.DataFrame, where: str) -> Checked:
    """Leave out rows without text."""
    empty = pl.col("text").fill_null("").str.strip_chars() == ""
    return _left_out(frame, empty, "empty", f"{where}: {{count}} without text of their own left out")


def with_labels(frame: pl.DataFrame, levels: Sequence[str], where: str) -> Checked:
    """Turn the labels of frames into 0 and 1, leaving out rows that lack one.

    Args:
        frame: with `row` and one column for each level: 0 or 1, true or false, yes or no, in any case.
        levels: names of frames.
        where: the file, for messages.

    Raises:
        InputError: a column is missing, or a value is no label; the first such row is named.
    """
    check_columns(frame, levels, where)
    found = frame.with_columns(_plain(level).alias(level) for level in levels)
    for level in levels:
        strange = found.filter(~pl.col(level).is_in([*YES, *NO, ""]))
        if strange.height:
            value, row = strange[level][0], strange["row"][0]
            raise InputError(
                f'{where}, row {row}: {level} is "{value[:40]}"; a label is 0 or 1 (or no or yes)'
                + (f"; {strange.height:,} rows are like it" if strange.height > 1 else "")
            )
    unlabelled = pl.any_horizontal(pl.col(level) == "" for level in levels)
    checked = _left_out(found, unlabelled, "unlabelled", f"{where}: {{count}} without a label of every frame left out")
    labels = [pl.col(level).is_in(YES).cast(pl.Int8).alias(level) for level in levels]
    return Checked(checked.rows.with_columns(labels), checked.dropped, checked.notes)


def with_stances(frame: pl.DataFrame, where: str) -> Checked:
    """Check target and stance of rows, leaving out those that lack one.

    Raises:
        InputError: a column is missing, or a stance is none of `STANCES`; the first such row is named.
    """
    check_columns(frame, ("target", "stance"), where)
    found = frame.with_columns(_plain("stance").str.replace_all("[ -]", "_").alias("stance"))
    strange = found.filter(~pl.col("stance").is_in([*STANCES, ""]))
    if strange.height:
        value, row = strange["stance"][0], strange["row"][0]
        raise InputError(
            f'{where}, row {row}: stance is "{value[:40]}"{did_you_mean(value, STANCES)}; it must be one of '
            + ", ".join(STANCES)
        )
    no_target = pl.col("target").fill_null("").cast(pl.String).str.strip_chars() == ""
    checked = _left_out(found, no_target, "no_target", f"{where}: {{count}} without a target left out")
    unlabelled = _left_out(
        checked.rows, pl.col("stance") == "", "unlabelled", f"{where}: {{count}} without a stance left out"
    )
    return checked.then(unlabelled)


def agreed(frame: pl.DataFrame, labels: Sequence[str], where: str, same: Sequence[str] = ()) -> Checked:
    """Settle rows of the same text that are labelled differently: most rows decide; where it is even, all go.

    Args:
        frame: with `row`, `text_hash` and the labels.
        labels: columns that must agree.
        where: the file, for messages.
        same: further columns in which rows are alike if they are the same reading, such as title, parent, target.
    """
    key = ["text_hash", *(name for name in same if name in frame.columns)]
    differing = frame.filter(pl.any_horizontal(pl.col(label).n_unique().over(key) > 1 for label in labels))
    if differing.is_empty():
        return Checked(frame)
    settled = frame.with_columns(
        pl.col(label).mode(maintain_order=True).first().over(key).alias(f"most {label}") for label in labels
    ).with_columns(
        pl.any_horizontal(pl.col(label).mode().len().over(key) > 1 for label in labels).alias("even"),
        pl.any_horizontal(pl.col(label) != pl.col(f"most {label}") for label in labels).alias("outvoted"),
    )
    settled = settled.with_columns(outvoted=pl.col("outvoted") & ~pl.col("even"))
    gone, changed = settled.filter("even")["row"].to_list(), settled.filter("outvoted")["row"].to_list()
    texts = differing.select(key).unique().height
    said = [f"{where}: {texts:,} texts are labelled in contradiction"]
    if gone:
        said.append(f"{_rows(gone)} left out, since as many rows say one as the other")
    if changed:
        said.append(f"{_rows(changed)} given the label of most rows of the text")
    rows = settled.filter(~pl.col("even")).with_columns(pl.col(f"most {label}").alias(label) for label in labels)
    counts = {reason: count for reason, count in (("contradictory", len(gone)), ("outvoted", len(changed))) if count}
    return Checked(rows.select(frame.columns), counts, ("; ".join(said),))


def shortened(frame: pl.DataFrame, where: str) -> Checked:
    """Cut very long texts to their first `LONGEST` letters; hashes must have been taken of the whole texts before."""
    long = frame.filter(pl.col("text").str.len_chars() > LONGEST)["row"].to_list() if frame.height else []
    if not long:
        return Checked(frame)
    note = f"{where}: {_rows(long)} cut to the first {LONGEST:,} letters"
    return Checked(frame.with_columns(pl.col("text").str.slice(0, LONGEST)), {"cut": len(long)}, (note,))


def check_classes(rows: pl.DataFrame, levels: Sequence[str]) -> None:
    """Check that every frame has both readings, twice each, so that it can be learned and judged.

    Raises:
        BundleError: a frame has one class only, or a single row of one.
    """
    for level in levels:
        yes = int(rows[level].sum())
        fewest, which = min((yes, "yes"), (rows.height - yes, "no"))
        if fewest == 0:
            raise BundleError(
                f'"{level}" has only one class in {rows.height:,} labelled rows (no row says {which}); label some of '
                "the other too, or name the frames to learn"
            )
        if fewest == 1:
            raise BundleError(
                f'"{level}" has a single {which} in {rows.height:,} labelled rows, so that it cannot be judged; label '
                "at least two"
            )


def few_yes(rows: pl.DataFrame, levels: Sequence[str]) -> tuple[str, ...]:
    """Say of which frames there are too few yes to choose a threshold by (`docs/new-frames.md`)."""
    counts = {level: int(rows[level].sum()) for level in levels}
    return tuple(
        f"{level}: {yes} yes are too few for a threshold; go by its ranking, and label at least {FEW_YES}"
        for level, yes in counts.items()
        if yes < FEW_YES
    )


def check_stance_classes(stances: pl.Series) -> None:
    """Check that both sides and their absence are among the labels.

    Raises:
        BundleError: there are fewer labels than that, or all are of one kind.
    """
    found = set(stances)
    said = f"{len(stances):,} labelled rows ({', '.join(sorted(found)) or 'none'})"
    for needed in (("favor",), ("against",), ("neutral", "off_target", "either")):
        if not found & set(needed):
            raise BundleError(f"stance has no row that is {' or '.join(needed[:2])} in {said}; label some")


def in_words(dropped: dict[str, int]) -> list[str]:
    """Return a sentence for each reason, for the card."""
    said = {
        "empty": "{} rows without text of their own (nothing, or quotes and markup alone) were left out.",
        "unlabelled": "{} rows without a label of everything that is learned were left out.",
        "no_target": "{} rows without a target were left out.",
        "contradictory": "{} rows were left out whose text is labelled one way as often as another.",
        "outvoted": "{} rows got the label that most rows of the same text have.",
        "cut": "{} texts were cut to their first " + f"{LONGEST:,} letters.",
    }
    return [said[reason].format(f"{count:,}") for reason, count in dropped.items() if count and reason in said]


def _plain(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.String).fill_null("").str.strip_chars().str.to_lowercase()


def _left_out(frame: pl.DataFrame, condition: pl.Expr, reason: str, said: str) -> Checked:
    flagged = frame.with_columns(condition.alias("left out"))
    gone = flagged.filter("left out")["row"].to_list()
    if not gone:
        return Checked(frame)
    rows = flagged.filter(~pl.col("left out")).drop("left out")
    return Checked(rows, {reason: len(gone)}, (said.format(count=_rows(gone)),))


def _rows(numbers: list[int]) -> str:
    if len(numbers) == 1:
        return f"row {numbers[0]}"
    more = ", …" if len(numbers) > NAMED else ""
    return f"{len(numbers):,} rows ({', '.join(str(number) for number in numbers[:NAMED])}{more})"
