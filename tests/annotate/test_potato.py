"""What Potato saves for each annotator, and the tables and lines that it exports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from discourse.annotate import ImportResult, import_labels
from discourse.config import parse_config
from discourse.errors import InputError


def bring(desk: Any, name: str, content: Any, annotator: str | None = None) -> ImportResult:
    """Write a file and import it."""
    file = Path(desk.folder) / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    places = {
        "bundles": {"frames": str(desk.folder / "bundle")},
        "codebook": {"file": str(desk.folder / "codebook.toml")},
        "stance": {"targets": ["lamps"]},
    }
    return import_labels(desk.workspace, parse_config(places), file, annotator)


def labels(desk: Any) -> list[tuple[Any, ...]]:
    """Return what is labelled."""
    return desk.labels().select("comment_id", "level", "value", "annotator").rows()


def state(user: str, stored: Any) -> dict[str, Any]:
    """Return an annotator's state file."""
    return {"user_id": user, "instance_id_ordering": list(stored), "instance_id_to_label_to_value": stored}


def test_state_files_of_two_annotators_stand_side_by_side(desk: Any) -> None:
    """Both are called user_state.json; pairs of a question and a value, and nested answers, are read alike."""
    pairs = [[{"schema": "fear", "name": "yes"}, "true"], [{"schema": "stance:lamps", "name": "against"}, "true"]]
    bring(desk, "ann/user_state.json", state("ann", {"c-0": pairs, "file:c-1": []}))
    nested = {"c-0": {"fear": {"labels": {"no": True, "yes": False}}}, "c-1": {"fear": {"yes": "false"}}}
    found = bring(desk, "ben/user_state.json", state("ben", nested))
    assert labels(desk) == [
        ("file:c-0", "fear", "yes", "ann"),
        ("file:c-0", "fear", "no", "ben"),
        ("file:c-0", "lamps", "against", "ann"),
        ("file:c-1", "fear", None, "ben"),
    ]
    assert found.skipped == 1


def test_a_later_state_of_the_same_annotator_replaces_the_earlier_one(desk: Any) -> None:
    """State files grow while people work."""
    bring(desk, "ann/user_state.json", state("ann", {"c-0": {"fear": {"yes": "true"}}}))
    bring(desk, "other/user_state.json", state("ann", {"c-0": {"fear": {"no": "true"}}}))
    assert labels(desk) == [("file:c-0", "fear", "no", "ann")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "instance_id,user_id,fear.yes,fear.no,frames.secrecy\nc-0,ann,true,,\nc-1,ann,,true,true\n"),
        (
            "a.tsv",
            (
                "user\tinstance_id\tdisplayed_text\tfear:::yes\tfear:::no\tframes:::secrecy\n"
                "ann\tc-0\ta, text\t1\t\t\nann\tc-1\tb\t\t2\t0\n"
            ),
        ),
        ("a.csv", "instance_id,user_id,fear,frames.secrecy\nc-0,ann,yes,false\nc-1,ann,no,true\n"),
    ],
    ids=["version 2", "version 1, tabs", "one column a question"],
)
def test_tables_are_read(desk: Any, name: str, content: str) -> None:
    """A column for each answer, or one for each question; a choice among frames that was not made says nothing."""
    bring(desk, name, content)
    known = {row[:3] for row in labels(desk)}
    assert {("file:c-0", "fear", "yes"), ("file:c-1", "fear", "no"), ("file:c-1", "secrecy", "yes")} <= known
    assert not any(row[:2] == ("file:c-0", "secrecy") for row in labels(desk))
    assert {row[3] for row in labels(desk)} == {"ann"}


def test_lines_of_version_2_are_read(desk: Any) -> None:
    """JSONL with labels nested by question."""
    line = {"instance_id": "c-0", "user_id": "ann", "labels": {"fear": {"no": "true"}}, "spans": {}}
    bring(desk, "a.jsonl", json.dumps(line) + "\n")
    assert labels(desk) == [("file:c-0", "fear", "no", "ann")]


def test_questions_on_other_things_are_left_out_and_named(desk: Any) -> None:
    """A free-text box beside the codes is no reason to refuse the file."""
    table = "instance_id,user_id,fear.yes,remarks.text_box\nc-0,ann,true,hm\n"
    found = bring(desk, "a.csv", table)
    assert labels(desk) == [("file:c-0", "fear", "yes", "ann")]
    assert "1 questions on other things were left out: remarks" in " ".join(found.notes)
    with pytest.raises(InputError, match="questions on other things: remarks"):
        bring(desk, "b.csv", "instance_id,user_id,remarks.text_box\nc-0,ann,hm\n")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("user_state.json", state("ann", {}), "holds no labels"),
        ("user_state.json", {"instance_id_to_label_to_value": 7}, "no file of labels"),
        ("user_state.json", state("ann", {"nobody": {"fear": {"yes": "true"}}}), "none of its labels was new"),
        ("a.csv", "instance_id,user_id,fear.perhaps\nc-0,ann,true\n", 'value is "perhaps"'),
        ("a.csv", "instance_id,user_id,fear.yes\n,ann,true\n", "item 2: names no comment"),
        ("a.csv", "instance_id,fear.yes\nc-0,true\n", "no column comment_id"),
    ],
)
def test_a_bad_file_is_refused_in_one_sentence(desk: Any, name: str, content: Any, message: str) -> None:
    """Nothing to read, another form, an unknown comment, an answer outside the vocabulary."""
    with pytest.raises(InputError, match=message) as refused:
        bring(desk, name, content)
    assert len(str(refused.value).splitlines()) == 1


KEYS = st.sampled_from(
    [
        "id",
        "instance_id",
        "comment_id",
        "annotations",
        "label",
        "labels",
        "label_annotations",
        "fear",
        "stance",
        "data",
        "result",
        "value",
        "choices",
        "from_name",
        "user_id",
        "instance_id_to_label_to_value",
        "schema",
        "name",
        "format",
    ]
)
LEAVES = st.sampled_from([None, True, 0, 1.5, "c-0", "yes", "fear", "", "discourse-labels"])
ANYTHING = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=ANYTHING, name=st.sampled_from(["a.json", "a.jsonl"]))
def test_any_json_is_imported_or_refused_in_one_sentence(desk: Any, content: Any, name: str) -> None:
    """Files of labels are hostile: whatever lies where, no traceback."""
    try:
        bring(desk, name, content)
    except InputError as e:
        said = str(e)
        assert len(said.splitlines()) == 1
