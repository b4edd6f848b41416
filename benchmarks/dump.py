"""Parse a large Reddit dump in flat memory, and say how fast, beside `polars.scan_ndjson` reading the same file.

The dump is made from real threads in ../shared/threads, repeated with new ids, and removed at the end.

    python benchmarks/dump.py            1 GB
    python benchmarks/dump.py --quick    50 MB
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import polars as pl

THREADS = Path(__file__).resolve().parents[2] / "shared" / "threads"
_PARSE = """
import resource, sys, time
from datetime import UTC, datetime
from pathlib import Path
from discourse.collect.sources.reddit_dump import RedditDump
from discourse.tables import RAW_COMMENTS
from discourse.workspace import Workspace
began = time.perf_counter()
dump = RedditDump(Path(sys.argv[1]), None, datetime.now(UTC))
rows = Workspace(Path(sys.argv[2])).write_parts(RAW_COMMENTS, dump.comments())
print(rows, time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""
_SCAN = """
import resource, sys, time
import polars as pl
began = time.perf_counter()
rows = pl.scan_ndjson(sys.argv[1], infer_schema_length=1000).select(
    pl.len(), pl.col("body").str.len_bytes().sum(), pl.all().exclude("body").null_count().name.suffix("_nulls")
).collect(engine="streaming").item(0, 0)
print(rows, time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


def main() -> None:
    """Make the dump, read it in processes of their own, print rows a second and peak memory."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--quick", action="store_true", help="50 MB instead of 1 GB")
    size = 50_000_000 if arguments.parse_args().quick else 1_000_000_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "RC_benchmark.ndjson"
        rows = write_dump(path, size)
        print(f"{path.stat().st_size / 1e9:.2f} GB, {rows:,} comments")
        for name, code in (("dump to Parquet", _PARSE), ("polars.scan_ndjson", _SCAN)):
            command = [sys.executable, "-c", code, str(path), str(Path(folder) / "workspace")]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            count, seconds, peak = (float(word) for word in done.stdout.split())
            print(f"{name:22} {count:12,.0f} rows {count / seconds:12,.0f} rows/s {peak / 1e6:8,.0f} MB peak")
            if count != rows:
                sys.exit(f"{name} read {count:,.0f} of {rows:,} rows")


def write_dump(path: Path, size: int) -> int:
    """Write a dump of about `size` bytes and return its number of lines."""
    files = sorted(THREADS.glob("reddit_*.parquet"))
    if not files:
        sys.exit(f"{THREADS}: has no threads of Reddit")
    columns = ["thread_id", "comment_id", "parent_id", "author", "text"]
    rows = pl.concat([pl.read_parquet(file, columns=columns) for file in files]).rows(named=True)
    count = 0
    with path.open("w", encoding="utf-8") as out:
        while out.tell() < size:
            turn = f"{count:x}"
            names = {row["comment_id"]: f"{turn}z{number:x}" for number, row in enumerate(rows)}
            for row in rows:
                thread = f"t3_{turn}{row['thread_id'].removeprefix('t3_')}"
                above = names.get(row["parent_id"])
                out.write(
                    json.dumps(_record(row, thread, names[row["comment_id"]], above, 1_700_000_000 + count)) + "\n"
                )
                count += 1
                if count % 1000 == 0 and out.tell() >= size:
                    return count
    return count


def _record(row: dict[str, str | None], thread: str, name: str, above: str | None, time: int) -> dict[str, object]:
    """Return a comment with the fields that dumps have."""
    return {
        "id": name, "name": f"t1_{name}", "link_id": thread, "parent_id": f"t1_{above}" if above else thread,
        "author": row["author"], "author_flair_text": None, "author_fullname": "t2_abc", "body": row["text"],
        "subreddit": "lamps", "subreddit_id": "t5_2cneq", "created_utc": time, "retrieved_on": time + 60, "score": 3,
        "controversiality": 0, "distinguished": None, "edited": False, "gilded": 0, "is_submitter": False,
        "score_hidden": False, "stickied": False, "permalink": f"/r/lamps/comments/{thread[3:]}/_/{name}/",
    }  # fmt: skip


if __name__ == "__main__":
    main()
