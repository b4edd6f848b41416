"""Stance to the named targets: the gate on kept vectors first, then one joint reading of target, parent and comment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from discourse.config import Config
from discourse.engine import LOCAL, Engine
from discourse.models.bundle import Bundle
from discourse.models.encoder import Encoder
from discourse.models.input_key import input_key
from discourse.models.stance import CLASSES, Reading, StanceModel, decide, gate_features, load_stance
from discourse.models.text_vectors import read_texts
from discourse.progress import bar
from discourse.tables import STANCES, Path, Stance, Tier
from discourse.tag.input_numbers import Inputs, Scores, check_known, cut_shards, kept_scores, number_keys
from discourse.tag.readable import SHARD, in_languages, with_text
from discourse.tag.stance_work import SHARD_SCHEMA, StanceWork
from discourse.tag.vectors import VECTORS_AT_ONCE, Vectors
from discourse.workspace import Workspace

VECTOR_TOKENS = 256
_SIDES = [CLASSES.index(name) for name in ("favor", "against")]


def path_of(config: Config) -> Path:
    """Return the path that a run takes: `exact` where the parent is read along, else `no_context`."""
    return Path.EXACT if config.tagging.context else Path.NO_CONTEXT


def tag_stance(
    workspace: Workspace,
    comments: pl.DataFrame,
    bundle: Bundle,
    encoder: Encoder,
    config: Config,
    engine: Engine = LOCAL,
) -> pl.DataFrame:
    """Return rows of the stance table for all comments with text and all targets, see `stance_batches`.

    Args:
        workspace: keeps vectors and scores.
        comments: rows of the comments table.
        bundle: a stance bundle.
        encoder: the one that the bundle was trained on.
        config: names the targets, and whether the parent is read along.
        engine: where missing inputs are scored.
    """
    return read_stance(workspace, comments, bundle, encoder, config.stance.targets, path_of(config), engine)


def read_stance(
    workspace: Workspace,
    comments: pl.DataFrame,
    bundle: Bundle,
    encoder: Encoder,
    targets: tuple[str, ...],
    path: Path,
    engine: Engine = LOCAL,
) -> pl.DataFrame:
    """Return rows of the stance table by one path, which reads the parent along only if it is `exact`."""
    return pl.concat(stance_batches(workspace, [comments], bundle, encoder, targets, path, engine))


def stance_batches(
    workspace: Workspace,
    batches: Iterable[pl.DataFrame],
    bundle: Bundle,
    encoder: Encoder,
    targets: tuple[str, ...],
    path: Path,
    engine: Engine = LOCAL,
) -> Iterator[pl.DataFrame]:
    """Yield rows of the stance table for the comments of each batch, when all of them are scored.

    Args:
        workspace: keeps vectors and scores.
        batches: rows of the comments table, gone through several times; who answers whom stands in one batch.
        bundle: a stance bundle.
        encoder: the one that the bundle was trained on.
        targets: that are asked about.
        path: the parent is read along only if it is `exact`.
        engine: where missing inputs are scored.
    """
    work = StanceWork(workspace, bundle, load_stance(bundle, encoder))
    vectors = Vectors(workspace, work.model.gate_reader, VECTOR_TOKENS, engine)
    vectors.keep(_Parts(batches, bundle, path))
    passed = _passed(batches, bundle, work.model, vectors, targets, path)
    scores = _score_missing(workspace, batches, passed, work, targets, path, engine)
    for number, comments in enumerate(batches):
        readable = _readable(comments, bundle, path)
        read, unread = readable.filter("read"), _unread(readable.filter(~pl.col("read")))
        parts = [
            pl.concat(
                [
                    _answered(
                        read,
                        passed.gates[number][:, place],
                        passed.flags[number][:, place],
                        passed.numbers(number, place),
                        scores,
                        bundle,
                    ),
                    unread,
                ]
            ).with_columns(target=pl.lit(target))
            for place, target in enumerate(targets)
        ]
        named = pl.concat(parts).with_columns(
            tier=pl.lit(Tier.ENCODER.value), path=pl.lit(path.value), bundle=pl.lit(bundle.id)
        )
        yield STANCES.conform(named).sort("comment_id", "target", maintain_order=True)


def _readable(comments: pl.DataFrame, bundle: Bundle, path: Path) -> pl.DataFrame:
    """Return comment_id, text, parent and `read` (the bundle knows the language) of the comments with text."""
    readable = with_text(comments).select(
        "comment_id", "parent_id", "text", in_languages(bundle.manifest.languages).alias("read")
    )
    if path is not Path.EXACT:
        return readable.drop("parent_id").with_columns(parent=pl.lit(""))
    texts = comments.select(parent_id="comment_id", parent="text")
    joined = readable.join(texts, on="parent_id", how="left", maintain_order="left").drop("parent_id")
    return joined.with_columns(pl.col("parent").fill_null(""))


@dataclass(frozen=True, slots=True)
class _Parts:
    """The texts that the gate looks at, comments and then parents of each batch."""

    batches: Iterable[pl.DataFrame]
    bundle: Bundle
    path: Path

    def __iter__(self) -> Iterator[pl.Series]:
        """Yield them batch by batch."""
        for comments in self.batches:
            read = _readable(comments, self.bundle, self.path).filter("read")
            yield pl.concat([read["text"], read["parent"].alias("text")]).unique(maintain_order=True)


def _gate(read: pl.DataFrame, model: StanceModel, vectors: Vectors, targets: Sequence[str]) -> NDArray[np.float64]:
    """Return the gate's log-odds, rows × targets; some rows at a time, as two vectors of each are held."""
    found = np.empty((read.height, len(targets)))
    about = read_texts(model.gate_reader, targets)
    for start in range(0, read.height, VECTORS_AT_ONCE):
        some = read.slice(start, VECTORS_AT_ONCE)
        # Most parents are comments of the same threads.
        both = vectors.of([*some["text"], *some["parent"]])
        text, parent = both[: some.height], both[some.height :]
        for place, target in enumerate(targets):
            readings = [Reading(target, *row) for row in some.select("text", "parent").iter_rows()]
            same = np.broadcast_to(about[place], text.shape)
            found[start : start + VECTORS_AT_ONCE, place] = model.gate.scores(
                gate_features(readings, same, text, parent)
            )
    return found


