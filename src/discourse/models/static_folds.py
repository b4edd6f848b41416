"""The static tier in training: fold by fold beside the encoder's folds, then the one that ships, with its cut-offs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from discourse.models.bundle import Calibration
from discourse.models.calibration import calibrate, probability
from discourse.models.cascade import FILE, Cascade, cut_offs, goes_up, says_yes
from discourse.models.frame_inputs import FrameInput
from discourse.models.labelled_frames import inputs_of_rows
from discourse.models.learners import Fitted, Numbers
from discourse.models.recipe import Clean, Recipe
from discourse.models.static import FILE as WEIGHTS
from discourse.models.static import StaticTier, save_static
from discourse.models.static_training import fit_static, piece_states
from discourse.models.unlabelled import read_unlabelled
from discourse.progress import bar
from discourse.tables import Path as TagPath
from discourse.tables import Tier

Reals = NDArray[np.float64]
ENOUGH_ROWS = 500  # below, no frame has the threads with an encoder-yes that its cut-offs need


@dataclass(frozen=True, slots=True)
class StaticRows:
    """What the static tier is learned from: the labelled rows of the recipe, and comments without labels."""

    recipe: Recipe
    rows: pl.DataFrame
    unlabelled: pl.DataFrame

    def fold(self, fitted: Fitted, seen: Numbers, out: Numbers, unit: str) -> dict[str, Reals]:
        """Distil a fold's encoder without the fold's sources, and score these by both.

        Args:
            fitted: the fold's encoder.
            seen: numbers of the labelled rows that it was trained on.
            out: numbers of those held out.
            unit: what is held out together; unlabelled comments are scored only where it is a source.

        Returns:
            `static`, log-odds of the rows `out`, rows × frames; `others`, numbers of the unlabelled comments of these
            sources, with `others_exact` and `others_static`, their log-odds by both.
        """
        sources = self.rows["source"][out].unique().implode()
        hidden = self.unlabelled["source"].is_in(sources) if unit == "source" else self._hidden(out)
        others = np.flatnonzero(hidden.to_numpy()) if unit == "source" else np.zeros(0, np.int64)
        free = np.flatnonzero(~hidden.to_numpy())
        chosen = np.random.default_rng(self.recipe.seed).permutation(free)[: self.recipe.static.fold_rows]
        tier = self._distilled(fitted, seen, np.sort(chosen))
        inputs = self._inputs(self.unlabelled[others])
        with bar("unlabelled", len(inputs)) as advance:
            exact = fitted.model.read(inputs, advance).scores
        return {
            "static": tier.scores(self._inputs(self.rows[out])),
            "others": others.astype(np.float64),
            "others_exact": exact,
            "others_static": tier.scores(inputs),
        }

    def whole(self, fitted: Fitted) -> StaticTier:
        """Distil the encoder that ships, from everything."""
        return self._distilled(fitted, np.arange(self.rows.height), np.arange(self.unlabelled.height))

    def _hidden(self, out: Numbers) -> pl.Series:
        held = self.rows[out]
        return self.unlabelled["text_hash"].is_in(held["text_hash"].implode()) | self.unlabelled["thread"].is_in(
            held["thread"].implode()
        )

    def _inputs(self, rows: pl.DataFrame) -> list[FrameInput]:
        return inputs_of_rows(rows, self.recipe.context)

    def _distilled(self, fitted: Fitted, seen: Numbers, others: Numbers) -> StaticTier:
        inputs = [*self._inputs(self.rows[seen]), *self._inputs(self.unlabelled[others])]
        with bar("reading for the static tier", len(inputs)) as advance:
            told = fitted.score(seen, False)
            advance(len(seen))
            scores = np.concatenate([told, fitted.model.read(inputs[len(seen) :], advance).scores])
        with bar("word pieces", fitted.model.encoder.tokenizer.get_vocab_size()) as advance:
            pieces = piece_states(fitted.model, advance)
        return fit_static(fitted.model, inputs, scores, np.ones(len(inputs)), pieces, self.recipe.seed)


def static_rows(recipe: Recipe, rows: pl.DataFrame, clean: Clean) -> StaticRows | None:
    """Return what the static tier is to be learned from, None where the recipe has none.

    Without a word in the recipe there is one if at least `ENOUGH_ROWS` rows are judged.
    """
    wanted = recipe.static.on
    if wanted is None:
        wanted = rows.height - int(rows["training_only"].sum()) >= ENOUGH_ROWS
    return StaticRows(recipe, rows, read_unlabelled(recipe.static.unlabelled, clean)) if wanted else None


@dataclass(frozen=True, slots=True)
class BothTiers:
    """Out-of-fold log-odds by both tiers: of the judged rows, and of unlabelled comments (rows of `others`)."""

    static: Reals
    others: pl.DataFrame
    others_exact: Reals
    others_static: Reals


def cascade_of(
    recipe: Recipe,
    held: pl.DataFrame,
    exact: Reals,
    both: BothTiers,
    calibration: dict[str, Calibration],
) -> Cascade:
    """Find the cut-offs of every frame.

    A source that has unlabelled comments is known by these, each counting once; of the others the labelled rows count
    by their weight, or once each where no weight is known at all.

    Args:
        recipe: names the bounds.
        held: the judged rows.
        exact: the encoder's out-of-fold log-odds of them, rows × frames.
        both: see `BothTiers`.
        calibration: of the encoder's scores.
    """
    weight = held["weight"].fill_null(0.0).to_numpy().astype(np.float64)
    if not (weight > 0).any():
        weight = np.ones(len(weight))
    known = held["source"].is_in(both.others["source"].unique().implode()).to_numpy()
    static = np.concatenate([both.static[~known], both.others_static])
    encoder = np.concatenate([exact[~known], both.others_exact])
    weights = np.concatenate([weight[~known], np.ones(both.others.height)])
    table = pl.concat(
        [held.filter(~pl.Series(known)).select("source", "thread"), both.others.select("source", "thread")]
    )
    thread = (table["source"] + "\x1f" + table["thread"]).to_numpy().astype(str)
    bounds = recipe.static.lost, recipe.static.turned
    levels = {
        level: cut_offs(static[:, k], _yes(encoder[:, k], value), thread, weights, *bounds)
        for k, (level, value) in enumerate(calibration.items())
    }
    counted = weights > 0
    up = goes_up(static[counted], list(levels.values()))
    y = held.select(calibration).to_numpy()
    threads = held["thread"].to_numpy().astype(str)
    return Cascade(
        lost=bounds[0],
        turned=bounds[1],
        comments=int(counted.sum()),
        threads=len(np.unique(thread[counted])),
        answered=float(np.average(~up, weights=weights[counted])) if counted.any() else 0.0,
        levels=levels,
        calibration={level: calibrate(both.static[:, k], y[:, k], weight, threads) for k, level in enumerate(levels)},
    )


def with_cascade(heldout: pl.DataFrame, static: Reals, cascade: Cascade) -> pl.DataFrame:
    """Add held-out rows of path `cascade`: the encoder's where it would be asked, else the static tier's answers.

    Args:
        heldout: held-out rows; those of path `exact` frame by frame, each in the order of the judged rows.
        static: out-of-fold static log-odds of the judged rows, rows × frames.
        cascade: the cut-offs; its frames are in the order of `heldout`.
    """
    exact = heldout.filter(pl.col("path") == TagPath.EXACT.value)
    cut = list(cascade.levels.values())
    answered = np.tile(~goes_up(static, cut), len(cut))
    here = pl.Series(answered)
    answers = exact.with_columns(
        path=pl.lit(TagPath.CASCADE.value),
        score=pl.when(here).then(pl.Series(static.T.ravel())).otherwise(pl.col("score")),
        tag=pl.when(here).then(pl.Series(says_yes(static, cut).T.ravel().astype(np.int8))).otherwise(pl.col("tag")),
        tier=pl.when(here).then(pl.lit(Tier.STATIC.value)).otherwise(pl.col("tier")),
    )
    return pl.concat([heldout, answers])


def save_tier(folder: Path, tier: StaticTier, cascade: Cascade) -> None:
    """Write `static.safetensors` and `cascade.json` into a bundle's folder."""
    save_static(tier, folder / WEIGHTS)
    (folder / FILE).write_text(cascade.model_dump_json(indent=1), encoding="utf-8")


def _yes(scores: Reals, calibration: Calibration) -> NDArray[np.bool_]:
    return probability(scores, calibration) >= calibration.threshold


def joined(parts: Sequence[dict[str, Reals]], order: Sequence[Numbers], unlabelled: pl.DataFrame) -> BothTiers:
    """Put the folds of `StaticRows.fold` together.

    Args:
        parts: one a fold.
        order: the judged rows of each fold, numbered among the judged rows.
        unlabelled: see `StaticRows`.
    """
    static = np.concatenate([part["static"] for part in parts])
    back = np.argsort(np.concatenate(order), kind="stable")
    numbers = np.concatenate([part["others"] for part in parts]).astype(np.int64)
    return BothTiers(
        static[back],
        unlabelled[numbers],
        np.concatenate([part["others_exact"] for part in parts]),
        np.concatenate([part["others_static"] for part in parts]),
    )
