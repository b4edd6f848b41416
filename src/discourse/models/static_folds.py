"""The static tier in training: fold by fold beside the encoder's folds, then the one that ships, with its cut-offs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from discourse.models.bundle import Calibration
from discourse.models.calibration import calibrate, probability
from discourse.models.cascade import FILE, Cascade, CutOffs, cut_offs, goes_up, says_yes
from discourse.models.frame_inputs import without_some_context
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
ONE_IN = 4  # so many labelled rows are also read without their context: reading costs more than it teaches
ENOUGH_ROWS = 500  # below, no frame has the threads with an encoder-yes that its cut-offs need


@dataclass(frozen=True, slots=True)
class StaticRows:
    """What the static tier is learned from: the labelled rows of the recipe, and comments without labels.

    `frozen` keeps the word pieces' states of an encoder that training does not change.
    """

    recipe: Recipe
    rows: pl.DataFrame
    unlabelled: pl.DataFrame
    frozen: dict[str, NDArray[np.float32]] = field(default_factory=dict[str, NDArray[np.float32]])

    def fold(self, fitted: Fitted, seen: Numbers, out: Numbers, unit: str) -> dict[str, Reals]:
        """Distil a fold's encoder without the fold's sources, and score these by both.

        Args:
            fitted: the fold's encoder.
            seen: numbers of the labelled rows that it was trained on.
            out: numbers of those held out.
            unit: what is held out together; unlabelled comments are scored only where it is a source.

        Returns:
            `static` and `static_alone`, log-odds of the rows `out` with their context and without, rows × frames;
            `others`, numbers of the unlabelled comments of these sources, with `others_exact`, `others_static`,
            `others_exact_alone` and `others_static_alone`, their log-odds by both.
        """
        sources = self.rows["source"][out].unique().implode()
        hidden = self.unlabelled["source"].is_in(sources) if unit == "source" else self._hidden(out)
        others = np.flatnonzero(hidden.to_numpy()) if unit == "source" else np.zeros(0, np.int64)
        free = np.flatnonzero(~hidden.to_numpy())
        chosen = np.random.default_rng(self.recipe.seed).permutation(free)[: self.recipe.static.fold_rows]
        tier = self._distilled(fitted, seen, np.sort(chosen))
        whole, alone = (inputs_of_rows(self.unlabelled[others], context) for context in (self.recipe.context, ()))
        # Where there is neither title nor parent, both readings are one.
        distinct = list(dict.fromkeys([*whole, *alone]))
        place = {row: i for i, row in enumerate(distinct)}
        with bar("unlabelled", len(distinct)) as advance:
            exact = fitted.model.read(distinct, advance).scores
        return {
            "static": tier.scores(inputs_of_rows(self.rows[out], self.recipe.context)),
            "static_alone": tier.scores(inputs_of_rows(self.rows[out], ())),
            "others": others.astype(np.float64),
            "others_exact": exact[[place[row] for row in whole]],
            "others_static": tier.scores(whole),
            "others_exact_alone": exact[[place[row] for row in alone]],
            "others_static_alone": tier.scores(alone),
        }

    def whole(self, fitted: Fitted) -> StaticTier:
        """Distil the encoder that ships, from everything."""
        return self._distilled(fitted, np.arange(self.rows.height), np.arange(self.unlabelled.height))

    def _hidden(self, out: Numbers) -> pl.Series:
        held = self.rows[out]
        return self.unlabelled["text_hash"].is_in(held["text_hash"].implode()) | self.unlabelled["thread"].is_in(
            held["thread"].implode()
        )

    def _distilled(self, fitted: Fitted, seen: Numbers, others: Numbers) -> StaticTier:
        """Distil from labelled rows, some also without their context, and from unlabelled ones with some of theirs."""
        recipe = self.recipe
        free = inputs_of_rows(self.unlabelled[others], recipe.context)
        free = without_some_context(free, recipe.context_dropout, recipe.seed)
        inputs = [*inputs_of_rows(self.rows[seen], recipe.context), *free]
        scores = [fitted.score(seen, False)]
        with bar("reading for the static tier", len(free)) as advance:
            scores.append(fitted.model.read(free, advance).scores)
        if recipe.context:
            some = seen[::ONE_IN]
            inputs += inputs_of_rows(self.rows[some], ())
            scores.append(fitted.score(some, True))
        with bar("word pieces", fitted.model.encoder.tokenizer.get_vocab_size()) as advance:
            pieces = self.frozen.get("pieces")
            if pieces is None:
                pieces = piece_states(fitted.model, advance)
            if recipe.method == "heads":
                # Every fold's encoder is the same one.
                self.frozen["pieces"] = pieces
        return fit_static(fitted.model, inputs, np.concatenate(scores), np.ones(len(inputs)), pieces, recipe.seed)


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
    """Out-of-fold log-odds by both tiers: of the judged rows, and of unlabelled comments (rows of `others`).

    Those called alone are of the text without title and parent.
    """

    static: Reals
    static_alone: Reals
    others: pl.DataFrame
    others_exact: Reals
    others_static: Reals
    others_exact_alone: Reals
    others_static_alone: Reals


def cascade_of(
    recipe: Recipe,
    held: pl.DataFrame,
    scores: Mapping[TagPath, Reals],
    both: BothTiers,
    calibration: dict[str, Calibration],
) -> Cascade:
    """Find the cut-offs of every frame, with title and parent and without.

    A source that has unlabelled comments is known by these, each counting once; of the others the labelled rows count
    by their weight, or once each where no weight is known at all.

    Args:
        recipe: names the bounds.
        held: the judged rows.
        scores: the encoder's out-of-fold log-odds of them, rows × frames, by path.
        both: see `BothTiers`.
        calibration: of the encoder's scores.
    """
    weight = held["weight"].fill_null(0.0).to_numpy().astype(np.float64)
    if not (weight > 0).any():
        weight = np.ones(len(weight))
    known = held["source"].is_in(both.others["source"].unique().implode()).to_numpy()
    weights = np.concatenate([weight[~known], np.ones(both.others.height)])
    labelled = held.filter(~pl.Series(known)).select("source", "thread")
    table = pl.concat([labelled, both.others.select("source", "thread")])
    thread = (table["source"] + "\x1f" + table["thread"]).to_numpy().astype(str)

    def found(static: Reals, encoder: Reals) -> dict[str, CutOffs]:
        bounds = recipe.static.lost, recipe.static.turned
        return {
            level: cut_offs(static[:, k], _yes(encoder[:, k], value), thread, weights, *bounds)
            for k, (level, value) in enumerate(calibration.items())
        }

    static = np.concatenate([both.static[~known], both.others_static])
    levels = found(static, np.concatenate([scores[TagPath.EXACT][~known], both.others_exact]))
    alone = found(
        np.concatenate([both.static_alone[~known], both.others_static_alone]),
        np.concatenate([scores[TagPath.TEXT_ONLY][~known], both.others_exact_alone]),
    )
    counted = weights > 0
    up = goes_up(static[counted], list(levels.values()))
    y = held.select(list(calibration)).to_numpy().astype(np.int8)
    threads = held["thread"].to_numpy().astype(str)
    return Cascade(
        lost=recipe.static.lost,
        turned=recipe.static.turned,
        comments=int(counted.sum()),
        threads=len(np.unique(thread[counted])),
        answered=float(np.average(~up, weights=weights[counted])) if counted.any() else 0.0,
        levels=levels,
        alone=alone,
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
    back = np.argsort(np.concatenate(order), kind="stable")
    numbers = np.concatenate([part["others"] for part in parts]).astype(np.int64)
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return BothTiers(
        whole["static"][back],
        whole["static_alone"][back],
        unlabelled[numbers],
        whole["others_exact"],
        whole["others_static"],
        whole["others_exact_alone"],
        whole["others_static_alone"],
    )
