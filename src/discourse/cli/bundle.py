"""`discourse bundle`: train models, and look at their evidence."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from discourse.cli import bundle_evaluate, bundle_files
from discourse.cli.bundle_files import Reference
from discourse.cli.options import Json, print_json, print_page

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
    as_json: Json = False,
) -> None:
    """Train a bundle from labelled comments, judged on sources that it did not see; or save topics that were found.

    With --from WS alone it learns the frames that people labelled there; with a recipe too, the labels join its data.
    Labels that a bundle was trained on correct estimates only through its out-of-fold scores.

    A topics bundle holds centres and keywords and no text; use it with [bundles] topics.

    Examples:

      discourse bundle train configs/recipes/frames-minilm.toml -o my-bundle

      discourse bundle train --from WS -o my-bundle

      discourse bundle train --topics --from WS -o my-topics
    """
    from discourse.errors import UsageError
    from discourse.label_training import train_from_labels
    from discourse.pipeline import train, train_topics

    if workspace is not None and topics and recipe is None:
        bundle = train_topics(workspace, output)
    elif workspace is not None and not topics:
        bundle = train_from_labels(workspace, recipe, output)
    elif recipe is not None and not topics:
        bundle = train(recipe, output)
    else:
        raise UsageError("bundle train: give a RECIPE.toml, or --from WS, or --topics with --from WS")
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
