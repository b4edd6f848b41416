"""Text that a spreadsheet would run is made inert before it is written to a CSV file."""

from __future__ import annotations

import re

import polars as pl

# A cell that begins so is run as a formula by spreadsheets (OWASP, CSV Injection).
FORMULA = r"^[\s\x00]*[=+\-@\t\r＝＋－＠]"


def inert(text: str) -> str:
    """Return one cell with an apostrophe before what would be run, and without null characters."""
    text = text.replace("\x00", "")
    return f"'{text}" if re.match(FORMULA, text) else text


def inert_column(name: str) -> pl.Expr:
    """Return the same of a whole text column."""
    column = pl.col(name).str.replace_all("\x00", "", literal=True)
    return pl.when(column.str.contains(FORMULA)).then(pl.lit("'") + column).otherwise(column).alias(name)
