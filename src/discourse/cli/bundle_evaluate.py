"""`discourse bundle evaluate`: how well a bundle reads comments that somebody labelled."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from discourse.cli.bundle_files import Reference
from discourse.cli.options import Json, print_json

COLUMNS = {
    "F1": "f1",
    "F1 of answered": "f1_answered",
    "unsure": "unsure_share",
    "average precision": "average_precision",
    "Brier": "brier",
    "ECE": "ece",
}


def evaluate(
    reference: Reference,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, TSV, JSONL, JSON, Parquet or Excel.")],
    by: Annotated[
        str | None, typer.Option("--by", metavar="COLUMN", help="The figures for each value of a column, too.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure a bundle on labelled comments that it was not trained on.

    Frames: FILE has text, one column of 0 and 1 for each frame, and if it likes title and parent. Stance: text,
    target, stance (favor, against, neutral, off_target), and context (the comments above, a text or a list) or parent.
    Intervals resample the columns source and thread where there are any, else rows. A column weight makes error rates
    and calibration count rows as the comments they stand for.

    The encoder reads every row, as with --exact. F1 is that of the forced answer; F1 of answered leaves out what is
    unsure. Benchmarks of stance take neutral and
    off_target as one: no_side. Rows that cannot be used are left out and counted.

    Examples:

      discourse bundle evaluate frames-minilm labelled.csv

      discourse bundle evaluate stance-minilm vast-dev.parquet --by target --json
    """
    from discourse.bundle_evaluation import evaluate_bundle
    from discourse.progress import warn

    found = evaluate_bundle(reference, file, by)
    for said in warnings(found, file.name):
        warn(said)
    if as_json:
        print_json(found)
        return
    print(f"{found['bundle']} on {file.name}: {_counted(found)}\n")
    print("\n".join(table(found)))
    for group, figures in found.get("by", {}).get("groups", {}).items():
        print(f"\n{by} = {group}: {_counted(figures)}\n")
        print("\n".join(table(figures)))


def warnings(found: Mapping[str, Any], name: str) -> list[str]:
    """Return what a person should know before believing the figures."""
    said = [f"{name}: {note}" for note in found["notes"]]
    gone = found["quarantined"]
    if gone["total"]:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in gone["reasons"].items())
        first = gone["first"][0]
        said.append(
            f"{name}: {gone['total']:,} {'rows' if gone['total'] > 1 else 'row'} left out ({reasons}); the first is "
            f"{next(iter(first))} {next(iter(first.values()))}"
        )
    if found["trained_on"]:
        said.append(
            f"{name}: {found['trained_on']:,} rows have texts that the bundle was trained on; figures flatter it"
        )
    return said


def table(found: Mapping[str, Any]) -> list[str]:
    """Return the figures of each label and their means, as lines in columns."""
    lines = [["label", "rows", "yes", *COLUMNS]]
    for label, row in found["by_label"].items():
        figures = [_figure(row, key) for key in COLUMNS.values()]
        lines.append([label, f"{row['n']:,}", f"{row['yes']:,}", *figures])
    means = {"f1": "macro_f1", "average_precision": "macro_average_precision", "brier": "brier", "ece": "ece"}
    if found["kind"] == "frames":
        lines.append(
            ["macro", "", "", *(_figure(found, means[key]) if key in means else "" for key in COLUMNS.values())]
        )
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    shown = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    if found["kind"] == "stance":
        over = ", ".join(found["macro_f1_over"])
        shown += ["", f"macro-F1 over {over} (no_side: neutral and off_target): {_figure(found, 'macro_f1')}"]
        shown.append(
            f"mean F1 of favor and against over all rows (SemEval's official F): {_figure(found, 'semeval_f')}"
        )
        shown.append(f"comments about their target that the gate lets through: {_figure(found, 'gate_recall')}")
    unproven = [label for label, row in found["by_label"].items() if not row["proven"]]
    if unproven:
        shown += ["", f"unproven, since fewer than 25 rows (effective) are a yes: {', '.join(unproven)}"]
    return shown


def _counted(found: Mapping[str, Any]) -> str:
    return f"{found['n']:,} comment{'s' if found['n'] != 1 else ''}; 95 % intervals in brackets"


def _figure(row: Mapping[str, Any], key: str) -> str:
    value, ends = row.get(key), row["intervals"].get(key)
    digits = 3 if key in {"brier", "ece"} else 2
    if value is None:
        return "–"
    if ends is None:
        return f"{value:.{digits}f}"
    return f"{value:.{digits}f} [{ends[0]:.{digits}f}–{ends[1]:.{digits}f}]"
