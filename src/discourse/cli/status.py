"""`discourse status`: what a workspace holds."""

from __future__ import annotations

from discourse.cli.options import Json, WorkspaceFolder, print_json


def status(workspace: WorkspaceFolder, as_json: Json = False) -> None:
    """Say what a workspace holds, how complete each thread is, and which stages would run again.

    Example:

      discourse status WS --json
    """
    from discourse.workspace_status import status as read_status

    found = read_status(workspace)
    if as_json:
        print_json(found)
        return
    print(f"{found.workspace}: {found.comments:,} comments, {found.quarantined:,} quarantined, {found.labels:,} labels")
    for stage in found.stages:
        print(f"  {stage.name:10} {'stale' if stage.status == 'run' else 'fresh'}: {stage.reason}")
    for thread in found.threads[:20]:
        declared = "unknown" if thread.declared is None else f"{thread.declared:,}"
        lost = {
            "deleted": thread.deleted,
            "removed": thread.removed,
            "held": thread.held,
            "quarantined": thread.quarantined,
        }
        losses = "".join(f", {count:,} {name}" for name, count in lost.items() if count)
        print(f"  {thread.thread_id}: declared {declared}, collected {thread.collected:,}{losses}")
    if len(found.threads) > 20:
        print(f"  … and {len(found.threads) - 20:,} more threads (--json lists all)")
