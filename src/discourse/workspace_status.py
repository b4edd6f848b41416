"""What a workspace holds, how complete each thread is, and which stages would run again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from discourse import collect, normalize
from discourse.config import Config
from discourse.pipeline import Stage, StageStatus, count_rows, plan, stages, stored_config
from discourse.stage_inputs import file_digest, sources
from discourse.tables import LABELS, THREADS
from discourse.workspace import Workspace, open_workspace


@dataclass(frozen=True, slots=True)
class ThreadStatus:
    """The completeness statement of one thread."""

    thread_id: str
    title: str | None
    declared: int | None
    collected: int
    deleted: int
    removed: int
    held: int
    unreachable: int
    capped: int
    quarantined: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class WorkspaceStatus:
    """What a workspace holds, and which stages would run again."""

    workspace: Path
    comments: int
    quarantined: int
    labels: int
    stages: list[StageStatus]
    threads: list[ThreadStatus]


def status(root: Path) -> WorkspaceStatus:
    """Say what the workspace at `root` holds and which stages would run again.

    Raises:
        WorkspaceError: there is no workspace.
    """
    workspace = open_workspace(root)
    config = stored_config(workspace)
    counts = count_rows(workspace)
    return WorkspaceStatus(
        workspace=root,
        comments=counts["comments"],
        quarantined=counts["quarantined"],
        labels=workspace.read(LABELS).height,
        stages=plan(workspace, config, [_as_collected(stage) for stage in stages(root / "report.html")]),
        threads=completeness(root),
    )


def completeness(root: Path) -> list[ThreadStatus]:
    """Return the completeness statement of each thread: as normalized, or as collected if that is newer.

    Raises:
        WorkspaceError: there is no workspace.
    """
    workspace = open_workspace(root)
    columns = list(ThreadStatus.__slots__)
    done = workspace.receipt().stages.get("normalize")
    raw = {f"table {table.name}": workspace.digest(table) for table in normalize.READS}
    fresh = done is not None and all(done.inputs.get(name) == digest for name, digest in raw.items())
    told = workspace.read(THREADS) if fresh else collect.completeness(workspace)
    return [ThreadStatus(*row) for row in told.select(columns).iter_rows()]


def _as_collected(stage: Stage) -> Stage:
    """Return the stage such that a source that is gone, or named from another folder, counts as its copy."""

    def copies(workspace: Workspace, config: Config) -> Mapping[str, str]:
        found = sources(workspace, config)
        return {
            name: file_digest(workspace.raw / name.removeprefix("source ")) if digest == "absent" else digest
            for name, digest in found.items()
        }

    return replace(stage, files=copies) if stage.name == "collect" else stage
