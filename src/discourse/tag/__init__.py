"""Tag comments: frames, stance and topics, each row naming the bundle that gave it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from discourse.config import Config
from discourse.engine import LOCAL, Engine
from discourse.models.judge.comments import JUDGED, drop_use, tag_coder
from discourse.models.judge.cost import Agreed, Cost, never
from discourse.tables import (
    ANSWERS,
    ATTRIBUTES,
    COMMENTS,
    EMBEDDINGS,
    FIT,
    FRAMES,
    SCORES,
    STANCES,
    THREADS,
    TOPIC_INFO,
    TOPIC_NAMES,
    TOPIC_RUNS,
    TOPIC_TIMES,
    TOPICS,
    VOTES,
    Table,
)
from discourse.workspace import Outcome, Workspace

if TYPE_CHECKING:
    from discourse.tag.topics import TopicTables

READS: tuple[Table, ...] = (THREADS, COMMENTS, ATTRIBUTES)
WRITES: tuple[Table, ...] = (
    *(EMBEDDINGS, SCORES, FRAMES, STANCES, FIT, TOPICS, TOPIC_INFO, TOPIC_NAMES, TOPIC_RUNS, TOPIC_TIMES),
    *(VOTES, ANSWERS),
)


def run(workspace: Workspace, config: Config, agreed: Agreed = never, engine: Engine = LOCAL) -> Outcome:
    """Tag every comment that has text; what an earlier run computed is kept and not computed again.

    Reads comments; writes embeddings and scores shard by shard, then frames, stance, fit and the tables of topics.

    Args:
        workspace: with comments.
        config: who tags, and how.
        agreed: asks the user before the external coder is sent more than `[judge]` allows.
        engine: where comments are read.

    Raises:
        BundleError: a bundle is missing, damaged or does not fit.
        InputError: the external coder was asked for and cannot be reached.
        UsageError: nobody agreed to what it costs; or the frames bundle was trained for another codebook than the
            configured one, and what differs is named.
    """
    # torch takes a second to import: only a run that tags pays for them.
    from discourse.codebook import load_codebook
    from discourse.tag.by_bundle import tag_by_bundles
    from discourse.tag.by_judge import tag_by_judge

    codebook = load_codebook(config.codebook.file)
    if config.tagger == JUDGED:
        workspace.write(FIT, FIT.empty())
        counts, notes, found = tag_by_judge(workspace, config, codebook.sha256, agreed)
    else:
        drop_use(workspace, "tags")
        counts, notes, found = tag_by_bundles(workspace, config, codebook, engine)
    return _with_topics(workspace, config, found, counts, notes, agreed)


def check(config: Config) -> None:
    """Refuse what no comments are needed to refuse.

    Raises:
        UsageError: the external coder is asked for and no model is named.
    """
    if config.tagger == JUDGED or config.topics.names == "judge":
        tag_coder(config)


def cost(workspace: Workspace, config: Config) -> Cost | None:
    """Say what the external coder would be sent for the comments as they are; None where it does not tag."""
    if config.tagger != JUDGED:
        return None
    from discourse.tag.judge import judge_cost

    return judge_cost(workspace, config)


def _with_topics(
    workspace: Workspace,
    config: Config,
    found: TopicTables,
    counts: dict[str, int],
    notes: list[str],
    agreed: Agreed,
) -> Outcome:
    """Write the tables of topics, named by the external coder if that is asked for."""
    from discourse.tag.topics.machine_names import named

    found = named(workspace, config, found, agreed)
    workspace.write(TOPICS, found.topics)
    workspace.write(TOPIC_INFO, found.info)
    workspace.write(TOPIC_RUNS, found.runs)
    workspace.write(TOPIC_TIMES, found.times)
    counts["topics"] = found.info.height - found.info["parent"].drop_nulls().n_unique()
    return Outcome(counts, (*notes, *found.notes))
