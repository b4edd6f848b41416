"""`discourse compare`: several workspaces side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from discourse.cli.options import Json, Set, parsed_settings, print_json
from discourse.cli.run import Lang, Quotes

if TYPE_CHECKING:
    from discourse.workspace_comparison import Compared


def compare(
    workspaces: Annotated[list[Path], typer.Argument(metavar="WS WS...", help="Two to ten workspace folders.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="The page; its tables go beside it.")
    ] = Path("compare.html"),
    quotes: Quotes = None,
    lang: Lang = None,
    settings: Set = None,
    as_json: Json = False,
) -> None:
    """Set two to ten workspaces side by side: shares, differences with intervals, words, and what is new.

    Only what the same bundle read by the same codebook is compared; the rest is left out, and said. Of a thread that
    several workspaces hold, what is new, disappeared or was edited is counted. Authors are matched only where the
    workspaces were made with one key (--author-key).

    Examples:

      discourse compare spring autumn -o seasons.html

      discourse compare WS1 WS2 WS3 -o all.html --json
    """
    from discourse.config import Config
    from discourse.report import compare as write_page
    from discourse.report.formats import check_output
    from discourse.workspace import open_workspace
    from discourse.workspace_comparison import compare as compare_workspaces

    check_output(output)
    changes: dict[str, Any] = {"report.quotes": quotes, "report.lang": lang, **parsed_settings(settings)}
    found = compare_workspaces(workspaces, output, changes)
    opened = open_workspace(found.workspace)
    write_page(opened, Config.model_validate(opened.receipt().config), output)
    if as_json:
        print_json(_as_object(found))
        return
    for line in _lines(found):
        print(line)
    print(f"tables: {found.workspace}")
    print(f"page: {output}")


def _as_object(found: Compared) -> dict[str, Any]:
    from discourse.workspace_comparison import same_threads

    told = ["estimate_id", "unit", "contrast", "measure", "level", "estimate", "low", "high", "p", "p_holm", "mark"]
    between = found.differences.filter(variant="main", measure="difference")
    between = between.vstack(found.differences.filter(variant="main", measure="ratio"))
    counts = same_threads(found).select("unit", "contrast", "level", "estimate", "n")
    return {
        "workspace": found.workspace,
        "report": found.output,
        "compared": [{"name": name, "workspace": root} for name, root in found.names.items()],
        "differences": between.select(told).to_dicts(),
        "changes": counts.to_dicts(),
        "notes": list(found.notes),
    }


def _lines(found: Compared) -> list[str]:
    from discourse.workspace_comparison import same_threads

    rows = found.differences.filter(variant="main", measure="difference").drop_nulls("estimate")
    sure = rows.filter(rows["p_holm"].fill_null(1.0) < 0.05)
    lines = [
        f"{row['level']}: {row['unit']} less {row['contrast']}: {100 * row['estimate']:+.1f} points "
        f"({100 * row['low']:+.1f} to {100 * row['high']:+.1f}, Holm's p {row['p_holm']:.3f})"
        for row in sure.iter_rows(named=True)
    ]
    lines.append(f"{sure.height} of {rows.height} differences that can be estimated have a Holm's p below 0.05")
    for (unit, contrast), counts in same_threads(found).group_by("unit", "contrast", maintain_order=True):
        said = ", ".join(
            f"{row['estimate']:,.0f} {row['level'].removeprefix('comments:')}" for row in counts.iter_rows(named=True)
        )
        lines.append(f"{unit} since {contrast}: {said}")
    return lines
