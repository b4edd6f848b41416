"""What a run is asked to do: `discourse.toml` as pydantic models. Every default lives here or in `config_judge`."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationError

from discourse.config_judge import JudgeConfig
from discourse.config_section import Section, Words, named_once, one_or_many
from discourse.errors import InputError, UsageError, did_you_mean
from discourse.tables import Role


def _seeds(values: tuple[int, ...]) -> tuple[int, ...]:
    if min(values) < 0 or max(values) >= 2**32:
        raise ValueError("a seed is a whole number from 0 to 4294967295")
    if len(set(values)) < len(values):
        raise ValueError("a seed here repeats")
    return values


class InputConfig(Section):
    """Where comments come from and how files of them are read."""

    sources: Words = ()
    mode: Literal["auto", "line", "paragraph"] = "auto"
    article_lines: Annotated[str | None, Field(pattern=r"^\d+(-\d+)?$")] = None
    furniture: Words = ()
    map: dict[str, str] = Field(default_factory=dict[str, str])
    opening: Literal["first"] | None = None
    attributes: Words = ()
    thread: str | None = None


class NormalizeConfig(Section):
    """How text is cleaned and identified."""

    languages: Words = ("en", "es", "fr", "de", "it", "pt", "nl", "pl", "ru", "ar", "he", "tr")
    author_key: Path | None = None


class CodebookConfig(Section):
    """Which codebook names and defines the frames: a shipped name or a TOML file."""

    file: str = "surveillance-culture-secrecy"


class BundlesConfig(Section):
    """Which models tag: shipped names, folders, zip files or hub ids."""

    frames: str = "frames-minilm"
    stance: str = "stance-minilm"
    topics: str | None = None


class StanceConfig(Section):
    """The targets whose favor and opposition are read; none means that no stance is tagged."""

    targets: Annotated[Words, AfterValidator(named_once)] = ()


class TopicsConfig(Section):
    """How topics are found and shown; numbers are those that `topic_info` and the report give."""

    random_seeds: Annotated[
        tuple[int, ...],
        Field(min_length=1, description="the first makes the topics shown; the others test how stable they are"),
        AfterValidator(_seeds),
    ] = (0, 1, 2)
    guided: dict[str, Words] = Field(
        default_factory=dict[str, Words], description="topics looked for: a name and its words"
    )
    merge: tuple[Annotated[tuple[int, ...], Field(min_length=2)], ...] = ()
    rename: dict[Annotated[str, Field(pattern=r"^\d+$")], Annotated[str, Field(min_length=1)]] = Field(
        default_factory=dict[str, str]
    )
    hide: tuple[int, ...] = ()
    names: Annotated[
        Literal["keywords", "judge"],
        Field(description="judge: the external coder names them, from keywords and five comments of each"),
    ] = "keywords"


Precision = Literal["fp32", "int8"]


class TaggingConfig(Section):
    """How the models are run."""

    exact: bool = False
    context: bool = True
    precision: Annotated[
        Precision, Field(description="int8: faster on a processor, and a little less exact; its tags are kept apart")
    ] = "fp32"


def _end(value: object) -> object:
    return None if value == "" else value


Day = Annotated[date | None, BeforeValidator(_end)]


def _ordered(dates: tuple[date | None, date | None] | None) -> tuple[date | None, date | None] | None:
    if dates and dates[0] and dates[1] and dates[0] > dates[1]:
        raise ValueError("the first date is after the last")
    return dates


class FilterConfig(Section):
    """Which comments count at all; every exclusion is part of the denominator line."""

    dates: Annotated[
        tuple[Day, Day] | None, Field(description="first and last day in UTC; empty: open"), AfterValidator(_ordered)
    ] = None
    languages: Words = ()
    threads: Words = ()
    roles: Annotated[tuple[Role, ...], BeforeValidator(one_or_many)] = ()
    attributes: dict[str, Words] = Field(
        default_factory=dict[str, Words], description="columns of [input] attributes and their values"
    )


class AggregateConfig(Section):
    """What the estimates speak of: these comments, or with `similar` threads like these too (8 threads or more)."""

    population: Literal["collected", "similar"] = "collected"


class CompareConfig(Section):
    """Which groups are set side by side."""

    groups: Annotated[Words, AfterValidator(named_once)] = ()
    split_at: date | None = None


class LabelsConfig(Section):
    """Labels given by people."""

    files: Words = ()
    resolve: Literal["majority", "yes", "no", "first"] = "majority"


class ReportConfig(Section):
    """How the report looks and what it quotes."""

    quotes: Literal["full", "short", "none"] = "full"
    scrub: bool = True
    lang: Literal["de", "en"] = "en"
    theme: dict[str, str] = Field(
        default_factory=dict[str, str], description="colours by name, such as accent, as #rrggbb"
    )


class CapsConfig(Section):
    """Limits on what one collection may take: bytes an answer, reply depth, comments a thread, seconds."""

    bytes: int = 50_000_000
    depth: int = 2_000
    comments: int = 100_000
    seconds: int | None = None


class CollectConfig(Section):
    """How polite and how patient a collection is."""

    contact: str | None = None
    rate: Annotated[float, Field(gt=0, description="requests a second for one host")] = 1.0
    caps: CapsConfig = CapsConfig()
    profile: Path | None = None
    keep_deleted: bool = False
    allow_private: bool = False


class RayConfig(Section):
    """The cluster that works with `engine = "ray"`."""

    address: Annotated[
        str | None,
        Field(description="HOST:PORT of its head; else that in RAY_ADDRESS; else one is started here for the run"),
    ] = None
    workers: Annotated[int | None, Field(ge=1, description="none: as many as the cluster has room for")] = None
    cpus: Annotated[int, Field(ge=1, description="of one worker")] = 1


class Config(Section):
    """One analysis: what to read, with which models, counted and shown how."""

    input: InputConfig = InputConfig()
    normalize: NormalizeConfig = NormalizeConfig()
    codebook: CodebookConfig = CodebookConfig()
    bundles: BundlesConfig = BundlesConfig()
    stance: StanceConfig = StanceConfig()
    topics: TopicsConfig = TopicsConfig()
    tagging: TaggingConfig = TaggingConfig()
    filter: FilterConfig = FilterConfig()
    aggregate: AggregateConfig = AggregateConfig()
    compare: CompareConfig = CompareConfig()
    labels: LabelsConfig = LabelsConfig()
    report: ReportConfig = ReportConfig()
    collect: CollectConfig = CollectConfig()
    judge: JudgeConfig = JudgeConfig()
    engine: Literal["local", "ray"] = "local"
    ray: RayConfig = RayConfig()
    tagger: Literal["bundle", "openai-compatible"] = "bundle"
    seed: int = 0
    workspace: Path | None = None

    def fingerprint(self, *sections: str) -> str:
        """Return a SHA-256 of the named sections, for telling whether a stage must run again."""
        chosen = self.model_dump(mode="json", include=set(sections))
        return hashlib.sha256(json.dumps(chosen, sort_keys=True).encode()).hexdigest()


def load_config(path: Path) -> Config:
    """Read `discourse.toml`; relative paths in it are taken from the folder it lies in.

    Raises:
        InputError: the file is missing or is no TOML.
        UsageError: a key is unknown or a value has the wrong form.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as e:
        raise InputError(f"{path}: cannot be read ({e.strerror}); give the path of a discourse.toml") from e
    except UnicodeDecodeError as e:
        raise InputError(f"{path}: is not UTF-8 text; save it as UTF-8") from e
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as e:
        raise InputError(f"{path}: is not valid TOML: {e}") from e
    return anchor(parse_config(values, str(path)), path.parent)


