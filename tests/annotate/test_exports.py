"""Exports of annotation tools, the sheet and the report's corrections become labels."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest

from discourse.annotate import ImportResult, Level, agreement, import_labels, level_of, names, power, sample
from discourse.annotate.names import public_name
from discourse.config import Config, parse_config
from discourse.errors import InputError, UsageError
from discourse.tables import COMMENTS, SAMPLES, Design


def config(desk: Any) -> Config:
    """Return the desk's configuration with one target."""
    files = {
        "bundles": {"frames": str(desk.folder / "bundle")},
        "codebook": {"file": str(desk.folder / "codebook.toml")},
    }
    return parse_config({**files, "stance": {"targets": ["lamps"]}})


def bring(desk: Any, name: str, content: Any, annotator: str | None = None, **options: Any) -> ImportResult:
    """Write a file and import it."""
    text = content if isinstance(content, str) else json.dumps(content)
    (desk.folder / name).write_text(text, encoding="utf-8")
    return import_labels(desk.workspace, config(desk), desk.folder / name, annotator, **options)


def values(desk: Any) -> list[tuple[Any, ...]]:
    """Return what is labelled."""
    return desk.labels().select("comment_id", "kind", "level", "value", "annotator").rows()


def test_label_studio_json_is_read(desk: Any) -> None:
    """Choices by question, each annotator by name, cancelled annotations left out."""
    yes = {"from_name": "fear", "type": "choices", "value": {"choices": ["yes"]}}
    side = {"from_name": "stance", "type": "choices", "value": {"choices": ["against"]}}
    task = {
        "id": 7,
        "data": {"text": "a", "comment_id": "file:c-0"},
        "annotations": [
            {"completed_by": {"email": "ann@x"}, "result": [yes, side], "created_at": "2026-01-31T12:00:00Z"},
            {"completed_by": 2, "result": [yes], "was_cancelled": True},
        ],
    }
    bring(desk, "ls.json", [task])
    assert values(desk) == [
        ("file:c-0", "frame", "fear", "yes", "ann@x"),
        ("file:c-0", "stance", "lamps", "against", "ann@x"),
    ]


def test_label_studio_min_doccano_and_potato_are_read(desk: Any) -> None:
    """A choice among frames is yes for the chosen and no for the others."""
    bring(desk, "min.json", [{"id": 1, "comment_id": "c-0", "fear": "no", "annotator": 3}])
    bring(desk, "doccano.jsonl", '{"id": 9, "text": "t", "label": ["secrecy"], "comment_id": "c-1"}\n')
    potato = {"id": "file:c-2", "displayed_text": "t", "label_annotations": {"fear": {"yes": True, "no": False}}}
    bring(desk, "potato.jsonl", json.dumps(potato) + "\n", "pat")
    assert values(desk) == [
        ("file:c-0", "frame", "fear", "no", "3"),
        ("file:c-1", "frame", "fear", "no", "doccano"),
        ("file:c-1", "frame", "secrecy", "yes", "doccano"),
        ("file:c-2", "frame", "fear", "yes", "pat"),
    ]
    assert desk.labels()["design"].unique().to_list() == ["unknown"]


def test_the_reports_corrections_name_comments_by_their_public_name(desk: Any) -> None:
    """The first 12 digits of HMAC(author.key, comment_id) are resolved; nothing is known of how they were chosen."""
    name = public_name(desk.workspace.author_key(), "file:c-3")
    item = {"id": name, "kind": "frame", "level": "fear", "value": "no"}
    found = bring(desk, "corrections.json", {"format": "discourse-labels", "version": 1, "items": [item]})
    assert values(desk) == [("file:c-3", "frame", "fear", "no", "corrections")]
    assert found.known_inclusion == 0
    assert "no estimate" in " ".join(found.notes)


def test_labels_of_unknown_origin_can_be_taken_for_a_random_sample(desk: Any) -> None:
    """--assume-uniform gives them the chance labelled / eligible."""
    found = bring(desk, "a.csv", "id,fear\nc-0,1\nc-1,0\n", assume_uniform=True)
    assert (found.known_inclusion, desk.labels()["inclusion"].to_list()) == (2, [0.25, 0.25])


