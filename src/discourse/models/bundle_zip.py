"""Bundles as zip files: written so that the same bundle gives the same bytes, unpacked only if nothing can escape."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from discourse.errors import BundleError
from discourse.models.bundle_contents import (
    CONTENTS,
    DESKTOP_EXTRAS,
    MANIFEST,
    MAX_BYTES,
    MAX_FILES,
    MAX_TEXT_BYTES,
    check_plain_names,
)
from discourse.writing import replacing

MAX_RATIO = 200  # unpacked to packed size; a long list of hashes packs to about a half, a table of text to a tenth
SMALL = 1_000_000  # bytes below which no ratio matters
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)


def write_zip(folder: Path, names: list[str], output: Path) -> None:
    """Pack files of a folder, not compressed and without times, so that equal bundles give equal zips anywhere.

    Raises:
        BundleError: `output` exists.
        WorkspaceError: it cannot be written.
    """
    if output.exists():
        raise BundleError(f"{output}: exists; bundles are never written over: remove it or choose another -o")
    with replacing(output) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
        for name in [MANIFEST, *sorted(names)]:
            entry = zipfile.ZipInfo(name, _FIRST_DAY)
            entry.create_system, entry.external_attr = 3, (stat.S_IFREG | 0o644) << 16
            archive.writestr(entry, (folder / name).read_bytes())


def unpack(path: Path) -> Path:
    """Unpack a bundle that came as a zip into a private folder named by the zip's content, or find it there.

    Raises:
        BundleError: it is no zip, is damaged or locked, holds other than one bundle, or is made to do harm.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = _checked(path, archive)
            return _unpacked(archive, entries, _private_folder() / _digest(path))
    # RuntimeError: locked, or packed by a method that this Python does not know
    except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, ValueError) as e:
        raise BundleError(f"{path}: is no zip file that can be unpacked; fetch it again") from e


def bundle_count(path: Path) -> int:
    """Return how many files ``bundle.toml`` a zip holds, 0 if it is none.

    Raises:
        BundleError: the file is no zip that can be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return sum(PurePosixPath(name).name == MANIFEST for name in archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError) as e:
        raise BundleError(f"{path}: is no zip file that can be unpacked; fetch it again") from e


def _checked(path: Path, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return the entries of the one bundle by their names beside its `bundle.toml`; nothing is unpacked yet."""
    entries = [entry for entry in archive.infolist() if not entry.is_dir() and not _of_desktop(entry.filename)]
    for entry in entries:
        _check_entry(path, entry)
    manifests = [entry for entry in entries if PurePosixPath(entry.filename).name == MANIFEST]
    if len(manifests) != 1 and len({entry.filename for entry in manifests}) == len(manifests):
        raise BundleError(f"{path}: holds {len(manifests)} files {MANIFEST}; a bundle has one")
    if len(entries) > MAX_FILES:
        raise BundleError(f"{path}: holds {len(entries):,} files; a bundle has about ten")
    if sum(entry.file_size for entry in entries) > MAX_BYTES:
        raise BundleError(f"{path}: unpacks to over {MAX_BYTES // 10**9} GB; do not use it")
    inside = PurePosixPath(manifests[0].filename).parent
    strange = [entry.filename for entry in entries if PurePosixPath(entry.filename).parent != inside]
    if strange:
        raise BundleError(f"{path}: holds {strange[0]!r} beside the bundle; a bundle's zip holds nothing else")
    names = [PurePosixPath(entry.filename).name for entry in entries]
    repeated = [name for name in names if names.count(name) > 1]
    if repeated:
        raise BundleError(f"{path}: holds {repeated[0]!r} twice; do not use it")
    check_plain_names(path, names)
    return dict(zip(names, entries, strict=True))


def _of_desktop(name: str) -> bool:
    """Say whether a file manager put this into the zip; it is never unpacked."""
    path = PurePosixPath(name)
    return path.name in DESKTOP_EXTRAS or (path.parts[:1] == ("__MACOSX",) and path.name.startswith("._"))


def _check_entry(path: Path, entry: zipfile.ZipInfo) -> None:
    name = PurePosixPath(entry.filename)
    # orig_filename: zipfile cuts a name at a NUL and turns the system's separators.
    if name.is_absolute() or ".." in name.parts or set("\\:\0") & set(entry.orig_filename):
        raise BundleError(f"{path}: holds {entry.orig_filename!r}, a path outside the bundle; do not use it")
    mode = entry.external_attr >> 16
    if stat.S_IFMT(mode) not in {0, stat.S_IFREG}:
        raise BundleError(f"{path}: holds {entry.filename!r}, which is a link or no plain file; do not use it")
    if name.suffix not in CONTENTS:
        raise BundleError(f"{path}: holds {entry.filename!r}; files of this kind may hold code and are refused")
    if entry.file_size > SMALL and entry.file_size > MAX_RATIO * entry.compress_size:
        raise BundleError(f"{path}: {entry.filename!r} would unpack to a vast file; do not use it")
    if name.suffix not in {".safetensors", ".parquet"} and entry.file_size > MAX_TEXT_BYTES:
        raise BundleError(f"{path}: {entry.filename!r} is larger than {MAX_TEXT_BYTES // 10**6} MB; do not use it")


def _digest(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()[:32]


def _unpacked(archive: zipfile.ZipFile, entries: dict[str, zipfile.ZipInfo], target: Path) -> Path:
    if _whole(archive, entries, target):
        return target
    fresh = Path(tempfile.mkdtemp(prefix="fresh-", dir=target.parent))
    try:
        for name, entry in entries.items():
            with archive.open(entry) as source, (fresh / name).open("wb") as sink:
                shutil.copyfileobj(source, sink, 1 << 20)
        _put(fresh, target)
    except OSError as e:
        raise BundleError(
            f"{archive.filename}: cannot be unpacked into {target.parent} ({e.strerror}); free space there"
        ) from e
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return target


def _put(fresh: Path, target: Path) -> None:
    """Move a folder to its place; what lies there already was cut short, as by a clean-up of temporary files."""
    with tempfile.TemporaryDirectory(prefix="old-", dir=target.parent) as aside:
        if target.exists():
            target.rename(Path(aside) / "old")
        try:
            fresh.rename(target)
        except OSError:
            # Another process was faster.
            if not target.is_dir():
                raise


def _whole(archive: zipfile.ZipFile, entries: dict[str, zipfile.ZipInfo], folder: Path) -> bool:
    """Say whether a folder holds the entries and no other file, with the same `bundle.toml` and sizes."""
    try:
        found = {path.name: path.stat().st_size for path in folder.iterdir()}
        manifest = (folder / MANIFEST).read_bytes()
    except OSError:
        return False
    sizes = {name: entry.file_size for name, entry in entries.items()}
    return found == sizes and manifest == archive.read(entries[MANIFEST])


def _private_folder() -> Path:
    """Return a folder for unpacked bundles that belongs to this user and that nobody else can write to."""
    folder = Path(tempfile.gettempdir()) / f"discourse-bundles-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
        if stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o022:
            return folder
        return Path(tempfile.mkdtemp(prefix="discourse-bundles-"))
    except OSError as e:
        raise BundleError(f"{folder}: cannot be written ({e.strerror}); free space or set TMPDIR") from e
