"""One folder for one analysis: its tables, its raw files, what is stale, the lock and the receipt."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Generator, Iterable, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
from pydantic import ValidationError

from discourse.errors import WorkspaceError
from discourse.receipt import Receipt, library_versions
from discourse.tables import SCHEMA_VERSION, Table
from discourse.workspace_lock import locked


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a stage says of its work: counts for the receipt, and sentences for the person who runs it."""

    counts: Mapping[str, int]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Workspace:
    """A folder that holds every table of one analysis; tables are read and written only through it."""

    root: Path

    @property
    def raw(self) -> Path:
        """The folder of collected bytes."""
        return self.root / "raw"

    def folder(self, table: Table) -> Path:
        """The folder of a table's Parquet parts."""
        return self.root / table.name

    def parts(self, table: Table) -> list[Path]:
        """The table's Parquet files in a fixed order; none if it was never written."""
        return sorted(self.folder(table).glob("part-*.parquet"))

    def scan(self, table: Table) -> pl.LazyFrame:
        """Read a table lazily; a table that was never written has no rows.

        Raises:
            WorkspaceError: a part is damaged.
        """
        parts = self.parts(table)
        if not parts:
            return table.empty().lazy()
        for part in parts:
            try:
                pl.read_parquet_schema(part)
            except (pl.exceptions.PolarsError, OSError) as e:
                raise WorkspaceError(
                    f"{part}: is damaged ({_first_line(e)}); delete the folder {part.parent} and run again"
                ) from e
        return pl.scan_parquet(parts)

    def read(self, table: Table) -> pl.DataFrame:
        """Read a whole table into memory.

        Raises:
            WorkspaceError: a part is damaged.
        """
        rows = self.scan(table)
        try:
            return rows.collect()
        except (pl.exceptions.PolarsError, OSError) as e:
            folder = self.folder(table)
            raise WorkspaceError(f"{folder}: is damaged ({_first_line(e)}); delete this folder and run again") from e

    def batches(self, table: Table, rows: int) -> Generator[pl.DataFrame]:
        """Read a table piece by piece, in the order of its parts.

        Args:
            table: which table.
            rows: of each piece, about.

        Raises:
            WorkspaceError: a part is damaged.
        """
        try:
            yield from self.scan(table).collect_batches(chunk_size=rows, maintain_order=True)
        except (pl.exceptions.PolarsError, OSError) as e:
            folder = self.folder(table)
            raise WorkspaceError(f"{folder}: is damaged ({_first_line(e)}); delete this folder and run again") from e

    def write(self, table: Table, frame: pl.DataFrame, provenance: Mapping[str, str] | None = None) -> None:
        """Replace a table by `frame` as one part, atomically.

        Args:
            table: which table.
            frame: rows that conform to it, see `Table.conform`.
            provenance: input, config and bundle hashes, kept in the file's metadata.

        Raises:
            WorkspaceError: the disk is full or the folder cannot be written.
        """
        kept = self._put(table, frame, "part-00000.parquet", provenance or {})
        for part in self.parts(table):
            if part != kept:
                part.unlink()

    def append(self, table: Table, frame: pl.DataFrame, provenance: Mapping[str, str] | None = None) -> None:
        """Add one part to a table, atomically; the part is named by its keys, so a repeated shard replaces itself."""
        keys = frame.select(table.key).write_csv().encode()
        self._put(table, frame, f"part-{hashlib.sha256(keys).hexdigest()[:16]}.parquet", provenance or {})

    def write_parts(
        self, table: Table, frames: Iterable[pl.DataFrame], provenance: Mapping[str, str] | None = None
    ) -> int:
        """Replace a table by many parts, one a frame, while no more than one frame is in memory.

        The parts appear when the last is written; until then, and if `frames` fails, the table stays as it was.

        Args:
            table: which table; a key must not repeat from one frame to another, which only normalize can check.
            frames: rows that conform to it; frames without rows make no part, no frame at all makes one empty part.
            provenance: as in `write`.

        Returns:
            How many rows were written.

        Raises:
            WorkspaceError: the disk is full or the folder cannot be written.
        """
        folder, rows, names = self.folder(table), 0, list[Path]()
        try:
            for frame in frames:
                if frame.height:
                    rows += frame.height
                    names.append(self._put(table, frame, f".partial-{len(names):05}.parquet", provenance or {}))
            if not names:
                names.append(self._put(table, table.empty(), ".partial-00000.parquet", provenance or {}))
            kept = {folder / name.name.replace(".partial-", "part-") for name in names}
            for old in set(self.parts(table)) - kept:
                old.unlink()
            for name in names:
                name.replace(folder / name.name.replace(".partial-", "part-"))
        except OSError as e:
            raise WorkspaceError(
                f"{folder}: cannot be written ({e.strerror or e}); free space or choose another with -o"
            ) from e
        finally:
            for name in names:
                name.unlink(missing_ok=True)
        return rows

    def _put(self, table: Table, frame: pl.DataFrame, name: str, provenance: Mapping[str, str]) -> Path:
        about = {"schema_version": SCHEMA_VERSION, "stage": table.stage, **provenance, "versions": library_versions()}
        target = self.folder(table) / name
        with replacing(target) as partial:
            table.conform(frame).write_parquet(
                partial, compression="zstd", metadata={"discourse": json.dumps(about, sort_keys=True)}
            )
        return target

    def clear(self, table: Table) -> None:
        """Remove a table's parts."""
        shutil.rmtree(self.folder(table), ignore_errors=True)

    def digest(self, table: Table) -> str:
        """Return a SHA-256 of a table's rows as stored, or an empty string if it was never written."""
        parts = self.parts(table)
        if not parts:
            return ""
        total = hashlib.sha256()
        for part in parts:
            total.update(part.name.encode())
            total.update(bytes.fromhex(file_sha256(part)))
        return total.hexdigest()

    def receipt(self) -> Receipt:
        """Read the receipt; an empty one if nothing was run yet.

        Raises:
            WorkspaceError: the receipt is damaged or was written by a newer version.
        """
        path = self.root / "receipt.json"
        if not path.exists():
            return Receipt()
        try:
            found = Receipt.model_validate_json(path.read_bytes())
        except (ValidationError, OSError) as e:
            raise WorkspaceError(f"{path}: is damaged ({_first_line(e)}); delete it and run again") from e
        if found.schema_version != SCHEMA_VERSION:
            raise WorkspaceError(
                f"{self.root}: was written with table version {found.schema_version}, this is version "
                f"{SCHEMA_VERSION}; run again into a new folder"
            )
        return found

    def save_receipt(self, receipt: Receipt) -> None:
        """Write the receipt, atomically."""
        write_text(self.root / "receipt.json", receipt.model_dump_json(indent=1))

    def author_key(self, shared: Path | None = None) -> bytes:
        """Return the secret that turns author names into pseudonyms; it never leaves the workspace.

        Args:
            shared: a key file of the user's, so that authors can be matched across workspaces.

        Raises:
            WorkspaceError: the key file is missing or too short to be a secret.
        """
        path = shared or self.root / "author.key"
        if not path.exists() and shared is None:
            with replacing(path) as partial:
                partial.touch(mode=0o600)
                partial.write_text(secrets.token_hex(32), encoding="ascii")
        try:
            key = path.read_bytes().strip()
        except OSError as e:
            raise WorkspaceError(f"{path}: the author key cannot be read ({e.strerror})") from e
        if len(key) < 16:
            raise WorkspaceError(f"{path}: an author key needs at least 16 bytes; delete it and a new one is made")
        return key

    def lock(self) -> AbstractContextManager[None]:
        """Keep others from writing to this workspace while the block runs, see `workspace_lock.locked`."""
        return locked(self.root)