def test_contradictions_of_one_annotator_are_said_and_the_first_stands(desk: Any) -> None:
    """Two labels by one annotator for one item, in one file or in two, count once."""
    found = bring(desk, "a.csv", "id,fear\nc-0,1\nc-0,0\n", "ann")
    assert "1 of them say another thing" in " ".join(found.notes)
    with pytest.raises(InputError, match="none of its labels was new"):
        bring(desk, "b.csv", "id,fear\nc-0,0\n", "ann")
    assert values(desk) == [("file:c-0", "frame", "fear", "yes", "ann")]


def test_a_later_save_of_a_sheet_replaces_the_earlier_one(desk: Any) -> None:
    """The same sheet by the same annotator, under any file name; another annotator's stands beside it."""

    def saved(value: str) -> dict[str, Any]:
        item = {"id": "c-0", "value": value, "hard": False, "at": "2026-01-31T12:00:00.000Z"}
        about = {
            "format": "discourse-labels",
            "version": 1,
            "sheet": "s1",
            "round": 1,
            "kind": "frame",
            "level": "fear",
        }
        return {**about, "items": [item]}

    bring(desk, "a.json", saved("yes"), "ann")
    bring(desk, "a (1).json", saved("no"), "ann")
    bring(desk, "a.json", saved("yes"), "ben")
    assert [(row[3], row[4]) for row in values(desk)] == [("no", "ann"), ("yes", "ben")]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", "{", "not valid JSON"),
        ("a.json", "7", "no file of labels"),
        ("a.json", "[7]", "item 1: is no object"),
        ("a.json", "[]", "holds no labels"),
        ("a.json", '{"format": "discourse-labels", "version": 2, "items": []}', "version 2"),
        ("a.json", '[{"fear": "yes"}]', "item 1: names no comment"),
        ("a.json", '[{"id": "c-0", "fear": "maybe"}]', 'row 1: value is "maybe"'),
        ("a.jsonl", '{"id": "c-0", "label": ["joy"]}\n', 'holds "joy"; allowed: fear, secrecy'),
        ("a.jsonl", '{"id": "c-0"\n', "line 1: is not valid JSON"),
        ("a.json", '[{"id": "nobody", "fear": "yes"}]', "none of its labels was new and of a comment"),
    ],
)
def test_a_bad_export_is_refused_in_one_sentence(desk: Any, name: str, content: str, message: str) -> None:
    """Broken files, unknown comments and values outside the vocabulary name the file and the place."""
    with pytest.raises(InputError, match=message) as refused:
        bring(desk, name, content)
    assert len(str(refused.value).splitlines()) == 1


def test_bad_requests_are_refused_in_one_sentence(desk: Any) -> None:
    """Unknown frames, a size of nought, missing tags, nobody to agree with, widths out of range."""
    settings, level = config(desk), Level("frame", "fear")
    with pytest.raises(UsageError, match="did you mean"):
        level_of(settings, "faer", None)
    with pytest.raises(UsageError, match="one of them"):
        level_of(settings, None, None)
    with pytest.raises(UsageError, match="at least 1"):
        sample(desk.workspace, settings, level, 0, Design.UNIFORM, desk.folder / "s.html")
    with pytest.raises(InputError, match="has no tags"):
        sample(desk.workspace, settings, level, 3, Design.UNCERTAIN, desk.folder / "s.html")
    with pytest.raises(InputError, match="holds no labels"):
        agreement(desk.workspace)
    bring(desk, "a.csv", "id,fear\nc-0,1\n", "ann")
    with pytest.raises(InputError, match="labelled by two annotators"):
        agreement(desk.workspace)
    with pytest.raises(UsageError, match=r"between 0 and 0\.5"):
        power(desk.workspace, settings, level, 0.7)
    assert power(desk.workspace, settings, level, 0.1).basis == "nothing"


