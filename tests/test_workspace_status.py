"""What a workspace says of itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from discourse import pipeline
from discourse.config import Config, override
from discourse.errors import WorkspaceError
from discourse.workspace_status import completeness, status


@pytest.fixture
def collected(tmp_path: Path) -> Path:
    """A workspace with a collected and normalized thread of three comments."""
    file = tmp_path / "thread.txt"
    file.write_text("The ferry is late.\n\nNobody says why.\n\nIt rains.", encoding="utf-8")
    config = override(Config(), {"input.sources": [str(file)], "input.mode": "paragraph"})
    pipeline.run(config, tmp_path / "ws", ["collect", "normalize"])
    return tmp_path / "ws"


def test_a_workspace_tells_what_it_holds_and_what_is_next(collected: Path) -> None:
    """What was done is skipped, what was not is named."""
    found = status(collected)
    assert (found.comments, found.quarantined, found.labels) == (3, 0, 0)
    assert [stage.status for stage in found.stages] == ["skip", "skip", "run", "run", "run", "run"]
    assert [(thread.thread_id, thread.collected) for thread in found.threads] == [("file:thread.txt", 3)]


def test_a_source_that_is_gone_counts_as_its_copy(collected: Path) -> None:
    """What was collected lies in the workspace."""
    (collected.parent / "thread.txt").unlink()
    assert status(collected).stages[0].status == "skip"


def test_completeness_follows_the_newest_collection(collected: Path) -> None:
    """Before normalize has run again, what was collected counts."""
    file = collected.parent / "thread.txt"
    file.write_text(file.read_text(encoding="utf-8") + "\n\nAnd it is dark.", encoding="utf-8")
    config = override(Config(), {"input.sources": [str(file)], "input.mode": "paragraph"})
    pipeline.run(config, collected, ["collect"])
    assert completeness(collected)[0].collected == 4


def test_a_folder_without_receipt_has_no_status(tmp_path: Path) -> None:
    """There is nothing to tell."""
    with pytest.raises(WorkspaceError, match="is no workspace"):
        status(tmp_path)
