"""Tags as small numbers, one for each comment, and the words that the numbers stand for."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from discourse.report.catalogue import Words
from discourse.tables import Decision, Stance

NO_TAG = 0
YES, NO, UNSURE_FRAME, NO_LANGUAGE_FRAME = 1, 2, 3, 4
DECISIONS: Mapping[str, int] = {Decision.YES.value: YES, Decision.NO.value: NO, Decision.UNSURE.value: UNSURE_FRAME}
SIDES: Mapping[str, int] = {
    Stance.FAVOR.value: 1,
    Stance.AGAINST.value: 2,
    Stance.NEUTRAL.value: 3,
    Stance.OFF_TARGET.value: 4,
    Stance.UNSURE.value: 5,
}
NO_LANGUAGE_STANCE = 6
# What readers said: as above, and one number more for readers who differ.
READINGS: Mapping[str, Mapping[str, int]] = {"frame": {"yes": YES, "no": NO}, "stance": SIDES}
DIVIDED = 9
MOST_DOUBTED = 1 / 3


def frame_codes(order: pl.DataFrame, frames: pl.DataFrame, frame: str) -> pl.Series:
    """Return the decision on a frame of each comment of `order`, as a code of `DECISIONS`."""
    here = frames.filter(pl.col("frame") == frame)
    code = pl.col("decision").replace_strict(DECISIONS, default=NO_TAG, return_dtype=pl.Int64)
    language = (pl.col("decision") == Decision.UNSURE.value) & (pl.col("reason") == "language")
    return _joined(order, here, pl.when(language).then(NO_LANGUAGE_FRAME).otherwise(code))


def stance_codes(order: pl.DataFrame, stance: pl.DataFrame, target: str) -> pl.Series:
    """Return the stance towards a target of each comment of `order`, as a code of `SIDES`."""
    here = stance.filter(pl.col("target") == target)
    code = pl.col("stance").replace_strict(SIDES, default=NO_TAG, return_dtype=pl.Int64)
    language = (pl.col("stance") == Stance.UNSURE.value) & (pl.col("reason") == "language")
    return _joined(order, here, pl.when(language).then(NO_LANGUAGE_STANCE).otherwise(code))


def reader_codes(order: pl.DataFrame, labels: pl.DataFrame, kind: str, level: str) -> pl.Series:
    """Return what people said of one level of each comment of `order`, as a code of `READINGS`, or `DIVIDED`."""
    here = labels.filter((pl.col("kind") == kind) & (pl.col("level") == level) & pl.col("value").is_not_null())
    said = here.group_by("comment_id").agg(values=pl.col("value").n_unique(), value=pl.col("value").first())
    code = pl.col("value").replace_strict(READINGS[kind], default=NO_TAG, return_dtype=pl.Int64)
    return _joined(order, said, pl.when(pl.col("values") > 1).then(DIVIDED).otherwise(code))


def mostly_doubted(frames: pl.DataFrame) -> frozenset[str]:
    """Return the frames that the model is unsure of in more than a third of the comments that it read.

    A label that is on so many comments says nothing of one; the table of shares says how many they are, and the filter
    finds them.
    """
    read = frames.filter(pl.col("reason").is_null() | (pl.col("reason") != "language"))
    shares = read.group_by("frame").agg(doubted=(pl.col("decision") == Decision.UNSURE.value).mean())
    return frozenset(shares.filter(pl.col("doubted") > MOST_DOUBTED)["frame"])


def frame_tags(title: str, words: Words, *, doubts: bool = True) -> dict[str, list[str]]:
    """Return the label to print for each code of a frame, with its kind; a code without one is not printed.

    Codes that readers gave stand behind an `r`. `doubts`: whether it is printed where the model is unsure.
    """
    return {
        str(YES): ["yes", title],
        **({str(UNSURE_FRAME): ["unsure", words.text("tag.unsure", title=title)]} if doubts else {}),
        str(NO_LANGUAGE_FRAME): ["unsure", words.text("tag.language")],
        f"r{YES}": ["reader", words.text("tag.readers.yes", title=title)],
        f"r{DIVIDED}": ["reader", words.text("tag.readers.divided", title=title)],
    }


def target_tags(target: str, words: Words) -> dict[str, list[str]]:
    """Return the label to print for each code of a target, as `frame_tags` does."""
    sides = (Stance.FAVOR.value, Stance.AGAINST.value, Stance.NEUTRAL.value)
    return {
        **{str(SIDES[side]): [side, words.text(f"tag.{side}", title=target)] for side in sides},
        str(SIDES[Stance.UNSURE.value]): ["unsure", words.text("tag.unsure", title=target)],
        str(NO_LANGUAGE_STANCE): ["unsure", words.text("tag.language")],
        **{f"r{SIDES[side]}": ["reader", words.text(f"tag.readers.{side}", title=target)] for side in sides},
        f"r{DIVIDED}": ["reader", words.text("tag.readers.divided", title=target)],
    }


def _joined(order: pl.DataFrame, rows: pl.DataFrame, code: pl.Expr) -> pl.Series:
    coded = rows.select("comment_id", code=code).unique("comment_id", keep="first")
    return order.join(coded, on="comment_id", how="left", maintain_order="left")["code"]
