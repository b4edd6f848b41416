"""`discourse report`: the page of a workspace, or the same findings in other forms, and its charts as files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from discourse.cli.options import Json, Set, Where, WorkspaceFolder, narrowed, parsed_settings, print_json
from discourse.cli.run import DryRun, Figures, Lang, Quotes, Scrub, check_figures, write_charts
from discourse.cli.stage import run_stage

if TYPE_CHECKING:
    from discourse.config import Config
    from discourse.report.formats import Format

STDOUT = Path("-")


def report(
    workspace: WorkspaceFolder,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="Default: WS/report.html; md and json go to stdout (-)."),
    ] = None,
    form: Annotated[
        str | None, typer.Option("--format", help="Default: by the ending of FILE, else html. [html|md|json]")
    ] = None,
    figures: Figures = None,
    quotes: Quotes = None,
    scrub: Scrub = None,
    lang: Lang = None,
    where: Where = None,
    settings: Set = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Write the report of a workspace as one HTML file, or the same findings as Markdown or JSON.

    Under --quotes short or none no form of it, no figure and no table holds ids, addresses, exact times or titles.

    Examples:

      discourse report WS --quotes short -o report.html

      discourse report WS --lang de -o bericht.html

      discourse report WS --format json | jq .findings

      discourse report WS --figures charts      each chart as SVG and PNG, each table as CSV
    """
    from discourse.report.formats import check_output, format_of

    changes = {"report.quotes": quotes, "report.scrub": scrub, "report.lang": lang, **parsed_settings(settings)}
    asked = format_of(form, output)
    check_figures(figures)
    if output is not None and output != STDOUT:
        check_output(output)
    if asked == "html" and output != STDOUT:
        result = run_stage(
            workspace, "report", changes, output, where=where, dry_run=dry_run, strict=False, as_json=as_json
        )
        if result.report is not None and not dry_run:
            write_charts(result.report.read_text(encoding="utf-8"), figures)
        return
    config = _estimated(workspace, changes, where, dry_run=dry_run)
    if config is not None:
        _write(workspace, config, asked, output, figures, as_json=as_json)


def _estimated(root: Path, changes: dict[str, Any], where: list[str] | None, *, dry_run: bool) -> Config | None:
    """Bring the estimates up to date, and return the configuration to report by; None if that was not asked for."""
    from discourse.config import override
    from discourse.pipeline import STAGE_NAMES, stored_config
    from discourse.pipeline import run as run_stages
    from discourse.workspace import open_workspace

    config = narrowed(override(stored_config(open_workspace(root)), changes), where)
    result = run_stages(config, root, STAGE_NAMES[1:-1], dry_run=dry_run)
    for stage in result.stages if dry_run else ():
        print(f"{stage.status.upper():5}{stage.name:10} {stage.reason}")
    return None if dry_run else config


def _write(
    root: Path, config: Config, asked: Format, output: Path | None, figures: Path | None, *, as_json: bool
) -> None:
    from discourse.report import document
    from discourse.workspace import open_workspace, write_text

    workspace = open_workspace(root)
    text = document(workspace, config, asked)
    if figures is not None:
        write_charts(text if asked == "html" else document(workspace, config, "html"), figures)
    if output is None or output == STDOUT:
        sys.stdout.write(text)
        return
    write_text(output, text)
    if as_json:
        print_json({"workspace": root, "report": output})
    else:
        print(f"report: {output}")
