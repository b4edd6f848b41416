"""The bundle's card: written from the measurements, for people who must decide whether to trust it."""

from __future__ import annotations

from typing import Any

from discourse.models.recipe import Recipe

JUDGED = (
    "Leave-one-source-out: each row is scored by a model that saw nothing of its source. Rows count by their `weight`; "
    "rows of unknown weight are left out where any is known. Brackets hold 95 % intervals from resampling sources and "
    "threads. Models of single folds may have trained on a seeded part of the other sources. *Effective yes* is Kish's "
    "size: below 25 every figure of the row is unproven."
)


def write_card(recipe: Recipe, metrics: dict[str, Any]) -> str:
    """Return the card as Markdown.

    Args:
        recipe: what the bundle was trained from.
        metrics: see `frames_training.measure`.
    """
    sections = [
        f"# {recipe.name}\n\nA *{recipe.kind}* bundle of `discourse`: {_what(recipe)} Licence: {recipe.licence}.",
        "## What it was trained on\n\n" + "\n".join(f"- {line}" for line in recipe.provenance),
        _quality(metrics),
        _by_source(metrics),
        _limits(recipe),
    ]
    return "\n\n".join(sections) + "\n"


def _what(recipe: Recipe) -> str:
    if recipe.method == "heads":
        return f"one logistic regression a frame on frozen `{recipe.encoder}` vectors of the comment's text alone."
    if recipe.kind == "frames":
        return f"the top {recipe.tuning.layers} layers of `{recipe.encoder}` tuned to read the comment's text alone."
    return (
        f"the top {recipe.tuning.layers} layers of `{recipe.encoder}` tuned to read target, parent and comment "
        "together, behind a gate on the untuned vectors."
    )


def _quality(metrics: dict[str, Any]) -> str:
    lines = [
        "## How good it is on sources that it did not see",
        "",
        JUDGED,
        "",
        "| label | rows | yes | effective yes | F1 | average precision | recall | Brier | ECE |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for level, row in metrics["by_label"].items():
        lines.append(
            f"| {level} | {row['n']:,} | {row['yes']:,} | {row['yes_effective']:.0f} | {_figure(row, 'f1')} "
            f"| {_figure(row, 'average_precision')} | {row['recall']:.2f} | {_figure(row, 'brier')} "
            f"| {_figure(row, 'ece')} |"
        )
    return "\n".join(lines)


def _by_source(metrics: dict[str, Any]) -> str:
    lines = [
        "### By held-out source, unweighted",
        "",
        "| label | source | rows | yes | F1 | average precision |",
        "|---|---|---|---|---|---|",
    ]
    for level, sources in metrics["by_source"].items():
        for source, row in sources.items():
            lines.append(
                f"| {level} | {source} | {row['n']:,} | {row['yes']:,} | {row['f1']:.2f} "
                f"| {row['average_precision']:.2f} |"
            )
    merged = metrics.get("macro_f1_merged")
    if merged:
        lines += [
            "",
            "Macro-F1 over favor, against and no side (neutral and off_target as one), by held-out data set: ",
        ]
        lines += [", ".join(f"{source} {value:.2f}" for source, value in merged.items()) + "."]
    return "\n".join(lines)


def _limits(recipe: Recipe) -> str:
    lines = [
        "## When not to use it",
        "",
        f"- For languages other than {', '.join(recipe.languages)}: such comments get no tag.",
        "- To judge a person by a comment. It is wrong often enough that single tags mean little.",
        "- As a count of opinion: a share needs the correction and the interval that `discourse` prints beside it.",
    ]
    if recipe.kind == "frames":
        lines.append(
            "- The labels are a language model's reading of the codebook, one reading each; people would agree with "
            "each other less than such readers do."
        )
        lines.append("- It reads the comment alone. A frame that only the headline or the parent shows is missed.")
    else:
        lines.append("- Sarcasm and quoted opponents are where it fails first.")
        lines.append("- Most of its data are tweets and debate comments about politics; other subjects are untested.")
    lines.append("- This version does not abstain: `unsure` is given only to comments in other languages.")
    return "\n".join(lines)


def _figure(row: dict[str, Any], name: str) -> str:
    ends = row["intervals"].get(name)
    value = f"{row[name]:.3f}" if name in {"brier", "ece"} else f"{row[name]:.2f}"
    if ends is None:
        return value
    digits = 3 if name in {"brier", "ece"} else 2
    return f"{value} [{ends[0]:.{digits}f}–{ends[1]:.{digits}f}]"
