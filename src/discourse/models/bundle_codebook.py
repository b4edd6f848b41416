"""The codebook that a bundle was trained on, kept in it, and what is different in another one."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError

from discourse.codebook import Codebook, Frame
from discourse.config import explain
from discourse.errors import BundleError, UsageError
from discourse.models.bundle import CODEBOOK_FILE, Bundle

_PARTS = {
    "title": "its title",
    "definition": "its definition",
    "yes": "its rules for yes",
    "no": "its rules for no",
    "examples": "its examples",
}


def bundled_codebook(bundle: Bundle) -> Codebook | None:
    """Return the codebook that lies in a bundle; None if it holds none, as bundles of earlier versions.

    Raises:
        BundleError: it is no codebook, or lacks a frame of the bundle.
    """
    if CODEBOOK_FILE not in bundle.manifest.files:
        return None
    where = f"{bundle.folder}/{CODEBOOK_FILE}"
    try:
        book = Codebook.model_validate_json(bundle.read(CODEBOOK_FILE))
    except ValidationError as e:
        raise BundleError(f"{where}: {explain(e, Codebook)}") from e
    missing = [label for label in bundle.manifest.labels if label not in book.names]
    if missing:
        raise BundleError(f"{where}: lacks the frame {missing[0]} that the bundle reads; fetch the bundle again")
    return book


def check_codebook(bundle: Bundle, book: Codebook) -> None:
    """Check that a bundle was trained on a codebook as it stands now.

    Raises:
        UsageError: it was trained on another; the message names what is different.
        BundleError: the codebook that lies in the bundle cannot be read.
    """
    if book.sha256 == bundle.manifest.codebook_sha256:
        return
    name, trained = bundle.manifest.name, bundle.manifest.codebook or "none"
    said = f"bundle {name} was trained on codebook {trained}, which is not {book.name} as it stands now"
    kept = bundled_codebook(bundle)
    if kept is None:
        unknown = [label for label in bundle.manifest.labels if label not in book.names]
        changed = f"it has no frame {unknown[0]}" if unknown else "what changed cannot be told, since it is not in it"
    else:
        changed = "; ".join(list(changes(kept, book))[:6])
    raise UsageError(f"{said} ({changed}); train a bundle for it: discourse bundle train --help")


def changes(old: Codebook, new: Codebook) -> Iterator[str]:
    """Yield what is different in a new codebook, in words, from the frames down to their examples."""
    if old.name != new.name:
        yield f'its name was "{old.name}" and is "{new.name}"'
    for name in old.names:
        if name not in new.names:
            yield f"frame {name} is gone"
    for frame in new.frames:
        if frame.name not in old.names:
            yield f"frame {frame.name} is new"
        else:
            yield from _frame_changes(old.frame(frame.name), frame)
    if old.names != new.names and set(old.names) == set(new.names):
        yield "the frames are in another order"
    for key, said in (("unit", "the unit"), ("tie_breaks", "the tie-breaks"), ("language", "the language")):
        if getattr(old, key) != getattr(new, key):
            yield f"{said} changed"
    if old.version != new.version:
        yield f"version {old.version} became {new.version}"


def _frame_changes(old: Frame, new: Frame) -> Iterator[str]:
    parts = [said for key, said in _PARTS.items() if getattr(old, key) != getattr(new, key)]
    if parts:
        yield f"of frame {new.name} changed {' and '.join(parts)}"
