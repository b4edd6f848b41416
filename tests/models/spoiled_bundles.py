"""Ways to spoil a bundle: each makes a folder or a zip beside a sound bundle, and says what must be answered."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import shutil
import stat
import struct
import warnings
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from discourse.codebook import Codebook
from discourse.errors import BundleError
from discourse.models.bundle import read_bundle, seal

Spoil = Callable[[Path], Path]
SPOILED: dict[str, tuple[Spoil, str]] = {}
"""By name: a function from a sound bundle's folder, which it may change, to what is to be opened; and the answer."""


def spoils(name: str, said: str) -> Callable[[Spoil], Spoil]:
    """Register a way to spoil a bundle and what is said of it."""

    def register(spoil: Spoil) -> Spoil:
        SPOILED[name] = (spoil, said)
        return spoil

    return register


class Runs:
    """What a pickle would run."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Tell the pickle what to run."""
        return (print, ("this must never be printed",))


def resealed(folder: Path, **changes: Any) -> Path:
    """Write `bundle.toml` anew, with the right hashes, as whoever makes a hostile bundle would."""
    manifest = read_bundle(folder).manifest.model_dump(exclude={"format", "files"})
    # seal refuses what it has written, as it should; bundle.toml stands there all the same.
    with suppress(BundleError):
        seal(folder, {**manifest, **changes})
    return folder


def packed(folder: Path, *extra: tuple[str, bytes]) -> Path:
    """Return a zip of the folder, with further entries."""
    file = folder.with_suffix(".zip")
    with warnings.catch_warnings(), zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")  # names that repeat are meant
        for path in sorted(folder.iterdir()):
            archive.write(path, path.name)
        for name, data in extra:
            archive.writestr(name, data)
    return file


for suffix in ("pkl", "bin", "pt", "joblib", "npy"):

    @spoils(f"a pickle called weights.{suffix}", "may hold code")
    def _(folder: Path, suffix: str = suffix) -> Path:
        (folder / f"weights.{suffix}").write_bytes(pickle.dumps(Runs()))
        return resealed(folder)

    @spoils(f"a pickle called weights.{suffix} in a zip", "may hold code")
    def _(folder: Path, suffix: str = suffix) -> Path:
        return packed(folder, (f"weights.{suffix}", pickle.dumps(Runs())))


@spoils("a pickle in a folder below", "may hold code")
def _(folder: Path) -> Path:
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "deep" / "er" / "model.pkl").write_bytes(pickle.dumps(Runs()))
    return folder


for name, said in (
    ("weights.safetensors", "no safetensors file"),
    ("heldout.parquet", "no Parquet file"),
    ("metrics.json", "pickle"),
    ("CARD.md", "pickle"),
    ("trained_on.txt", "pickle"),
):
    for protocol in (0, 2, 5):

        @spoils(f"a pickle of protocol {protocol} called {name}", said)
        def _(folder: Path, name: str = name, protocol: int = protocol) -> Path:
            (folder / name).write_bytes(pickle.dumps(Runs(), protocol=protocol))
            return resealed(folder)


