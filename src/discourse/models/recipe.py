"""How a bundle is trained, as a TOML file, and the labelled rows that it names."""

from __future__ import annotations

import tempfile
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import polars as pl
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from discourse.config import Section, explain
from discourse.errors import InputError, UsageError, did_you_mean
from discourse.models.bundle import text_hash
from discourse.models.decisions import CalibrationSection, ThresholdsSection, UnsureSection
from discourse.models.labelled_texts import short_sha1, texts_by_id
from discourse.models.training_checks import Checked, check_columns, numbered, shortened, without_empty
from discourse.models.unlabelled import UnlabelledFile

Clean = Callable[[pl.Series], pl.Series]


class DataFile(Section):
    """One labelled file and how it is used.

    `thread`: the column that names the thread; without it each row is its own. `texts`: files in which texts are
    looked up where the labels come by `id` alone, see `labelled_texts.texts_by_id`. `weights`: a table of `id` and
    `weight` that replaces the rows' own. `training_only` rows are never part of a figure. `importance`: how much a row
    counts in training. `neutral_means`: what a data set's neutral says. `foreign_pairs`: a seeded share of rows is
    paired with another target of the file and becomes off_target.
    """

    file: str
    source: str
    thread: str | None = None
    texts: tuple[str, ...] = ()
    weights: str | None = None
    training_only: bool = False
    importance: Annotated[float, Field(gt=0)] = 1.0
    rows: Annotated[int | None, Field(ge=1)] = None
    neutral_means: Literal["neutral", "off_target", "either"] = "neutral"
    foreign_pairs: Annotated[float, Field(ge=0, le=1)] = 0.0


class HeadsSection(Section):
    """Settings of frozen heads, see `heads.HeadSettings`."""

    penalty: Annotated[float, Field(gt=0)] = 1.0
    positive_weight: Annotated[float, Field(gt=0)] = 3.0
    definition: Annotated[float, Field(ge=0)] = 0.0


class TuningSection(Section):
    """Settings of tuned layers, see `tuning.TuningSettings`.

    `layers`: how many of the top ones (full fine-tuning takes all). `rank`: of adapters. `positive_weight`: how much
    more a yes weighs than a no. `development`: share of the threads that is not trained on and decides when to stop,
    0 for none. `fold_rows` bounds what an out-of-fold model trains on. `without_frame`: how many real rows that have no
    frame are learned from, a seeded choice; most rows have none, and the easy ones teach little for their time.
    """

    layers: Annotated[int, Field(ge=1)] = 2
    rank: Annotated[int, Field(ge=1, le=256)] = 16
    epochs: Annotated[int, Field(ge=1)] = 3
    batch: Annotated[int, Field(ge=1)] = 32
    rate: Annotated[float, Field(gt=0)] = 2e-4
    positive_weight: Annotated[float, Field(gt=0)] = 3.0
    development: Annotated[float, Field(ge=0, lt=1)] = 0.0
    patience: Annotated[int, Field(ge=1)] = 1
    fold_rows: Annotated[int | None, Field(ge=100)] = None
    without_frame: Annotated[int | None, Field(ge=100)] = None


class StanceSection(Section):
    """Settings of stance only.

    `fold_scored` bounds the held-out rows, `gate_recall` is of comments on target. `gate`: whose vectors the gate looks
    at, the encoder's or static ones made from it, which are thousands a second.
    """

    gate: Literal["encoder", "static"] = "encoder"
    parent_dropout: Annotated[float, Field(ge=0, le=1)] = 0.2
    fold_scored: Annotated[int, Field(ge=100)] = 1_500
    gate_recall: Annotated[float, Field(gt=0, lt=1)] = 0.95


class StaticSection(Section):
    """Settings of the static tier.

    `on`: whether there is one; by default if at least 500 rows are judged. `unlabelled`: comments without labels to
    learn from and to find the cut-offs on. `fold_rows` bounds how many of them a fold's tier learns from. `lost` and
    `turned`: bounds on the shares of the encoder's yes that become no, and of its no that become yes.
    """

    on: bool | None = None
    unlabelled: tuple[UnlabelledFile, ...] = ()
    fold_rows: Annotated[int, Field(ge=0)] = 4_000
    lost: Annotated[float, Field(gt=0, lt=1)] = 0.05
    turned: Annotated[float, Field(gt=0, lt=1)] = 0.002


