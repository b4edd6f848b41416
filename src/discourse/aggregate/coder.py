"""The external coder in figures: what it was sent, how many answers were invalid and why, and how far it agrees."""

from __future__ import annotations

import numpy as np
import polars as pl

from discourse.aggregate.estimates import Estimate, caution
from discourse.aggregate.quality import COUNTED
from discourse.models.judge.answers import Invalid, Vote
from discourse.models.judge.consensus import UNSURE, consensus
from discourse.models.krippendorff import alpha_interval, units
from discourse.tables import Mark, Measure, by_people

BETWEEN_RUNS = (
    "Krippendorff's nominal alpha between the runs of the external coder over comments with two valid answers or more; "
    "the interval draws authors of comments. It says how steady the coder is, not whether it is right."
)
WITH_PEOPLE = (
    "Krippendorff's nominal alpha between the external coder's consensus and the labels that most people gave, over "
    "comments that have both; the interval draws authors of comments."
)
ALIKE = "No alpha: all answers on these comments are alike, so that agreement cannot be told from habit."


def coder_estimates(
    votes: pl.DataFrame, answers: pl.DataFrame, labels: pl.DataFrame, comments: pl.DataFrame, seed: int
) -> list[Estimate]:
    """Count answers by outcome (`coder:answers`, `coder:invalid:…`) and give alpha (`coder:frame:…:runs`, `…:people`).

    Args:
        votes: rows of the votes table; a comment coded for tags and for labels counts once.
        answers: rows of the answers table.
        labels: rows of the labels table.
        comments: with comment_id and author; a comment of an unknown author is one of its own.
        seed: of the draws.
    """
    if answers.is_empty():
        return []
    once = votes.unique(["comment_id", "kind", "level", "coder", "run"], keep="first", maintain_order=True)
    rows = _counts(answers, once)
    authors = comments.select("comment_id", author=pl.coalesce("author", "comment_id"))
    rng = np.random.default_rng([seed, 11])
    people = _majority(labels.filter(by_people()))
    for (kind, level), part in once.sort("kind", "level").group_by("kind", "level", maintain_order=True):
        # Of several coders, the one with most votes: alphas of different coders are no one number.
        counted = part["coder"].value_counts().sort("count", "coder", descending=[True, False])
        own = part.filter(coder=counted["coder"][0])
        runs = own.drop_nulls("value").select("comment_id", "value", annotator=pl.col("run").cast(pl.String))
        theirs = people.filter((pl.col("kind") == kind) & (pl.col("level") == level)).select("comment_id", "value")
        both = pl.concat([theirs.with_columns(annotator=pl.lit("people")), _agreed(own)])
        for pairs, said, given in (("runs", BETWEEN_RUNS, runs), ("people", WITH_PEOPLE, both)):
            twice = given.filter(pl.col("comment_id").is_duplicated())
            if twice.height:
                joined = twice.join(authors, on="comment_id", maintain_order="left")
                rows.append(_alpha(f"coder:{kind}:{level}:{pairs}", said, joined, rng))
    return rows


def _counts(answers: pl.DataFrame, votes: pl.DataFrame) -> list[Estimate]:
    invalid = answers.filter(pl.col("outcome") != "valid")
    by_reason = (
        invalid.group_by("outcome").agg(pl.col("answers").sum()).sort("answers", "outcome", descending=[True, False])
    )
    total = int(answers["answers"].sum())
    counts = {
        "answers": total,
        "comments": votes["comment_id"].n_unique(),
        "invalid": int(invalid["answers"].sum()),
        **{f"invalid:{reason}": number for reason, number in by_reason.iter_rows()},
        "undecided": votes.filter(pl.col("value").is_null())["comment_id"].n_unique(),
    }
    said = f"{total:,} answers of the external coder"
    return [
        Estimate("all", Measure.COUNT, f"coder:{name}", said, total, "data_count", COUNTED, estimate=float(number))
        for name, number in counts.items()
    ]


def _majority(labels: pl.DataFrame) -> pl.DataFrame:
    """Return what most people say of each comment and level; a tie is left out."""
    about = ["comment_id", "kind", "level"]
    votes = labels.filter(pl.col("value").is_not_null()).group_by(*about, "value").len()
    first = pl.col("len") == pl.col("len").max().over(about)
    return votes.filter(first).filter(~pl.struct(about).is_duplicated()).select(*about, "value").sort(about)


def _agreed(votes: pl.DataFrame) -> pl.DataFrame:
    """Return the consensus on each comment, where there is one, as labels of an annotator `coder`."""
    rows: list[tuple[str, str, str]] = []
    valid = votes.with_columns(value=pl.col("value").fill_null(""))
    for (comment_id,), part in valid.sort("comment_id", "run").group_by("comment_id", maintain_order=True):
        # An answer that is no vote counts against a majority, as it does where tags are made.
        code = consensus([Vote(value) if value else Invalid.NO_ANSWER for value in part["value"]])
        if code.value != UNSURE:
            rows.append((str(comment_id), code.value, "coder"))
    schema = {"comment_id": pl.String(), "value": pl.String(), "annotator": pl.String()}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _alpha(level: str, said: str, twice: pl.DataFrame, rng: np.random.Generator) -> Estimate:
    alpha = alpha_interval(units(twice), rng)
    n = twice["comment_id"].n_unique()
    known = alpha.estimate is not None
    return Estimate(
        "all",
        Measure.ALPHA,
        level,
        f"{n:,} comments with several readings",
        n,
        "coder_alpha",
        said if known else ALIKE,
        estimate=alpha.estimate,
        low=alpha.low,
        high=alpha.high,
        mark=caution(n) if known else Mark.NOT_ESTIMABLE,
    )
