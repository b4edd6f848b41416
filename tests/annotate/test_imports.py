"""Files of labels become rows of the labels table."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from discourse.annotate import run
from discourse.config import parse_config
from discourse.errors import InputError
from discourse.tables import LABELS

ELIGIBLE = {i: str(i % 2) for i in range(8)}


def test_no_files_leave_a_table_that_was_never_written_unwritten(desk: Any) -> None:
    """No files leave a table that was never written unwritten."""
    assert desk.bring().counts == {"labels": 0}
    assert desk.workspace.parts(LABELS) == []


def test_no_files_leave_earlier_labels_as_they_are(desk: Any, wide: Any) -> None:
    """No files leave earlier labels as they are."""
    desk.bring(ann=wide("fear", {0: "1"}))
    assert desk.bring().counts == {"labels": 1}


def test_a_wide_file_gives_one_row_for_each_label(desk: Any) -> None:
    """A wide file gives one row for each label."""
    text = "id,fear,secrecy,stance,hard\nc-0,1,no,against,0\nfile:c-1,Yes,,off_target,1\n"
    outcome = desk.bring(targets=("the lamps",), ann=text)
    found = desk.labels().select("comment_id", "kind", "level", "value", "hard", "annotator", "round")
    assert found.rows() == [
        ("file:c-0", "frame", "fear", "yes", False, "ann", 0),
        ("file:c-0", "frame", "secrecy", "no", False, "ann", 0),
        ("file:c-0", "stance", "the lamps", "against", False, "ann", 0),
        ("file:c-1", "frame", "fear", "yes", True, "ann", 0),
        ("file:c-1", "frame", "secrecy", None, True, "ann", 0),
        ("file:c-1", "stance", "the lamps", "off_target", True, "ann", 0),
    ]
    assert outcome.counts == {"labels": 6, "imported": 6}


def test_a_long_file_keeps_its_columns(desk: Any) -> None:
    """A long file keeps its columns."""
    text = (
        "comment_id,kind,level,value,annotator,design,inclusion,round,labelled_at,hard\n"
        "file:c-0,frame,fear,yes,ann,uniform,0.25,2,2026-01-31T12:00:00Z,1\n"
        "file:c-1,stance,lamps,neutral,ben,uniform,0.25,2,,0\n"
    )
    desk.bring(x=text)
    first, second = desk.labels().rows(named=True)
    assert (first["value"], first["annotator"], first["design"], first["inclusion"]) == ("yes", "ann", "uniform", 0.25)
    assert (first["round"], first["hard"], first["labelled_at"].year) == (2, True, 2026)
    assert (second["kind"], second["level"], second["value"]) == ("stance", "lamps", "neutral")


def test_all_eligible_comments_labelled_is_a_census(desk: Any, wide: Any) -> None:
    """All eligible comments labelled is a census."""
    desk.bring(ann=wide("fear", ELIGIBLE))
    assert desk.labels().select("design", "inclusion").unique().rows() == [("census", 1.0)]


def test_two_annotators_can_make_a_census_together_level_by_level(desk: Any) -> None:
    """Two annotators can make a census together level by level."""
    first = "id,fear,secrecy\n" + "".join(f"c-{i},1,0\n" for i in range(4))
    second = "id,fear\n" + "".join(f"c-{i},0\n" for i in range(4, 8))
    desk.bring(ann=first, ben=second)
    found = desk.labels().select("level", "design", "inclusion").unique().sort("level").rows()
    assert found == [("fear", "census", 1.0), ("secrecy", "unknown", None)]


def test_a_skipped_label_breaks_a_census(desk: Any, wide: Any) -> None:
    """A skipped label breaks a census."""
    desk.bring(ann=wide("fear", {**ELIGIBLE, 3: ""}))
    assert desk.labels()["design"].unique().to_list() == ["unknown"]


def test_a_uniform_sample_tells_its_own_inclusion_and_inclusion_its_design(desk: Any) -> None:
    """A uniform sample tells its own inclusion and inclusion its design."""
    desk.bring(ann="id,fear,design\nc-0,1,uniform\nc-1,0,uniform\n", ben="id,secrecy,inclusion\nc-0,1,0.5\nc-1,0,0.1\n")
    found = desk.labels().sort("level", "comment_id").select("design", "inclusion").rows()
    assert found == [("uniform", 0.25), ("uniform", 0.25), ("stratified", 0.5), ("stratified", 0.1)]


def test_importing_a_file_again_replaces_what_it_wrote_and_nothing_else(desk: Any, wide: Any) -> None:
    """Importing a file again replaces what it wrote and nothing else."""
    desk.bring(ann=wide("fear", {0: "1", 1: "1", 2: "0"}), ben=wide("fear", {0: "0"}))
    desk.bring(ann=wide("fear", {0: "0"}))
    found = desk.labels().select("comment_id", "annotator", "value").rows()
    assert found == [("file:c-0", "ann", "no"), ("file:c-0", "ben", "no")]


def test_importing_twice_gives_an_equal_table(desk: Any, wide: Any) -> None:
    """Importing twice gives an equal table."""
    desk.bring(ann=wide("fear", ELIGIBLE))
    before = desk.workspace.digest(LABELS)
    desk.bring(ann=wide("fear", ELIGIBLE))
    assert desk.workspace.digest(LABELS) == before


def test_what_cannot_be_placed_is_said(desk: Any) -> None:
    """What cannot be placed is said."""
    outcome = desk.bring(ann="id,fear,faer,stance\nc-0,1,1,favor\nnobody,1,0,favor\nc-0,0,0,favor\n")
    said = " ".join(outcome.notes)
    assert '1 ids are not those of one comment here and were left out, such as "nobody"' in said
    assert 'faer (did you mean "fear"?)' in said
    assert '"stance:<target>"' in said
    assert "1 labels repeat" in said
    assert desk.labels()["value"].to_list() == ["yes"]


def test_a_design_without_its_probabilities_is_said_and_serves_no_estimate(desk: Any) -> None:
    """Drawn unequally, but with what chance? The labels are kept, their inclusion stays unknown."""
    outcome = desk.bring(ann="id,fear,design,inclusion\nc-0,1,stratified,0.5\nc-1,0,stratified,\nc-2,0,uncertain,\n")
    said = "2 labels say how their comments were drawn (stratified) but not with what chance"
    assert [note for note in outcome.notes if said in note]
    assert desk.labels()["inclusion"].to_list() == [0.5, None, None]


def test_files_that_disagree_on_inclusion_are_told_apart_and_said(desk: Any) -> None:
    """Two annotators' files give one comment different chances: one sentence counts such comments."""
    outcome = desk.bring(
        ann="id,fear,inclusion\nc-0,1,0.5\nc-1,1,0.5\n", ben="id,fear,inclusion\nc-0,1,0.1\nc-1,0,0.5\n"
    )
    assert "1 comments have labels that give different inclusions; the smallest is used" in outcome.notes


