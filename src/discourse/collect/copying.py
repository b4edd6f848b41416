"""Bring each source's bytes into the workspace, unchanged, and note what they are."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from discourse.checksums import file_sha256
from discourse.collect.live import ARCHIVE_SUFFIX, LIVE_PREFIX, collect_address, is_address
from discourse.collect.manifest import FILE_NAME, Entry, Manifest, read_manifest, save_manifest
from discourse.collect.rawfile import check_regular
from discourse.collect.sources.platforms import platform_of_address, platforms
from discourse.config import Config, InputConfig
from discourse.errors import InputError, UsageError, WorkspaceError
from discourse.workspace import Workspace, now
from discourse.writing import replacing

_CHUNK = 1 << 20


def copy_sources(workspace: Workspace, config: Config) -> Manifest:
    """Copy the files of `[input] sources` to `WS/raw`, collect its addresses, and write `WS/raw/sources.json`.

    A file that lies there already with the same bytes and options keeps its time of collection. Files that are no
    longer among the sources are removed; what was collected from an address stays until it is forgotten.

    Raises:
        InputError: a source is missing or unreadable, has the name of another, or is an address of no platform.
        KeyboardInterrupt: Ctrl-C ended a collection, which the same command goes on with.
        UsageError: there are no sources.
        WorkspaceError: the workspace cannot be written.
    """
    if not config.input.sources:
        raise UsageError("there is nothing to read; name a file or an address, or list them under [input] sources")
    addresses = [source for source in config.input.sources if is_address(source)]
    paths = _paths([source for source in config.input.sources if not is_address(source)])
    options = config.input.model_copy(update={"sources": ()})
    family = platforms(config.collect.profile) if addresses else ()
    chosen = [(address, platform_of_address(address, family)) for address in dict.fromkeys(addresses)]
    before = {entry.name: entry for entry in read_manifest(workspace).sources}
    copied = [_copy(workspace, path, options, before.get(path.name)) for path in paths]
    live = {entry.name: entry for entry in before.values() if entry.address is not None}
    for address, platform in chosen:
        entry = collect_address(workspace, address, platform, config.collect, options)
        live[entry.name] = entry
        # After each, so that what is collected counts even if the next one is interrupted.
        save_manifest(workspace, Manifest(sources=(*copied, *live.values())))
    manifest = Manifest(sources=(*copied, *live.values()))
    save_manifest(workspace, manifest)
    kept = {FILE_NAME, *(entry.name for entry in manifest.sources)}
    for path in workspace.raw.iterdir():
        # An archive that no manifest names is what a killed collection left, to go on with.
        if path.is_file() and path.name not in kept and not path.name.endswith(ARCHIVE_SUFFIX):
            path.unlink()
    return manifest


def _paths(sources: list[str]) -> list[Path]:
    paths: list[Path] = []
    for source in sources:
        path = Path(source).expanduser() if source.startswith("~") else Path(source)
        check_regular(path)
        _check_name(path)
        twin = next((other for other in paths if other.name == path.name), None)
        if twin is not None:
            raise InputError(f"{twin} and {path}: two sources have one file name; rename one of them")
        paths.append(path)
    return paths


def _check_name(path: Path) -> None:
    try:
        path.name.encode("utf-8")
    except UnicodeEncodeError as e:
        raise InputError(f"{path.name!r}: the file's name is not UTF-8; rename it") from e
    if path.name == FILE_NAME or path.name.startswith((".partial-", LIVE_PREFIX)):
        raise InputError(f"{path}: a workspace keeps a file of its own under this name; rename it")


def _copy(workspace: Workspace, path: Path, options: InputConfig, before: Entry | None) -> Entry:
    target = workspace.raw / path.name
    digest, size = hashlib.sha256(), 0
    with replacing(target) as partial, partial.open("wb") as copy:
        for chunk in _chunks(path):
            copy.write(chunk)
            digest.update(chunk)
            size += len(chunk)
        if not size:
            raise InputError(f"{path}: is empty; check that the file was saved whole")
    entry = Entry(name=path.name, sha256=digest.hexdigest(), bytes=size, collected_at=now(), options=options)
    if before is not None and (before.sha256, before.options) == (entry.sha256, entry.options):
        return before
    return entry


def _chunks(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as source:
            while chunk := source.read(_CHUNK):
                yield chunk
    except OSError as e:
        raise InputError(f"{path}: cannot be read ({e.strerror}); check its permissions") from e


def check_copies(workspace: Workspace, manifest: Manifest) -> None:
    """Make sure that the collected files are there, unchanged.

    Raises:
        WorkspaceError: one is missing or was changed.
    """
    for entry in manifest.sources:
        path = workspace.raw / entry.name
        # An archive grows while it is collected; each of its records is checked when it is read.
        if not path.is_file() or (entry.address is None and file_sha256(path) != entry.sha256):
            raise WorkspaceError(f"{path}: is missing or was changed after it was collected; collect it again")
