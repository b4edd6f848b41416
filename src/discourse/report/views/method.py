"""How the numbers came about: what must hold, what the marks mean, how good the models are, and the receipt."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from discourse.config import Config
from discourse.errors import BundleError
from discourse.models.bundle import load_bundle, shipped_bundles
from discourse.report.figures import total
from discourse.report.material import Material
from discourse.report.phrases import Phrase
from discourse.report.said import Said, said
from discourse.report.views.coder import CoderView, coder, shown_coder

MARKS = ("not_validated", "not_estimable", "low_sample")
TERMS = (
    "frame",
    "stance",
    "codebook",
    "eligible",
    "interval",
    "unsure",
    "evidence",
    "heldout",
    "topic",
    "stability",
    "loud",
)
COUNTING = ("data_count", "tag_count", "assignment_count", "reply_count", "first_use")


@dataclass(frozen=True, slots=True)
class Term:
    """A word used in a special sense."""

    word: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Assumption:
    """A method, and what must hold for its intervals to be right."""

    method: str
    sentences: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """A bundle: its id, and if it is at hand the main facts of it and its whole card."""

    name: str
    lines: tuple[str, ...]
    card: str


@dataclass(frozen=True, slots=True)
class MethodView:
    """Everything in the sections on method and receipt."""

    assumptions: tuple[Assumption, ...]
    marks: tuple[Term, ...]
    terms: tuple[Term, ...]
    models: tuple[Model, ...]
    tiers: Phrase
    coder: CoderView | None
    command: str
    settings: str
    receipt: str


def method(material: Material) -> MethodView:
    """Gather assumptions, marks, words, models and the receipt."""
    words = material.words
    return MethodView(
        assumptions=tuple(
            Assumption(words.text(f"method.{name}", otherwise=name), tuple(said(each, words) for each in sentences))
            for name, sentences in material.estimates.assumptions().items()
            if name not in COUNTING
        ),
        marks=tuple(Term(words.text(f"mark.{mark}"), words.text(f"mark.{mark}.meaning")) for mark in MARKS),
        terms=tuple(Term(words.text(f"term.{term}"), words.text(f"term.{term}.meaning")) for term in TERMS),
        models=_models(material),
        tiers=_tiers(material),
        coder=coder(material),
        command=command(material),
        settings=settings(_receipt(material)["config"]),
        receipt=json.dumps(_receipt(material), indent=1, ensure_ascii=False, sort_keys=True),
    )


def _tiers(material: Material) -> Phrase:
    """Say which tier answered how many comments; nothing where there was but one."""
    found = {name: material.estimates.count(f"tier:{name}") for name in ("static", "encoder")}
    known = {name: total(row, material.words) for name, row in found.items() if row is not None}
    return material.words.phrase("model.tiers", **known) if len(known) == len(found) else ()


def _models(material: Material) -> tuple[Model, ...]:
    config = material.config.bundles
    asked = {config.frames: material.frames["bundle"], config.stance: material.stance["bundle"]}
    if material.config.tagger != "bundle":
        names = sorted({*material.frames["bundle"], *material.stance["bundle"]})
        return tuple(Model(shown_coder(name), (material.words.text("model.coder"),), "") for name in names)
    return tuple(
        _model(reference, name, material) for reference, used in asked.items() for name in sorted(used.unique())
    )


def _model(reference: str, name: str, material: Material) -> Model:
    # A hub id is not looked up: the report never asks the network for anything.
    shipped = reference in shipped_bundles()
    if not shipped and not Path(reference).exists():
        return Model(name, (), "")
    try:
        bundle = load_bundle(reference)
    except BundleError:
        return Model(name, (material.words.text("model.absent"),), "")
    if bundle.id != name.partition("+")[0]:
        return Model(name, (material.words.text("model.absent"),), "")
    manifest = bundle.manifest
    said = {
        "encoder": manifest.encoder,
        "languages": ", ".join(manifest.languages),
        "licence": manifest.licence,
        "provenance": "; ".join(manifest.provenance),
    }
    lines = tuple(material.words.text(f"model.{key}", value=value) for key, value in said.items() if value)
    # The card of a bundle trained here may name threads.
    card = bundle.folder / "CARD.md"
    told = card.read_text(encoding="utf-8") if (shipped or material.policy.full) and card.is_file() else ""
    return Model(name, lines, told)


def command(material: Material) -> str:
    """Return the commands that make this file again from the same files, with the settings printed beside them."""
    report = material.config.report
    options = [f"--quotes {report.quotes}"] if report.quotes != "full" else []
    options += [f"--lang {report.lang}"] if report.lang != "en" else []
    return "\n".join(
        ("discourse run discourse.toml -o WS", " ".join(("discourse report WS", *options, "-o report.html")))
    )


def settings(config: Mapping[str, Any]) -> str:
    """Return what differs from the defaults as a discourse.toml.

    Args:
        config: sections and single settings, as the receipt keeps them.
    """
    usual = Config().model_dump(mode="json")
    top: list[str] = []
    sections: list[str] = []
    for name, value in config.items():
        if not isinstance(value, dict) or name not in usual:
            if value is not None and value != usual.get(name):
                top.append(f"{name} = {_toml(value)}")
            continue
        changed = [
            f"{key} = {_toml(each)}" for key, each in value.items() if each is not None and each != usual[name].get(key)
        ]
        if changed:
            sections.append("\n".join((f"[{name}]", *changed)))
    return "\n\n".join(("\n".join(top), *sections) if top else sections)


def _toml(value: Any) -> str:  # noqa: ANN401  # JSON is of any form
    if isinstance(value, dict):
        inside = ", ".join(f"{json.dumps(key)} = {_toml(each)}" for key, each in value.items() if each is not None)
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list):
        return f"[{', '.join(_toml(each) for each in value)}]"
    # Strings, numbers and truth values are written in JSON as in TOML.
    return json.dumps(value, ensure_ascii=False)


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
