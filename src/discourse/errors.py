"""What can go wrong, told in the user's terms; the command line turns each into one sentence and an exit code."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class DiscourseError(Exception):
    """Something the user can act on: the message names the file, the place in it and the fix."""

    exit_code = 1


class InputError(DiscourseError):
    """A file or an address could not be read, or holds nothing that can be used."""


class UsageError(DiscourseError):
    """The command or the configuration asks for something that does not exist."""

    exit_code = 2


class WorkspaceError(DiscourseError):
    """The workspace folder is missing, locked, damaged or of another version."""


class BundleError(DiscourseError):
    """A model bundle is missing, damaged, or not fit for what is asked of it."""


# How torch, polars and the loader of libraries say that memory is full, in errors of their own kinds.
_FULL = ("allocate memory", "out of memory", "not enough memory", "failed to map segment")


def memory_is_full(error: BaseException) -> bool:
    """Return whether an error that is not ours says that memory was not enough."""
    said = str(error).lower()
    return isinstance(error, MemoryError) or any(words in said for words in _FULL)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `` (did you mean "x"?)`` for the known word nearest to `word`, or an empty string."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f' (did you mean "{near[0]}"?)' if near else ""
