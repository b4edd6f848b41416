"""The card says what was measured, how sure that is, and what the bundle gets wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.models.test_evaluation import judged

from discourse.codebook import load_codebook
from discourse.errors import UsageError
from discourse.models.bundle import Bundle, load_bundle
from discourse.models.card import write_card
from discourse.models.card_tables import escaped
from discourse.models.decisions import (
    Aim,
    CalibrationSection,
    LabelThreshold,
    ThresholdsSection,
    UnsureSection,
    decisions_by_label,
)
from discourse.models.encoder import load_encoder
from discourse.models.error_examples import frame_cases, stance_cases, tried_frames, tried_stance
from discourse.models.evaluation import measured
from discourse.models.frames import load_frames
from discourse.models.recipe import DataFile, Recipe
from discourse.models.stance import load_stance

RECIPE = Recipe(
    name="animals",
    kind="frames",
    method="heads",
    licence="CC0-1.0",
    provenance=("written | for this test",),
    data=(DataFile(file="x.csv", source="x"),),
)
SHIPPED = "surveillance-culture-secrecy"


def metrics(rate: float) -> dict[str, Any]:
    """Return figures as training makes them."""
    found = measured({"cats": judged(rate=rate)}, draws=40)
    found["by_label"]["cats"] |= {
        "aim": "precision >= 0.8",
        "threshold": 0.4321,
        "unsure_low": 0.2,
        "unsure_high": 0.5,
        "error": 0.1,
        "error_yes": 0.1 if rate > 0.1 else 0.25,
        "error_no": 0.1,
    }
    return {"judged_by": "leave-one-source-out", **found}


def test_every_measurement_is_on_the_card_with_its_interval() -> None:
    found = metrics(0.3)
    found["examples"] = {
        "by_kind": {"irony": {"n": 2, "right": 1}},
        "wrong": [
            {
                "kind": "irony",
                "text": "Lovely cat | [x](javascript:1) <b>",
                "title": "Cats",
                "parent": "",
                "missed": ["cats"],
                "wrongly": [],
                "unsure": ["cats"],
            }
        ],
    }
    card = write_card(RECIPE, found, ["## Fit\n\nAs usual."])
    row = found["by_label"]["cats"]
    for key, digits in (("f1", 2), ("average_precision", 2), ("ece", 3), ("slope", 2), ("coverage_yes", 2)):
        low, high = row["intervals"][key]
        assert f"{row[key]:.{digits}f} [{low:.{digits}f}–{high:.{digits}f}]" in card, key
    assert "| cats | precision \\>= 0.8 | 0.432 | 0.200 | 0.500 |" in card
    assert card.count("│") == len(row["reliability"]) + 1
    assert all(f"| cats | s{i} |" in card for i in range(4))
    assert "- *irony*: “Lovely cat \\| [x\\](javascript:1) \\<b\\>” (title: Cats): missed cats, unsure of it" in card
    assert "As usual." in card
    assert "a language model's reading of the codebook" in card
    assert "Unproven" not in card


def test_few_yes_are_called_unproven_and_what_cannot_be_stated_is_said() -> None:
    found = metrics(0.02)
    found["by_label"]["cats"]["tagged"] = 0
    card = write_card(RECIPE, found)
    assert "cats: the aim (precision >= 0.8) is out of reach; no held-out comment is tagged." in card
    assert "**Unproven** (fewer than 25 effective yes): cats." in card
    assert "too few threads with a yes to vouch for an error of 10%; the least that can be stated is 25%" in card


def test_a_bundle_that_was_never_measured_says_so() -> None:
    card = write_card(RECIPE, {"by_label": {}, "by_source": {}})
    assert "Nobody knows" in card
    assert "When not to use it" in card


def test_words_of_strangers_cannot_break_a_table() -> None:
    assert escaped("a|b\n[c](d) `e` *f*") == r"a\|b [c\](d) \`e\` \*f\*"


def test_examples_are_coded_by_the_codebook_and_none_repeats() -> None:
    book = load_codebook(SHIPPED)
    cases = frame_cases(book)
    assert {level for case in cases for level in case.yes} == set(book.names)
    texts = [case.text for case in cases]
    assert len(set(texts)) == len(texts)
    kinds = {case.kind for case in cases}
    assert {"irony", "resignation", "shown by the title alone", "quotation kept at a distance"} <= kinds
    assert {case.stance for case in stance_cases()} == {"favor", "against", "neutral", "off_target"}


def test_examples_were_never_trained_on(shared: Path) -> None:
    written = set(pl.read_parquet(shared / "data/frames/written.parquet")["text"])
    assert not written & {case.text for case in frame_cases(load_codebook(SHIPPED)) if case.kind[:7] != "example"}


def test_a_bundle_is_tried_on_the_examples(frames_bundle: Bundle) -> None:
    book, model = load_codebook(SHIPPED), load_frames(frames_bundle, load_encoder())
    found = tried_frames(model, frames_bundle.calibration(), book)
    assert sum(kind["n"] for kind in found["by_kind"].values()) == len(frame_cases(book))
    right = sum(kind["right"] for kind in found["by_kind"].values())
    assert right + len(found["wrong"]) == len(frame_cases(book))
    never = {
        level: of.model_copy(update={"threshold": 1.0, "unsure_high": 1.0})
        for level, of in frames_bundle.calibration().items()
    }
    silent = tried_frames(model, never, book)
    assert all(each["missed"] and not each["wrongly"] for each in silent["wrong"])
    assert len(silent["wrong"]) == sum(bool(case.yes) for case in frame_cases(book))
    kinds = {case.kind for case in frame_cases(book, examples=False)}
    assert set(found["by_kind"]) - kinds == {"example of the codebook"}


def test_a_stance_bundle_is_tried_on_its_own_examples() -> None:
    bundle = load_bundle("stance-minilm")
    found = tried_stance(load_stance(bundle, load_encoder()), bundle.calibration())
    assert sum(kind["n"] for kind in found["by_kind"].values()) == len(stance_cases())
    assert all(each["answer"] != each["stance"] for each in found["wrong"])


def test_a_recipe_states_the_aim_of_each_label() -> None:
    stated = ThresholdsSection(
        aim="precision", precision=0.7, labels={"dogs": LabelThreshold(aim="f1", weighted=False)}
    )
    found = decisions_by_label(
        CalibrationSection(method="isotonic"), stated, UnsureSection(error=0.2), ["cats", "dogs"]
    )
    assert found["cats"].aim == Aim("precision", 0.7)
    assert str(found["dogs"].aim) == "f1, rows unweighted"
    assert (found["dogs"].method, found["dogs"].error) == ("isotonic", 0.2)
    with pytest.raises(UsageError, match=r'thresholds.labels.dogs: is no label \(did you mean "dog"'):
        decisions_by_label(CalibrationSection(), stated, UnsureSection(), ["cat", "dog"])


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"aim": "precision"}, "needs a number beside it"),
        ({"precision": 0.8}, "read only with aim"),
        ({"labels": {"x": {"aim": "precision"}}}, "thresholds.labels.x"),
        ({"aim": "accuracy"}, "aim"),
    ],
)
def test_an_aim_without_sense_is_refused(values: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ThresholdsSection.model_validate(values)
