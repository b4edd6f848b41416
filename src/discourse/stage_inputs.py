"""Fingerprints of what a stage reads beside its tables: a stage whose fingerprints are the same is not run again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from discourse import collect
from discourse.checksums import file_sha256
from discourse.codebook import load_codebook
from discourse.config import Config
from discourse.models.bundle import load_bundle
from discourse.models.judge.comments import JUDGED, tag_coder
from discourse.workspace import Workspace


def sources(workspace: Workspace, config: Config) -> Mapping[str, str]:
    """Return a hash of each file among the sources, and of the archive of each address."""
    files = [source for source in config.input.sources if not collect.is_address(source)]
    addresses = [source for source in config.input.sources if collect.is_address(source)]
    return {
        **{f"source {Path(file).name}": file_digest(Path(file)) for file in files},
        **{f"source {address}": file_digest(workspace.raw / collect.archive_name(address)) for address in addresses},
    }


def author_key(workspace: Workspace, config: Config) -> Mapping[str, str]:
    """Return a hash that tells one author key from another."""
    path = config.normalize.author_key or workspace.root / "author.key"
    # A hash of the key's hash: the receipt must not help to guess the key.
    return {"author key": hashlib.sha256(file_digest(path).encode()).hexdigest()}


def label_files(workspace: Workspace, config: Config) -> Mapping[str, str]:
    """Return a hash of each label file, and what decides how its labels are read."""
    files = {f"labels {Path(file).name}": file_digest(Path(file)) for file in config.labels.files}
    return {**files, **codebook(workspace, config), **bundles(workspace, config)}


def codebook(workspace: Workspace, config: Config) -> Mapping[str, str]:
    """Return the hash of the configured codebook."""
    del workspace
    found = load_codebook(config.codebook.file)
    return {f"codebook {found.name}": found.sha256}


def bundles(workspace: Workspace, config: Config) -> Mapping[str, str]:
    """Return the hash of each bundle that tags."""
    del workspace
    wanted = [(config.bundles.frames, "frames")]
    if config.stance.targets:
        wanted.append((config.bundles.stance, "stance"))
    if config.bundles.topics is not None:
        wanted.append((config.bundles.topics, "topics"))
    found = [load_bundle(reference, kind) for reference, kind in wanted]
    return {f"bundle {bundle.manifest.name}": bundle.sha256 for bundle in found}


def coder(workspace: Workspace, config: Config) -> Mapping[str, str]:
    """Return what decides the external coder's answers, where it is asked for anything."""
    del workspace
    if config.tagger != JUDGED and config.topics.names != "judge":
        return {}
    asked = tag_coder(config)
    read = [asked.prompt, config.judge.runs, config.judge.retries, config.judge.languages]
    return {f"external coder {asked.model}": hashlib.sha256(json.dumps(read).encode()).hexdigest()}


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, or `absent`."""
    return file_sha256(path) if path.is_file() else "absent"
