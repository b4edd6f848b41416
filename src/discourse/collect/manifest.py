"""`WS/raw/sources.json`: which files were collected, when, and with which options they are to be read."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from discourse.config import InputConfig
from discourse.errors import WorkspaceError
from discourse.workspace import Workspace
from discourse.writing import write_text

FILE_NAME = "sources.json"


class Entry(BaseModel):
    """One collected file, or the archive of one address. Where a file lay on the user's machine is not kept."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    sha256: str
    bytes: int
    collected_at: datetime
    options: InputConfig
    address: str | None = None
    platform: str | None = None


class Manifest(BaseModel):
    """All collected files, in the order in which they were named."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sources: tuple[Entry, ...] = ()


def manifest_path(workspace: Workspace) -> Path:
    """Return where the manifest lies."""
    return workspace.raw / FILE_NAME


def read_manifest(workspace: Workspace) -> Manifest:
    """Read the manifest; an empty one if nothing was collected yet.

    Raises:
        WorkspaceError: it is damaged.
    """
    path = manifest_path(workspace)
    if not path.exists():
        return Manifest()
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except (ValidationError, OSError) as e:
        raise WorkspaceError(f"{path}: is damaged; delete it and collect again") from e


def save_manifest(workspace: Workspace, manifest: Manifest) -> None:
    """Write the manifest, atomically."""
    write_text(
        manifest_path(workspace),
        manifest.model_dump_json(indent=1, exclude={"sources": {"__all__": {"options": {"sources"}}}}) + "\n",
    )
