"""Raw answers of the external coder, kept in the workspace: one JSON object a line, on disk before the next request.

`WS/judge/answers.jsonl`. A line says what was asked (input, model, prompt, run, attempt), of which host and when, and
what came back. A run that is killed while it writes leaves half a line, which is not read and costs one answer.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from discourse.errors import WorkspaceError
from discourse.models.judge.answers import Invalid, Reply
from discourse.workspace import Workspace, now
from discourse.writing import replacing

FILE = Path("judge") / "answers.jsonl"


@dataclass(frozen=True, slots=True)
class Asked:
    """What one request asks: the input's key, which run, and for the how-many-eth time (from 0)."""

    input: str
    run: int
    attempt: int


@dataclass(slots=True)
class Kept:
    """The answers of one model to one prompt, read once and added to one by one.

    answers: by input and run, in the order of attempts, with the host that gave each.
    """

    path: Path
    model: str
    prompt: str
    answers: dict[tuple[str, int], list[tuple[str, Reply]]] = field(
        default_factory=dict[tuple[str, int], list[tuple[str, Reply]]]
    )
    _file: IO[bytes] | None = None

    def of(self, input_key: str, run: int) -> list[Reply]:
        """Return the answers to one input in one run, first attempt first."""
        return [reply for _, reply in self.answers.get((input_key, run), [])]

    def add(self, asked: Asked, host: str, reply: Reply) -> None:
        """Write one answer to disk.

        Raises:
            WorkspaceError: the disk is full or the folder cannot be written.
        """
        line = {
            "input": asked.input,
            "model": self.model,
            "prompt": self.prompt,
            "run": asked.run,
            "attempt": asked.attempt,
            "host": host,
            "at": now().isoformat(timespec="seconds"),
            "content": reply.content,
            "finish": reply.finish,
            "refused": reply.refused,
            "tokens_in": reply.tokens_in,
            "tokens_out": reply.tokens_out,
            "fault": reply.fault.value if reply.fault else None,
        }
        try:
            if self._file is None:
                self._file = _opened(self.path)
            self._file.write(json.dumps(line, ensure_ascii=True).encode() + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as e:
            raise WorkspaceError(f"{self.path}: cannot be written ({e.strerror}); free space and run again") from e
        self.answers.setdefault((asked.input, asked.run), []).append((host, reply))

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def kept_answers(workspace: Workspace, model: str, prompt: str) -> Kept:
    """Read what one model answered to one prompt; lines that are damaged are left out."""
    found = Kept(workspace.root / FILE, model, prompt)
    for line in _lines(found.path):
        if line.get("model") != model or line.get("prompt") != prompt:
            continue
        key = (str(line["input"]), int(line["run"]))
        fault = line.get("fault")
        reply = Reply(
            content=str(line.get("content") or ""),
            finish=str(line.get("finish") or ""),
            refused=bool(line.get("refused")),
            tokens_in=line.get("tokens_in"),
            tokens_out=line.get("tokens_out"),
            fault=Invalid(fault) if fault else None,
        )
        found.answers.setdefault(key, []).append((str(line.get("host") or ""), reply))
    return found


def forget_answers(workspace: Workspace, inputs: Collection[str], holds: Callable[[str], bool]) -> None:
    """Take answers to some inputs, and those that hold forgotten words, out of the file.

    Args:
        workspace: of the file.
        inputs: keys of forgotten comments.
        holds: whether a text holds words that are to be forgotten.
    """
    path = workspace.root / FILE
    if not path.exists():
        return
    kept = [
        line for line in _lines(path) if line.get("input") not in inputs and not holds(str(line.get("content") or ""))
    ]
    with replacing(path) as partial:
        partial.write_text("".join(json.dumps(line, ensure_ascii=True) + "\n" for line in kept), encoding="ascii")


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in file:
            try:
                found: Any = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(found, dict) and {"input", "run", "prompt", "model"} <= set(cast("dict[str, Any]", found)):
                yield cast("dict[str, Any]", found)


def _opened(path: Path) -> IO[bytes]:
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("ab")
    if file.tell():
        with path.open("rb") as before:
            before.seek(-1, os.SEEK_END)
            if before.read(1) != b"\n":  # a run was killed while it wrote
                file.write(b"\n")
    return file
