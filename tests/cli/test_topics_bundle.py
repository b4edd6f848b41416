"""`discourse bundle train --topics`: topics of one workspace used in another."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from discourse.tables import FRAMES, TOPIC_INFO, TOPICS
from discourse.workspace import Workspace

FORMS = [
    "The ferry to {} left late again",
    "Sourdough from {} is far too sour",
    "The goalkeeper of {} dropped it twice",
]
PLACES = ["Anwick", "Borle", "Cadding", "Dunmere", "Elsby", "Farrow", "Garth", "Holm", "Inverley", "Jarn"]
PLACES += [f"{place} {side}" for place in PLACES for side in ("East", "West")]


def written(file: Path, places: list[str]) -> Path:
    rows = [{"id": f"{i}{k}", "text": form.format(p)} for i, p in enumerate(places) for k, form in enumerate(FORMS)]
    file.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return file


def test_topics_are_saved_and_given_to_the_comments_of_another_workspace(
    discourse: Callable[..., Any], tmp_path: Path
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    first = written(tmp_path / "first.jsonl", PLACES)
    one_seed = ["--set", "topics.random_seeds=[0]", "--set", 'normalize.languages=["en"]']
    assert discourse("run", first, "-o", old, *one_seed).code == 0
    saved = discourse("bundle", "train", "--topics", "--from", old, "-o", tmp_path / "towns", "--json")
    assert saved.code == 0
    assert saved.json["name"] == "towns"
    shown = discourse("bundle", "show", tmp_path / "towns", "--json").json
    assert (shown["kind"], shown["metrics"]) == ("topics", {})
    assert "A *topics* bundle" in discourse("bundle", "show", tmp_path / "towns").out
    second = written(tmp_path / "second.jsonl", ["Anwick", "Borle", "Kelby"])
    bundle = ["--set", f'bundles.topics="{tmp_path / "towns"}"', "--set", 'normalize.languages=["en"]']
    assert discourse("run", second, "-o", new, *bundle).code == 0
    topics = Workspace(new).read(TOPICS)
    assert set(topics["assignment"]) <= {"assigned", "outlier"}
    assert topics.filter(assignment="assigned").height >= 4
    assert Workspace(new).read(TOPIC_INFO)["label"].to_list() == Workspace(old).read(TOPIC_INFO)["label"].to_list()
    assert set(Workspace(new).read(FRAMES)["path"]) == {"exact", "text_only"}
    again = discourse("run", second, "-o", new, *bundle, "--dry-run")
    assert "tag" in again.out + again.err
    assert "changed" not in again.out + again.err


def test_a_recipe_and_topics_exclude_each_other(discourse: Callable[..., Any], tmp_path: Path) -> None:
    for arguments in (["--topics"], ["x.toml", "--topics", "--from", tmp_path], []):
        said = discourse("bundle", "train", *arguments, "-o", tmp_path / "b")
        assert said.code == 2
        assert "--topics with --from WS" in said.error
    missing = discourse("bundle", "train", "--topics", "--from", tmp_path / "none", "-o", tmp_path / "b")
    assert missing.code == 1
    assert "is no workspace" in missing.error
