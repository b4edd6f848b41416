"""What happens around a run: a disk that nobody may write to, a second run, a clock that goes back, little memory."""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal

from discourse import pipeline
from discourse.collect import copying
from discourse.config import Config, override
from discourse.errors import WorkspaceError
from discourse.tables import COMMENTS, THREADS
from discourse.workspace import Workspace
from discourse.workspace_status import status
from discourse.writing import write_text
from tests.small_disk import make_read_only, small_disk

MAIN = [sys.executable, "-c", "from discourse.cli import main; main()"]
STAGES = ["collect", "normalize"]


def pasted(folder: Path, comments: int) -> Config:
    """The configuration of a pasted thread of so many comments."""
    file = folder / "thread.txt"
    file.write_text("\n\n".join(f"The {place}th ferry is late." for place in range(comments)), encoding="utf-8")
    return override(Config(), {"input.sources": [str(file)], "input.mode": "paragraph"})


def tree(root: Path) -> dict[str, bytes]:
    """Every file of a folder and what it holds."""
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def test_a_read_only_workspace_is_read_and_left_alone(tmp_path: Path) -> None:
    """Its status can be asked; to run is refused in one sentence with the folder; nothing changes."""
    with small_disk(tmp_path / "disk") as disk:
        config, root = pasted(tmp_path, 3), disk / "ws"
        pipeline.run(config, root, STAGES)
        before = tree(root)
        make_read_only(disk, read_only=True)
        try:
            assert [stage.status for stage in status(root).stages[:2]] == ["skip", "skip"]
            with pytest.raises(WorkspaceError, match=rf"^{root}: cannot be written \(Read-only file system\); make it"):
                pipeline.run(pasted(tmp_path, 4), root, STAGES)
            assert tree(root) == before
        finally:
            make_read_only(disk, read_only=False)


def test_a_second_run_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    """By two real processes: the second says who is there and changes nothing; after a kill the way is free."""
    config, root = pasted(tmp_path, 3), tmp_path / "ws"
    hold = "from pathlib import Path; from discourse.workspace import Workspace; import sys\n"
    hold += "with Workspace(Path(sys.argv[1])).lock(): print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as first:
        assert first.stdout is not None
        first.stdout.readline()
        second = subprocess.run(
            [*MAIN, "collect", config.input.sources[0], "-o", str(root)], capture_output=True, text=True, check=False
        )
        assert (second.returncode, second.stdout) == (1, "")
        assert second.stderr == (
            f"error: {root}: another run (process {first.pid} on {socket.gethostname()}) is writing here; wait until "
            "it ends, stop it, or choose another folder with -o\n"
        )
        assert list(tree(root)) == [".lock"]
        first.send_signal(signal.SIGKILL)
    pipeline.run(config, root, STAGES)
    assert Workspace(root).read(COMMENTS).height == 3


@pytest.mark.parametrize("hours", [1, 24 * 400])
def test_a_clock_that_is_set_back_between_runs_changes_no_order(
    hours: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is new is taken, what is old stays, and nothing is seen last before it is seen first."""
    root, noon = tmp_path / "ws", datetime(2026, 3, 1, 12, tzinfo=UTC)
    monkeypatch.setattr(copying, "now", lambda: noon)
    pipeline.run(pasted(tmp_path, 3), root, STAGES)
    monkeypatch.setattr(copying, "now", lambda: noon - timedelta(hours=hours))
    result = pipeline.run(pasted(tmp_path, 4), root, STAGES)
    assert [stage.status for stage in result.stages] == ["run", "run"]
    seen = Workspace(root).read(COMMENTS).sort("position")
    assert seen.height == 4
    assert (seen["first_seen"] <= seen["last_seen"]).all()
    assert seen["last_seen"].to_list() == [noon] * 3 + [noon - timedelta(hours=hours)]
    assert [stage.status for stage in pipeline.run(pasted(tmp_path, 4), root, STAGES).stages] == ["skip", "skip"]


def test_a_clock_that_is_set_back_during_a_run_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stages' records follow the clock, the tables do not."""
    times = iter(datetime(2026, 3, 1, 12, tzinfo=UTC) - timedelta(days=place) for place in range(9))
    for module in (copying, pipeline):
        monkeypatch.setattr(module, "now", lambda: next(times))
    pipeline.run(pasted(tmp_path, 3), tmp_path / "ws", STAGES)
    monkeypatch.undo()
    pipeline.run(pasted(tmp_path, 3), tmp_path / "other", STAGES)
    back, other = (Workspace(tmp_path / name) for name in ("ws", "other"))
    for table, moments in ((COMMENTS, ["first_seen", "last_seen"]), (THREADS, ["collected_at"])):
        assert_frame_equal(back.read(table).drop(moments), other.read(table).drop(moments))
    assert {stage.status for stage in status(tmp_path / "ws").stages[:2]} == {"skip"}


def limited(size: int) -> Callable[[], None]:
    """Return what gives a process so many bytes of memory."""
    return lambda: resource.setrlimit(resource.RLIMIT_AS, (size, size))


def test_too_little_memory_is_told_and_nothing_is_lost(tmp_path: Path) -> None:
    """The models do not fit: one sentence, unless a library aborts the process itself; what was normalized stays."""
    root = tmp_path / "ws"
    pipeline.run(pasted(tmp_path, 3), root, STAGES)
    process = subprocess.run(
        [*MAIN, "tag", str(root)],
        preexec_fn=limited(1_200_000_000),
        env={**os.environ, "POLARS_MAX_THREADS": "2", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode in {1, -signal.SIGABRT}, process.stderr
    if process.returncode == 1:
        assert process.stderr.splitlines()[-1].startswith("error: there is not enough memory; close other programs")
        assert not list(tmp_path.rglob(".partial-*"))
    assert "Traceback" not in process.stderr
    found = {stage.name: stage.status for stage in status(root).stages}
    assert (found["collect"], found["normalize"], found["tag"]) == ("skip", "skip", "run")


def test_a_killed_export_or_report_leaves_nothing_beside_its_file(tmp_path: Path) -> None:
    """The next writing of the same file sweeps what a dead process left; what others left or still write stays."""
    dead = subprocess.Popen(["true"])
    dead.wait()
    (tmp_path / f".partial-report.html-{dead.pid}-abc").write_text("half", encoding="utf-8")
    kept = [f".partial-report.html-{os.getppid()}-abc", f".partial-other.html-{dead.pid}-abc", ".partial-report.html"]
    for name in kept:
        (tmp_path / name).write_text("half", encoding="utf-8")
    write_text(tmp_path / "report.html", "whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*kept, "report.html"])