def create_workspace(root: Path) -> Workspace:
    """Return the workspace at `root`, made if absent.

    Raises:
        WorkspaceError: `root` is a file, or a folder that is not empty and no workspace.
    """
    if root.exists() and not root.is_dir():
        raise WorkspaceError(f"{root}: is a file; a workspace is a folder: choose another with -o")
    if root.is_dir() and any(root.iterdir()) and not (root / ".lock").exists() and not (root / "receipt.json").exists():
        raise WorkspaceError(f"{root}: is a folder with other things in it; choose a new or empty one with -o")
    return Workspace(root)


def open_workspace(root: Path) -> Workspace:
    """Return the existing workspace at `root`.

    Raises:
        WorkspaceError: there is none.
    """
    if not (root / "receipt.json").exists():
        raise WorkspaceError(
            f"{root}: is no workspace (it has no receipt.json); make one with: discourse run FILE -o {root}"
        )
    workspace = Workspace(root)
    workspace.receipt()
    return workspace


@contextmanager
def replacing(target: Path) -> Generator[Path]:
    """Yield a path to write to; when the block ends well it becomes `target` in one step, else nothing changes.

    Raises:
        WorkspaceError: the disk is full or the folder cannot be written.
    """
    partial = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".partial-", dir=target.parent)
        os.close(handle)
        partial = Path(name)
        yield partial
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        mask = os.umask(0)
        os.umask(mask)
        if target.name != "author.key":
            partial.chmod(0o666 & ~mask)
        partial.replace(target)
    except OSError as e:
        raise WorkspaceError(
            f"{target}: cannot be written ({e.strerror or e}); free space or choose another with -o"
        ) from e
    finally:
        if partial is not None:
            partial.unlink(missing_ok=True)


def write_text(target: Path, text: str) -> None:
    """Write a text file in UTF-8, atomically."""
    with replacing(target) as partial:
        partial.write_text(text, encoding="utf-8")


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes in hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
