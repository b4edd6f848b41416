"""One verb for each stage: the same as `run`, stopped short or started late."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from discourse.cli.judge import agreed_by
from discourse.cli.options import (
    Json,
    Set,
    Strict,
    Where,
    WorkspaceFolder,
    narrowed,
    parsed_map,
    parsed_settings,
    print_json,
)
from discourse.cli.run import (
    ArticleLines,
    Attributes,
    AuthorKey,
    DryRun,
    Furniture,
    Group,
    Labels,
    Languages,
    Map,
    Mode,
    Opening,
    Population,
    Sources,
    SplitAt,
    Target,
    Thread,
    print_result,
    read_config,
)

if TYPE_CHECKING:
    from discourse.pipeline import RunResult


def collect(
    sources: Sources,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="WS", help="The workspace folder.")] = None,
    article_lines: ArticleLines = None,
    mode: Mode = None,
    columns: Map = None,
    furniture: Furniture = None,
    opening: Opening = None,
    attributes: Attributes = None,
    thread: Thread = None,
    profile: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A TOML file of CSS selectors, for pages that are not understood."),
    ] = None,
    contact: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Your e-mail or page, told to the servers that are asked.")
    ] = None,
    rate: Annotated[float | None, typer.Option(metavar="N", help="Requests a second for one host. Default: 1.")] = None,
    keep_deleted: Annotated[
        bool, typer.Option("--keep-deleted", help="Keep the text of comments that were deleted since.")
    ] = False,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Allow addresses of this machine and of private networks.")
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Only show which rule finds what in a page; nothing is written.")
    ] = False,
    settings: Set = None,
    strict: Strict = False,
    as_json: Json = False,
) -> None:
    """Collect threads from addresses and files into a workspace, and read them.

    An address is asked politely (robots.txt for pages, one request a second, Retry-After) and every answer is kept in
    WS/raw before the next request, so that a killed or interrupted collection goes on where it stopped. Run again, it
    looks for new comments and new states. discourse sources lists the platforms, their keys and what they lose.

    Examples:

      discourse collect https://news.ycombinator.com/item?id=1 --contact me@example.org -o WS

      discourse collect export.csv --map text=body -o WS

      discourse collect https://example.org/story --explain
    """
    changes: dict[str, Any] = {
        "input.article_lines": article_lines,
        "input.mode": mode,
        "input.map": parsed_map(columns),
        "input.furniture": furniture or None,
        "input.opening": opening,
        "input.attributes": attributes or None,
        "input.thread": thread,
        "collect.profile": profile,
        "collect.contact": contact,
        "collect.rate": rate,
        "collect.keep_deleted": keep_deleted or None,
        "collect.allow_private": allow_private or None,
        **parsed_settings(settings),
    }
    config = read_config(sources, changes)
    if explain:
        from discourse.cli.explain import show_explanation

        show_explanation(config, as_json=as_json)
        return
    from discourse.errors import UsageError
    from discourse.pipeline import run as run_stages
    from discourse.workspace_status import completeness

    root = output or config.workspace
    if root is None:
        raise UsageError("name the workspace folder with -o WS")
    result = run_stages(config, root, ["collect"], again=True)
    if as_json:
        print_json({"workspace": root, "stages": result.stages, "threads": completeness(root)})
    if strict and result.quarantined:
        raise typer.Exit(1)


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
    population: Population = None,
    group: Group = None,
    split_at: SplitAt = None,
    where: Where = None,
    settings: Set = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Turn tags and labels into shares with intervals, and compare threads, platforms, groups, before and after a day.

    Example:

      discourse aggregate WS --labels labels.csv --population similar

      discourse aggregate WS --group party --split-at 2024-05-01

      discourse aggregate WS --where "date>=2024-05-01" --where language=en
    """
    changes = {
        "labels.files": labels or None,
        "stance.targets": target or None,
        "aggregate.population": population,
        "compare.groups": group or None,
        "compare.split_at": split_at,
        **parsed_settings(settings),
    }
    run_stage(workspace, "aggregate", changes, where=where, dry_run=dry_run, strict=False, as_json=as_json)


def run_stage(
    root: Path,
    name: str,
    changes: dict[str, Any],
    output: Path | None = None,
    *,
    where: list[str] | None = None,
    dry_run: bool,
    strict: bool,
    yes: bool = False,
    as_json: bool,
) -> RunResult:
    """Run one stage, after those before it that are stale, with the configuration of the workspace's last run."""
    from discourse.config import override
    from discourse.pipeline import STAGE_NAMES, stored_config
    from discourse.pipeline import run as run_stages
    from discourse.workspace import open_workspace

    config = narrowed(override(stored_config(open_workspace(root)), changes), where)
    # The original files may be gone; what was collected of them lies in the workspace.
    names = STAGE_NAMES[1 : STAGE_NAMES.index(name) + 1]
    result = run_stages(config, root, names, output, dry_run=dry_run, agreed=agreed_by(yes=yes))
    if dry_run and not as_json:
        for stage in result.stages:
            print(f"{stage.status.upper():5}{stage.name:10} {stage.reason}")
            for note in stage.notes if stage.status == "run" else ():
                print(f"     {note}")
    else:
        print_result(result, as_json=as_json)
    if strict and result.quarantined:
        raise typer.Exit(1)
    return result
