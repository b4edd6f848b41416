"""The report: estimates, tags and comments of a workspace as one HTML file that needs no network and no script."""

from __future__ import annotations

from pathlib import Path

from discourse.config import Config
from discourse.report.sentences import Finding, findings
from discourse.tables import (
    COMMENTS,
    ESTIMATES,
    FRAMES,
    LABELS,
    QUARANTINE,
    STANCES,
    THREADS,
    TOPIC_INFO,
    TOPICS,
    Table,
)
from discourse.workspace import Outcome, Workspace

READS: tuple[Table, ...] = (
    THREADS,
    COMMENTS,
    QUARANTINE,
    FRAMES,
    STANCES,
    TOPICS,
    TOPIC_INFO,
    LABELS,
    ESTIMATES,
)
WRITES: tuple[Table, ...] = ()


def run(workspace: Workspace, config: Config, output: Path) -> Outcome:
    """Write the report of a workspace as one HTML file, see `report.build.run`."""
    # jinja2 is imported only when a report is written.
    from discourse.report.build import run as build

    return build(workspace, config, output)


def check(config: Config) -> None:
    """Refuse what `[report]` asks for and nobody could read, before the stages that take long.

    Raises:
        UsageError: a colour does not exist or cannot be read on its ground.
    """
    from discourse.report.theme import style_sheet

    style_sheet(config.report.theme)


__all__ = ["READS", "WRITES", "Finding", "check", "findings", "run"]
