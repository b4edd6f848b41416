"""Author names become pseudonyms before they reach a table."""

from __future__ import annotations

import hmac
import unicodedata

import polars as pl

NOBODY = ("", "[deleted]", "[removed]")


def pseudonyms(names: pl.Series, platforms: pl.Series, key: bytes) -> pl.Series:
    """Replace names by `u` and the first 16 hexadecimal digits of HMAC-SHA256(key, "platform:name").

    Args:
        names: String as delivered; null, empty or ``[deleted]`` gives null.
        platforms: String, aligned; one name at two platforms is two authors.
        key: the workspace's secret.
    """
    pairs = pl.DataFrame({"platform": platforms, "name": names.cast(pl.String).str.strip_chars()})
    known = pairs.filter(pl.col("name").is_not_null() & ~pl.col("name").is_in(NOBODY)).unique(maintain_order=True)
    hidden = [
        "u" + hmac.digest(key, unicodedata.normalize("NFC", f"{platform}:{name}").encode(), "sha256").hex()[:16]
        for platform, name in known.iter_rows()
    ]
    known = known.with_columns(pl.Series("author", hidden, dtype=pl.String))
    return pairs.join(known, on=["platform", "name"], how="left", maintain_order="left")["author"]
