"""What a command imports: waiting for libraries that it does not use is what makes a command line slow."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ASK = """
import sys
from discourse.cli import main
sys.argv = ["discourse", *sys.argv[1:]]
try:
    main()
finally:
    print(",".join(sorted({name.partition(".")[0] for name in sys.modules})), file=sys.stderr)
"""


def imported(*arguments: str) -> set[str]:
    """Run a command and return the top-level names of all that it imported."""
    done = subprocess.run([sys.executable, "-c", ASK, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines()[-1].split(","))


@pytest.mark.parametrize("arguments", [["tag", "--help"], ["bundle", "--help"]], ids=" ".join)
def test_help_of_a_verb_imports_nothing_heavy(arguments: list[str]) -> None:
    heavy = {"torch", "polars", "numpy", "transformers", "sklearn", "scipy", "tokenizers", "rich", "ray"}
    assert not imported(*arguments) & heavy


def test_tagging_a_comment_imports_neither_transformers_nor_scikit_learn(tmp_path: Path) -> None:
    table = tmp_path / "one.csv"
    table.write_text("text\nWho asked for these lamps?\n", encoding="utf-8")
    found = imported("tag", str(table), "--text-column", "text", "-o", str(tmp_path / "tags.csv"))
    assert "torch" in found
    assert not found & {"transformers", "sklearn", "pandas", "bertopic", "sympy", "ray"}
