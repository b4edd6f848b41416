"""The report: estimates, tags and comments of a workspace as one HTML file that needs no network and no script."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from discourse.config import Config
from discourse.report.sentences import Finding, findings
from discourse.tables import (
    ANSWERS,
    ATTRIBUTES,
    COMMENTS,
    EMBEDDINGS,
    ESTIMATES,
    FIT,
    FRAMES,
    LABELS,
    QUARANTINE,
    STANCES,
    THREADS,
    TOPIC_INFO,
    TOPIC_NAMES,
    TOPIC_TIMES,
    TOPICS,
    Table,
)
from discourse.workspace import Outcome, Workspace

if TYPE_CHECKING:
    from discourse.report.formats import Format

READS: tuple[Table, ...] = (
    THREADS,
    COMMENTS,
    ATTRIBUTES,
    QUARANTINE,
    FRAMES,
    STANCES,
    TOPICS,
    TOPIC_INFO,
    TOPIC_NAMES,
    TOPIC_TIMES,
    EMBEDDINGS,
    FIT,
    LABELS,
    ANSWERS,
    ESTIMATES,
)
WRITES: tuple[Table, ...] = ()


def run(workspace: Workspace, config: Config, output: Path) -> Outcome:
    """Write the report of a workspace as one HTML file, see `report.build.run`."""
    # jinja2 is imported only when a report is written.
    from discourse.report.build import run as build

    return build(workspace, config, output)


def compare(workspace: Workspace, config: Config, output: Path) -> Outcome:
    """Write the page of a comparison as one HTML file, see `report.compare_page.run`."""
    from discourse.report.compare_page import run as build

    return build(workspace, config, output)


def document(workspace: Workspace, config: Config, form: Format) -> str:
    """Return the report of a workspace in one of its forms: `html`, `md` (without the list of comments) or `json`.

    Raises:
        InputError: the codebook cannot be read.
        UsageError: `[report]` asks for a language or a colour that does not exist.
        WorkspaceError: a table is damaged.
    """
    from discourse.report.build import page_of
    from discourse.report.formats import as_json
    from discourse.report.markdown import as_markdown
    from discourse.report.material import read

    if form == "json":
        return as_json(read(workspace, config))
    html = page_of(workspace, config)
    return html if form == "html" else as_markdown(html)


def check(config: Config) -> None:
    """Refuse what `[report]` asks for and nobody could read, before the stages that take long.

    Raises:
        UsageError: a colour does not exist or cannot be read on its ground.
    """
    from discourse.report.theme import style_sheet

    style_sheet(config.report.theme)


__all__ = ["READS", "WRITES", "Finding", "check", "findings", "run"]
