"""Bundles from recipes and from the topics of a workspace; texts are cleaned as comments are."""

from __future__ import annotations

from pathlib import Path

from discourse import normalize
from discourse.models.bundle import Bundle, load_bundle
from discourse.models.recipe import Recipe
from discourse.pipeline import stored_config
from discourse.workspace import open_workspace


def train(recipe: Path | Recipe, output: Path) -> Bundle:
    """Train a bundle by a recipe or a recipe's file; its texts are cleaned as comments are before they are tagged.

    Raises:
        BundleError: `output` exists, or the labels cannot be learned from.
        InputError, UsageError: the recipe or its data cannot be used.
    """
    from discourse.models.training import train_bundle

    return train_bundle(recipe, output, lambda texts: normalize.clean_text(texts, "auto")["text"])


def train_topics(root: Path, output: Path) -> Bundle:
    """Save the topics of a workspace as a bundle that new comments can be given to.

    Raises:
        WorkspaceError: there is no workspace, or another run is writing to it.
        BundleError: `output` exists, or the workspace has no topics.
    """
    from discourse.models.encoder import load_encoder
    from discourse.models.text_vectors import text_reader
    from discourse.tag.topics.saved import train_topics as save

    workspace = open_workspace(root)
    bundle = load_bundle(stored_config(workspace).bundles.frames, "frames")
    reader = text_reader(bundle, load_encoder(bundle.manifest.encoder))
    with workspace.lock():
        return save(workspace, bundle.manifest.languages, reader, output)
