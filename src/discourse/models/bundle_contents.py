"""What may lie in a bundle's folder: plain files that are named and are what they are called; nothing that runs."""

from __future__ import annotations

import codecs
import json
import os
import pickletools
import re
import stat
import tomllib
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path

import numpy as np

from discourse.errors import BundleError

MANIFEST = "bundle.toml"
MAX_BYTES = 2_000_000_000
MAX_TEXT_BYTES = 64_000_000  # of one .json, .md, .txt, .csv or .toml
MAX_FILES = 64
PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
# What a hub adds beside a model, and file managers beside anything; never read.
HUB_EXTRAS = frozenset({".gitattributes", "README.md"})
DESKTOP_EXTRAS = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
_RUNS = frozenset({"GLOBAL", "STACK_GLOBAL", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "REDUCE", "BUILD", "PROTO"})
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def check_names(folder: Path, named: Mapping[str, str]) -> None:
    """Check that the folder holds the named files and no others, all plain files directly in it.

    Args:
        folder: of the bundle.
        named: the files that `bundle.toml` names, without itself.

    Raises:
        BundleError: a file is missing, unnamed, a link, in a folder below, too large or told apart by case alone.
    """
    check_plain_names(folder / MANIFEST, named)
    total = 0
    for path, name in _files(folder):
        if name != MANIFEST and path.suffix not in CONTENTS:
            raise BundleError(
                f"{folder}: {name!r} is of a kind that may hold code and is refused; a bundle has safetensors"
            )
        if name != MANIFEST and name not in named:
            raise BundleError(f"{folder}: {name!r} is not named in {MANIFEST}; remove it")
        total += _plain_size(path, folder)
        if total > MAX_BYTES:
            raise BundleError(f"{folder}: holds more than {MAX_BYTES // 10**9} GB; do not use it")
    missing = [name for name in named if not (folder / name).is_file()]
    if missing:
        raise BundleError(f"{folder / missing[0]}: is missing; fetch the bundle again")


def check_plain_names(where: Path | str, names: Iterable[str]) -> None:
    """Check that names are those of plain files beside each other, different on every file system.

    Raises:
        BundleError: a name leads elsewhere, is no plain file name, repeats, or differs from another by case alone.
    """
    seen: dict[str, str] = {}
    for name in names:
        if PLAIN_NAME.fullmatch(name) is None:
            raise BundleError(f"{where}: names {name!r}, which is not a plain file beside it")
        twin = seen.setdefault(unicodedata.normalize("NFC", name).casefold(), name)
        if twin is not name:
            raise BundleError(f"{where}: names {twin!r} and {name!r}, which are one file on many disks; rename one")


def check_kinds(folder: Path, named: Mapping[str, str]) -> None:
    """Check that each file is by its bytes what its name says, so that a pickle under another name is refused.

    Raises:
        BundleError: a file is something else, is a pickle, or holds control characters.
    """
    for name in (MANIFEST, *named):
        path = folder / name
        try:
            CONTENTS[path.suffix](path)
        except KeyError as e:
            raise BundleError(f"{path}: files of this kind may hold code and are refused") from e
        except OSError as e:
            raise BundleError(f"{path}: cannot be read ({e.strerror}); fetch the bundle again") from e


def check_weights(folder: Path, named: Mapping[str, str]) -> None:
    """Check that all weights can be read and are finite.

    Raises:
        BundleError: a weights file is damaged, empty or not of numbers, or a weight is NaN or infinite.
    """
    from safetensors import SafetensorError, safe_open

    for name in named:
        path = folder / name
        if path.suffix != ".safetensors":
            continue
        try:
            with safe_open(str(path), "np") as weights:
                tensors = list(weights.keys())
                strange = [key for key in tensors if not np.isfinite(weights.get_tensor(key)).all()]
        # TypeError: a type that NumPy has not, such as bfloat16
        except (SafetensorError, OSError, ValueError, TypeError, MemoryError) as e:
            raise BundleError(f"{path}: is no weights file that can be read; fetch the bundle again") from e
        if not tensors:
            raise BundleError(f"{path}: holds no weights; fetch the bundle again")
        if strange:
            raise BundleError(f"{path}: {strange[0]!r} holds NaN or infinite weights; train the bundle again")


