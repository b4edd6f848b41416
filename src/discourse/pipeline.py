"""The order of the stages, and what is stale: a stage runs again only if something that it reads has changed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from discourse import aggregate, annotate, collect, normalize, report, stage_inputs, tag
from discourse.codebook import load_codebook
from discourse.config import Config
from discourse.engine import LOCAL, Engine, open_engine
from discourse.engine import check as check_engine
from discourse.models.judge.cost import Agreed, never
from discourse.progress import say, warn
from discourse.receipt import Receipt, StageRecord, library_versions
from discourse.report import Finding, findings
from discourse.tables import (
    ANSWERS,
    COMMENTS,
    EMBEDDINGS,
    ESTIMATES,
    QUARANTINE,
    SCORES,
    THREADS,
    VOTES,
    Table,
)
from discourse.workspace import Outcome, Workspace, create_workspace, now

# Results kept by input key: they only grow, and a change in them alone makes nothing stale.
KEPT = (EMBEDDINGS, SCORES)
# Labels of the external coder are counted in the same tables as its tags.
SHARED = (VOTES, ANSWERS)
STAGE_NAMES = ("collect", "normalize", "tag", "annotate", "aggregate", "report")

# The sections that decide what a report shows.
SHOWN_BY = ("report", "stance", "topics", "tagging", "tagger", "collect", "normalize", "filter")


@dataclass(frozen=True, slots=True)
class Stage:
    """One step: how it runs, what it reads and writes, and what else decides its result."""

    name: str
    run: Callable[[Workspace, Config], Outcome]
    reads: Sequence[Table]
    writes: Sequence[Table]
    sections: tuple[str, ...]
    files: Callable[[Workspace, Config], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class StageStatus:
    """What was or would be done about a stage.

    `status` is run, skip or stale; seconds it took, or took last time; counts are those of the receipt.
    """

    name: str
    status: str
    reason: str
    seconds: float
    notes: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run gives: the workspace, its counts, the report, the findings, and what was done about each stage."""

    workspace: Path
    threads: int
    comments: int
    quarantined: int
    report: Path | None
    findings: list[Finding]
    stages: list[StageStatus]


def stages(output: Path, agreed: Agreed = never, engine: Engine = LOCAL) -> list[Stage]:
    """Return the stages in their order.

    Args:
        output: where the report goes.
        agreed: asks the user before the external coder is sent more than `[judge]` allows.
        engine: where comments are normalized, tagged and counted.
    """

    def normalize_comments(workspace: Workspace, config: Config) -> Outcome:
        return normalize.run(workspace, config, engine)

    def tag_comments(workspace: Workspace, config: Config) -> Outcome:
        return tag.run(workspace, config, agreed, engine)

    def aggregate_tags(workspace: Workspace, config: Config) -> Outcome:
        return aggregate.run(workspace, config, engine)

    def write_report(workspace: Workspace, config: Config) -> Outcome:
        return report.run(workspace, config, output)

    def report_files(workspace: Workspace, config: Config) -> Mapping[str, str]:
        shown = stage_inputs.file_digest(output)
        return {
            **stage_inputs.codebook(workspace, config),
            **stage_inputs.bundles(workspace, config),
            f"report {output.name}": shown,
        }

    return [
        Stage("collect", collect.run, collect.READS, collect.WRITES, ("input", "collect"), stage_inputs.sources),
        Stage(
            "normalize",
            normalize_comments,
            normalize.READS,
            normalize.WRITES,
            ("normalize",),
            stage_inputs.author_key,
        ),
        Stage(
            "tag",
            tag_comments,
            tag.READS,
            [table for table in tag.WRITES if table not in (*KEPT, *SHARED)],
            ("stance", "topics", "tagging", "tagger", "filter", "seed"),
            lambda workspace, config: {
                **stage_inputs.codebook(workspace, config),
                **stage_inputs.bundles(workspace, config),
                **stage_inputs.coder(workspace, config),
            },
        ),
        Stage(
            "annotate",
            annotate.run,
            annotate.READS,
            annotate.WRITES,
            ("labels", "stance", "filter"),
            stage_inputs.label_files,
        ),
        Stage(
            "aggregate",
            aggregate_tags,
            aggregate.READS,
            aggregate.WRITES,
            ("aggregate", "compare", "filter", "labels", "stance", "tagging", "tagger", "seed"),
            lambda workspace, config: {
                **stage_inputs.bundles(workspace, config),
                **stage_inputs.coder(workspace, config),
            },
        ),
        Stage("report", write_report, report.READS, report.WRITES, SHOWN_BY, report_files),
    ]


