"""`discourse export`: tables for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from discourse.cli.options import Json, Set, Where, WorkspaceFolder, narrowed, parsed_settings, print_json
from discourse.cli.run import Quotes


def export(
    workspace: WorkspaceFolder,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FOLDER", help="Default: WS/export.")] = None,
    formats: Annotated[
        list[str] | None, typer.Option("--format", help="May be given several times; default: all. [csv|parquet|json]")
    ] = None,
    excel: Annotated[bool, typer.Option("--excel", help="CSV that Excel opens as UTF-8.")] = False,
    quotes: Quotes = None,
    where: Where = None,
    settings: Set = None,
    as_json: Json = False,
) -> None:
    """Write every table as CSV, Parquet and JSON, tags side by side, replies as GraphML, and a methods paragraph.

    Cells that a spreadsheet would run as formulas get an apostrophe in front. Under --quotes short or none (or that
    setting in the configuration) no native ids, addresses, exact times or texts are written; ids are pseudonyms then.
    Only comments inside the filter are written ([filter] or --where); estimates of another filter stay behind.

    Examples:

      discourse export WS -o tables

      discourse export WS --format csv --excel --quotes none
    """
    from discourse.config import override
    from discourse.export import FORMATS
    from discourse.export import run as write_tables
    from discourse.pipeline import stored_config
    from discourse.workspace import open_workspace

    opened = open_workspace(workspace)
    config = override(stored_config(opened), {"report.quotes": quotes, **parsed_settings(settings)})
    config = narrowed(config, where)
    result = write_tables(opened, config, output or workspace / "export", formats or FORMATS, excel=excel)
    if as_json:
        print_json(result)
        return
    print(f"{len(result.files)} files in {result.folder} (quotes: {result.quotes})")
