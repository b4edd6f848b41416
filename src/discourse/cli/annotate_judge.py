"""`discourse annotate judge`: a sample labelled by the external coder."""

from __future__ import annotations

from typing import Annotated

import typer

from discourse.cli.annotate import FrameName, TargetName, annotate_app, opened_workspace
from discourse.cli.judge import JudgeModel, JudgeRuns, Yes, agreed_by, judge_settings
from discourse.cli.options import Json, Set, WorkspaceFolder, parsed_settings, print_json
from discourse.progress import say


@annotate_app.command("judge")
def judge(
    workspace: WorkspaceFolder,
    frame: FrameName = None,
    target: TargetName = None,
    sample: Annotated[
        int | None, typer.Option("--sample", "--n", metavar="N", help="How many comments to expect. Default: 200.")
    ] = None,
    design: Annotated[
        str, typer.Option(help="uniform: all alike; with --frame or --target also stratified or uncertain.")
    ] = "uniform",
    more: Annotated[
        bool, typer.Option("--more", help="Draw a further round where such a sample was labelled before.")
    ] = False,
    judge_model: JudgeModel = None,
    judge_runs: JudgeRuns = None,
    yes: Yes = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be sent and what it costs.")] = False,
    settings: Set = None,
    as_json: Json = False,
) -> None:
    """Have an outside language model label a sample of the comments, drawn by chance as for people.

    It is asked at OPENAI_BASE_URL (key in OPENAI_API_KEY) in several runs; more than half of them make a label. Without
    --frame or --target it labels all frames and targets at once. Its labels correct the shares of its own reading, and
    bundle train --from WS learns from them; they are nowhere shown as labels of people. All raw answers are kept in
    WS/judge, and none is asked for twice.

    Examples:

      export OPENAI_BASE_URL=http://127.0.0.1:8080/v1

      discourse annotate judge WS --sample 200 --judge-model qwen2.5-7b-instruct --dry-run

      discourse annotate judge WS --sample 200 --judge-model qwen2.5-7b-instruct && discourse report WS
    """
    from discourse.annotate import judge_sample, judge_sample_cost, level_of, levels_of
    from discourse.config import override
    from discourse.errors import UsageError
    from discourse.tables import Design

    opened, stored = opened_workspace(workspace)
    changes = {**judge_settings(None, judge_model, judge_runs), "judge.sample": sample, **parsed_settings(settings)}
    config = override(stored, changes)
    levels = levels_of(config) if frame is None and target is None else [level_of(config, frame, target)]
    if design not in set(Design):
        raise UsageError(f'--design "{design}" is unknown; use uniform, stratified or uncertain')
    asked = (opened, config, levels, config.judge.sample, Design(design))
    if dry_run:
        cost = judge_sample_cost(*asked)
        if as_json:
            print_json(cost)
        else:
            print(cost.sentence)
        return
    with opened.lock():
        result = judge_sample(*asked, agreed_by(yes=yes), more=more)
    for note in result.notes:
        say(note)
    if as_json:
        print_json(result)
        return
    print(
        f"{result.labels:,} labels of {result.asked:,} comments by {result.annotator}, {result.hard:,} hard, "
        f"{result.unanswered:,} without an answer"
    )
    say(f"they are in the estimates after: discourse report {workspace}")
