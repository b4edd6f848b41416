"""What cannot be done is refused in one sentence before anything is written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from discourse.workspace import Workspace

Command = Callable[..., Any]  # the fixture `discourse`: arguments to exit code, stdout and stderr
GOOD = '{"id": "1", "text": "The ferry is late again."}\n{"id": "2", "text": "And nobody says why it is late."}\n'

# Arguments after `run good.jsonl -o WS`, the exit code, and words of the sentence.
ARGUMENTS: dict[str, tuple[list[str], int, tuple[str, ...]]] = {
    "wrong value": (["--quotes", "loud"], 2, ("report.quotes", "'loud'", "'short'")),
    "no such section": (["--set", "reprot.quotes=1"], 2, ("reprot", 'did you mean "report"')),
    "no such key": (["--set", "report.qoutes=1"], 2, ("qoutes", 'did you mean "quotes"')),
    "setting without value": (["--set", "report.quotes"], 2, ("KEY=VALUE",)),
    "map without value": (["--map", "text"], 2, ("OURS=THEIRS",)),
    "map of no field": (["--map", "txt=text"], 2, ('did you mean "text"',)),
    "no such attribute": (["--attributes", "mood"], 2, ("good.jsonl", "mood", "columns are")),
    "no such opening": (["--opening", "last"], 2, ("input.opening", "'first'")),
    "no such language": (["--languages", "klingon"], 2, ("klingon",)),
    "no such codebook": (["--codebook", "nope"], 1, ("nope", "shipped")),
    "no author key": (["--author-key", "nowhere.key"], 1, ("nowhere.key",)),
    "a target twice": (["--target", "it", "--target", "it"], 2, ("stance.targets", "repeats")),
    "an empty target": (["--target", " "], 2, ("stance.targets", "empty")),
    "two sources of one name": (["./good.jsonl"], 1, ("good.jsonl", "rename")),
    "a name too long": (["x" * 400 + ".csv"], 1, ("name too long",)),
}


@pytest.fixture
def good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A readable file in the folder that commands run in."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.jsonl").write_text(GOOD, encoding="utf-8")
    return tmp_path / "good.jsonl"


@pytest.mark.parametrize(("arguments", "code", "words"), ARGUMENTS.values(), ids=ARGUMENTS)
def test_an_option_that_does_not_fit_is_refused(
    arguments: list[str], code: int, words: tuple[str, ...], good: Path, discourse: Command
) -> None:
    said = discourse("run", good.name, *arguments, "-o", "ws", "--json")
    assert said.code == code, said.err
    assert said.out == ""
    assert said.error.startswith("error: ")
    assert all(word in said.error for word in words), said.error
    assert "fault of discourse" not in said.error
    assert not list(good.parent.rglob(".partial-*"))
    assert not (good.parent / "ws" / "report.html").exists()


CONFIGS = {
    "wrong value": ("[input]\nsources = 'good.jsonl'\n[report]\nquotes = 'loud'\n", 2, ("report.quotes", "loud")),
    "wrong type": ("seed = 'many'\n[input]\nsources = 'good.jsonl'\n", 2, ("seed", "many")),
    "not TOML": ("[input\n", 1, ("not valid TOML", "line 1")),
    "no sources": ("seed = 1\n", 2, ("nothing to read",)),
    "a source that is gone": ("[input]\nsources = 'gone.csv'\n", 1, ("gone.csv",)),
}


@pytest.mark.parametrize(("text", "code", "words"), CONFIGS.values(), ids=CONFIGS)
def test_a_wrong_config_names_file_and_key(
    text: str, code: int, words: tuple[str, ...], good: Path, discourse: Command
) -> None:
    (good.parent / "discourse.toml").write_text(text, encoding="utf-8")
    said = discourse("run", "discourse.toml", "-o", "ws", "--json")
    assert (said.code, said.out) == (code, ""), said.err
    assert all(word in said.error for word in words), said.error


FILES = {
    "UTF-16 without a mark": ("a.csv", "id,text\n1,Late again\n".encode("utf-16-le"), ("a.csv", "UTF-8")),
    "header only": ("a.csv", b"id,text\n", ("a.csv", "no rows")),
    "cut Parquet": ("a.parquet", b"PAR1\x00\x01\x02\x03PAR1", ("a.parquet",)),
    "cut gzip": ("a.csv.gz", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03KL", ("a.csv.gz",)),
    "a JSON number": ("a.json", b"42\n", ("a.json",)),
}


@pytest.mark.parametrize(("name", "content", "words"), FILES.values(), ids=FILES)
def test_a_file_that_cannot_be_read_is_named(
    name: str, content: bytes, words: tuple[str, ...], tmp_path: Path, discourse: Command
) -> None:
    (tmp_path / name).write_bytes(content)
    said = discourse("collect", tmp_path / name, "-o", tmp_path / "ws", "--json")
    assert (said.code, said.out) == (1, ""), said.err
    assert all(word in said.error for word in words), said.error
    assert "fault of discourse" not in said.error
    assert not list(tmp_path.rglob(".partial-*"))


def test_utf16_with_its_mark_is_read(tmp_path: Path, discourse: Command) -> None:
    (tmp_path / "a.csv").write_bytes("id,text\n1,Late again today\n2,As ever\n".encode("utf-16"))
    said = discourse("collect", tmp_path / "a.csv", "-o", tmp_path / "ws")
    assert said.code == 0
    assert "utf-16" in said.err


def test_a_workspace_in_use_is_left_alone(good: Path, discourse: Command) -> None:
    with Workspace(good.parent / "ws").lock():
        said = discourse("run", good, "-o", "ws", "--json")
    assert (said.code, said.out) == (1, "")
    assert f"process {os.getpid()}" in said.error
    assert not (good.parent / "ws" / "raw").exists()


@pytest.mark.parametrize("output", ["good.jsonl", "good.jsonl/ws", "/proc/ws"])
def test_a_place_that_cannot_be_written_is_refused(output: str, good: Path, discourse: Command) -> None:
    said = discourse("run", good, "-o", output, "--json")
    assert (said.code, said.out) == (1, "")
    assert output in said.error
    assert "-o" in said.error
    assert good.read_text(encoding="utf-8") == GOOD


@pytest.mark.parametrize("verb", ["normalize", "tag", "aggregate", "report", "status"])
def test_a_folder_without_receipt_is_no_workspace(verb: str, tmp_path: Path, discourse: Command) -> None:
    said = discourse(verb, tmp_path, "--json")
    assert (said.code, said.out) == (1, "")
    assert "is no workspace" in said.error


def test_ctrl_c_is_answered_in_a_sentence(good: Path) -> None:
    """130, and the same command goes on: in a real process, since it is the process that gets the signal."""
    command = [sys.executable, "-c", "from discourse.cli import main; main()", "run", good.name, "-o", "ws"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        lines: list[str] = []
        for line in process.stderr:
            lines.append(line)
            if line.startswith("normalize:"):
                process.send_signal(signal.SIGINT)
    assert process.returncode == 130
    assert lines[-1].startswith("interrupted: run the same command again")
    assert "Traceback" not in "".join(lines)


def test_a_panic_in_a_library_is_one_sentence(good: Path, discourse: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rust code under polars panics with an exception that is no `Exception`."""

    class PanicError(BaseException):
        pass

    def panic(*_: object, **__: object) -> None:
        raise PanicError("not yet implemented\nstack backtrace")

    monkeypatch.setattr("discourse.pipeline.run", panic)
    said = discourse("run", good, "-o", "ws")
    assert said.code == 1
    assert "PanicError: not yet implemented" in said.error
