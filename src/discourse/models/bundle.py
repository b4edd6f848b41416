"""A bundle: a trained model with its evidence, in a folder (or a zip, or at a hub), verified whenever it is loaded.

`bundle.toml` names every other file with its SHA-256; the bundle's own hash is that of `bundle.toml`. Weights are
safetensors; a file that is not named there, or that could hold a pickle, is refused (see `bundle_contents`).
"""

from __future__ import annotations

import hashlib
import io
import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import polars as pl
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from discourse.config import Precision, explain
from discourse.errors import BundleError, did_you_mean
from discourse.models.bundle_contents import (
    CONTENTS,
    MANIFEST,
    MAX_FILES,
    MAX_TEXT_BYTES,
    check_kinds,
    check_names,
    check_weights,
)
from discourse.models.bundle_zip import unpack
from discourse.models.manifest_text import to_toml

FORMAT = 1
CODEBOOK_FILE = "codebook.json"
"""Holds `Codebook.model_dump_json()` to the byte, so that its SHA-256 is that of the codebook."""
REQUIRED = ("calibration.json", "metrics.json", "heldout.parquet", "trained_on.txt", "CARD.md")

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Label = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]{0,62}$")]

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


def _different(labels: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(labels)) < len(labels):
        raise ValueError("a label repeats")
    return labels


class Manifest(BaseModel):
    """The contents of `bundle.toml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    kind: Literal["frames", "stance", "topics"]
    labels: Annotated[tuple[Label, ...], Field(min_length=1, max_length=1_000), AfterValidator(_different)]
    codebook: str = ""
    codebook_sha256: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    encoder: str
    encoder_sha256: Sha256
    method: Literal["heads", "layers", "lora", "full", "centres"]
    languages: tuple[str, ...]
    max_length: Annotated[int, Field(ge=8, le=8192)]
    context: tuple[Literal["title", "parent"], ...] = ()
    licence: str
    provenance: tuple[str, ...]
    settings: dict[str, Any] = {}
    files: Annotated[dict[str, Sha256], Field(max_length=MAX_FILES)]

    @model_validator(mode="after")
    def _shaped(self) -> Manifest:
        wanted = {"layers": ("layers",), "full": ("layers",), "lora": ("layers", "rank")}.get(self.method, ())
        for key in wanted:
            value = self.settings.get(key)
            if type(value) is not int or not 1 <= value <= 1_000:
                raise ValueError(f"a bundle of method {self.method} needs {key} from 1 to 1000 in its settings")
        return self

    @property
    def validated(self) -> bool:
        """Whether the bundle was judged on labels that it did not see; zero-shot bundles were not."""
        return self.settings.get("validated") is not False


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle that was verified: its folder, what `bundle.toml` says, its hash, and how its encoder multiplies."""

    folder: Path
    manifest: Manifest
    sha256: str
    precision: Precision = "fp32"

    @property
    def id(self) -> str:
        """How tags name the bundle: its name and the start of its hash, and ``+int8`` where it was run so."""
        return f"{self.manifest.name}@{self.sha256[:12]}{'' if self.precision == 'fp32' else f'+{self.precision}'}"

    @property
    def doubt(self) -> str:
        """What is said wherever the bundle tags; empty if it was judged on labels that it did not see."""
        return "" if self.manifest.validated else f"{self.id} is not validated: look at what it finds, do not count it"

    def calibration(self) -> dict[str, Calibration]:
        """Return the calibration of each level.

        Raises:
            BundleError: it is no table of levels, or a frame of the bundle has none.
        """
        try:
            found: dict[str, Any] = json.loads(self.read("calibration.json"))
            levels = {level: Calibration.model_validate(value) for level, value in found.items()}
        except ValidationError as e:
            raise BundleError(f"{self.folder}/calibration.json: {explain(e, Calibration)}") from e
        except (ValueError, AttributeError) as e:
            raise BundleError(f"{self.folder}/calibration.json: is no table of levels; train the bundle again") from e
        missing = [label for label in self.manifest.labels if label not in levels]
        if missing and self.manifest.kind == "frames":
            raise BundleError(f"{self.folder}/calibration.json: lacks the frame {missing[0]}; train the bundle again")
        return levels

    def metrics(self) -> dict[str, Any]:
        """Return the measured quality of the bundle, see `discourse bundle show`."""
        found: Any = json.loads(self.read("metrics.json"))
        if not isinstance(found, dict):
            raise BundleError(f"{self.folder}/metrics.json: is no table of figures; train the bundle again")
        return cast("dict[str, Any]", found)

    def heldout(self) -> pl.DataFrame:
        """Return the out-of-fold scores, in the columns of `HELDOUT_SCHEMA`."""
        try:
            frame = pl.read_parquet(io.BytesIO(self.read("heldout.parquet")))
        except pl.exceptions.PolarsError as e:
            raise BundleError(f"{self.folder}/heldout.parquet: is no Parquet file; train the bundle again") from e
        if frame.schema != HELDOUT_SCHEMA:
            raise BundleError(f"{self.folder}/heldout.parquet: columns are {frame.columns}, not those of a bundle")
        return frame

    def trained_on(self) -> frozenset[str]:
        """Return the `text_hash` of every comment that the shipped weights were trained on."""
        return frozenset(self.read("trained_on.txt").decode("utf-8", "replace").split())

    def card(self) -> str:
        """Return the card for people, as Markdown."""
        return self.read("CARD.md").decode("utf-8", "replace")

    def read(self, name: str) -> bytes:
        """Return a file of the bundle, as it was when the bundle was verified.

        Raises:
            BundleError: it was removed or changed since, or the bundle has no such file.
        """
        file, expected = self.folder / name, self.manifest.files.get(name)
        try:
            data = file.read_bytes()
        except OSError as e:
            raise BundleError(f"{file}: cannot be read; was the bundle removed while it was in use?") from e
        if hashlib.sha256(data).hexdigest() != expected:
            raise BundleError(f"{file}: was changed while the bundle was in use; fetch it again, then run again")
        return data


