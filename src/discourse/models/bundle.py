"""A bundle: a trained model with its evidence, in a folder (or a zip, or at a hub), verified whenever it is loaded.

`bundle.toml` names every other file with its SHA-256; the bundle's own hash is that of `bundle.toml`. Weights are
safetensors; a file that is not named there, or that could hold a pickle, is refused.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import tomllib
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from discourse.config import explain
from discourse.errors import BundleError, did_you_mean

FORMAT = 1
ALLOWED_SUFFIXES = {".toml", ".safetensors", ".json", ".parquet", ".md", ".txt", ".csv"}
REQUIRED = ("calibration.json", "metrics.json", "heldout.parquet", "trained_on.txt", "CARD.md")
MAX_BYTES = 2_000_000_000

HELDOUT_SCHEMA = pl.Schema(
    {
        "text_hash": pl.String(),  # see `text_hash`
        "level": pl.String(),  # a frame; of a stance bundle: about, favor, against or neutral
        "path": pl.String(),  # which way the score was reached
        "label": pl.Int8(),  # 0 or 1, as a reader coded it
        "score": pl.Float64(),  # out-of-fold log-odds, not calibrated
        "tag": pl.Int8(),  # 0 or 1, calibrated score against the shipped threshold
        "tier": pl.String(),
        "source": pl.String(),
        "thread": pl.String(),
        "weight": pl.Float64(),  # how many comments a row stands for; null: unknown, estimate no error rate from it
    }
)


class Calibration(BaseModel):
    """How a raw score becomes a probability, a tag, and `unsure` from `unsure_low` to below `unsure_high`.

    p = 1 / (1 + exp(-(slope * score + intercept))), or, where there are knots (score, probability), linear between
    them and constant outside. `aim` tells what the threshold was chosen for.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    slope: float
    intercept: float
    threshold: Annotated[float, Field(ge=0, le=1)]
    unsure_low: Annotated[float, Field(ge=0, le=1)]
    unsure_high: Annotated[float, Field(ge=0, le=1)]
    knots: tuple[tuple[float, Annotated[float, Field(ge=0, le=1)]], ...] = ()
    aim: str = ""

    @model_validator(mode="after")
    def _in_order(self) -> Calibration:
        if not self.unsure_low <= self.threshold <= self.unsure_high:
            raise ValueError("unsure_low, threshold and unsure_high are not in this order")
        if any(a[0] >= b[0] or a[1] > b[1] for a, b in pairwise(self.knots)):
            raise ValueError("knots do not rise")
        return self


class Manifest(BaseModel):
    """The contents of `bundle.toml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    kind: Literal["frames", "stance", "topics"]
    labels: tuple[str, ...]
    codebook: str = ""
    codebook_sha256: str = ""
    encoder: str
    encoder_sha256: str
    method: Literal["heads", "layers", "centres"]
    languages: tuple[str, ...]
    max_length: Annotated[int, Field(ge=8, le=8192)]
    context: tuple[Literal["title", "parent"], ...] = ()
    licence: str
    provenance: tuple[str, ...]
    settings: dict[str, Any] = {}
    files: dict[str, str]


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle that was verified: its folder, what `bundle.toml` says, and its hash."""

    folder: Path
    manifest: Manifest
    sha256: str

    @property
    def id(self) -> str:
        """How tags name the bundle: its name and the start of its hash."""
        return f"{self.manifest.name}@{self.sha256[:12]}"

    def calibration(self) -> dict[str, Calibration]:
        """Return the calibration of each level."""
        try:
            found: dict[str, Any] = json.loads((self.folder / "calibration.json").read_text(encoding="utf-8"))
            return {level: Calibration.model_validate(value) for level, value in found.items()}
        except ValidationError as e:
            raise BundleError(f"{self.folder}/calibration.json: {explain(e, Calibration)}") from e
        except (ValueError, AttributeError) as e:
            raise BundleError(f"{self.folder}/calibration.json: is no table of levels; train the bundle again") from e

    def metrics(self) -> dict[str, Any]:
        """Return the measured quality of the bundle, see `discourse bundle show`."""
        found: dict[str, Any] = json.loads((self.folder / "metrics.json").read_text(encoding="utf-8"))
        return found

    def heldout(self) -> pl.DataFrame:
        """Return the out-of-fold scores, in the columns of `HELDOUT_SCHEMA`."""
        try:
            frame = pl.read_parquet(self.folder / "heldout.parquet")
        except pl.exceptions.PolarsError as e:
            raise BundleError(f"{self.folder}/heldout.parquet: is no Parquet file; train the bundle again") from e
        if frame.schema != HELDOUT_SCHEMA:
            raise BundleError(f"{self.folder}/heldout.parquet: columns are {frame.columns}, not those of a bundle")
        return frame

    def trained_on(self) -> frozenset[str]:
        """Return the `text_hash` of every comment that the shipped weights were trained on."""
        return frozenset((self.folder / "trained_on.txt").read_text(encoding="ascii").split())


