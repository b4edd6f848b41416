"""How the numbers came about: what must hold, what the marks mean, how good the models are, and the receipt."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from discourse.errors import BundleError
from discourse.models.bundle import load_bundle, shipped_bundles
from discourse.report.material import Material

MARKS = ("not_validated", "not_estimable", "low_sample")
TERMS = ("frame", "stance", "codebook", "eligible", "interval", "unsure", "evidence", "heldout")
COUNTING = ("data_count", "tag_count", "assignment_count")


@dataclass(frozen=True, slots=True)
class Term:
    """A word used in a special sense."""

    word: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Assumption:
    """A method, and what must hold for its intervals to be right."""

    method: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """A bundle: its id, and lines of its card if it is at hand."""

    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MethodView:
    """Everything in the sections on method and receipt."""

    assumptions: tuple[Assumption, ...]
    marks: tuple[Term, ...]
    terms: tuple[Term, ...]
    models: tuple[Model, ...]
    receipt: str


def method(material: Material) -> MethodView:
    """Gather assumptions, marks, words, models and the receipt."""
    words = material.words
    return MethodView(
        assumptions=tuple(
            Assumption(words.text(f"method.{name}", otherwise=name), sentences)
            for name, sentences in material.estimates.assumptions().items()
            if name not in COUNTING
        ),
        marks=tuple(Term(words.text(f"mark.{mark}"), words.text(f"mark.{mark}.meaning")) for mark in MARKS),
        terms=tuple(Term(words.text(f"term.{term}"), words.text(f"term.{term}.meaning")) for term in TERMS),
        models=_models(material),
        receipt=json.dumps(_receipt(material), indent=1, ensure_ascii=False, sort_keys=True),
    )


def _models(material: Material) -> tuple[Model, ...]:
    config = material.config.bundles
    asked = {config.frames: material.frames["bundle"], config.stance: material.stance["bundle"]}
    found: list[Model] = []
    for reference, used in asked.items():
        found += [Model(name, _card(reference, name, material)) for name in sorted(used.unique())]
    return tuple(found)


def _card(reference: str, name: str, material: Material) -> tuple[str, ...]:
    # A hub id is not looked up: the report never asks the network for anything.
    if not Path(reference).exists() and reference not in shipped_bundles():
        return ()
    try:
        bundle = load_bundle(reference)
    except BundleError:
        return (material.words.text("model.absent"),)
    if bundle.id != name:
        return (material.words.text("model.absent"),)
    manifest = bundle.manifest
    said = {
        "encoder": manifest.encoder,
        "languages": ", ".join(manifest.languages),
        "licence": manifest.licence,
        "provenance": "; ".join(manifest.provenance),
    }
    return tuple(material.words.text(f"model.{key}", value=value) for key, value in said.items() if value)


def _receipt(material: Material) -> dict[str, Any]:
    """Return what is printed of the receipt: never the author key's place; outside `full` no name, time or address."""
    receipt = material.receipt.model_dump(mode="json")
    receipt["config"] = _bare(receipt["config"] or material.config.model_dump(mode="json"))
    _drop(receipt["config"], "normalize", "author_key")
    if material.policy.full:
        return receipt
    receipt["sources"] = sorted(receipt["sources"].values())
    for place in (("input",), ("workspace",), ("labels", "files"), ("filter", "threads"), ("collect",)):
        _drop(receipt["config"], *place)
    for stage in receipt["stages"].values():
        del stage["finished_at"], stage["notes"]
        stage["inputs"] = sorted(stage["inputs"].values())
        stage["outputs"] = sorted(stage["outputs"].values())
    return receipt


def _bare(value: Any) -> Any:  # noqa: ANN401  # JSON is of any form
    """Return settings with the names of files only: where they lie on a machine is nobody else's matter."""
    if isinstance(value, dict):
        return {name: _bare(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_bare(each) for each in value]
    if isinstance(value, str) and (PurePosixPath(value).is_absolute() or PureWindowsPath(value).is_absolute()):
        return PureWindowsPath(value).name
    return value


def _drop(values: Any, *place: str) -> None:  # noqa: ANN401  # JSON is of any form
    for part in place[:-1]:
        values = values.get(part, {}) if isinstance(values, dict) else {}
    if isinstance(values, dict):
        values.pop(place[-1], None)