def test_labels_without_dates_are_taken_in_the_order_of_the_file(desk: Any) -> None:
    """A missing date is no fault: the label has none."""
    desk.bring(ann="id,fear,labelled_at\nc-0,1,\nc-1,0,2026-01-31T12:00:00Z\n")
    assert desk.labels()["labelled_at"].null_count() == 1


def test_a_stance_column_can_name_its_target(desk: Any) -> None:
    """A stance column can name its target."""
    desk.bring(ann="id,stance:the lamps\nc-0,favor\n")
    assert desk.labels().select("kind", "level", "value").rows() == [("stance", "the lamps", "favor")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,fear\nc-0,1\nc-1,maybe\n", r'ann.csv: row 3: fear is "maybe"; allowed: 1, yes, true, 0, no, false'),
        ("id,stance:x\nc-0,meh\n", r'row 2: stance:x is "meh"; allowed: favor, against, neutral, off_target'),
        ("id,fear,inclusion\nc-0,1,0\n", r'row 2: inclusion is "0"; allowed: a number above 0'),
        ("id,fear,inclusion\nc-0,1,nan\n", r"row 2: inclusion"),
        ("id,fear,design\nc-0,1,luck\n", r'design is "luck"; allowed: uniform, stratified'),
        ("id,fear,hard\nc-0,1,very\n", r'hard is "very"'),
        ("id,kind,level,value\nc-0,frame,faer,yes\n", r'level is "faer"; allowed: fear, secrecy'),
        ("id,kind,level,value\nc-0,mood,fear,yes\n", r'kind is "mood"; allowed: frame, stance'),
        ("id,kind,level,value\nc-0,,fear,yes\n", r"row 2: kind is empty"),
        ("comment,fear\nc-0,1\n", r"has no column comment_id or id; its columns are comment, fear"),
        ("id,text\nc-0,hello\n", r"has no column of labels; name one of fear, secrecy, stance"),
        ("", r"is not valid CSV"),
        ("id,fear\nc-0,1,2,3\n", r"is not valid CSV"),
        ("id,fear,fear \nc-0,1,2\n", r"two columns have the same name"),
    ],
)
def test_a_bad_file_is_refused_with_its_place_and_what_is_allowed(desk: Any, text: str, message: str) -> None:
    """A bad file is refused with its place and what is allowed."""
    with pytest.raises(InputError, match=message):
        desk.bring(ann=text)
    assert desk.workspace.parts(LABELS) == []


def test_a_missing_file_or_one_that_is_no_text_is_refused(desk: Any) -> None:
    """A missing file or one that is no text is refused."""
    desk.bring(ann="id,fear\nc-0,1\n")
    (desk.folder / "ann.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not UTF-8"):
        _again(desk)
    (desk.folder / "ann.csv").unlink()
    with pytest.raises(InputError, match="cannot be read"):
        _again(desk)


def test_semicolons_and_a_byte_order_mark_are_read(desk: Any) -> None:
    """Semicolons and a byte order mark are read."""
    desk.bring(ann="\ufeffid;fear\nc-0;1\n")
    assert desk.labels()["value"].to_list() == ["yes"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(alphabet=st.sampled_from('id,fear\n"c-019yeso;|\x00é '), max_size=80))
def test_any_file_is_imported_or_refused_in_one_sentence(desk: Any, text: str) -> None:
    """Any file is imported or refused in one sentence."""
    try:
        outcome = desk.bring(ann="id,fear\n" + text)
    except InputError as e:
        said = str(e)
        assert len(said.splitlines()) == 1
        return
    assert outcome.counts["labels"] == desk.labels().height
    LABELS.conform(desk.labels())


def _again(desk: Any) -> None:
    values = {
        "bundles": {"frames": str(desk.folder / "bundle")},
        "codebook": {"file": str(desk.folder / "codebook.toml")},
        "labels": {"files": [str(desk.folder / "ann.csv")]},
    }
    run(desk.workspace, parse_config(values))