def text_hash(text: str) -> str:
    """Return the first 20 hexadecimal digits of the SHA-256 of a text with white space collapsed."""
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()[:20]


def load_bundle(reference: str | Path, kind: str | None = None) -> Bundle:
    """Find a bundle by shipped name, folder, zip file or hub id, and verify every file of it.

    Args:
        reference: such as ``frames-minilm``, ``./my-bundle``, ``my-bundle.zip`` or ``owner/name``.
        kind: the kind that is needed; None takes any.

    Raises:
        BundleError: it does not exist, is damaged, holds a file that it does not name, or is of another kind.
    """
    folder = _locate(reference)
    bundle = _verify(folder)
    if kind is not None and bundle.manifest.kind != kind:
        raise BundleError(f"{reference}: is a {bundle.manifest.kind} bundle, a {kind} bundle is needed")
    return bundle


def shipped_bundles() -> list[str]:
    """Return the names of the bundles in the package."""
    folder = Path(str(resources.files("discourse") / "data" / "bundles"))
    return sorted(path.parent.name for path in folder.glob("*/bundle.toml"))


def seal(folder: Path, manifest: Mapping[str, Any]) -> Bundle:
    """Write `bundle.toml` into a folder that holds all other files of a bundle, with the hash of each.

    Args:
        folder: holds weights, `REQUIRED` files and nothing else.
        manifest: the fields of `Manifest` but `format` and `files`.

    Returns:
        The bundle, verified.
    """
    files = {path.name: _sha256(path) for path in sorted(folder.iterdir()) if path.name != "bundle.toml"}
    whole = Manifest.model_validate({**manifest, "format": FORMAT, "files": files})
    (folder / "bundle.toml").write_text(_toml(whole.model_dump()), encoding="utf-8")
    return _verify(folder)


def _locate(reference: str | Path) -> Path:
    name = str(reference)
    known = shipped_bundles()
    # First, so that a folder of the same name where the command runs does not stand in; it is ./NAME.
    if name in known:
        return Path(str(resources.files("discourse") / "data" / "bundles" / name))
    path = Path(reference)
    if path.is_dir():
        return path
    if path.is_file():
        if path.suffix != ".zip":
            raise BundleError(f"{reference}: is no bundle; give a folder, a .zip or a shipped name")
        return _unzip(path)
    if name.count("/") == 1 and not name.startswith((".", "/")):
        return _from_hub(name)
    raise BundleError(f'no bundle is called "{name}"{did_you_mean(name, known)}; shipped: {", ".join(known) or "none"}')


def _from_hub(name: str) -> Path:
    # Heavy, and needed only for bundles that live at a hub.
    from huggingface_hub import snapshot_download  # pyright: ignore[reportUnknownVariableType]
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, allow_patterns=[f"*{suffix}" for suffix in sorted(ALLOWED_SUFFIXES)]))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as e:
        raise BundleError(f"{name}: is neither a file here nor a bundle that the hub or its local cache has") from e


