"""`discourse bundle`: train models, and look at their evidence."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from discourse.cli import bundle_evaluate, bundle_files
from discourse.cli.bundle_files import Reference
from discourse.cli.options import Json, print_json, print_page
from discourse.progress import warn

bundle_app = typer.Typer(help="Bundles: trained models with their evidence.", no_args_is_help=True)


@bundle_app.command()
def train(
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FOLDER", help="The bundle's folder; must not exist.")
    ],
    recipe: Annotated[
        Path | None, typer.Argument(metavar="RECIPE.toml", help="How to train; see configs/recipes.")
    ] = None,
    topics: Annotated[bool, typer.Option("--topics", help="Save the topics that --from WS has found.")] = False,
    workspace: Annotated[
        Path | None, typer.Option("--from", metavar="WS", help="A workspace that has labels, or topics.")
    ] = None,
    codebook: Annotated[
        str | None, typer.Option("--codebook", metavar="FILE", help="A codebook of your own, with --data.")
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Labelled comments, with --codebook; may be given several times."),
    ] = None,
    frame: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="With --codebook: learn this frame, not all; may be given several times."),
    ] = None,
    zero_shot: Annotated[
        str | None,
        typer.Option("--zero-shot", metavar="CODEBOOK", help="No labels: likeness to definitions; judged on nothing."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Train a bundle from labelled comments, judged on sources that it did not see; or save topics that were found.

    With --codebook and --data a few labelled comments are enough: a CSV with a column text and one column of 0 and 1
    for each frame; columns source, thread, title, parent and weight are used where they are. With --zero-shot there
    are no labels at all, and the bundle is marked as not validated wherever it is used.

    With --from WS alone it learns the frames that people labelled there; with a recipe too, the labels join its data.
    Labels that a bundle was trained on correct estimates only through its out-of-fold scores.

    A topics bundle holds centres and keywords and no text; use it with [bundles] topics.

    Examples:

      discourse bundle train configs/recipes/frames-minilm.toml -o my-bundle

      discourse bundle train --codebook my-codebook.toml --data labelled.csv -o my-bundle

      discourse bundle train --zero-shot my-codebook.toml -o my-bundle

      discourse bundle train --from WS -o my-bundle

      discourse bundle train --topics --from WS -o my-topics
    """
    from discourse.bundle_training import train, train_topics
    from discourse.errors import UsageError
    from discourse.label_training import train_from_labels

    ways = [recipe is not None or workspace is not None, bool(codebook or data or frame), zero_shot is not None]
    if sum(ways) > 1:
        raise UsageError("bundle train: give either a recipe or --from WS, or --codebook with --data, or --zero-shot")
    if zero_shot is not None and not topics:
        from discourse.models.zero_shot import train_zero_shot

        bundle = train_zero_shot(zero_shot, output)
        warn(f"{bundle.id} is not validated: look at what it finds, label some, and train from the labels")
    elif codebook is not None and data and not topics:
        from discourse.models.new_frames import recipe_for_labels

        bundle = train(recipe_for_labels(codebook, data, output.name, frame or ()), output)
    elif workspace is not None and topics and recipe is None:
        bundle = train_topics(workspace, output)
    elif workspace is not None and not topics:
        bundle = train_from_labels(workspace, recipe, output)
    elif recipe is not None and not topics:
        bundle = train(recipe, output)
    else:
        raise UsageError(
            "bundle train: give a RECIPE.toml, or --codebook FILE with --data FILE, or --zero-shot CODEBOOK, or "
            "--from WS, or --topics with --from WS"
        )
    if as_json:
        print_json({"name": bundle.manifest.name, "path": bundle.folder, "sha256": bundle.sha256})
    else:
        print(f"{bundle.id} in {bundle.folder}; look at it with: discourse bundle show {bundle.folder}")


@bundle_app.command()
def show(reference: Reference, as_json: Json = False) -> None:
    """Verify a bundle and print its card: what it was made from, how good it is, when not to use it.

    On a terminal the card is laid out as a page; elsewhere it is printed as Markdown.

    Examples:

      discourse bundle show frames-minilm

      discourse bundle show frames-minilm > card.md
    """
    from discourse.models.bundle import load_bundle

    bundle = load_bundle(reference)
    if as_json:
        metrics = bundle.metrics() if bundle.manifest.kind != "topics" else {}
        print_json({"sha256": bundle.sha256, **bundle.manifest.model_dump(), "metrics": metrics})
        return
    print(f"{bundle.id}, verified ({bundle.folder})\n")
    print_page(bundle.card())


bundle_app.command("evaluate")(bundle_evaluate.evaluate)
bundle_app.command("list")(bundle_files.list_bundles)
bundle_app.command("verify")(bundle_files.verify)
bundle_app.command("export")(bundle_files.export)
