"""The page of a comparison: one HTML file from the workspace that `compare` writes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from discourse.config import Config
from discourse.privacy import hidden_denominators
from discourse.receipt import library_versions
from discourse.report.build import fill
from discourse.report.index import index
from discourse.report.material import Material, read
from discourse.report.policy import native_ids
from discourse.report.views import compare, comparisons, method, privacy
from discourse.tables import ESTIMATES
from discourse.workspace import Outcome, Workspace
from discourse.writing import write_text


@dataclass(frozen=True, slots=True)
class ComparePage:
    """Everything that the template prints."""

    compare: compare.CompareView
    comparisons: tuple[comparisons.Table, ...]
    method: method.MethodView
    privacy: privacy.PrivacyView
    quotes: str
    version: str


def run(workspace: Workspace, config: Config, output: Path) -> Outcome:
    """Write the page of a comparison as one HTML file, whole or not at all; of comments it quotes
    only those that came or were edited where a thread is compared at two times.

    Args:
        workspace: of the comparison; its estimates are of units `<workspace>/all` and `<workspace>/thread:<id>`.
        config: what `[report]` asks for, the codebook and the targets.
        output: the file to write.

    Returns:
        How many workspaces stand side by side, and how many differences are claimed.

    Raises:
        InputError: the codebook cannot be read.
        UsageError: `[report]` asks for a language or a colour that does not exist.
        WorkspaceError: the estimates are damaged, or the file cannot be written.
    """
    material = _material(workspace, config)
    view = compare.compare(material)
    page = ComparePage(
        compare=view,
        comparisons=view.tables,
        method=method.method(material),
        privacy=privacy.comparison(material),
        quotes=material.policy.quotes,
        version=library_versions().get("discourse", ""),
    )
    write_text(output, fill("compare.html.j2", page, material))
    return Outcome({"workspaces": len(view.names), "claims": len(view.claims)})


def _material(workspace: Workspace, config: Config) -> Material:
    """Read the comparison with the numbers of every unit in it, not of the whole alone."""
    material = read(workspace, config)
    estimates = workspace.read(ESTIMATES)
    if not material.policy.full:
        estimates = hidden_denominators(estimates, workspace.author_key(config.normalize.author_key))
    threads = [unit.partition("thread:")[2] for unit in estimates["unit"].unique() if "thread:" in unit]
    policy = replace(material.policy, native_ids=native_ids(threads))
    # The configuration is that of the first workspace; the others may have been asked for other targets.
    levels = [level for level in estimates["level"].unique(maintain_order=True) if level.startswith("stance:")]
    named = [level.removeprefix("stance:").rpartition(":")[0] for level in levels]
    stance = material.config.stance.model_copy(
        update={"targets": tuple(dict.fromkeys([*material.config.stance.targets, *named]))}
    )
    config = material.config.model_copy(update={"stance": stance})
    return replace(material, config=config, estimates=index(estimates), policy=policy)