@dataclass(frozen=True, slots=True)
class _Passed:
    """Which comments of all batches pass the gate for which target, and their distinct readings.

    Attributes:
        gates: log-odds, for each batch its rows × targets.
        flags: bool, likewise.
        inputs: numbers of the readings that pass; of a batch target by target.
    """

    gates: list[NDArray[np.float64]]
    flags: list[NDArray[np.bool_]]
    inputs: Inputs

    def numbers(self, batch: int, target: int) -> NDArray[np.int32]:
        """Return the numbers of the readings of one target, for the comments that pass."""
        ends = np.cumsum(np.append(0, self.flags[batch].sum(axis=0)))
        return self.inputs.of_batch[batch][ends[target] : ends[target + 1]]


def _passed(
    batches: Iterable[pl.DataFrame],
    bundle: Bundle,
    model: StanceModel,
    vectors: Vectors,
    targets: Sequence[str],
    path: Path,
) -> _Passed:
    gates, flags, keys = list[NDArray[np.float64]](), list[NDArray[np.bool_]](), list[pl.Series]()
    calibration = bundle.calibration()
    for comments in batches:
        read = _readable(comments, bundle, path).filter("read")
        gate = _gate(read, model, vectors, targets)
        nothing = np.zeros((read.height, len(CLASSES)))
        passes = [decide(gate[:, place], nothing, calibration)[0] for place in range(len(targets))]
        gates.append(gate)
        flags.append(np.column_stack(passes))
        keys.append(_shard_rows(read, flags[-1], targets, bundle)["input_key"])
    return _Passed(gates, flags, number_keys(keys))


