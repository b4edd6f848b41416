"""Tags by the external coder: frames and stance of every eligible comment in one request a run, by consensus."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from discourse.config import Config
from discourse.denominator import mark_excluded
from discourse.models.judge.coding import Coded, code, estimate
from discourse.models.judge.comments import Inputs, inputs_of, keep_votes, read_languages, tag_coder
from discourse.models.judge.consensus import Code, consensus
from discourse.models.judge.cost import Agreed, Cost
from discourse.tables import ATTRIBUTES, COMMENTS, FRAMES, STANCES, THREADS, Decision, Path, Stance, Tier
from discourse.workspace import Workspace

SIDES = (Stance.FAVOR.value, Stance.AGAINST.value, Stance.NEUTRAL.value, Stance.OFF_TARGET.value)


@dataclass(frozen=True, slots=True)
class Judged:
    """Rows of the frames and the stance table by the external coder, its name, counts and what to tell."""

    coder: str
    frames: pl.DataFrame
    stances: pl.DataFrame
    counts: dict[str, int]
    notes: tuple[str, ...]


def judge(workspace: Workspace, config: Config, agreed: Agreed) -> Judged:
    """Have all eligible comments coded; comments in languages that it does not read are `unsure`.

    Args:
        workspace: with comments; keeps raw answers, votes and their tally.
        config: model, codebook, targets, filter.
        agreed: asks the user, where a limit of `[judge]` is passed.

    Raises:
        UsageError: no model or no endpoint is named, or a limit is passed and nobody agrees.
        InputError: the server does not do it; answers so far are kept.
    """
    coder = tag_coder(config)
    marked = _marked(workspace, config)
    inputs = _inputs(workspace, config, marked)
    coded = code(workspace, coder, inputs.items, agreed)
    keep_votes(workspace, "tags", coded, inputs)
    unread = marked.filter(pl.col("excluded") == "language")["comment_id"].to_list()
    rows = [*inputs.keyed.iter_rows(), *((name, None) for name in unread)]
    notes = [coded.sentence(f"{inputs.keyed.height:,} comments")]
    cut = sum(len(item.text) > config.judge.characters for item in inputs.items)
    if cut:
        notes.append(f"comments of which only the first {config.judge.characters:,} characters were sent: {cut:,}")
    if unread:
        read = ", ".join(read_languages(config))
        notes.append(
            f"comments in other languages than {read}, not sent: {len(unread):,} ([judge] languages adds some)"
        )
    return Judged(
        coder.id,
        FRAMES.conform(_frames(coded, rows)).sort("comment_id", "frame", maintain_order=True),
        STANCES.conform(_stances(coded, rows)).sort("comment_id", "target", maintain_order=True),
        _counts(coded),
        tuple(notes),
    )


def judge_cost(workspace: Workspace, config: Config) -> Cost:
    """Say what `judge` would send now, without sending anything."""
    inputs = _inputs(workspace, config, _marked(workspace, config))
    return estimate(workspace, tag_coder(config), inputs.items)


def _marked(workspace: Workspace, config: Config) -> pl.DataFrame:
    return mark_excluded(
        workspace.scan(COMMENTS), read_languages(config), config.filter, workspace.read(ATTRIBUTES)
    ).collect()


def _inputs(workspace: Workspace, config: Config, marked: pl.DataFrame) -> Inputs:
    chosen = marked.filter(pl.col("excluded").is_null()).sort("comment_id")
    return inputs_of(chosen, marked, workspace.read(THREADS), context=config.tagging.context)


def _counts(coded: Coded) -> dict[str, int]:
    """Count answers for the receipt: how many, how many were asked for in this run, and invalid ones by reason."""
    counts = {
        "judge_answers": sum(each.answers for each in coded.tallies),
        "judge_sent": coded.sent,
        "judge_invalid": sum(each.answers for each in coded.tallies if each.outcome != "valid"),
    }
    for each in coded.tallies:
        if each.outcome != "valid":
            name = f"judge_invalid:{each.outcome}"
            counts[name] = counts.get(name, 0) + each.answers
    used = (sum(each.tokens_in for each in coded.tallies), sum(each.tokens_out for each in coded.tallies))
    return counts | {"judge_tokens_in": used[0], "judge_tokens_out": used[1]}


def _code(coded: Coded, key: str | None, level: tuple[str, str]) -> Code:
    return Code("unsure", "language", {}) if key is None else consensus(coded.of(key, level))


def _frames(coded: Coded, rows: Iterable[tuple[str, str | None]]) -> pl.DataFrame:
    found: list[dict[str, object]] = []
    for comment_id, key in rows:
        for frame in coded.coder.questions.frames:
            said = _code(coded, key, ("frame", frame.name))
            found.append(
                {
                    "comment_id": comment_id,
                    "frame": frame.name,
                    "probability": said.shares.get(Decision.YES.value, 0.0) if said.shares else None,
                    "above_threshold": said.value == Decision.YES.value,
                    "decision": said.value,
                    **_rest(coded, said),
                }
            )
    return pl.DataFrame(found, schema=FRAMES.schema)


def _stances(coded: Coded, rows: Iterable[tuple[str, str | None]]) -> pl.DataFrame:
    found: list[dict[str, object]] = []
    for comment_id, key in rows:
        for target in coded.coder.questions.targets:
            said = _code(coded, key, ("stance", target))
            found.append(
                {
                    "comment_id": comment_id,
                    "target": target,
                    **{f"p_{side}": said.shares.get(side, 0.0) if said.shares else None for side in SIDES},
                    "stance": said.value,
                    **_rest(coded, said),
                }
            )
    return pl.DataFrame(found, schema=STANCES.schema)


def _rest(coded: Coded, said: Code) -> dict[str, object]:
    return {
        "reason": said.reason,
        "evidence_start": said.start,
        "evidence_end": said.end,
        "tier": Tier.JUDGE.value,
        "path": Path.JUDGE.value,
        "bundle": coded.coder.id,
    }
