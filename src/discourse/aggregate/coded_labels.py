"""Labels of an external coder: they make shares of its own reading, under names of their own and never as people's."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from discourse.aggregate import from_labels, similar_labels

CODED = "coder_"

_WHO = "An external coder, a language model and not people, "
_DRAWN = _WHO + "labelled comments drawn by chance as their inclusion says; the share is that of its reading"
SENTENCES = {
    from_labels.CENSUS: _WHO + "labelled all eligible comments; the share is that of its reading.",
    from_labels.DIFFERENCE: f"{_DRAWN}, and mistakes of the model that tagged are corrected by it.",
    from_labels.EXACT: f"{_DRAWN}, counted exactly, because few are yes or no.",
    similar_labels.EXACT: f"{_DRAWN}, counted, because few are yes or no.",
}
SKIPPED_BY_CODER = {
    "comments asked about were skipped, and are taken for skipped by chance.": (
        "comments asked about got no answer, and are taken for left out by chance."
    )
}

_Found = TypeVar("_Found", from_labels.Found, similar_labels.Found)


def as_coded(found: _Found) -> _Found:
    """Return an estimate from labels under the name and with the words of one by an external coder."""
    if found.method == "heldout_correction":
        return found
    said = found.assumptions
    for people, coder in {**SENTENCES, **SKIPPED_BY_CODER}.items():
        said = said.replace(people, coder)
    return replace(found, method=f"{CODED}{found.method}", assumptions=said)
