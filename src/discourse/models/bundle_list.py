"""Which bundles there are: those that ship, and those in a folder, broken ones with the reason."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from discourse.errors import BundleError, InputError
from discourse.models.bundle import Bundle, load_bundle, locate, shipped_bundles
from discourse.models.bundle_contents import MANIFEST
from discourse.models.bundle_zip import bundle_count


@dataclass(frozen=True, slots=True)
class Listed:
    """A bundle where it lies; `bundle` is None and `broken` says why where it does not verify."""

    path: Path
    bundle: Bundle | None
    broken: str = ""
    shipped: bool = False


def shipped() -> list[Listed]:
    """Return the bundles that come with discourse."""
    return [replace(_listed(name, locate(name)), shipped=True) for name in shipped_bundles()]


def bundles_in(folder: Path) -> list[Listed]:
    """Return the bundles in a folder: itself, its folders that hold a ``bundle.toml``, and its zips that hold one.

    Raises:
        InputError: the folder does not exist or cannot be read.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder")
    if (folder / MANIFEST).is_file():
        return [_listed(folder.absolute(), folder)]
    found: list[Listed] = []
    try:
        entries = sorted(folder.iterdir())
    except OSError as e:
        raise InputError(f"{folder}: cannot be read ({e.strerror})") from e
    for path in entries:
        if path.is_dir() and (path / MANIFEST).exists():
            found.append(_listed(path.absolute(), path))
        elif path.suffix.lower() == ".zip" and path.is_file():
            try:
                if bundle_count(path):
                    found.append(_listed(path.absolute(), path))
            except BundleError as e:
                found.append(Listed(path, None, str(e)))
    return found


def _listed(reference: str | Path, path: Path) -> Listed:
    try:
        return Listed(path, load_bundle(reference))
    except BundleError as e:
        return Listed(path, None, str(e))
