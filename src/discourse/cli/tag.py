"""`discourse tag`: the tag stage of a workspace, or the models on any table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from discourse.cli.judge import JudgeModel, JudgeRuns, Tagger, Yes, judge_settings
from discourse.cli.options import Json, Set, Where, parsed_settings, print_json
from discourse.cli.run import DryRun, Engine, Exact, Target
from discourse.cli.stage import run_stage


def tag(
    source: Annotated[
        Path, typer.Argument(metavar="WS|FILE", help="A workspace, or a CSV, TSV, JSONL or Parquet file.")
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="OUT", help="For a file: .csv, .jsonl or .parquet.")
    ] = None,
    text_column: Annotated[str | None, typer.Option(metavar="C", help="For a file: the column with the text.")] = None,
    id_column: Annotated[
        str | None, typer.Option(metavar="I", help="For a file: the id column; else the row number.")
    ] = None,
    target: Target = None,
    wide: Annotated[bool, typer.Option("--wide", help="Write the input's columns plus one for each tag.")] = False,
    context: Annotated[bool, typer.Option(help="Read columns named title, parent and context along.")] = True,
    frames: Annotated[str | None, typer.Option(metavar="BUNDLE", help="The frames bundle.")] = None,
    stance: Annotated[str | None, typer.Option(metavar="BUNDLE", help="The stance bundle.")] = None,
    exact: Exact = None,
    engine: Engine = None,
    tagger: Tagger = None,
    judge_model: JudgeModel = None,
    judge_runs: JudgeRuns = None,
    yes: Yes = False,
    where: Where = None,
    settings: Set = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Tag a workspace, or the rows of any table.

    For a table, OUT gets one row for each comment and frame; with --target, OUT.stance gets one for each comment and
    target.

    Examples:

      discourse tag WS

      discourse tag comments.csv --text-column body --id-column id -o tags.csv

      discourse tag WS --tagger openai-compatible --judge-model qwen2.5-7b-instruct --dry-run    what it would send
    """
    changes = {
        "stance.targets": target or None,
        "bundles.frames": frames,
        "bundles.stance": stance,
        "tagging.context": None if context else False,
        "tagging.exact": exact,
        "engine": engine,
        **judge_settings(tagger, judge_model, judge_runs),
        **parsed_settings(settings),
    }
    from discourse.errors import UsageError

    if source.is_dir():
        if text_column or id_column or output or wide:
            raise UsageError(
                f"{source}: is a workspace, which has tables of its own; --text-column, --id-column, --wide and -o are "
                "for files"
            )
        run_stage(source, "tag", changes, where=where, dry_run=dry_run, strict=False, yes=yes, as_json=as_json)
        return
    from discourse.config import Config, override
    from discourse.table_tagging import tag_table

    if where:
        raise UsageError(f"{source}: --where is for workspaces; leave rows out of a file before it is tagged")
    config = override(Config(), changes)
    if config.tagger != "bundle":
        raise UsageError(
            f"{source}: the external coder codes workspaces, which keep its answers: discourse run {source} -o WS "
            "--tagger openai-compatible --map text=COLUMN"
        )
    if text_column is None or output is None:
        raise UsageError(f"{source}: to tag a file give --text-column C and -o OUT")
    result = tag_table(source, text_column, id_column, output, config, wide=wide)
    if as_json:
        print_json(result)
    else:
        print(f"{result.rows:,} comments tagged: {', '.join(str(path) for path in result.written)}")
