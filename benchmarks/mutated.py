"""Read 10,000 recorded answers with changed bytes; any fault of ours stops it with a traceback.

python benchmarks/mutated.py [--quick]
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the mutations are part of the tests


def main() -> None:
    """Print how many gave rows and how many a reason."""
    from tests.collect.mutations import counted, payload_files

    count = 500 if "--quick" in sys.argv[1:] else 10_000
    files = payload_files(ROOT.parent / "shared" / "payloads")
    began = time.monotonic()
    found = counted(files, count, seed=1)
    print(
        f"{count:,} changed answers of {len(files)} files: {found['rows']:,} gave rows, {found['reason']:,} a reason, "
        f"none a traceback; {time.monotonic() - began:.0f} s"
    )


if __name__ == "__main__":
    main()
