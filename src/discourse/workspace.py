"""One folder for one analysis: its tables, its raw files, what is stale, the lock and the receipt."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections.abc import Generator, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from discourse.checksums import file_sha256, is_damaged, sum_line, sum_path
from discourse.errors import WorkspaceError
from discourse.receipt import Receipt, library_versions, read_receipt, receipt_text
from discourse.tables import EMBEDDINGS, LABELS, SAMPLES, SCHEMA_VERSION, SCORES, Table
from discourse.workspace_lock import locked
from discourse.writing import replacing, write_text

# Of these no receipt holds a digest that would tell whether a part is still what was written.
SUMMED = (EMBEDDINGS, SCORES, LABELS, SAMPLES)


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
            WorkspaceError: a part is damaged, or has not the columns of this version.
        """
        parts = self.parts(table)
        if not parts:
            return table.empty().lazy()
        for part in parts:
            # Those of people are few: they are looked at whenever they are read.
            fault = _fault(table, part, whole=table in (LABELS, SAMPLES))
            if fault is not None:
                raise WorkspaceError(f"{part}: {fault}; {_remedy(table, part)}")
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
            part = next((part for part in self.parts(table) if not _readable(part)), self.folder(table))
            raise WorkspaceError(f"{part}: is damaged ({_first_line(e)}); {_remedy(table, part)}") from e

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
            part = next((part for part in self.parts(table) if not _readable(part)), self.folder(table))
            raise WorkspaceError(f"{part}: is damaged ({_first_line(e)}); {_remedy(table, part)}") from e

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
                sum_path(part).unlink(missing_ok=True)

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
                part = folder / name.name.replace(".partial-", "part-")
                sum_path(part).unlink(missing_ok=True)
                name.replace(part)
        except OSError as e:
            raise WorkspaceError(
                f"{folder}: cannot be written ({e.strerror or e}); free space or choose another with -o"
            ) from e
        finally:
            for name in names:
                name.unlink(missing_ok=True)
        return rows

    def damaged(self, table: Table) -> list[Path]:
        """Return the parts of a table that cannot be read, or are not what was written as far as checksums tell."""
        return [part for part in self.parts(table) if _fault(table, part, whole=True) is not None]

    def _put(self, table: Table, frame: pl.DataFrame, name: str, provenance: Mapping[str, str]) -> Path:
        about = {"schema_version": SCHEMA_VERSION, "stage": table.stage, **provenance, "versions": library_versions()}
        target = self.folder(table) / name
        with replacing(target) as partial:
            table.conform(frame).write_parquet(
                partial, compression="zstd", metadata={"discourse": json.dumps(about, sort_keys=True)}
            )
            # Before the part appears: killed in between, the part counts as damaged, or is not there at all.
            if table in SUMMED and name.startswith("part-"):
                write_text(sum_path(target), sum_line(partial, name))
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
            found = read_receipt(path.read_bytes())
        except (ValueError, OSError) as e:
            raise WorkspaceError(
                f"{path}: is damaged ({_first_line(e)}); delete it and run again: what was tagged is kept"
            ) from e
        if found.schema_version != SCHEMA_VERSION:
            raise WorkspaceError(
                f"{self.root}: was written with table version {found.schema_version}, this is version "
                f"{SCHEMA_VERSION}; run again into a new folder"
            )
        return found

    def save_receipt(self, receipt: Receipt) -> None:
        """Write the receipt, atomically."""
        write_text(self.root / "receipt.json", receipt_text(receipt))

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


def now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]


def _fault(table: Table, part: Path, *, whole: bool) -> str | None:
    """Say what is wrong with a part; `whole` compares all of its bytes with their checksum, too."""
    try:
        found = pl.read_parquet_schema(part)
        damaged = whole and is_damaged(part)
    except (pl.exceptions.PolarsError, OSError) as e:
        return f"is damaged ({_first_line(e)})"
    if damaged:
        return "is damaged (it is not as it was written)"
    if found == table.schema:
        return None
    others = dict.fromkeys(name for name, _ in sorted(set(found.items()) ^ set(table.schema.items()), key=str))
    return f"has other columns than this version writes ({', '.join(others)[:120] or 'in another order'})"


def _remedy(table: Table, part: Path) -> str:
    """Say what a person can do about a part that cannot be read."""
    folder = part if part.name == table.name else part.parent
    if table in (LABELS, SAMPLES):
        return f"put a copy of yours in its place, or delete the folder {folder} and import its labels again"
    again = "collect again" if table.stage == "collect" else "run again"
    return f"delete the folder {folder} and {again}"


def _readable(part: Path) -> bool:
    try:
        pl.read_parquet(part)
    except (pl.exceptions.PolarsError, OSError):
        return False
    return True
