"""Threads behind addresses: each is collected into an archive of its own in `WS/raw`, and read back from it."""

from __future__ import annotations

import hashlib
import os
from datetime import datetime

from discourse.checksums import file_sha256
from discourse.collect.archive import read_archive
from discourse.collect.crawl import Progress, crawl
from discourse.collect.harvest import Collected, harvest
from discourse.collect.manifest import Entry
from discourse.collect.sources.base import Parsed
from discourse.collect.sources.platform import Platform
from discourse.config import CollectConfig, InputConfig
from discourse.errors import WorkspaceError
from discourse.progress import line, say
from discourse.workspace import Workspace, now

LIVE_PREFIX = "live-"
ARCHIVE_SUFFIX = ".warc.gz"


def is_address(source: str) -> bool:
    """Tell an address from a path; only http and https are fetched."""
    return "://" in source


def archive_name(address: str) -> str:
    """Return the name of an address's archive; it does not show the address."""
    return f"{LIVE_PREFIX}{hashlib.sha256(address.encode()).hexdigest()[:16]}{ARCHIVE_SUFFIX}"


def collect_address(
    workspace: Workspace, address: str, platform: Platform, config: CollectConfig, options: InputConfig
) -> Entry:
    """Collect an address, or go on where an earlier run stopped; a finished one is looked at again for what is new.

    Raises:
        InputError: the address is refused.
        KeyboardInterrupt: Ctrl-C ended it; what came is on disk.
        WorkspaceError: the archive cannot be written.
    """
    path = workspace.raw / archive_name(address)
    with line(f"{platform.title}") as show:

        def report(progress: Progress) -> None:
            show(str(progress))

        outcome = crawl(path, address, platform, config, environment=os.environ, report=report)
    say(f"  {address}: {outcome.note}")
    if outcome.interrupted:
        raise KeyboardInterrupt
    return Entry(
        name=path.name,
        sha256=file_sha256(path),
        bytes=path.stat().st_size,
        collected_at=now(),
        options=options,
        address=address,
        platform=platform.name,
    )


def read_live(workspace: Workspace, entry: Entry, family: tuple[Platform, ...], config: CollectConfig) -> Parsed:
    """Read the archive of an address into raw tables.

    Raises:
        WorkspaceError: it is damaged, or its platform is not known.
    """
    platform = next((one for one in family if one.name == entry.platform), None)
    if platform is None:
        raise WorkspaceError(f"{entry.address}: its platform {entry.platform} is not known here; collect it again")
    contents = read_archive(workspace.raw / entry.name)
    began: datetime | None = contents.rounds[-1].began if contents.rounds else None
    how = Collected(
        entry.name,
        entry.collected_at,
        _thread_name(entry),
        contents.unanswered,
        round_began=began,
        keep_deleted=config.keep_deleted,
    )
    return harvest(platform, contents.answers, how)


def _thread_name(entry: Entry) -> str:
    return (entry.address or entry.name).partition("://")[2] or entry.name
