"""What was sent to an external coder, and how its answers came out: said plainly wherever one was asked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PureWindowsPath

from discourse.report.figures import quality, total
from discourse.report.index import Estimates
from discourse.report.material import Material
from discourse.report.phrases import Figure, Phrase
from discourse.tables import Measure

USES = {"tags": "coder.sent.tags", "names of topics": "coder.sent.topics"}
PAIRS = ("runs", "people")


@dataclass(frozen=True, slots=True)
class Row:
    """A figure and what it is of."""

    label: str
    figure: Figure


@dataclass(frozen=True, slots=True)
class CoderView:
    """Where texts went and for what; answers in all and invalid ones by reason; agreement of runs and with people."""

    sent: tuple[str, ...]
    counts: Phrase
    reasons: tuple[Row, ...]
    agreement: tuple[Row, ...]


def coder(material: Material) -> CoderView | None:
    """Gather what is said of external coders; None where none was asked."""
    if material.answers.is_empty():
        return None
    words, found = material.words, material.estimates
    rows = {name: found.count(f"coder:{name}") for name in ("answers", "invalid")}
    known = {name: total(row, words) for name, row in rows.items() if row is not None}
    sent = material.answers.select("use", "coder", "host").unique(maintain_order=True)
    return CoderView(
        sent=tuple(dict.fromkeys(_sent(material, *row) for row in sent.iter_rows())),
        counts=words.phrase("coder.counts", **known) if len(known) == len(rows) else (),
        reasons=tuple(
            Row(words.text(f"coder.invalid.{name}", otherwise=name), total(row, words))
            for row in found.levels("coder:invalid:", Measure.COUNT)
            for name in [row.level.removeprefix("coder:invalid:")]
        ),
        agreement=_agreement(material, found),
    )


def shown_coder(name: str) -> str:
    """Return a coder's name for readers: a model that is a file is named without its folder."""
    model, at, digest = name.rpartition("@")
    return f"{PureWindowsPath(model).name or model}{at}{digest}"


def _sent(material: Material, use: str, name: str, host: str) -> str:
    key = USES.get(use, "coder.sent.labels")
    return material.words.text(key, host=host, coder=shown_coder(name))


def _agreement(material: Material, found: Estimates) -> tuple[Row, ...]:
    words = material.words
    titles = {f"frame:{frame.name}": frame.title for frame in material.codebook.frames}
    titles |= {f"stance:{target}": target for target in material.config.stance.targets}
    return tuple(
        Row(words.text(f"coder.alpha.{pairs}", level=titles[level]), quality(row, words))
        for pairs in PAIRS
        for level in titles
        if (row := found.first(f"coder:{level}:{pairs}", Measure.ALPHA)) is not None and row.known
    )
