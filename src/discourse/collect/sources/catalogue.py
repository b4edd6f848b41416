"""What can be read, for people: platforms, and the files that need none."""

from __future__ import annotations

from dataclasses import dataclass

from discourse.collect.sources.platforms import platforms


@dataclass(frozen=True, slots=True)
class Listed:
    """One source: its name in ids, its title, environment variables with keys, what it reads and what it loses."""

    name: str
    title: str
    needs: tuple[str, ...]
    reads: str
    loses: str


_FILES = (
    Listed(
        "file",
        "Tables",
        (),
        "CSV, TSV, JSONL, JSON arrays, Parquet and XLSX with the columns of any program, plain, gzip or zstd; the "
        "exports of 4CAT, Zeeschuimer, ConvoKit, Talk to the City and kouchou-ai are recognised",
        "what the table does not hold: without a column of parents there are no replies",
    ),
    Listed("file", "Pasted text", (), "text of a page, one comment a line or paragraph", "authors, times and replies"),
    Listed(
        "file",
        "Archives of answers",
        (),
        "WARC, HAR and VCR or Betamax cassettes that hold answers of any platform of this list",
        "what was not recorded",
    ),
)


def catalogue() -> list[Listed]:
    """Return every source, platforms first."""
    return [Listed(one.name, one.title, one.needs, one.reads, one.loses) for one in platforms()] + list(_FILES)