def run(
    config: Config,
    root: Path,
    only: Sequence[str] | None = None,
    output: Path | None = None,
    *,
    dry_run: bool = False,
    again: bool = False,
    agreed: Agreed = never,
) -> RunResult:
    """Run the stages in order, skipping what is fresh.

    Args:
        config: what to read, with which models, counted and shown how.
        root: the workspace folder, made if absent.
        only: names of the stages to run; all by default.
        output: the report file; `report.html` in the workspace by default.
        dry_run: only say what would run and why.
        again: look at addresses again that were collected before, for what is new.
        agreed: asks the user before the external coder is sent more than `[judge]` allows; by default nobody agrees.

    Raises:
        DiscourseError: the input, the configuration or a bundle cannot be used; what earlier stages wrote is kept.
    """
    check_engine(config)
    tag.check(config)
    aggregate.check(config)
    report.check(config)
    workspace = create_workspace(root)
    target = output or root / "report.html"

    def chosen(engine: Engine = LOCAL) -> list[Stage]:
        return [stage for stage in stages(target, agreed, engine) if only is None or stage.name in only]

    if dry_run:
        planned = [_with_cost(workspace, config, stage) for stage in plan(workspace, config, chosen())]
        return RunResult(root, 0, 0, 0, target if target.is_file() else None, [], planned)
    with workspace.lock(), open_engine(config, root) as engine:
        if again and any("://" in source for source in config.input.sources):
            _forget_stage(workspace, "collect")
        done = [_run_stage(workspace, config, stage) for stage in chosen(engine)]
    names = {stage.name for stage in done}
    return RunResult(
        root,
        **count_rows(workspace),
        report=target if "report" in names else None,
        # Where aggregate was left out, the estimates may be those of an earlier run on other comments.
        findings=_findings(workspace, config) if "aggregate" in names else [],
        stages=done,
    )


def stored_config(workspace: Workspace) -> Config:
    """Return the configuration of the workspace's last run."""
    return Config.model_validate(workspace.receipt().config)


def _run_stage(workspace: Workspace, config: Config, stage: Stage) -> StageStatus:
    receipt = workspace.receipt()
    before = receipt.stages.get(stage.name)
    inputs = _inputs(workspace, config, stage)
    reason = _stale(workspace, stage, before, inputs)
    if reason is None and before is not None:
        say(f"{stage.name}: skipped, nothing that it reads has changed")
        return StageStatus(stage.name, "skip", "fresh", before.seconds, tuple(before.notes), before.counts)
    say(f"{stage.name}: {reason}")
    # Forgotten first: a killed stage is never taken for a finished one.
    receipt.stages.pop(stage.name, None)
    receipt.config = config.model_dump(mode="json")
    receipt.versions = library_versions()
    workspace.save_receipt(receipt)
    for part in _damaged(workspace) if stage.name == "tag" else []:
        warn(f"{part}: is damaged and was removed; what it held is computed again")
        part.unlink()
    began = time.monotonic()
    outcome = stage.run(workspace, config)
    seconds = time.monotonic() - began
    for note in outcome.notes:
        say(f"  {note}")
    # What a stage reads may be made by it, such as an author key, so it is looked at again.
    _record(workspace, stage, receipt, _inputs(workspace, config, stage), outcome, seconds)
    return StageStatus(stage.name, "run", reason or "", seconds, outcome.notes, dict(outcome.counts))


