"""Have a sample of known inclusion labelled by the external coder; its labels are marked as a model's everywhere."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from discourse.annotate.drawn import Drawn, draw_round
from discourse.annotate.imports import FILE_KEY, recompute_inclusion
from discourse.annotate.readings import Level
from discourse.config import Config
from discourse.models.judge.coder import Coder
from discourse.models.judge.coding import Coded, code, estimate
from discourse.models.judge.comments import Inputs, inputs_of, keep_votes, tag_coder
from discourse.models.judge.consensus import Code, consensus
from discourse.models.judge.cost import Agreed, Cost
from discourse.tables import ANSWERS, COMMENTS, LABELS, MODEL_ANNOTATOR, SAMPLES, THREADS, Decision, Design
from discourse.workspace import Workspace, now


@dataclass(frozen=True, slots=True)
class JudgeResult:
    """What the external coder labelled.

    Attributes:
        annotator: its name in the labels table.
        round: of the sample.
        eligible, drawn, asked: comments that could be drawn, were drawn, and had no label of this coder.
        labels, unanswered: labels written, and those without a value because no majority of answers was valid.
        hard: labels on which its runs differ.
        sent: answers asked for now.
        invalid: how many answers were invalid, by reason.
        notes: where texts were sent, and how many answers were invalid.
    """

    annotator: str
    round: int
    eligible: int
    drawn: int
    asked: int
    labels: int
    unanswered: int
    hard: int
    sent: int
    invalid: dict[str, int]
    notes: tuple[str, ...] = ()


def judge_sample(
    workspace: Workspace,
    config: Config,
    levels: Sequence[Level],
    size: int,
    design: Design,
    agreed: Agreed,
    *,
    more: bool = False,
) -> JudgeResult:
    """Draw a round as for people and have the external coder label it; killed, it goes on with the same comments.

    Asked for again with the same arguments nothing is drawn or sent, unless `more` asks for a further round.

    Args:
        workspace: with comments; with tags for the designs that favour some.
        config: model, codebook, bundles, filter and seed.
        levels: what is labelled, in one request for each comment and run.
        size: expected number of comments.
        design: uniform, stratified or uncertain; with several levels uniform.
        agreed: asks the user, where a limit of `[judge]` is passed.
        more: whether to draw another round where such a one was labelled before.

    Raises:
        UsageError: the sample cannot be drawn, no model or endpoint is named, or nobody agrees to the cost.
        InputError: there is nothing to draw from, or the server does not do it; answers so far are kept.
    """
    coder = _coder(config, levels)
    name = f"judge {coder.id} {design.value} {size}"
    before = [] if more else _rounds(workspace, name)
    if before:
        return _told(workspace, coder, before[-1])
    drawn = draw_round(workspace, config, levels, size, design)
    inputs = _inputs(workspace, config, coder, drawn)
    coded = code(workspace, coder, inputs.items, agreed)
    keep_votes(workspace, _use(drawn.round), coded, inputs)
    rows = _labels(coded, inputs, drawn)
    workspace.append(SAMPLES, drawn.rows)
    workspace.append(LABELS, rows, {FILE_KEY: f"{name} round {drawn.round}"})
    recompute_inclusion(workspace)
    note = coded.sentence(f"{inputs.keyed.height:,} comments")
    counts = (drawn.eligible, len(drawn.ids), coded.sent)
    return _result(workspace, coder, drawn.round, rows, counts, note)


def judge_sample_cost(workspace: Workspace, config: Config, levels: Sequence[Level], size: int, design: Design) -> Cost:
    """Say what the next round would cost, without drawing or sending anything."""
    coder = _coder(config, levels)
    drawn = draw_round(workspace, config, levels, size, design)
    return estimate(workspace, coder, _inputs(workspace, config, coder, drawn).items)


def _coder(config: Config, levels: Sequence[Level]) -> Coder:
    return tag_coder(config, [(level.kind, level.name) for level in levels])


def _rounds(workspace: Workspace, name: str) -> list[int]:
    """Return the rounds that were labelled so before, oldest first."""
    found: list[int] = []
    for part in workspace.parts(LABELS):
        told = json.loads(pl.read_parquet_metadata(part).get("discourse", "{}")).get(FILE_KEY) or ""
        if str(told).startswith(f"{name} round "):
            found.append(int(str(told).rpartition(" ")[2]))
    return sorted(found)


def _told(workspace: Workspace, coder: Coder, number: int) -> JudgeResult:
    rows = workspace.read(LABELS).filter(annotator=f"{MODEL_ANNOTATOR}{coder.id}", round=number)
    samples = workspace.read(SAMPLES).filter(round=number)
    drawn = samples.filter(pl.col("rank").is_not_null())["comment_id"].n_unique()
    note = f"round {number} was labelled so before; --more draws a further round"
    return _result(workspace, coder, number, rows, (samples["comment_id"].n_unique(), drawn, 0), note)


def _result(
    workspace: Workspace, coder: Coder, number: int, rows: pl.DataFrame, counts: tuple[int, int, int], note: str
) -> JudgeResult:
    """Put a result together; counts are the comments eligible and drawn, and the answers asked for now."""
    eligible, drawn, sent = counts
    told = workspace.read(ANSWERS).filter(pl.col("outcome") != "valid", use=_use(number), coder=coder.id)
    invalid = told.group_by("outcome").agg(pl.col("answers").sum()).sort("outcome")
    return JudgeResult(
        annotator=f"{MODEL_ANNOTATOR}{coder.id}",
        round=number,
        eligible=eligible,
        drawn=drawn,
        asked=rows["comment_id"].n_unique(),
        labels=rows["value"].count(),
        unanswered=rows["value"].null_count(),
        hard=rows.filter("hard").height,
        sent=sent,
        invalid=dict(invalid.iter_rows()),
        notes=(note,),
    )


def _use(number: int) -> str:
    return f"labels of round {number}"


def _inputs(workspace: Workspace, config: Config, coder: Coder, drawn: Drawn) -> Inputs:
    """Return the drawn comments that have no label of this coder yet, in the order in which they are asked about."""
    annotator = f"{MODEL_ANNOTATOR}{coder.id}"
    done = workspace.read(LABELS).filter(annotator=annotator)["comment_id"].unique()
    asked = drawn.ids.filter(~drawn.ids.is_in(done.implode()))
    comments = workspace.scan(COMMENTS).select("comment_id", "thread_id", "parent_id", "text").collect()
    chosen = pl.DataFrame({"comment_id": asked}).join(comments, on="comment_id", how="left", maintain_order="left")
    return inputs_of(chosen, comments, workspace.read(THREADS), context=config.tagging.context)


def _labels(coded: Coded, inputs: Inputs, drawn: Drawn) -> pl.DataFrame:
    """Return rows of the labels table."""
    at = now()
    rows: list[dict[str, object]] = []
    for comment_id, key in inputs.keyed.iter_rows():
        for kind, level in coded.coder.questions.levels:
            said = consensus(coded.of(key, (kind, level)))
            rows.append(
                {
                    "comment_id": comment_id,
                    "kind": kind,
                    "level": level,
                    "value": _value(kind, said),
                    "hard": not said.unanimous,
                    "annotator": f"{MODEL_ANNOTATOR}{coded.coder.id}",
                    "round": drawn.round,
                    "labelled_at": at,
                }
            )
    chance = drawn.rows.select("comment_id", "kind", "level", "design", inclusion="probability")
    plain = [name for name in LABELS.columns if name not in {"design", "inclusion"}]
    found = pl.DataFrame(rows, schema={name: LABELS.schema[name] for name in plain})
    return LABELS.conform(found.join(chance, on=["comment_id", "kind", "level"], how="left", maintain_order="left"))


def _value(kind: str, said: Code) -> str | None:
    """Return a label: where valid answers differ or are unsure a frame is no, as codebooks have it for people, too."""
    if said.reason is None:
        return said.value
    return Decision.NO.value if kind == "frame" and said.reason in {"runs", "model"} else None