def text_hash(text: str) -> str:
    """Return the first 20 hexadecimal digits of the SHA-256 of a text with white space collapsed."""
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()[:20]


def load_bundle(reference: str | Path, kind: str | None = None, precision: Precision = "fp32") -> Bundle:
    """Find a bundle by shipped name, folder, zip file or hub id, and verify every file of it.

    Args:
        reference: such as ``frames-minilm``, ``./my-bundle``, ``my-bundle.zip`` or ``owner/name``.
        kind: the kind that is needed; None takes any.
        precision: of its encoder where it is run, `[tagging] precision`.

    Raises:
        BundleError: it does not exist, is damaged, holds a file that it does not name, or is of another kind.
    """
    bundle = read_bundle(locate(reference))
    for check in CHECKS.values():
        check(bundle)
    if kind is not None and bundle.manifest.kind != kind:
        raise BundleError(f"{reference}: is a {bundle.manifest.kind} bundle, a {kind} bundle is needed")
    return replace(bundle, precision=precision)


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
    (folder / "bundle.toml").write_text(to_toml(whole.model_dump()), encoding="utf-8")
    return load_bundle(folder.absolute())


def locate(reference: str | Path) -> Path:
    """Return the folder of a bundle: of a shipped name, a zip (which is unpacked) or a hub id (which is fetched).

    Raises:
        BundleError: there is none, or the zip cannot be unpacked safely.
    """
    name = str(reference)
    known = shipped_bundles()
    # First, so that a folder of the same name where the command runs does not stand in; it is ./NAME.
    if name in known:
        return Path(str(resources.files("discourse") / "data" / "bundles" / name))
    path = Path(reference)
    if path.is_dir():
        return path
    if path.is_file():
        if path.suffix.lower() != ".zip":
            raise BundleError(f"{reference}: is no bundle; give a folder, a .zip or a shipped name")
        return unpack(path)
    if path.exists():
        raise BundleError(f"{reference}: is no plain file; give a folder, a .zip or a shipped name")
    if name.count("/") == 1 and not name.startswith((".", "/")) and path.suffix.lower() != ".zip":
        return _from_hub(name)
    raise BundleError(f'no bundle is called "{name}"{did_you_mean(name, known)}; shipped: {", ".join(known) or "none"}')


def read_bundle(folder: Path) -> Bundle:
    """Read `bundle.toml`; nothing else of the folder is looked at.

    Raises:
        BundleError: it is missing, is no manifest, or is of another format.
    """
    path = folder / MANIFEST
    try:
        with path.open("rb") as handle:
            raw = handle.read(MAX_TEXT_BYTES)
        values = tomllib.loads(raw.decode())
        if isinstance(values.get("format"), int) and values["format"] != FORMAT:
            found, newer = values["format"], "get a newer discourse" if values["format"] > FORMAT else "train it again"
            raise BundleError(f"{path}: has format {found}, this version reads format {FORMAT}; {newer}")
        return Bundle(folder, Manifest.model_validate(values), hashlib.sha256(raw).hexdigest())
    except OSError as e:
        raise BundleError(f"{folder}: is no bundle (bundle.toml cannot be read)") from e
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as e:
        raise BundleError(f"{path}: is not valid TOML: {e}") from e
    except ValidationError as e:
        raise BundleError(f"{path}: {explain(e, Manifest)}") from e


def _check_evidence(bundle: Bundle) -> None:
    missing = [name for name in REQUIRED if name not in bundle.manifest.files and bundle.manifest.kind != "topics"]
    if missing:
        raise BundleError(f"{bundle.folder}: the bundle lacks {', '.join(missing)}")
    if bundle.manifest.files.get(CODEBOOK_FILE, bundle.manifest.codebook_sha256) != bundle.manifest.codebook_sha256:
        raise BundleError(
            f"{bundle.folder / CODEBOOK_FILE}: is not the codebook that bundle.toml names; fetch it again"
        )


def _check_hashes(bundle: Bundle) -> None:
    for name, expected in bundle.manifest.files.items():
        try:
            actual = _sha256(bundle.folder / name)
        except OSError as e:
            raise BundleError(f"{bundle.folder / name}: cannot be read ({e.strerror}); fetch the bundle again") from e
        if actual != expected:
            found, said = actual[:12], expected[:12]
            raise BundleError(
                f"{bundle.folder / name}: has SHA-256 {found}…, bundle.toml says {said}…; fetch the bundle again"
            )


CHECKS: dict[str, Callable[[Bundle], None]] = {
    "files": lambda bundle: check_names(bundle.folder, bundle.manifest.files),
    "evidence": _check_evidence,
    "hashes": _check_hashes,
    "contents": lambda bundle: check_kinds(bundle.folder, bundle.manifest.files),
    "weights": lambda bundle: check_weights(bundle.folder, bundle.manifest.files),
}
"""What every bundle is asked when it is loaded, in this order."""


def _from_hub(name: str) -> Path:
    # Heavy, and needed only for bundles that live at a hub.
    from huggingface_hub import snapshot_download  # pyright: ignore[reportUnknownVariableType]
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    repository, _, revision = name.partition("@")
    wanted = [f"*{suffix}" for suffix in sorted(CONTENTS)]
    try:
        return Path(snapshot_download(repository, revision=revision or None, allow_patterns=wanted))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as e:
        raise BundleError(f"{name}: is neither a file here nor a bundle that the hub or its local cache has") from e


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