def _forget_stage(workspace: Workspace, name: str) -> None:
    receipt = workspace.receipt()
    if receipt.stages.pop(name, None) is not None:
        workspace.save_receipt(receipt)


def _record(
    workspace: Workspace, stage: Stage, receipt: Receipt, inputs: Mapping[str, str], outcome: Outcome, seconds: float
) -> None:
    receipt.stages[stage.name] = StageRecord(
        inputs=dict(inputs),
        outputs={table.name: workspace.digest(table) for table in stage.writes},
        counts=dict(outcome.counts),
        notes=list(outcome.notes),
        seconds=round(seconds, 3),
        finished_at=now(),
    )
    if stage.name == "collect":
        receipt.sources = {name: digest for name, digest in inputs.items() if name.startswith("source ")}
    receipt.bundles |= {name: digest for name, digest in inputs.items() if name.startswith("bundle ")}
    workspace.save_receipt(receipt)


def plan(workspace: Workspace, config: Config, chosen: Sequence[Stage]) -> list[StageStatus]:
    """Say for each stage whether it would run, from what is on disk and which stages before it would run."""
    receipt = workspace.receipt()
    found: list[StageStatus] = []
    changing: dict[str, str] = {}
    for stage in chosen:
        before = receipt.stages.get(stage.name)
        upstream = next((changing[table.name] for table in stage.reads if table.name in changing), None)
        reason = f"{upstream} runs before it" if upstream else None
        reason = reason or _stale(workspace, stage, before, _inputs(workspace, config, stage))
        seconds = before.seconds if before is not None else 0.0
        found.append(StageStatus(stage.name, "run" if reason else "skip", reason or "fresh", seconds))
        if reason:
            changing |= {table.name: stage.name for table in stage.writes}
    return found


def _with_cost(workspace: Workspace, config: Config, planned: StageStatus) -> StageStatus:
    """Say beside the tag stage what the external coder would be sent, as far as the comments are known."""
    if planned.name != "tag" or planned.status != "run" or not workspace.parts(COMMENTS):
        return planned
    cost = tag.cost(workspace, config)
    return planned if cost is None else replace(planned, notes=(cost.sentence,))


def _stale(workspace: Workspace, stage: Stage, before: StageRecord | None, inputs: Mapping[str, str]) -> str | None:
    """Return why a stage must run, or None if it is fresh."""
    if before is None:
        return "not finished yet"
    for name in sorted(set(inputs) | set(before.inputs)):
        if inputs.get(name) != before.inputs.get(name):
            return f"{name} changed"
    for table in stage.writes:
        if workspace.digest(table) != before.outputs.get(table.name):
            return f"table {table.name} is missing or was changed"
    damaged = _damaged(workspace) if stage.name == "tag" else []
    return f"{damaged[0]} is damaged" if damaged else None


def _damaged(workspace: Workspace) -> list[Path]:
    return [part for table in KEPT for part in workspace.damaged(table)]


def _inputs(workspace: Workspace, config: Config, stage: Stage) -> dict[str, str]:
    versions = library_versions()
    return {
        "version of discourse": versions.get("discourse", "0"),
        "configuration": config.fingerprint(*stage.sections),
        **{f"table {table.name}": workspace.digest(table) for table in stage.reads},
        **stage.files(workspace, config),
    }


def count_rows(workspace: Workspace) -> dict[str, int]:
    """Return how many threads, comments and quarantined records there are."""
    return {
        "threads": workspace.read(THREADS).height,
        "comments": workspace.scan(COMMENTS).select("comment_id").collect().height,
        "quarantined": workspace.read(QUARANTINE).height,
    }


def _findings(workspace: Workspace, config: Config) -> list[Finding]:
    estimates = workspace.read(ESTIMATES)
    if estimates.is_empty():
        return []
    return findings(estimates, load_codebook(config.codebook.file), config.stance.targets)
