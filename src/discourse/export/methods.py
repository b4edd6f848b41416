"""A methods paragraph ready to paste: what was read, with what, and how the numbers came about."""

from __future__ import annotations

import polars as pl

from discourse.config import Config
from discourse.models.judge.comments import JUDGED
from discourse.receipt import Receipt
from discourse.tables import MODEL_ANNOTATOR, by_people

CITATION = "The discourse authors (2026). discourse: from a comment thread to an honest report [software], version {}."
_SHARES = {
    "census": "Where every eligible comment was labelled by people, shares are counts.",
    "difference_estimator": (
        "Shares from labelled samples of known inclusion use the difference estimator with the model's calibrated "
        "scores as auxiliary variable, tuned as in PPI++ (Angelopoulos, Duchi & Zrnic 2023; Särndal, Swensson & "
        "Wretman 1992)."
    ),
    "exact_stratified": (
        "Where few labelled comments were positive or negative, exact intervals are given (Clopper & Pearson 1934; "
        "Buehler 1957)."
    ),
    "prediction_powered": (
        "Shares in threads like these use prediction-powered inference (PPI++, Angelopoulos, Duchi & Zrnic 2023) with "
        "the variance of a jackknife over threads and authors (MacKinnon, Nielsen & Webb 2023; Cameron, Gelbach & "
        "Miller 2011)."
    ),
    "exact_clustered": (
        "Where few labelled comments were positive or negative, intervals for threads like these are Clopper–Pearson "
        "intervals at the effective sample size (Korn & Graubard 1998)."
    ),
    "heldout_correction": (
        "Shares without labels are tagged shares corrected by held-out error rates (Rogan & Gladen 1978) whose spread "
        "between sources enters the interval; these were not validated on the threads at hand, and no share is given "
        "where sensitivity less false-positive rate may be below 0.1."
    ),
}


METHODS = {
    **_SHARES,
    **{
        f"coder_{method}": "Labels of the external language model make shares of its reading, not of people's: "
        f"{text[0].lower()}{text[1:]}"
        for method, text in _SHARES.items()
        if method not in {"census", "heldout_correction"}
    },
    "coder_census": (
        "Where the external language model labelled every eligible comment, shares are counts of its reading."
    ),
}


def methods_text(receipt: Receipt, config: Config, estimates: pl.DataFrame, labels: pl.DataFrame) -> str:
    """Return the methods section as Markdown: a paragraph, the software versions, and how to cite.

    Args:
        receipt: versions and bundles.
        config: codebook, targets and filter.
        estimates: rows of the estimates table; empty if nothing was estimated.
        labels: rows of the labels table.
    """
    used = set(estimates["method"].unique())
    funnel = estimates.filter((pl.col("unit") == "all") & (pl.col("level") == "data:eligible"))
    parts: list[str] = []
    if funnel.height:
        row = funnel.row(0, named=True)
        parts.append(f"Of {row['denominator']}, {int(row['estimate']):,} comments were eligible.")
    bundles = ", ".join(
        f"{name.removeprefix('bundle ')} (SHA-256 {digest[:12]})" for name, digest in sorted(receipt.bundles.items())
    )
    parts.append(
        f"Comments were coded by the codebook {_bare(config.codebook.file)} with the models {bundles or 'none'}."
    )
    if config.stance.targets:
        parts.append(f"Stance was read towards {', '.join(config.stance.targets)}.")
    parts += _of_coder(labels, config)
    given = labels.filter(by_people() & pl.col("value").is_not_null())
    if given.height:
        people = given["annotator"].n_unique()
        known = given.filter(pl.col("inclusion").is_not_null()).height
        who = "one annotator" if people == 1 else f"{people} annotators"
        parts.append(f"{who.capitalize()} gave {given.height:,} labels, {known:,} of known inclusion.")
    parts += [text for method, text in METHODS.items() if method in used]
    parts.append("Intervals are at the 95 % level and not adjusted for their number unless stated.")
    versions = ", ".join(f"{name} {version}" for name, version in sorted(receipt.versions.items()))
    cited = CITATION.format(receipt.versions.get("discourse", "unknown"))
    return f"# Methods\n\n{' '.join(parts)}\n\n## Software\n\n{versions}\n\n## Citation\n\n{cited}\n"


def _of_coder(labels: pl.DataFrame, config: Config) -> list[str]:
    """Say what an external coder did, which is never told among the labels of people."""
    said: list[str] = []
    if config.tagger == JUDGED:
        runs = (
            "one run" if config.judge.runs == 1 else f"{config.judge.runs} runs, of which more than half had to agree"
        )
        said.append(f"Comments were tagged by the external language model {config.judge.model} in {runs}.")
    coded = labels.filter(~by_people() & pl.col("value").is_not_null())
    for (name,), part in coded.group_by("annotator", maintain_order=True):
        model = str(name).removeprefix(MODEL_ANNOTATOR)
        said.append(f"The external language model {model} gave {part.height:,} labels, none of them checked by people.")
    return said


def _bare(file: str) -> str:
    """Return a codebook's name without its folder, which is the user's own matter."""
    return file.replace("\\", "/").rsplit("/", 1)[-1].removesuffix(".toml")
