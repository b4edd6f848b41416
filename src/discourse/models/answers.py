"""What a bundle answers to comments that lie in memory: scores, probabilities, tags and `unsure`, path `exact`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discourse.models.bundle import Calibration
from discourse.models.calibration import probability
from discourse.models.frame_inputs import FrameInput
from discourse.models.frames import FramesModel
from discourse.models.stance import CLASSES, Reading, StanceModel, decide, gate_features
from discourse.models.text_vectors import read_texts
from discourse.progress import Advance

GATE_TOKENS = 256


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers on one frame: log-odds, calibrated probability, the forced answer (0 or 1), and what stays unanswered."""

    score: NDArray[np.float64]
    probability: NDArray[np.float64]
    tag: NDArray[np.int8]
    unsure: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class StanceAnswers:
    """Answers on stance: which rows passed the gate, probabilities (rows × `CLASSES`), and the class answered."""

    passed: NDArray[np.bool_]
    probability: NDArray[np.float64]
    answer: NDArray[np.int64]


def frame_answers(
    model: FramesModel, calibration: Mapping[str, Calibration], inputs: Sequence[FrameInput], advance: Advance | None
) -> dict[str, Answers]:
    """Return the answers on each frame of the model.

    Args:
        model: the frames model.
        calibration: of its bundle.
        inputs: the comments.
        advance: called with the number of comments done.
    """
    scores = model.read(inputs, advance).scores
    found: dict[str, Answers] = {}
    for k, level in enumerate(model.levels):
        of = calibration[level]
        p = probability(scores[:, k], of)
        unsure = (p >= of.unsure_low) & (p < of.unsure_high)
        found[level] = Answers(scores[:, k], p, (p >= of.threshold).astype(np.int8), unsure)
    return found


def stance_answers(
    model: StanceModel, calibration: dict[str, Calibration], readings: Sequence[Reading], advance: Advance | None
) -> StanceAnswers:
    """Return the answers on the targets of the readings; what the gate stops is off_target with certainty.

    Args:
        model: the stance model.
        calibration: of its bundle.
        readings: target, comment and the comment answered.
        advance: called with the number of texts and readings done, together twice the readings at most.
    """
    texts = list(dict.fromkeys(part for r in readings for part in (r.target, r.text, r.parent)))
    vectors = read_texts(model.gate_reader, texts, GATE_TOKENS)
    place = {text: i for i, text in enumerate(texts)}
    target, text, parent = (
        vectors[[place[part] for part in parts]]
        for parts in ([r.target for r in readings], [r.text for r in readings], [r.parent for r in readings])
    )
    if advance is not None:
        advance(len(readings))
    gate = model.gate.scores(gate_features(readings, target, text, parent))
    log_p = np.full((len(readings), len(CLASSES)), -np.log(len(CLASSES)))
    rows = np.flatnonzero(decide(gate, log_p, calibration)[0])
    log_p[rows] = model.log_probabilities([readings[row] for row in rows.tolist()], advance)
    passed, p, answer = decide(gate, log_p, calibration)
    off = np.eye(len(CLASSES))[CLASSES.index("off_target")]
    return StanceAnswers(passed, np.where(passed[:, None], p, off), answer)
