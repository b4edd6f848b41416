"""Fingerprints of what a stage reads beside its tables."""

from __future__ import annotations

import hashlib
from pathlib import Path

from discourse import stage_inputs
from discourse.config import Config, override
from discourse.workspace import Workspace


def test_a_source_is_known_by_name_and_bytes(tmp_path: Path) -> None:
    """A file elsewhere under the same name is the same source; other bytes, or none, are another state of it."""
    workspace = Workspace(tmp_path / "ws")
    found: list[dict[str, str]] = []
    for folder, text in (("a", "one"), ("b", "one"), ("c", "two"), ("d", None)):
        (tmp_path / folder).mkdir()
        file = tmp_path / folder / "thread.csv"
        if text is not None:
            file.write_text(text, encoding="utf-8")
        found.append(dict(stage_inputs.sources(workspace, override(Config(), {"input.sources": [str(file)]}))))
    assert found[0] == found[1] == {"source thread.csv": hashlib.sha256(b"one").hexdigest()}
    assert found[2] != found[0]
    assert found[3] == {"source thread.csv": "absent"}


def test_the_author_key_cannot_be_guessed_from_its_fingerprint(tmp_path: Path) -> None:
    """It changes with the key, and is no hash of the key itself."""
    workspace = Workspace(tmp_path)
    absent = stage_inputs.author_key(workspace, Config())
    key = workspace.author_key()
    made = stage_inputs.author_key(workspace, Config())
    assert absent != made
    assert made["author key"] not in {hashlib.sha256(key).hexdigest(), key.decode()}


def test_only_bundles_that_tag_count() -> None:
    """Stance tags only where there are targets."""
    workspace = Workspace(Path("nowhere"))
    assert list(stage_inputs.bundles(workspace, Config())) == ["bundle frames-minilm"]
    both = stage_inputs.bundles(workspace, override(Config(), {"stance.targets": ["the ferry"]}))
    assert list(both) == ["bundle frames-minilm", "bundle stance-minilm"]
