"""The family of sources: each kind of file is one file here, each platform one entry in `platforms.py`."""

from __future__ import annotations

from collections.abc import Sequence

from discourse.collect.rawfile import RawFile
from discourse.collect.sources.answer_file import AnswerFile
from discourse.collect.sources.base import Parsed, Source
from discourse.collect.sources.pasted import PastedText
from discourse.collect.sources.platform import Platform
from discourse.collect.sources.table import TableFile
from discourse.config import InputConfig

__all__ = ["Parsed", "Source", "recognise"]


def recognise(raw: RawFile, options: InputConfig, platforms: Sequence[Platform]) -> Source:
    """Return the first source that knows this file; the last takes whatever is left.

    Raises:
        InputError: the file is no text.
    """
    sources: tuple[Source, ...] = (AnswerFile(platforms), TableFile(), PastedText())
    return next(source for source in sources if source.recognises(raw, options))