class Recipe(BaseModel):
    """Everything that decides what a bundle becomes.

    `held_out_together` names small sources that share a fold; `levels` are the frames to learn, all by default.
    `context`: what frames are read with beside the text; while training each is dropped with chance `context_dropout`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    kind: Literal["frames", "stance"]
    method: Literal["heads", "lora", "layers", "full"]
    context: tuple[Literal["title", "parent"], ...] = ()
    context_dropout: Annotated[float, Field(ge=0, le=1)] = 0.3
    encoder: str = "all-MiniLM-L6-v2"
    codebook: str = ""
    levels: tuple[str, ...] = ()
    languages: Annotated[tuple[str, ...], BeforeValidator(tuple)] = ("en",)
    max_length: Annotated[int, Field(ge=8, le=512)] = 256
    seed: int = 0
    licence: str
    provenance: tuple[str, ...]
    threads: tuple[str, ...] = ()
    held_out_together: tuple[tuple[str, ...], ...] = ()
    data: Annotated[tuple[DataFile, ...], Field(min_length=1)]
    heads: HeadsSection = HeadsSection()
    tuning: TuningSection = TuningSection()
    stance: StanceSection = StanceSection()
    calibration: CalibrationSection = CalibrationSection()
    thresholds: ThresholdsSection = ThresholdsSection()
    unsure: UnsureSection = UnsureSection()
    static: StaticSection = StaticSection()


def load_recipe(path: Path) -> Recipe:
    """Read a recipe; its files are taken from the folder it lies in.

    Raises:
        InputError: the file is missing or is no TOML.
        UsageError: a key is unknown or a value has the wrong form.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as e:
        raise InputError(f"{path}: the recipe cannot be read ({e.strerror})") from e
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise InputError(f"{path}: is not valid TOML: {e}") from e
    try:
        recipe = Recipe.model_validate(values)
    except ValidationError as e:
        raise UsageError(f"{path}: {explain(e, Recipe)}") from e
    data = tuple(_anchored(data, path.parent) for data in recipe.data)
    threads = tuple(str(path.parent / pattern) for pattern in recipe.threads)
    unlabelled = tuple(
        given.model_copy(update={"files": str(path.parent / given.files)}) for given in recipe.static.unlabelled
    )
    static = recipe.static.model_copy(update={"unlabelled": unlabelled})
    return recipe.model_copy(update={"data": data, "threads": threads, "static": static})


def _anchored(data: DataFile, folder: Path) -> DataFile:
    changes: dict[str, object] = {"file": str(folder / data.file)}
    changes["texts"] = tuple(str(folder / pattern) for pattern in data.texts)
    if data.weights is not None:
        changes["weights"] = str(folder / data.weights)
    return data.model_copy(update=changes)


def read_labelled(data: DataFile, clean: Clean) -> Checked:
    """Read one labelled file with Hugging Face datasets and clean its texts.

    Returns:
        The file's columns, with `text`, `title` and `parent` cleaned, and `row`, `text_hash`, `source`, `thread`,
        `weight` (null: unknown), `importance` and `training_only` added; rows without text are left out and counted.

    Raises:
        InputError: the file is missing, of no known form, or has no text column.
    """
    path = Path(data.file)
    if not path.is_file():
        raise InputError(f"{path}: there is no such training file")
    frame = _read_file(path)
    if data.texts and "id" in frame.columns and "text" not in frame.columns:
        frame = frame.join(texts_by_id(data.texts), on="id", how="inner", maintain_order="left")
    if data.weights is not None:
        frame = _reweighted(frame, Path(data.weights))
    check_columns(frame, ("text",), str(path))
    if frame.is_empty():
        raise InputError(f"{path}: has a header and no rows; give at least one labelled comment")
    frame = numbered(frame)
    if data.rows is not None and data.rows < frame.height:
        frame = frame.sample(data.rows, seed=0, shuffle=True)
    if "context" in frame.columns and frame.schema["context"] == pl.List(pl.String):
        frame = frame.with_columns(parent=pl.col("context").list.last())
    for column in ("title", "parent"):
        if column not in frame.columns:
            frame = frame.with_columns(pl.lit("").alias(column))
    texts = [pl.col(column).cast(pl.String).fill_null("") for column in ("text", "title", "parent")]
    frame = frame.with_columns(texts)
    frame = frame.with_columns(original_hash=_column(frame["text"], short_sha1))
    cleaned = [clean(frame[column]).fill_null("").alias(column) for column in ("text", "title", "parent")]
    checked = without_empty(frame.with_columns(cleaned), path.name)
    checked = Checked(_identified(checked.rows, data), checked.dropped, checked.notes)
    return checked.then(shortened(checked.rows, path.name))


