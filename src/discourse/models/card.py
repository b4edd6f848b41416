"""The bundle's card: written from the measurements, for people who must decide whether to trust it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from discourse.models.card_tables import bars, errors_by_kind, figure, figure_table, table, wrong_examples
from discourse.models.recipe import Recipe
from discourse.models.training_checks import in_words

JUDGED = (
    "F1 is that of the forced answer over all rows, each once; F1 of answered leaves out what is unsure. Brackets hold "
    "95 % intervals from resampling sources and threads. *Effective yes* is Kish's size of the yes of known weight: "
    "below 25 every figure of the row is unproven."
)
LEAVE_ONE_OUT = "leave-one-source-out"
BY_SOURCE = (
    "Each row is scored by a model that saw nothing of its source (leave-one-source-out), and decided on by a "
    "calibration and a threshold from the other sources."
)
WEIGHTED = (
    "The labelled comments were not drawn evenly. Here rows count as the comments they stand for, and rows of unknown "
    "weight are left out where any is known."
)
CALIBRATED = (
    "A probability is calibrated if of the comments that get 0.3 three in ten are a yes. *ECE* is the mean gap between "
    "the two over ten bins of equal mass, less what chance alone makes (Kumar et al. 2019); the slope is 1 if "
    "probabilities are neither too bold (below 1) nor too timid; *Brier skill* is the part of the base rate's squared "
    "error that is saved. All on rows that had no part in the calibration."
)
UNSURE = (
    "A comment is unsure between two cut-offs on its probability, from conformal prediction for yes and no apart, with "
    "threads as units: at most the stated error of the yes is answered no, and of the no answered yes, for sources "
    "like those it was trained on. *Coverage* is what rows got that had no part in the cut-offs: the share of the "
    "yes that is not answered no, and of the no that is not answered yes. No is covered more often than stated where "
    "a yes is given at the threshold only."
)
TRIED = (
    "Comments that we wrote for this, chosen for being hard; they are no measurement, and it was not trained on them."
)
ELSEWHERE = (
    "On comments unlike those above: the stated error of `unsure` holds for sources like these, and on others it is "
    "only measured."
)


def write_card(recipe: Recipe, metrics: dict[str, Any], sections: Sequence[str] = ()) -> str:
    """Return the card as Markdown.

    Args:
        recipe: what the bundle was trained from.
        metrics: see `evaluation.measure_frames`; `examples` (see `error_examples`), `dropped` (see `training_checks`)
            and `macro_f1_merged` (of stance) if there are any.
        sections: what other parts of the training have to say, as Markdown, put before the limits.
    """
    shown = [
        f"# {recipe.name}\n\nA *{recipe.kind}* bundle of `discourse`: {_what(recipe)} Licence: {recipe.licence}.",
        _data(recipe, metrics),
        _quality(metrics),
        _by_source(metrics),
        _calibration(metrics),
        _decisions(metrics),
        _examples(metrics),
        *sections,
        _limits(recipe, metrics),
    ]
    return "\n\n".join(section for section in shown if section) + "\n"


def _what(recipe: Recipe) -> str:
    read = "the comment's text alone"
    if recipe.context:
        read = f"the comment with its {' and '.join(recipe.context)}"
    tuned = {
        "layers": f"the top {recipe.tuning.layers} layers of `{recipe.encoder}` tuned",
        "lora": f"`{recipe.encoder}` with adapters of rank {recipe.tuning.rank} in {recipe.tuning.layers} layers",
        "full": f"`{recipe.encoder}` tuned whole",
    }
    if recipe.kind == "stance":
        return f"{tuned.get(recipe.method, recipe.encoder)} to read target, parent and comment, behind a gate."
    if recipe.method == "heads":
        return f"one logistic regression a frame on frozen `{recipe.encoder}` vectors of {read}."
    return f"{tuned[recipe.method]} to read {read}."


def _data(recipe: Recipe, metrics: dict[str, Any]) -> str:
    lines = ["## What it was trained on", "", *(f"- {line}" for line in recipe.provenance)]
    lines += [f"- {line}" for line in in_words(metrics.get("dropped", {}))]
    return "\n".join(lines)


def _quality(metrics: dict[str, Any]) -> str:
    columns = {
        "F1": "f1",
        "precision": "precision",
        "recall": "recall",
        "average precision": "average_precision",
        "F1 of answered": "f1_answered",
    }
    if not metrics["by_label"]:
        return "## How good it is\n\nNobody knows: there were no labelled comments to measure it on. Do not trust it."
    judged = metrics.get("judged_by", LEAVE_ONE_OUT)
    title, how = "## How good it is on sources that it did not see", BY_SOURCE
    if judged != LEAVE_ONE_OUT:
        title, how = "## How good it is on comments that it did not see", f"Judged by {judged}."
    lines = [title, "", f"{how} {JUDGED}", ""]
    lines += figure_table(metrics["by_label"], columns, counts=True)
    means = [
        f"{name} {figure(metrics, key)}"
        for name, key in (("F1", "macro_f1"), ("average precision", "macro_average_precision"))
        if metrics.get(key) is not None
    ]
    lines += ["", f"Means over the labels: {', '.join(means)}."] if means else []
    lines += ["", WEIGHTED, ""]
    weighted = {
        "share of yes": "base_rate",
        "sensitivity": "sensitivity",
        "false positive rate": "false_positive_rate",
        "F1, weighted": "f1_weighted",
        "average precision, weighted": "average_precision_weighted",
    }
    lines += figure_table(metrics["by_label"], weighted)
    unproven = [level for level, row in metrics["by_label"].items() if not row.get("proven", True)]
    if unproven:
        lines += ["", f"**Unproven** (fewer than 25 effective yes): {', '.join(unproven)}."]
    return "\n".join(lines)


def _by_source(metrics: dict[str, Any]) -> str:
    rows: list[list[str]] = []
    for level, sources in metrics.get("by_source", {}).items():
        for source, row in sources.items():
            figures = [figure(row, key) for key in ("f1", "average_precision", "unsure_share")]
            without = f"{row['yes_effective_without']:.0f}" if "yes_effective_without" in row else "–"
            rows.append([level, source, f"{row['n']:,}", f"{row['yes']:,}", *figures, without])
    lines = ["### By held-out source, each row once", ""]
    lines += table(
        ["label", "source", "rows", "yes", "F1", "average precision", "unsure", "effective yes without it"], rows
    )
    merged = metrics.get("macro_f1_merged")
    if merged:
        listed = ", ".join(f"{source} {value:.2f}" for source, value in merged.items())
        lines += ["", f"Macro-F1 over favor, against and no side (neutral and off_target as one): {listed}."]
    alone = metrics.get("macro_f1_merged_without_parents")
    if alone:
        listed = ", ".join(f"{source} {value:.2f}" for source, value in alone.items())
        lines += ["", f"The same without parents: {listed}."]
    recall = metrics.get("gate_recall")
    if recall:
        listed = ", ".join(f"{source} {value:.2f}" for source, value in recall.items())
        lines += ["", f"Comments about their target that the gate lets through: {listed}."]
    return "\n".join(lines) if rows else ""


def _calibration(metrics: dict[str, Any]) -> str:
    labels = {level: row for level, row in metrics["by_label"].items() if row.get("ece") is not None}
    if not labels:
        return ""
    columns = {"ECE": "ece", "slope": "slope", "Brier": "brier", "Brier skill": "brier_skill"}
    lines = ["## Whether its probabilities mean what they say", "", CALIBRATED, "", *figure_table(labels, columns)]
    for level, row in labels.items():
        if row.get("reliability"):
            lines += ["", f"Reliability of {level}: █ the share of yes, │ the probability stated", ""]
            lines += bars(row["reliability"])
    return "\n".join(lines)


def _decisions(metrics: dict[str, Any]) -> str:
    labels = {level: row for level, row in metrics["by_label"].items() if "aim" in row}
    if not labels:
        return ""
    rows = [
        [level, row["aim"], *(f"{row[key]:.3f}" for key in ("threshold", "unsure_low", "unsure_high"))]
        for level, row in labels.items()
    ]
    lines = ["## Thresholds, and when it is unsure", ""]
    lines += table(["label", "threshold chosen for", "threshold", "unsure from", "to below"], rows)
    columns = {"unsure": "unsure_share", "coverage of yes": "coverage_yes", "of no": "coverage_no"}
    conformal = {"coverage of yes before the threshold": "set_coverage_yes", "of no before it": "set_coverage_no"}
    lines += ["", UNSURE, "", *figure_table(labels, {**columns, **conformal})]
    for level, row in labels.items():
        if not row.get("tagged", 1):
            lines += ["", f"{level}: the aim ({row['aim']}) is out of reach; no held-out comment is tagged."]
        for answer in ("yes", "no"):
            if row[f"error_{answer}"] > row["error"]:
                said = (
                    f"{level}: too few threads with a {answer} to vouch for an error of {row['error']:.0%}; the "
                    f"least that can be stated is {row[f'error_{answer}']:.0%}, and every score that a {answer} had "
                    "is kept."
                )
                lines += ["", said]
    return "\n".join(lines)


def _examples(metrics: dict[str, Any]) -> str:
    tried = metrics.get("examples")
    if not tried or not tried["by_kind"]:
        return ""
    lines = [
        "## What it gets wrong",
        "",
        TRIED,
        "",
        *errors_by_kind(tried["by_kind"]),
        "",
        *wrong_examples(tried["wrong"]),
    ]
    return "\n".join(lines).rstrip()


def _limits(recipe: Recipe, metrics: dict[str, Any]) -> str:
    lines = [
        f"For languages other than {', '.join(recipe.languages)}: such comments get no tag.",
        "To judge a person by a comment. It is wrong often enough that single tags mean little.",
        "As a count of opinion: a share needs the correction and the interval that `discourse` prints beside it.",
        ELSEWHERE,
    ]
    if recipe.kind == "frames":
        lines.append(
            "As what people would say: the labels are a language model's reading of the codebook, one reading each, "
            "and people would agree with each other less than such readers do."
        )
        if not recipe.context:
            lines.append("Where the headline or the parent carries the frame: it reads the comment alone.")
    else:
        lines.append("Where irony or quoted opponents are frequent; that is where it fails first.")
        lines.append("On subjects far from politics: most of its data are tweets and debate comments about it.")
    unproven = [level for level, row in metrics["by_label"].items() if not row.get("proven", True)]
    if unproven:
        lines.append(f"Where much hangs on {', '.join(unproven)}: there were too few of them to prove anything.")
    return "\n".join(["## When not to use it", "", *(f"- {line}" for line in lines)])