def parse_config(values: Mapping[str, Any], name: str = "configuration") -> Config:
    """Turn plain values into a Config.

    Raises:
        UsageError: a key is unknown or a value has the wrong form; the message names `name` and the key.
    """
    try:
        return Config.model_validate(values)
    except ValidationError as e:
        raise UsageError(f"{name}: {explain(e, Config)}") from e


def override(config: Config, changes: Mapping[str, object], name: str = "option") -> Config:
    """Return `config` with dotted keys such as ``input.mode`` replaced; None leaves a key as it is.

    Raises:
        UsageError: a key is unknown or a value has the wrong form.
    """
    values = config.model_dump()
    for key, value in changes.items():
        if value is None:
            continue
        *sections, last = key.split(".")
        place = values
        for section in sections:
            inner = place.get(section)
            if not isinstance(inner, dict):
                raise UsageError(f'{name}: there is no section "{section}"{did_you_mean(section, place)}')
            place = cast("dict[str, Any]", inner)
        place[last] = value
    return parse_config(values, name)


def anchor(config: Config, folder: Path) -> Config:
    """Return `config` with its relative paths taken from `folder`, where such a file exists or must exist."""

    def place(value: str) -> str:
        there = folder / value
        return str(there) if "://" not in value and there.exists() else value

    changes: dict[str, object] = {
        "input.sources": [place(source) for source in config.input.sources],
        "labels.files": [place(file) for file in config.labels.files],
        "codebook.file": place(config.codebook.file),
        "bundles.frames": place(config.bundles.frames),
        "bundles.stance": place(config.bundles.stance),
    }
    if config.bundles.topics is not None:
        changes["bundles.topics"] = place(config.bundles.topics)
    if config.normalize.author_key is not None:
        changes["normalize.author_key"] = folder / config.normalize.author_key
    if config.workspace is not None:
        changes["workspace"] = folder / config.workspace
    return override(config, changes)


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """Say in one clause what the first fault is, where it is, and which key was probably meant."""
    fault = error.errors()[0]
    place = [str(part) for part in fault["loc"]]
    key = ".".join(place)
    if fault["type"] == "extra_forbidden":
        known = _keys_beside(model, place)
        listed = ", ".join(known)
        return f'unknown key "{key}"{did_you_mean(place[-1], known)}; known here: {listed}'
    found = repr(fault["input"])
    return f'"{key}" is {found[:80]}: {fault["msg"].lower()}'


def _keys_beside(model: type[BaseModel], place: list[str]) -> list[str]:
    for part in place[:-1]:
        field = model.model_fields.get(part)
        if field is None or not isinstance(field.annotation, type) or not issubclass(field.annotation, BaseModel):
            break
        model = field.annotation
    return sorted(model.model_fields)