def test_a_second_round_asks_only_what_has_no_label(desk: Any) -> None:
    """Of eight eligible comments all are drawn twice; those labelled after the first round are not asked again."""
    settings, level = config(desk), Level("frame", "fear")
    first = sample(desk.workspace, settings, level, 8, Design.UNIFORM, desk.folder / "s.html")
    bring(desk, "a.csv", "id,fear,round\nc-0,1,1\nc-1,0,1\n", "ann")
    second = sample(desk.workspace, settings, level, 8, Design.UNIFORM, desk.folder / "s.html")
    assert (first.round, first.asked, second.round, second.drawn, second.asked) == (1, 8, 2, 8, 6)


def test_corrections_stay_of_unknown_inclusion_where_their_comment_was_drawn(desk: Any) -> None:
    """A reader corrects what meets the eye: neither a drawn comment nor what an item says makes it a sample."""
    drawn = {"round": 1, "comment_id": "file:c-3", "kind": "frame", "level": "fear", "design": "uniform", "rank": 0}
    desk.workspace.write(SAMPLES, SAMPLES.conform(pl.DataFrame([{**drawn, "probability": 0.5}])))
    sheet = {"format": "discourse-labels", "version": 1, "round": 1, "kind": "frame", "level": "fear"}
    bring(desk, "sheet.json", {**sheet, "items": [{"id": "c-3", "value": "yes"}]}, "ann")
    name = public_name(desk.workspace.author_key(), "file:c-3")
    item = {"id": name, "kind": "frame", "level": "fear", "value": "no", "design": "uniform", "round": 1}
    about = {"format": "discourse-labels", "version": 1, "sheet": "a1", "corrections": True}
    for _ in range(2):
        found = bring(desk, "corrections.json", {**about, "items": [item]}, "ben")
    assert found.known_inclusion == 0
    columns = ("annotator", "value", "design", "inclusion", "round")
    assert desk.labels().sort("annotator").select(columns).rows() == [
        ("ann", "yes", "uniform", 0.5, 1),
        ("ben", "no", "unknown", None, 0),
    ]


def test_a_name_of_several_comments_means_none(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A public name that two comments share is left out and counted, beside those that nobody has."""
    monkeypatch.setattr(names, "DIGITS", 1)
    comments = desk.workspace.read(COMMENTS)
    again = comments.with_columns(comment_id=pl.concat_str("comment_id", pl.lit("x")))
    desk.workspace.write(COMMENTS, pl.concat([comments, again]))
    key = desk.workspace.author_key()
    given = [public_name(key, name) for name in desk.workspace.read(COMMENTS)["comment_id"]]
    shared = next(name for name in given if given.count(name) > 1)
    items = [{"id": name, "kind": "frame", "level": "fear", "value": "no"} for name in (shared, "zz", "c-1")]
    found = bring(desk, "a.json", {"format": "discourse-labels", "version": 1, "items": items})
    assert found.labels == 1
    (note,) = [note for note in found.notes if "not those of one comment" in note]
    assert note == (
        f'a.json: 2 ids are not those of one comment here and were left out, such as "{shared}" '
        "(1 of them mean several comments)"
    )


def test_agreement_on_the_comments_of_one_author_has_no_interval(desk: Any) -> None:
    """Whom else readers would agree on is not known; comments of unknown authors count each by itself."""
    text = "id,fear\n" + "".join(f"c-{i},{i % 2}\n" for i in range(8))
    bring(desk, "a.csv", text, "ann")
    bring(desk, "b.csv", text.replace("c-3,1", "c-3,0"), "ben")
    apart = agreement(desk.workspace)[0].alpha
    assert apart.estimate is not None
    assert apart.low is not None
    assert apart.low < apart.estimate
    comments = desk.workspace.read(COMMENTS).with_columns(author=pl.lit("everyone"))
    desk.workspace.write(COMMENTS, comments)
    together = agreement(desk.workspace)[0].alpha
    assert (together.estimate, together.low, together.high) == (apart.estimate, None, None)