@spoils("a pickle in a zip called weights.safetensors", "no safetensors file")
def _(folder: Path) -> Path:
    # What torch.save writes: a zip with a pickle in it.
    with zipfile.ZipFile(folder / "weights.safetensors", "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Runs()))
    return packed(resealed(folder))


@spoils("truncated weights", "has SHA-256")
def _(folder: Path) -> Path:
    file = folder / "weights.safetensors"
    file.write_bytes(file.read_bytes()[:100])
    return folder


@spoils("truncated weights, sealed", "no weights file")
def _(folder: Path) -> Path:
    file = folder / "weights.safetensors"
    file.write_bytes(file.read_bytes()[:-10])
    return resealed(folder)


@spoils("weights whose header is said to be vast", "no safetensors file")
def _(folder: Path) -> Path:
    (folder / "weights.safetensors").write_bytes(struct.pack("<Q", 2**62) + b"{}")
    return resealed(folder)


for value in (np.nan, np.inf):

    @spoils(f"weights with {value}", "NaN or infinite")
    def _(folder: Path, value: float = value) -> Path:
        weights = load_file(folder / "weights.safetensors")
        key = max(weights)
        weights[key] = np.full_like(weights[key], value)
        save_file(weights, folder / "weights.safetensors")
        return resealed(folder)


@spoils("no weights at all", "holds no weights")
def _(folder: Path) -> Path:
    save_file({}, folder / "weights.safetensors")
    return resealed(folder)


for escape in (
    "../outside.md",
    "/outside.md",
    "a/../../outside.md",
    "..\\outside.md",
    "C:\\outside.md",
    "C:outside.md",
):

    @spoils(f"a zip with {escape}", "outside the bundle")
    def _(folder: Path, escape: str = escape) -> Path:
        return packed(folder, (escape, b"escaped"))


@spoils("a zip with a link", "is a link")
def _(folder: Path) -> Path:
    file = packed(folder)
    entry = zipfile.ZipInfo("notes.md")
    entry.create_system, entry.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(entry, "/etc/passwd")
    return file


@spoils("a zip that unpacks to something vast", "vast")
def _(folder: Path) -> Path:
    return packed(folder, ("notes.md", b"\0" * 20_000_000))


@spoils("a zip with a file twice", "twice")
def _(folder: Path) -> Path:
    return packed(folder, ("CARD.md", b"# another card"))


@spoils("a zip with two manifests of one name", "twice")
def _(folder: Path) -> Path:
    return packed(folder, ("bundle.toml", (folder / "bundle.toml").read_bytes()))


@spoils("a zip with names that differ by case", "one file on many disks")
def _(folder: Path) -> Path:
    return packed(folder, ("card.md", b"# another card"))


@spoils("a zip with a folder beside the bundle", "beside the bundle")
def _(folder: Path) -> Path:
    return packed(folder, ("more/notes.md", b"# more"))


@spoils("a zip in a zip", "may hold code")
def _(folder: Path) -> Path:
    inner = packed(folder)
    return packed(folder, ("inner.zip", inner.read_bytes()))


@spoils("half a zip", "cannot be unpacked|can be unpacked")
def _(folder: Path) -> Path:
    file = packed(folder)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    return file


@spoils("a zip of nothing", "holds 0 files bundle.toml")
def _(folder: Path) -> Path:
    file = folder.with_suffix(".zip")
    zipfile.ZipFile(file, "w").close()
    return file


@spoils("a bundle of a later format", "format 7")
def _(folder: Path) -> Path:
    file = folder / "bundle.toml"
    file.write_text("later = true\n" + file.read_text("utf-8").replace("format = 1", "format = 7"), "utf-8")
    return folder


@spoils("a manifest that names an absent file", "is missing")
def _(folder: Path) -> Path:
    file = folder / "bundle.toml"
    file.write_text(file.read_text("utf-8") + f'"absent.md" = "{"0" * 64}"\n', "utf-8")
    return folder


@spoils("a manifest that names a file elsewhere", "not a plain file beside it")
def _(folder: Path) -> Path:
    file = folder / "bundle.toml"
    file.write_text(file.read_text("utf-8") + f'"../outside.md" = "{"0" * 64}"\n', "utf-8")
    return folder


@spoils("names that differ by case", "one file on many disks")
def _(folder: Path) -> Path:
    (folder / "card.md").write_text("# another card", "utf-8")
    return resealed(folder)


@spoils("a file that nobody named", "not named in bundle.toml")
def _(folder: Path) -> Path:
    (folder / "notes.md").write_text("x", "utf-8")
    return folder


@spoils("a link to a file elsewhere", "is a link")
def _(folder: Path) -> Path:
    (folder / "CARD.md").rename(folder.parent / "elsewhere.md")
    (folder / "CARD.md").symlink_to(folder.parent / "elsewhere.md")
    return folder


@spoils("a link to a folder", "may hold code|is a link")
def _(folder: Path) -> Path:
    (folder / "deep").symlink_to(folder.parent, target_is_directory=True)
    return folder


@spoils("a pipe", "no plain file")
def _(folder: Path) -> Path:
    (folder / "CARD.md").unlink()
    os.mkfifo(folder / "CARD.md")
    return folder


@spoils("a vast file", "more than 2 GB")
def _(folder: Path) -> Path:
    with (folder / "weights.safetensors").open("r+b") as handle:
        handle.truncate(3_000_000_000)  # takes no room on the disk
    return folder


@spoils("a vast text", "larger than")
def _(folder: Path) -> Path:
    with (folder / "CARD.md").open("r+b") as handle:
        handle.truncate(100_000_000)
    return folder


@spoils("more files than a bundle has", '"files" is')
def _(folder: Path) -> Path:
    manifest = folder / "bundle.toml"
    more = [f'"n{number}.md" = "{"0" * 64}"\n' for number in range(100)]
    manifest.write_text(manifest.read_text("utf-8") + "".join(more), "utf-8")
    return folder


@spoils("a card that drives the terminal", "control characters")
def _(folder: Path) -> Path:
    (folder / "CARD.md").write_text("\x1b[2J\x1b]0;owned\x07", "utf-8")
    return resealed(folder)


@spoils("labels that are markup", "labels")
def _(folder: Path) -> Path:
    file = folder / "bundle.toml"
    file.write_text(file.read_text("utf-8").replace("fear_of_surveillance", "<script>"), "utf-8")
    return folder


for settings in ('"layers" = "many"', '"layers" = 0', '"layers" = 999999999', '"other" = 1'):

    @spoils(f"a tuned bundle with {settings}", "needs layers from 1")
    def _(folder: Path, settings: str = settings) -> Path:
        file = folder / "bundle.toml"
        text = file.read_text("utf-8").replace('method = "heads"', 'method = "layers"')
        file.write_text(text.replace("[settings]\n", f"[settings]\n{settings}\n"), "utf-8")
        return folder


@spoils("a folder that is no bundle", "is no bundle")
def _(folder: Path) -> Path:
    shutil.rmtree(folder)
    folder.mkdir()
    (folder / "photo.json").write_text("{}", "utf-8")
    return folder


@spoils("JSON that nests without end", "is no JSON")
def _(folder: Path) -> Path:
    (folder / "metrics.json").write_text("[" * 200_000, "utf-8")
    return resealed(folder)


@spoils("a codebook that is not the one named", "not the codebook that")
def _(folder: Path) -> Path:
    (folder / "codebook.json").write_text("{}", "utf-8")
    return resealed(folder)


# Sound as files, and refused where they are put to use.
UNFIT: dict[str, tuple[Spoil, str]] = {}


def unfit(name: str, said: str) -> Callable[[Spoil], Spoil]:
    """Register a bundle whose files are sound, and what is said where it is put to use."""

    def register(spoil: Spoil) -> Spoil:
        UNFIT[name] = (spoil, said)
        return spoil

    return register


@unfit("weights of another shape", "shape|fit the encoder|does not fit")
def _(folder: Path) -> Path:
    weights = load_file(folder / "weights.safetensors")
    save_file({name: np.zeros((3, 3), np.float32) for name in weights}, folder / "weights.safetensors")
    return resealed(folder)


@unfit("weights of other names", "weights file|fit the encoder|does not fit|lacks")
def _(folder: Path) -> Path:
    save_file({"w": np.zeros(3, np.float32)}, folder / "weights.safetensors")
    return resealed(folder)


@unfit("another encoder", "another|expected")
def _(folder: Path) -> Path:
    return resealed(folder, encoder_sha256="1" * 64)


@unfit("an encoder that is not installed", "not installed")
def _(folder: Path) -> Path:
    return resealed(folder, encoder="no-such-encoder")


@unfit("an encoder by a path", "not installed|encoder's weights cannot be read")
def _(folder: Path) -> Path:
    return resealed(folder, encoder=str(folder.parent))


@unfit("a calibration without the frame", "lacks the frame")
def _(folder: Path) -> Path:
    (folder / "calibration.json").write_text("{}", "utf-8")
    return resealed(folder)


@unfit("a calibration that is a list", "no table of levels")
def _(folder: Path) -> Path:
    (folder / "calibration.json").write_text("[]", "utf-8")
    return resealed(folder)


@unfit("a codebook that changed", "of frame culture_war_framing changed its definition and its rules for no; version")
def _(folder: Path) -> Path:
    file = folder / "codebook.json"
    book = json.loads(file.read_text("utf-8"))
    book["version"] = 7
    book["frames"][1] |= {"definition": "something else", "no": ["never"]}
    file.write_text(Codebook.model_validate(book).model_dump_json(), "utf-8")
    return resealed(folder, codebook_sha256=hashlib.sha256(file.read_bytes()).hexdigest())


@unfit("a codebook that cannot be read", "codebook.json")
def _(folder: Path) -> Path:
    (folder / "codebook.json").write_text('{"name": "x"}', "utf-8")
    return resealed(folder, codebook_sha256=hashlib.sha256(b'{"name": "x"}').hexdigest())