def _shard_rows(read: pl.DataFrame, flags: NDArray[np.bool_], targets: Sequence[str], bundle: Bundle) -> pl.DataFrame:
    """Return rows of `SHARD_SCHEMA` of the comments that pass, target by target."""
    rows = [
        (input_key(target, parent, text, bundle.id), target, text, parent)
        for place, target in enumerate(targets)
        for text, parent in read.filter(pl.Series(flags[:, place], dtype=pl.Boolean))
        .select("text", "parent")
        .iter_rows()
    ]
    return pl.DataFrame(rows, SHARD_SCHEMA, orient="row")


def _score_missing(
    workspace: Workspace,
    batches: Iterable[pl.DataFrame],
    passed: _Passed,
    work: StanceWork,
    targets: Sequence[str],
    path: Path,
    engine: Engine,
) -> Scores:
    """Read what passes and has no score yet, in shards; return the scores of all that passes."""
    inputs, bundle = passed.inputs, work.bundle
    scores = kept_scores(workspace, inputs, bundle, Tier.ENCODER)
    missing = ~scores.known
    if not missing.any():
        return scores
    shard = np.where(missing, (np.cumsum(missing) - 1) // SHARD, -1)

    def rows() -> Iterator[pl.DataFrame]:
        for comments, flags in zip(batches, passed.flags, strict=True):
            yield _shard_rows(_readable(comments, bundle, path).filter("read"), flags, targets, bundle)

    with bar("stance", int(missing.sum())) as advance:
        engine.each(work, cut_shards(rows(), inputs, shard), advance)
    scores = kept_scores(workspace, inputs, bundle, Tier.ENCODER)
    check_known(scores, np.ones(inputs.size, np.bool_), workspace)
    return scores


def _answered(
    read: pl.DataFrame,
    gate: NDArray[np.float64],
    passed: NDArray[np.bool_],
    numbers: NDArray[np.int32],
    scores: Scores,
    bundle: Bundle,
) -> pl.DataFrame:
    """Return the rows of one target."""
    rows = read.height
    log_p = np.zeros((rows, len(CLASSES)))
    log_p[passed] = scores.score[:, numbers].T
    _, p, answer = decide(gate, log_p, bundle.calibration())
    evidence = np.full((rows, 2), -1, np.int64)
    evidence[passed] = np.column_stack([scores.start[0, numbers], scores.end[0, numbers]])
    evidence[~np.isin(answer, _SIDES)] = -1
    off = np.where(passed, p[:, CLASSES.index("off_target")], 1 - 1 / (1 + np.exp(-gate)))
    shown = pl.Series(passed, dtype=pl.Boolean)
    return pl.DataFrame({"comment_id": read["comment_id"]}).with_columns(
        *(pl.when(shown).then(pl.Series(p[:, place])).alias(f"p_{name}") for place, name in enumerate(CLASSES[:3])),
        pl.Series("p_off_target", off),
        pl.Series("stance", np.array(CLASSES, dtype=object)[answer], dtype=pl.String),
        pl.lit(None, pl.String).alias("reason"),
        *(
            pl.when(pl.Series(evidence[:, place]) >= 0).then(pl.Series(evidence[:, place])).alias(f"evidence_{name}")
            for place, name in enumerate(("start", "end"))
        ),
    )


def _unread(comments: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of comments in languages that the bundle does not read."""
    number, place = pl.lit(None, pl.Float64), pl.lit(None, pl.Int64)
    return comments.select(
        "comment_id",
        number.alias("p_favor"),
        number.alias("p_against"),
        number.alias("p_neutral"),
        number.alias("p_off_target"),
        pl.lit(Stance.UNSURE.value).alias("stance"),
        pl.lit("language").alias("reason"),
        place.alias("evidence_start"),
        place.alias("evidence_end"),
    )
