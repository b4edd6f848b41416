"""Comments of our own wording on which a trained bundle is tried, so that its card can show what it gets wrong.

They are no figure: they were chosen for being hard. A bundle is never trained on them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any, Literal

from discourse.codebook import Codebook
from discourse.config import Section
from discourse.models.answers import frame_answers, stance_answers
from discourse.models.bundle import Calibration
from discourse.models.frame_inputs import FrameInput
from discourse.models.frames import FramesModel
from discourse.models.stance import CLASSES, Reading, StanceModel

CODEBOOK_EXAMPLE = "example of the codebook"


class FrameCase(Section):
    """One comment and the frames that it has; `labelled` names those on which it was coded, all of them if empty."""

    kind: str
    text: str
    title: str = ""
    parent: str = ""
    yes: tuple[str, ...] = ()
    labelled: tuple[str, ...] = ()


class FrameCases(Section):
    """A file of cases for one codebook."""

    codebook: str
    cases: tuple[FrameCase, ...]


class StanceCase(Section):
    """One comment and its stance to a target."""

    kind: str
    target: str
    text: str
    parent: str = ""
    stance: Literal["favor", "against", "neutral", "off_target"]


class StanceCases(Section):
    """A file of cases for any target."""

    cases: tuple[StanceCase, ...]


def frame_cases(codebook: Codebook, *, examples: bool = True) -> list[FrameCase]:
    """Return the cases that we wrote for a codebook, if any, and (`examples`) those in the codebook itself."""
    file = resources.files("discourse") / "data" / "error_examples" / f"{codebook.name}.toml"
    found: list[FrameCase] = []
    if file.is_file():
        found += FrameCases.model_validate(tomllib.loads(file.read_text(encoding="utf-8"))).cases
    for frame in codebook.frames if examples else ():
        found += [
            FrameCase(
                kind=CODEBOOK_EXAMPLE,
                text=example.text,
                title=example.title,
                parent=example.parent,
                yes=(frame.name,) if example.label else (),
                labelled=(frame.name,),
            )
            for example in frame.examples
        ]
    return found


def stance_cases() -> list[StanceCase]:
    """Return the cases that we wrote for stance."""
    file = resources.files("discourse") / "data" / "error_examples" / "stance.toml"
    return list(StanceCases.model_validate(tomllib.loads(file.read_text(encoding="utf-8"))).cases)


def tried_frames(
    model: FramesModel, calibration: Mapping[str, Calibration], codebook: Codebook, *, examples: bool = True
) -> dict[str, Any]:
    """Return which cases a frames model gets wrong, by its forced answer on any frame that the case is coded on.

    Args:
        model: as it ships.
        calibration: of its levels.
        codebook: whose frames it knows, all or some.
        examples: whether it is tried on the codebook's examples, too; not if it learned from them.

    Returns:
        `by_kind`: of each kind n and right; `wrong`: kind, text, title, parent, missed and wrongly (frames), and
        unsure (those of both on which the decision is `unsure`).
    """
    cases = frame_cases(codebook, examples=examples)
    inputs = [FrameInput(case.text, case.title, case.parent) for case in cases]
    answers = frame_answers(model, calibration, inputs, None)
    wrong: list[dict[str, Any]] = []
    for i, case in enumerate(cases):
        known = [level for level in model.levels if not case.labelled or level in case.labelled]
        tagged = [level for level in known if answers[level].tag[i]]
        missed = [level for level in known if level in case.yes and level not in tagged]
        wrongly = [level for level in tagged if level not in case.yes]
        if missed or wrongly:
            unsure = [level for level in (*missed, *wrongly) if answers[level].unsure[i]]
            found = {"kind": case.kind, "text": case.text, "title": case.title, "parent": case.parent}
            wrong.append({**found, "missed": missed, "wrongly": wrongly, "unsure": unsure})
    return {"by_kind": _by_kind([case.kind for case in cases], wrong), "wrong": wrong}


def tried_stance(model: StanceModel, calibration: dict[str, Calibration]) -> dict[str, Any]:
    """Return which cases a stance model gets wrong: `by_kind`, and `wrong` with stance and answer of each.

    Args:
        model: as it ships.
        calibration: of its bundle.
    """
    cases = stance_cases()
    answers = stance_answers(model, calibration, [Reading(case.target, case.text, case.parent) for case in cases], None)
    wrong = [
        {**case.model_dump(), "answer": CLASSES[number]}
        for case, number in zip(cases, answers.answer, strict=True)
        if CLASSES[number] != case.stance
    ]
    return {"by_kind": _by_kind([case.kind for case in cases], wrong), "wrong": wrong}


def _by_kind(kinds: Sequence[str], wrong: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    return {
        kind: {"n": kinds.count(kind), "right": kinds.count(kind) - sum(each["kind"] == kind for each in wrong)}
        for kind in dict.fromkeys(kinds)
    }
