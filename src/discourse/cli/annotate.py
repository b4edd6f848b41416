"""`discourse annotate`: labels of people, without a server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from discourse.cli.options import Json, WorkspaceFolder, print_json
from discourse.progress import say

if TYPE_CHECKING:
    from discourse.config import Config
    from discourse.workspace import Workspace

HELP = """Labels of people: draw a sample, label it in the browser, import it, see how far people agree.

  discourse annotate sample WS --frame F --n 200 -o sheet.html    one offline file; open it and use the keyboard

  discourse annotate import WS labels-F-round-1.json --annotator ann

  discourse annotate judge WS --sample 200 --judge-model M    the same by a language model, marked as such

  discourse aggregate WS    and the labels are in the estimates"""

annotate_app = typer.Typer(help=HELP, no_args_is_help=True, rich_markup_mode=None)

FrameName = Annotated[str | None, typer.Option("--frame", metavar="F", help="A frame of the codebook.")]
TargetName = Annotated[str | None, typer.Option("--target", metavar="T", help="A configured stance target.")]


@annotate_app.command()
def sample(
    workspace: WorkspaceFolder,
    frame: FrameName = None,
    target: TargetName = None,
    n: Annotated[int, typer.Option("--n", help="How many comments to expect on the sheet.")] = 200,
    design: Annotated[
        str, typer.Option(help="uniform: all alike; stratified: half from the tagged; uncertain: doubtful ones more.")
    ] = "uniform",
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="The HTML sheet.")] = None,
    as_json: Json = False,
) -> None:
    """Draw comments by chance and write them as one HTML sheet, which works offline and sends nothing anywhere.

    Examples:

      discourse annotate sample WS --frame fear_of_surveillance --n 200

      discourse annotate sample WS --target "the new law" --design stratified -o sheet.html
    """
    from discourse.annotate import level_of
    from discourse.annotate import sample as draw_sample
    from discourse.errors import UsageError
    from discourse.tables import Design

    opened, config = opened_workspace(workspace)
    level = level_of(config, frame, target)
    if design not in set(Design):
        raise UsageError(f'--design "{design}" is unknown; use uniform, stratified or uncertain')
    slug = "".join(letter if letter.isalnum() else "-" for letter in level.name)[:60]
    with opened.lock():
        result = draw_sample(opened, config, level, n, Design(design), output or workspace / f"label-{slug}.html")
    if as_json:
        print_json(result)
        return
    print(f"sheet: {result.sheet}")
    say(
        f"round {result.round}: {result.drawn:,} of {result.eligible:,} eligible comments drawn, {result.asked:,} "
        f"asked (the others have a label); then: discourse annotate import {workspace} FILE --annotator NAME"
    )


@annotate_app.command("import")
def import_file(
    workspace: WorkspaceFolder,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A sheet's JSON, CSV, or an export; see below.")],
    annotator: Annotated[
        str | None, typer.Option(metavar="NAME", help="Who labelled. Default: as the file says.")
    ] = None,
    assume_uniform: Annotated[
        bool, typer.Option("--assume-uniform", help="Take labels of unknown origin for a simple random sample.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Import labels: a sheet's JSON, the report's corrections, CSV, or an export of Label Studio, Potato or doccano.

    CSV has a column comment_id (or id) and one column for each frame (1/0, yes/no) or "stance:TARGET". Exports must
    carry comment_id in their data; of Potato, user_state.json of each annotator, or its CSV, TSV or JSONL. Labels that
    were not drawn by `annotate sample` serve training, agreement and evaluation; they enter estimates only with a
    column inclusion, or with --assume-uniform.

    Examples:

      discourse annotate import WS labels.json --annotator ann

      discourse annotate import WS label-studio.json

      discourse annotate import WS annotation_output/ann/user_state.json
    """
    from discourse.annotate import import_labels

    opened, config = opened_workspace(workspace)
    with opened.lock():
        result = import_labels(opened, config, file, annotator, assume_uniform=assume_uniform)
    for note in result.notes:
        say(note)
    if as_json:
        print_json(result)
        return
    print(
        f"{result.labels - result.skipped:,} labels, {result.known_inclusion:,} of known inclusion, "
        f"{result.skipped:,} skipped"
    )
    say(f"they are in the estimates after: discourse report {workspace}")


@annotate_app.command()
def agreement(workspace: WorkspaceFolder, as_json: Json = False) -> None:
    """Say how far annotators agree: Krippendorff's alpha with its interval, who differs from whom, and on what.

    Example:

      discourse annotate agreement WS --json
    """
    from discourse.annotate import agreement as measure

    opened, config = opened_workspace(workspace)
    found = measure(opened, config.seed)
    if as_json:
        print_json({"workspace": workspace, "levels": found})
        return
    for level in found:
        alpha = level.alpha
        said = "undefined (all labels are alike)"
        if alpha.estimate is not None:
            said = f"{alpha.estimate:.2f} (no interval: all comments are of one author)"
        if alpha.estimate is not None and alpha.low is not None and alpha.high is not None:
            said = f"{alpha.estimate:.2f} ({alpha.low:.2f} to {alpha.high:.2f})"
        among = "" if level.between == "people" else f" ({level.between})"
        named = ", ".join(level.annotators)
        print(f"{level.kind}:{level.level}{among}: alpha {said}, {level.comments:,} comments, {named}")
        for cell in level.confusion:
            print(f"  {cell['a']} {cell['a_said']}, {cell['b']} {cell['b_said']}: {cell['count']:,}")
        shown = [str(item["comment_id"]) for item in level.disputed]
        if shown:
            print(f"  disputed ({len(shown):,}): {', '.join(shown[:10])}{' …' if len(shown) > 10 else ''}")


@annotate_app.command()
def power(
    workspace: WorkspaceFolder,
    frame: FrameName = None,
    target: TargetName = None,
    half_width: Annotated[float, typer.Option(help="Of the 95 % interval, as a share: 0.03 is ± 3 points.")] = 0.03,
    as_json: Json = False,
) -> None:
    """Say how many more labels a share needs for its interval to be this narrow, and how many the tags save.

    Without --frame or --target, for every frame and target.

    Example:

      discourse annotate power WS --half-width 0.03
    """
    from discourse.annotate import level_of, levels_of
    from discourse.annotate import power as plan

    opened, config = opened_workspace(workspace)
    levels = levels_of(config) if frame is None and target is None else [level_of(config, frame, target)]
    found = [plan(opened, config, level, half_width) for level in levels]
    if as_json:
        print_json({"workspace": workspace, "levels": found})
        return
    words = {
        "labels": "planned from your labels",
        "tags": "planned from the tags as if they were right on average",
        "nothing": "planned for the worst case, without tags",
    }
    for each in found:
        print(
            f"{each.kind}:{each.level}: {each.more:,} more labels for ± {half_width:g} ({each.labelled:,} are there, "
            f"{each.needed:,} of {each.eligible:,} needed; without tags {each.needed_without_tags:,}, so they save "
            f"{each.saved:,}); {words[each.basis]}{_repeating(each.design_effect)}"
        )


def _repeating(effect: float) -> str:
    return f"; {effect - 1:.0%} more variance, because authors repeat themselves" if effect >= 1.05 else ""


def opened_workspace(root: Path) -> tuple[Workspace, Config]:
    """Open a workspace with the configuration of its last run."""
    from discourse.pipeline import stored_config
    from discourse.workspace import open_workspace

    opened = open_workspace(root)
    return opened, stored_config(opened)