def _identified(frame: pl.DataFrame, data: DataFile) -> pl.DataFrame:
    row = pl.lit(f"{data.source}:") + pl.int_range(pl.len()).cast(pl.String)
    thread = next((name for name in (data.thread, "thread", "thread_id") if name in frame.columns), None)
    if data.thread is not None and thread != data.thread:
        raise InputError(
            f'{data.file}: has no column "{data.thread}" for its threads{did_you_mean(data.thread, frame.columns)}'
        )
    return frame.with_columns(
        pl.col("source").cast(pl.String).fill_null(data.source)
        if "source" in frame.columns
        else pl.lit(data.source).alias("source"),
        (pl.coalesce(pl.col(thread).cast(pl.String), row) if thread else row).alias("thread"),
        _column(frame["text"], text_hash).alias("text_hash"),
        (_weights(frame["weight"], data) if "weight" in frame.columns else pl.lit(None, pl.Float64)).alias("weight"),
        pl.lit(data.importance).alias("importance"),
        pl.lit(data.training_only).alias("training_only"),
    )


def _weights(weights: pl.Series, data: DataFile) -> pl.Series:
    found = weights.cast(pl.Float64, strict=False)
    if (found.is_null() & weights.is_not_null()).any() or (found < 0).any() or found.is_infinite().any():
        raise InputError(f"{data.file}: a weight is no number of at least 0; leave it empty where it is not known")
    return found.fill_nan(None)


def join_threads(rows: pl.DataFrame, patterns: tuple[str, ...]) -> pl.DataFrame:
    """Replace `thread` by the `thread_id` of the thread files where a row's original text stands in one."""
    files = sorted(file for pattern in patterns for file in Path(pattern).parent.glob(Path(pattern).name))
    if not files:
        return rows
    known = pl.concat([pl.read_parquet(file, columns=["thread_id", "text"]) for file in files])
    known = known.select(
        pl.col("thread_id").alias("known_thread"), _column(known["text"], short_sha1).alias("original_hash")
    ).unique("original_hash", keep="first", maintain_order=True)
    joined = rows.join(known, on="original_hash", how="left", maintain_order="left")
    return joined.with_columns(thread=pl.coalesce("known_thread", "thread")).drop("known_thread")


def _read_file(path: Path) -> pl.DataFrame:
    from datasets import load_dataset  # pyright: ignore[reportUnknownVariableType]
    from datasets.exceptions import DatasetGenerationError
    from datasets.utils import disable_progress_bars

    builders = {".parquet": "parquet", ".csv": "csv", ".jsonl": "json"}
    if path.suffix not in builders:
        raise InputError(f"{path}: training data is .parquet, .csv or .jsonl")
    disable_progress_bars()
    # datasets would keep its copy in the home folder; ours goes with the block.
    with tempfile.TemporaryDirectory() as cache:
        try:
            read: Any = load_dataset(builders[path.suffix], data_files=str(path), cache_dir=cache, split="train")
            return cast("pl.DataFrame", read.to_polars())
        except (ValueError, OSError, RuntimeError, DatasetGenerationError) as e:
            raise InputError(f"{path}: cannot be read as {path.suffix[1:]}, or has no rows ({type(e).__name__})") from e


def _column(texts: pl.Series, function: Callable[[str], str]) -> pl.Series:
    return pl.Series([function(text or "") for text in texts], dtype=pl.String)


def _reweighted(frame: pl.DataFrame, path: Path) -> pl.DataFrame:
    """Replace `weight` by that of the table at `path`, which must have one for each `id` or an empty one."""
    weights = _read_file(path).select("id", pl.col("weight").cast(pl.Float64).alias("new_weight"), known=True)
    joined = frame.join(weights, on="id", how="left", maintain_order="left")
    absent = joined.filter(pl.col("known").is_null())
    if absent.height:
        raise InputError(f"{path}: has no weight for {absent.height} rows, such as id {absent['id'][0]}")
    return joined.with_columns(weight="new_weight").drop("new_weight", "known")
