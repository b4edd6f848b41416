"""One verb for each stage: the same as `run`, stopped short or started late."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from discourse.cli.options import Json, Set, Strict, WorkspaceFolder, parsed_map, parsed_settings, print_json
from discourse.cli.run import (
    ArticleLines,
    Attributes,
    AuthorKey,
    DryRun,
    Furniture,
    Labels,
    Languages,
    Map,
    Mode,
    Opening,
    Quotes,
    Sources,
    Target,
    Thread,
    print_result,
    read_config,
)


def collect(
    sources: Sources,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="WS", help="The workspace folder.")],
    article_lines: ArticleLines = None,
    mode: Mode = None,
    columns: Map = None,
    furniture: Furniture = None,
    opening: Opening = None,
    attributes: Attributes = None,
    thread: Thread = None,
    settings: Set = None,
    as_json: Json = False,
) -> None:
    """Copy files of comments into a workspace and read them, showing how their columns were understood.

    Example:

      discourse collect export.csv --map text=body -o WS
    """
    changes: dict[str, Any] = {
        "input.article_lines": article_lines,
        "input.mode": mode,
        "input.map": parsed_map(columns),
        "input.furniture": furniture or None,
        "input.opening": opening,
        "input.attributes": attributes or None,
        "input.thread": thread,
        **parsed_settings(settings),
    }
    from discourse.pipeline import run as run_stages

    result = run_stages(read_config(sources, changes), output, ["collect"])
    if as_json:
        print_json({"workspace": output, "stages": result.stages})


def normalize(
    workspace: WorkspaceFolder,
    languages: Languages = None,
    author_key: AuthorKey = None,
    settings: Set = None,
    dry_run: DryRun = False,
    strict: Strict = False,
    as_json: Json = False,
) -> None:
    """Clean texts, build the reply tree, and put what is no comment into quarantine with its reason.

    Example:

      discourse normalize WS
    """
    changes = {"normalize.languages": languages or None, "normalize.author_key": author_key}
    run_stage(
        workspace,
        "normalize",
        {**changes, **parsed_settings(settings)},
        dry_run=dry_run,
        strict=strict,
        as_json=as_json,
    )


def aggregate(
    workspace: WorkspaceFolder,
    labels: Labels = None,
    target: Target = None,
    settings: Set = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Turn tags and labels into shares with intervals.

    Example:

      discourse aggregate WS --labels labels.csv
    """
    changes = {"labels.files": labels or None, "stance.targets": target or None, **parsed_settings(settings)}
    run_stage(workspace, "aggregate", changes, dry_run=dry_run, strict=False, as_json=as_json)


def report(
    workspace: WorkspaceFolder,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Default: WS/report.html.")
    ] = None,
    quotes: Quotes = None,
    settings: Set = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Write the report of a workspace as one HTML file.

    Example:

      discourse report WS --quotes short -o report.html
    """
    changes = {"report.quotes": quotes, **parsed_settings(settings)}
    run_stage(workspace, "report", changes, output, dry_run=dry_run, strict=False, as_json=as_json)


def run_stage(
    root: Path,
    name: str,
    changes: dict[str, Any],
    output: Path | None = None,
    *,
    dry_run: bool,
    strict: bool,
    as_json: bool,
) -> None:
    """Run one stage, after those before it that are stale, with the configuration of the workspace's last run."""
    from discourse.config import override
    from discourse.pipeline import STAGE_NAMES, stored_config
    from discourse.pipeline import run as run_stages
    from discourse.workspace import open_workspace

    config = override(stored_config(open_workspace(root)), changes)
    # The original files may be gone; what was collected of them lies in the workspace.
    names = STAGE_NAMES[1 : STAGE_NAMES.index(name) + 1]
    result = run_stages(config, root, names, output, dry_run=dry_run)
    if dry_run and not as_json:
        for stage in result.stages:
            print(f"{stage.status.upper():5}{stage.name:10} {stage.reason}")
    else:
        print_result(result, as_json=as_json)
    if strict and result.quarantined:
        raise typer.Exit(1)
