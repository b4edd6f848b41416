"""How scores become answers, as a recipe states it: calibration, the aim of each threshold, the error of `unsure`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, model_validator

from discourse.config import Section
from discourse.errors import UsageError, did_you_mean

Method = Literal["platt", "temperature", "isotonic"]
AimName = Literal["f1", "precision", "prevalence"]


@dataclass(frozen=True, slots=True)
class Aim:
    """What a threshold is chosen for, see `thresholds.threshold`.

    `precision` is the share of tags that shall be right and is read only where that is the aim. `weighted`: rows count
    as the comments they stand for; otherwise each labelled row counts once, whatever its weight.
    """

    name: AimName = "f1"
    precision: float = 0.8
    weighted: bool = True

    def __str__(self) -> str:
        """Return the aim as it stands in a bundle and on its card."""
        stated = f"precision >= {self.precision:g}" if self.name == "precision" else self.name
        return stated if self.weighted else f"{stated}, rows unweighted"


@dataclass(frozen=True, slots=True)
class Decisions:
    """How the scores of one label become probabilities, tags, and `unsure` at a stated error."""

    method: Method = "platt"
    aim: Aim = Aim()
    error: float = 0.1


class CalibrationSection(Section):
    """`[calibration]`: how scores become probabilities, see `calibration`."""

    method: Method = "platt"


class LabelThreshold(Section):
    """`[thresholds.labels.NAME]`: what differs for one label."""

    aim: AimName | None = None
    precision: Annotated[float | None, Field(gt=0, lt=1)] = None
    weighted: bool | None = None


class ThresholdsSection(Section):
    """`[thresholds]`: the aim of the thresholds, for all labels or, in `labels`, for one.

    `precision` is needed where the aim is precision, and nowhere else.
    """

    aim: AimName = "f1"
    precision: Annotated[float | None, Field(gt=0, lt=1)] = None
    weighted: bool = True
    labels: dict[str, LabelThreshold] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _precision_has_its_aim(self) -> ThresholdsSection:
        stated = {"thresholds": (self.aim, self.precision)}
        for name, own in self.labels.items():
            stated[f"thresholds.labels.{name}"] = (own.aim or self.aim, own.precision or self.precision)
        for where, (aim, precision) in stated.items():
            if aim == "precision" and precision is None:
                raise ValueError(f'{where}: aim = "precision" needs a number beside it, such as precision = 0.8')
        if all(aim != "precision" and precision is not None for aim, precision in stated.values()):
            raise ValueError(f'precision = {self.precision} is read only with aim = "precision"')
        return self

    def of(self, level: str) -> Aim:
        """Return the aim of one label."""
        own = self.labels.get(level, LabelThreshold())
        return Aim(
            own.aim or self.aim,
            own.precision or self.precision or Aim.precision,
            self.weighted if own.weighted is None else own.weighted,
        )


class UnsureSection(Section):
    """`[unsure]`: how many yes, and how many no, may be answered wrongly; the rest of the doubt is `unsure`."""

    error: Annotated[float, Field(gt=0, lt=0.5)] = 0.1


def decisions_by_label(
    calibration: CalibrationSection, thresholds: ThresholdsSection, unsure: UnsureSection, labels: Sequence[str]
) -> dict[str, Decisions]:
    """Return what a recipe states for each label.

    Raises:
        UsageError: a threshold is stated for a label that there is not.
    """
    for name in thresholds.labels:
        if name not in labels:
            raise UsageError(f"thresholds.labels.{name}: is no label{did_you_mean(name, labels)}: {', '.join(labels)}")
    return {label: Decisions(calibration.method, thresholds.of(label), unsure.error) for label in labels}
