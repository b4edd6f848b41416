"""Comments as inputs of the external coder, and its votes and answers as tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from discourse.codebook import load_codebook
from discourse.config import Config
from discourse.models.bundle import load_bundle
from discourse.models.judge.answers import Invalid, Vote
from discourse.models.judge.coder import Coder, coder_of
from discourse.models.judge.coding import Coded
from discourse.models.judge.prompt import Item, Questions
from discourse.tables import ANSWERS, VOTES, Table
from discourse.workspace import Workspace

Level = tuple[str, str]  # kind, and name of the frame or target

JUDGED = "openai-compatible"


@dataclass(frozen=True, slots=True)
class Inputs:
    """Comments beside what is read of them: comment_id and key; and the different inputs."""

    keyed: pl.DataFrame
    items: tuple[Item, ...]


def tag_coder(config: Config, levels: Sequence[Level] | None = None) -> Coder:
    """Return the external coder of all frames and targets, or of some levels.

    Raises:
        UsageError: no model is named.
        InputError: the codebook cannot be read.
    """
    book = load_codebook(config.codebook.file)
    frames = tuple(frame for frame in book.frames if levels is None or ("frame", frame.name) in levels)
    targets = tuple(name for name in config.stance.targets if levels is None or ("stance", name) in levels)
    return coder_of(config.judge, Questions(book, frames, targets), config.seed)


def read_languages(config: Config) -> tuple[str, ...]:
    """Return the languages that the external coder reads: `[judge] languages`, else those of the frames bundle."""
    return config.judge.languages or load_bundle(config.bundles.frames, "frames").manifest.languages


def inputs_of(chosen: pl.DataFrame, comments: pl.DataFrame, threads: pl.DataFrame, *, context: bool) -> Inputs:
    """Lay title and parent beside comments.

    Args:
        chosen: comment_id, thread_id, parent_id and text of the comments to read, in a fixed order.
        comments: comment_id and text of all, for parents.
        threads: thread_id and title.
        context: whether title and parent are read along.
    """
    texts = comments.select(parent_id="comment_id", parent="text")
    titles = threads.select("thread_id", "title").unique("thread_id")
    rows = (
        chosen.select("comment_id", "thread_id", "parent_id", "text")
        .join(titles, on="thread_id", how="left", maintain_order="left")
        .join(texts, on="parent_id", how="left", maintain_order="left")
        .with_columns(
            (pl.col(name).fill_null("") if context else pl.lit("")).alias(name) for name in ("title", "parent")
        )
    )
    found = [Item(*parts) for parts in rows.select("text", "title", "parent").iter_rows()]
    keyed = rows.select("comment_id").with_columns(key=pl.Series([item.key for item in found], dtype=pl.String))
    return Inputs(keyed, tuple({item.key: item for item in found}.values()))


def keep_votes(workspace: Workspace, use: str, coded: Coded, inputs: Inputs) -> None:
    """Put the votes and the tally of answers of one use in the place of what that use wrote before.

    Args:
        workspace: with the tables votes and answers.
        use: `tags`, or `labels` with the round of the sample.
        coded: what the coder says.
        inputs: of which comments.
    """
    votes = votes_table(use, coded, inputs)
    answers = pl.DataFrame(
        [
            {
                "use": use,
                "coder": coded.coder.id,
                "host": each.host,
                "outcome": each.outcome,
                "answers": each.answers,
                "inputs": each.inputs,
                "tokens_in": each.tokens_in,
                "tokens_out": each.tokens_out,
            }
            for each in coded.tallies
        ],
        schema=ANSWERS.schema,
    )
    kept = pl.col("use") != use
    _put(workspace, VOTES, kept, votes)
    _put(workspace, ANSWERS, kept, answers)


def drop_use(workspace: Workspace, use: str) -> None:
    """Forget what the external coder was last used for, because now it is not."""
    for table in (VOTES, ANSWERS):
        if workspace.parts(table):
            _put(workspace, table, pl.col("use") != use, table.empty())


def votes_table(use: str, coded: Coded, inputs: Inputs) -> pl.DataFrame:
    """Return a row of the votes table for each comment, level and run."""
    rows: list[dict[str, object]] = []
    for comment_id, key in inputs.keyed.iter_rows():
        for run in range(coded.coder.config.runs):
            for (kind, level), vote in coded.votes[key, run].items():
                valid = isinstance(vote, Vote)
                rows.append(
                    {
                        "use": use,
                        "comment_id": comment_id,
                        "kind": kind,
                        "level": level,
                        "coder": coded.coder.id,
                        "run": run,
                        "value": vote.value if valid else None,
                        "reason": vote.value if isinstance(vote, Invalid) else None,
                        "evidence_start": vote.start if valid else None,
                        "evidence_end": vote.end if valid else None,
                    }
                )
    return VOTES.conform(pl.DataFrame(rows, schema=VOTES.schema))


def _put(workspace: Workspace, table: Table, kept: pl.Expr, rows: pl.DataFrame) -> None:
    before = workspace.read(table)
    after = pl.concat([before.filter(kept), table.conform(rows)]).sort(table.key)
    if not after.equals(before) or not workspace.parts(table):
        workspace.write(table, after)