def is_pickle(data: bytes) -> bool:
    """Say whether bytes are a pickle of any protocol: they parse to its end, or up to a step that runs something."""
    names: set[str] = set()
    last = 0
    try:
        for operation, _, position in islice(pickletools.genops(data), 100_000):
            names.add(operation.name)
            last = position or 0
    except Exception:  # noqa: BLE001  # genops raises whatever its arguments' parsers do; then it is no whole pickle
        return data[:1] == b"\x80" and data[1:2] <= b"\x05"
    return not data[last + 1 :].strip() or bool(names & _RUNS)


def _files(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield every file below a folder with its name relative to it; links to folders count as files."""
    count, snapshot = 0, _is_snapshot(folder)
    for place, folders, files in os.walk(folder):
        linked = [name for name in folders if (Path(place) / name).is_symlink()]
        for name in sorted(files + linked):
            path = Path(place) / name
            extras = DESKTOP_EXTRAS | HUB_EXTRAS if snapshot else DESKTOP_EXTRAS
            if path.parent == folder and name in extras:
                continue
            count += 1
            if count > MAX_FILES:
                raise BundleError(f"{folder}: holds more than {MAX_FILES} files; a bundle has about ten")
            yield path, path.relative_to(folder).as_posix()


def _is_snapshot(folder: Path) -> bool:
    """Say whether this is a snapshot in a hub's cache: models--owner--name/snapshots/REVISION, links to ../../blobs."""
    parts = folder.absolute().parts
    return len(parts) > 3 and parts[-2] == "snapshots" and parts[-3].startswith("models--")


def _plain_size(path: Path, folder: Path) -> int:
    """Return a file's size in bytes.

    Raises:
        BundleError: it is a link (but for a hub's own), a pipe or a device, or a text that is too large.
    """
    try:
        if path.is_symlink():
            blobs = folder.resolve().parent.parent / "blobs"
            if not _is_snapshot(folder) or not path.resolve().is_relative_to(blobs):
                raise BundleError(f"{path}: is a link; a bundle holds plain files")
        status = path.stat()
    except OSError as e:
        raise BundleError(f"{path}: cannot be read ({e.strerror}); fetch the bundle again") from e
    if not stat.S_ISREG(status.st_mode):
        raise BundleError(f"{path}: is no plain file; a bundle holds nothing else")
    if path.suffix not in {".safetensors", ".parquet"} and status.st_size > MAX_TEXT_BYTES:
        raise BundleError(f"{path}: is larger than {MAX_TEXT_BYTES // 10**6} MB; do not use it")
    return status.st_size


def _is_safetensors(path: Path) -> None:
    size = path.stat().st_size
    with path.open("rb") as handle:
        length = int.from_bytes(handle.read(8), "little")
        start = handle.read(1)
    if size < 10 or length > min(size - 8, 100_000_000) or start != b"{":
        raise BundleError(f"{path}: is no safetensors file, or not a whole one; fetch the bundle again")


def _is_parquet(path: Path) -> None:
    with path.open("rb") as handle:
        start = handle.read(4)
        handle.seek(-min(4, path.stat().st_size), os.SEEK_END)
        end = handle.read(4)
    if path.stat().st_size < 12 or (start, end) != (b"PAR1", b"PAR1"):
        raise BundleError(f"{path}: is no Parquet file, or not a whole one; fetch the bundle again")


def _is_text(path: Path) -> str:
    data = path.read_bytes()
    if is_pickle(data) and data.strip():
        raise BundleError(f"{path}: is a pickle, which can run code; do not use this bundle")
    try:
        text = data.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError as e:
        raise BundleError(f"{path}: is no UTF-8 text, whatever its name says; fetch the bundle again") from e
    if _CONTROL.search(text):
        raise BundleError(f"{path}: holds control characters, which a text of a bundle has not; do not use it")
    return text


def _is_json(path: Path) -> None:
    try:
        json.loads(_is_text(path))
    except (ValueError, RecursionError) as e:
        raise BundleError(f"{path}: is no JSON; fetch the bundle again") from e


def _is_toml(path: Path) -> None:
    try:
        tomllib.loads(_is_text(path))
    except (tomllib.TOMLDecodeError, RecursionError) as e:
        raise BundleError(f"{path}: is not valid TOML; fetch the bundle again") from e


CONTENTS: dict[str, Callable[[Path], object]] = {
    ".safetensors": _is_safetensors,
    ".parquet": _is_parquet,
    ".json": _is_json,
    ".toml": _is_toml,
    ".md": _is_text,
    ".txt": _is_text,
    ".csv": _is_text,
}
