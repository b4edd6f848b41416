"""The script of the page: a few plain files read as one module, so that one hash in the policy allows it."""

from __future__ import annotations

from functools import cache
from importlib import resources

# In this order: what a file uses at once is in an earlier one.
FILES = ("blocks", "corpus", "query", "reel", "wording", "rows", "corrections", "filters", "keys", "explorer")


@cache
def script() -> str:
    """Return the script as it stands between its tags."""
    folder = resources.files("discourse.report") / "assets" / "explorer"
    return "\n".join((folder / f"{name}.js").read_text(encoding="utf-8") for name in FILES)