def _unzip(path: Path) -> Path:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            for entry in entries:
                if Path(entry.filename).is_absolute() or ".." in Path(entry.filename).parts or "\\" in entry.filename:
                    raise BundleError(f"{path}: holds {entry.filename!r}, a path outside the bundle; do not use it")
            if sum(entry.file_size for entry in entries) > MAX_BYTES:
                raise BundleError(f"{path}: unpacks to over {MAX_BYTES // 10**9} GB; do not use it")
            # Unpacked anew for each process and left to the system's temporary folder, named by content.
            digest = _sha256(path)[:16]
            target = Path(tempfile.gettempdir()) / f"discourse-bundle-{digest}"
            if not target.is_dir():
                fresh = Path(tempfile.mkdtemp(prefix="discourse-bundle-"))
                archive.extractall(fresh)
                try:
                    fresh.rename(target)
                except OSError:
                    shutil.rmtree(fresh, ignore_errors=True)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError) as e:  # RuntimeError: locked or an unknown method
        raise BundleError(f"{path}: is no zip file that can be unpacked; fetch it again") from e
    inner = [found.parent for found in target.rglob("bundle.toml")]
    if len(inner) != 1:
        raise BundleError(f"{path}: holds {len(inner)} files bundle.toml; a bundle has one")
    return inner[0]


def _verify(folder: Path) -> Bundle:
    manifest, digest = _read_manifest(folder / "bundle.toml")
    for found in sorted(folder.rglob("*")):
        name = found.relative_to(folder).as_posix()
        if found.is_dir() or name == "bundle.toml":
            continue
        if found.suffix not in ALLOWED_SUFFIXES:
            raise BundleError(f"{found}: files of this kind may hold code and are refused; a bundle has safetensors")
        if name not in manifest.files:
            raise BundleError(f"{found}: is not named in bundle.toml; remove it")
    for name, expected in manifest.files.items():
        _verify_file(folder, name, expected)
    missing = [name for name in REQUIRED if name not in manifest.files and manifest.kind != "topics"]
    if missing:
        raise BundleError(f"{folder}: the bundle lacks {', '.join(missing)}")
    return Bundle(folder, manifest, digest)


def _read_manifest(path: Path) -> tuple[Manifest, str]:
    try:
        raw = path.read_bytes()
        manifest = Manifest.model_validate(tomllib.loads(raw.decode()))
    except OSError as e:
        raise BundleError(f"{path.parent}: is no bundle (bundle.toml cannot be read)") from e
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise BundleError(f"{path}: is not valid TOML: {e}") from e
    except ValidationError as e:
        raise BundleError(f"{path}: {explain(e, Manifest)}") from e
    if manifest.format != FORMAT:
        raise BundleError(f"{path}: has format {manifest.format}, this version reads format {FORMAT}; train it again")
    return manifest, hashlib.sha256(raw).hexdigest()


def _verify_file(folder: Path, name: str, expected: str) -> None:
    if "/" in name or name.startswith("."):
        raise BundleError(f"{folder}/bundle.toml: names {name!r}, which is not a plain file beside it")
    file = folder / name
    if not file.is_file():
        raise BundleError(f"{file}: is missing; fetch the bundle again")
    actual = _sha256(file)
    if actual != expected:
        found, said = actual[:12], expected[:12]
        raise BundleError(f"{file}: has SHA-256 {found}…, bundle.toml says {said}…; fetch the bundle again")


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _toml(values: dict[str, Any]) -> str:
    plain = [f"{key} = {_toml_value(value)}" for key, value in values.items() if not isinstance(value, dict)]
    inner = {key: cast("dict[str, Any]", value) for key, value in values.items() if isinstance(value, dict)}
    tables = [
        f"\n[{key}]\n" + "\n".join(f"{_toml_value(name)} = {_toml_value(item)}" for name, item in table.items())
        for key, table in inner.items()
    ]
    return "\n".join(plain + tables) + "\n"


def _toml_value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml_value(item) for item in cast("list[Any]", value)) + "]"
    # A JSON scalar, string escapes included, is a TOML scalar, but for DEL, which TOML wants escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
