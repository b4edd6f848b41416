"""Bundles from the topics of a workspace: what is refused before anything is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from discourse.bundle_training import train, train_topics
from discourse.errors import DiscourseError, WorkspaceError


def test_topics_come_from_a_workspace(tmp_path: Path) -> None:
    """A folder that is none is named."""
    with pytest.raises(WorkspaceError, match="is no workspace"):
        train_topics(tmp_path, tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()


def test_a_recipe_that_is_missing_is_named(tmp_path: Path) -> None:
    """Nothing is made."""
    with pytest.raises(DiscourseError, match=r"none\.toml"):
        train(tmp_path / "none.toml", tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()
