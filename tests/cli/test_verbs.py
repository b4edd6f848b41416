"""The verbs one by one: what each prints, what it leaves to others, and where it may be called from."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from discourse.cli.app import app
from discourse.models.bundle import shipped_bundles

Command = Callable[..., Any]  # the fixture `discourse`: arguments to exit code, stdout and stderr


@pytest.fixture
def ferry(thread: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, discourse: Command) -> Path:
    """A finished workspace, made from a folder with a relative path."""
    if "frames-minilm" not in shipped_bundles():
        pytest.skip("bundles not shipped yet: frames-minilm")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / thread.name).write_bytes(thread.read_bytes())
    monkeypatch.chdir(tmp_path / "in")
    assert discourse("run", thread.name, "-o", "../ws").code == 0
    return tmp_path / "ws"


def test_the_stages_one_by_one_make_what_run_makes(ferry: Path, tmp_path: Path, discourse: Command) -> None:
    ws = tmp_path / "steps"
    assert discourse("collect", "ferry.jsonl", "-o", ws, "--json").json["stages"][0]["name"] == "collect"
    for verb, stages in {"normalize": 1, "tag": 2, "aggregate": 4, "report": 5}.items():
        said = discourse(verb, ws, "--json")
        assert said.code == 0, said.err
        assert len(said.json["stages"]) == stages
        assert bool(said.json["findings"]) == (verb in {"aggregate", "report"})
        assert said.json["report"] == (str(ws / "report.html") if verb == "report" else None)
    one, other = (pl.read_parquet(root / "estimates" / "*.parquet") for root in (ws, ferry))
    assert one.equals(other)


def test_status_is_the_same_from_every_folder(ferry: Path, monkeypatch: pytest.MonkeyPatch, discourse: Command) -> None:
    """The input may be gone or lie elsewhere: what was collected of it is in the workspace."""
    monkeypatch.chdir(ferry)
    said = discourse("status", ".", "--json")
    assert (said.code, said.err) == (0, "")
    assert {stage["status"] for stage in said.json["stages"]} == {"skip"}
    thread = said.json["threads"][0]
    assert set(thread) == {
        *("thread_id", "title", "declared", "collected", "deleted", "removed", "held", "unreachable"),
        *("capped", "quarantined", "reason"),
    }
    assert (thread["collected"], thread["deleted"]) == (6, 1)
    (ferry / "comments" / "part-00000.parquet").unlink()
    stale = [stage["status"] for stage in discourse("status", ".", "--json").json["stages"]]
    assert stale == ["skip", "run", "run", "run", "run", "run"]


def test_a_report_goes_where_it_is_asked_to(ferry: Path, tmp_path: Path, discourse: Command) -> None:
    output = tmp_path / "pages" / "ferry report.html"
    said = discourse("report", ferry, "--quotes", "none", "-o", output, "--json")
    assert said.json["report"] == str(output)
    page = output.read_text(encoding="utf-8")
    assert "late again" not in page
    assert "late again" in (ferry / "report.html").read_text(encoding="utf-8")


def test_a_dry_run_makes_nothing(ferry: Path, tmp_path: Path, discourse: Command) -> None:
    said = discourse("run", "ferry.jsonl", "-o", tmp_path / "new", "--dry-run", "--json")
    assert [stage["status"] for stage in said.json["stages"]] == ["run"] * 6
    assert not (tmp_path / "new").exists()
    assert "RUN" not in discourse("report", ferry, "--dry-run").out


NAMES = [
    "two words.jsonl",
    'it\'s "it".jsonl',
    "naïve ☃.jsonl",
    "-dash.jsonl",
    "%2e.jsonl",
    "line\nbreak.jsonl",
    "none",
]


@pytest.mark.parametrize("name", NAMES)
def test_any_file_name_is_a_file_name(
    name: str, thread: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, discourse: Command
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(thread.read_bytes())
    assert discourse("collect", "-o", "ws", "--", name).code == 0
    said = discourse("normalize", "ws", "--json")
    assert (said.code, said.json["comments"]) == (0, 6)


def test_a_config_is_read_from_its_own_folder(thread: Path, tmp_path: Path, discourse: Command) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jsonl").write_bytes(thread.read_bytes())
    config = tmp_path / "in" / "discourse.toml"
    config.write_text("workspace = 'out'\n[input]\nsources = 'a.jsonl'\n", encoding="utf-8")
    said = discourse("run", config, "--dry-run", "--json")
    assert said.json["workspace"] == str(tmp_path / "in" / "out")
    assert discourse("collect", config, "-o", tmp_path / "ws").code == 0


ODD = {
    "only emoji": ["😀😀", "👍🏽"],
    "only Arabic": ["هذا تعليق قصير عن العبارة", "لا أوافق على هذا أبدا"],
    "one comment": ["The ferry is late again."],
    "all deleted": ["[deleted]", "[removed]"],
    "very long": ["The ferry is late. " * 20_000, "y" * 300_000],
}


@pytest.mark.parametrize("texts", ODD.values(), ids=ODD)
def test_an_odd_thread_ends_in_a_report(texts: list[str], tmp_path: Path, discourse: Command) -> None:
    """Where nothing can be said, the report says that."""
    if "frames-minilm" not in shipped_bundles():
        pytest.skip("bundles not shipped yet: frames-minilm")
    file = tmp_path / "odd.jsonl"
    file.write_text("\n".join(json.dumps({"id": str(i), "text": text}) for i, text in enumerate(texts)))
    said = discourse("run", file, "-o", tmp_path / "ws", "--json")
    assert said.code == 0, said.err
    assert said.json["comments"] + said.json["quarantined"] == len(texts)
    assert said.json["findings"]
    assert (tmp_path / "ws" / "report.html").stat().st_size > 10_000


def test_markup_in_titles_ids_and_targets_is_text_in_the_report(tmp_path: Path, discourse: Command) -> None:
    if missing := {"frames-minilm", "stance-minilm"} - set(shipped_bundles()):
        pytest.skip(f"bundles not shipped yet: {', '.join(sorted(missing))}")
    row = {
        "id": "<i>1</i>",
        "thread_id": "<u>t</u>/'\"",
        "title": "<script>alert(1)</script>",
        "author": "<b>ann</b>",
        "text": "<img src=x onerror=alert(1)> is on the ferry </script><script>alert(2)</script>",
    }
    (tmp_path / "a.jsonl").write_text(json.dumps(row), encoding="utf-8")
    said = discourse("run", tmp_path / "a.jsonl", "--target", "<s>it</s>", "-o", tmp_path / "ws")
    assert said.code == 0, said.err
    page = (tmp_path / "ws" / "report.html").read_text(encoding="utf-8")
    assert "&lt;img" in page
    for markup in ("<img", "<script>alert", "<i>1", "<u>t", "<b>ann", "<s>it"):
        assert markup not in page, markup


def test_a_folder_of_a_bundles_name_does_not_stand_in_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, discourse: Command
) -> None:
    if not shipped_bundles():
        pytest.skip("no bundles shipped yet")
    name = shipped_bundles()[0]
    monkeypatch.chdir(tmp_path)
    Path(name).mkdir()
    assert discourse("bundle", "show", name).code == 0
    assert discourse("bundle", "show", f"./{name}").code == 1


def test_doctor_misses_a_bundle_that_is_not_there(monkeypatch: pytest.MonkeyPatch, discourse: Command) -> None:
    monkeypatch.setattr("discourse.models.bundle.shipped_bundles", list)
    said = discourse("doctor", "--json")
    assert said.code == 1
    assert {check["name"] for check in said.json["checks"] if not check["ok"]} >= {"bundle stance-minilm"}


def test_every_option_has_help() -> None:
    import typer

    def walk(command: Any, path: str) -> list[str]:
        if hasattr(command, "commands"):
            return [bad for name, inner in command.commands.items() for bad in walk(inner, f"{path} {name}")]
        silent = [] if "Example" in (command.help or "") else [f"{path}: no example"]
        return silent + [f"{path} {one.name}" for one in command.params if not getattr(one, "help", None)]

    assert walk(typer.main.get_command(app), "discourse") == []
