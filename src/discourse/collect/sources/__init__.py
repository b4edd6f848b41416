"""The family of sources: each kind of file is one file here and one entry in `SOURCES`."""

from __future__ import annotations

from discourse.collect.rawfile import RawFile
from discourse.collect.sources.base import Parsed, Source
from discourse.collect.sources.pasted import PastedText
from discourse.collect.sources.table import TableFile
from discourse.config import InputConfig

__all__ = ["SOURCES", "Parsed", "Source", "recognise"]

# Asked in this order; the last takes whatever is left.
SOURCES: tuple[Source, ...] = (TableFile(), PastedText())


def recognise(raw: RawFile, options: InputConfig) -> Source:
    """Return the first source that knows this file.

    Raises:
        InputError: the file is no text.
    """
    return next(source for source in SOURCES if source.recognises(raw, options))
