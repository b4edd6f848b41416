"""`WS/forgotten.json`: keyed hashes of what was forgotten, so that a later collection does not bring it back."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import cast

import polars as pl

from discourse.collect.wording import GONE
from discourse.errors import WorkspaceError
from discourse.tables import State
from discourse.workspace import Workspace
from discourse.writing import write_text

FILE_NAME = "forgotten.json"
_MARKUP = re.compile(r"<[^<>]{0,100}>")


def remember_forgotten(workspace: Workspace, things: Iterable[str]) -> None:
    """Add what was forgotten, each as HMAC-SHA256 with the workspace's author key; see `thing`."""
    key = workspace.author_key()
    found = _read(workspace.root / FILE_NAME) | {_hash(key, one) for one in things}
    write_text(workspace.root / FILE_NAME, json.dumps({"forgotten": sorted(found)}, indent=1) + "\n")


def thing(kind: str, *parts: str | None) -> str:
    """Name what is forgotten: an ``id`` (thread_id, native id), an ``author`` (platform, name) or a ``text``."""
    return "\n".join((kind, *(part or "" for part in parts)))


def without_forgotten(workspace: Workspace, comments: pl.DataFrame) -> pl.DataFrame:
    """Return raw comments where those that were forgotten have neither text nor author, and the state deleted.

    Raises:
        WorkspaceError: `WS/forgotten.json` is damaged.
    """
    known = _read(workspace.root / FILE_NAME)
    if not known:
        return comments
    key = workspace.author_key()
    rows = comments.select("thread_id", "native_id", "platform", "author", "text", "excerpt").iter_rows()
    gone = [
        (native is not None and _hash(key, thing("id", thread, native)) in known)
        or (author is not None and _hash(key, thing("author", platform, author.strip())) in known)
        or any(said is not None and _hash(key, thing("text", said.strip())) in known for said in (text, excerpt))
        or (text is not None and _MARKUP.sub("", text).strip(" *_.!?\n") == GONE)
        for thread, native, platform, author, text, excerpt in rows
    ]
    return blanked(comments, pl.Series(gone, dtype=pl.Boolean))


def blanked(comments: pl.DataFrame, gone: pl.Series) -> pl.DataFrame:
    """Return raw comments without text, excerpt and author where `gone` is true; the rows stay."""
    kept = ~pl.lit(gone)
    return comments.with_columns(
        *(pl.when(kept).then(pl.col(name)).alias(name) for name in ("text", "excerpt", "author")),
        pl.when(kept).then(pl.col("state")).otherwise(pl.lit(State.DELETED.value)).alias("state"),
    )


def _hash(key: bytes, what: str) -> str:
    return hmac.digest(key, what.encode(), "sha256").hex()


def _read(path: Path) -> set[str]:
    if not path.exists():
        return set()
    try:
        found = cast("dict[str, list[str]]", json.loads(path.read_bytes()))
        return set(found["forgotten"])
    except (ValueError, KeyError, TypeError, OSError) as e:
        raise WorkspaceError(f"{path}: is damaged; restore it, or delete it and forget again") from e
