"""The command line, called as a person calls it but in this process, since importing torch takes seconds."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from discourse import cli


@dataclass(frozen=True, slots=True)
class Said:
    """What a command printed and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one JSON object on stdout."""
        return json.loads(self.out)

    @property
    def error(self) -> str:
        """The one error line."""
        lines = [line for line in self.err.splitlines() if line.lower().startswith("error")]
        assert len(lines) == 1, self.err
        return lines[0]


Command = Callable[..., Said]


@pytest.fixture
def discourse(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run `discourse` with some arguments."""

    def run(*arguments: object) -> Said:
        monkeypatch.setattr("sys.argv", ["discourse", *map(str, arguments)])
        code = 0
        try:
            cli.main()
        except SystemExit as e:
            code = int(e.code or 0)
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        return Said(code, printed.out, printed.err)

    return run


@pytest.fixture(scope="session")
def thread(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small thread of our own, with a quote, a deleted comment, another language and hostile markup."""
    rows = [
        {"id": "1", "parent_id": None, "author": "ann", "text": "The ferry is late again, third time this week."},
        {"id": "2", "parent_id": "1", "author": "bob", "text": "> third time this week\n\nFourth, you forgot Monday."},
        {"id": "3", "parent_id": "1", "author": "cat", "text": "[deleted]"},
        {"id": "4", "parent_id": "3", "author": "dan", "text": "<img src=x onerror=alert(1)> is this box broken?"},
        {"id": "5", "parent_id": None, "author": "eva", "text": "Esto pasa todos los días y nadie nos dice nada."},
        {"id": "6", "parent_id": None, "author": "ann", "text": "They log every ticket and every face. I hate it."},
    ]
    file = tmp_path_factory.mktemp("thread") / "ferry.jsonl"
    file.write_text("\n".join(json.dumps({**row, "thread_id": "ferry"}) for row in rows), encoding="utf-8")
    return file
