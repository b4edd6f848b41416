"""A topics bundle: the centres of topics that were found once, so that new comments can be given to them.

It holds no text of any comment, and neither calibration nor held-out scores: topics are found, not learned from labels.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from discourse.errors import BundleError
from discourse.models.bundle import Bundle, load_bundle, seal
from discourse.models.new_folder import new_folder
from discourse.models.text_vectors import TextReader

WEIGHTS = "weights.safetensors"
ABOUT = "topics.json"
MAX_LENGTH = 256


class SavedTopic(BaseModel):
    """One topic of a bundle, as readers see it; `parent` is the number of the broad topic above it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    topic: Annotated[int, Field(ge=0)]
    label: Annotated[str, Field(min_length=1, max_length=500)]
    keywords: tuple[Annotated[str, Field(max_length=100)], ...]
    stability: Annotated[float | None, Field(ge=0, le=1)]
    parent: int | None


@dataclass(frozen=True, slots=True)
class SavedTopics:
    """The topics of a bundle, the broad topics above them, and for each topic its centre and its reach.

    `centres` are unit vectors, topics × width; `reach` is the smallest cosine at which a comment belongs to a topic.
    """

    topics: tuple[SavedTopic, ...]
    broad: tuple[SavedTopic, ...]
    centres: NDArray[np.float32]
    reach: NDArray[np.float64]

    @property
    def numbers(self) -> tuple[int, ...]:
        """The topics' numbers, in their order."""
        return tuple(topic.topic for topic in self.topics)


def save_topics(
    saved: SavedTopics, encoder: TextReader, languages: tuple[str, ...], comments: int, output: Path
) -> Bundle:
    """Write a topics bundle to a new folder, atomically; it is named as the folder.

    Args:
        saved: the topics.
        encoder: the one whose vectors the centres are made of.
        languages: ISO 639-1 codes of the comments.
        comments: how many comments the centres are made of, for the card.
        output: the folder to make; it must not exist.

    Raises:
        BundleError: `output` exists.
    """
    from safetensors.numpy import save_file

    name = re.sub(r"[^A-Za-z0-9._-]+", "-", output.name).strip("-._")[:64] or "topics"
    with new_folder(output) as folder:
        save_file({"centres": saved.centres, "reach": saved.reach}, folder / WEIGHTS)
        about = {key: [topic.model_dump() for topic in getattr(saved, key)] for key in ("topics", "broad")}
        (folder / ABOUT).write_text(json.dumps(about, ensure_ascii=False, indent=1), encoding="utf-8")
        (folder / "CARD.md").write_text(_card(name, saved, encoder, comments), encoding="utf-8")
        seal(
            folder,
            {
                "name": name,
                "kind": "topics",
                "labels": tuple(str(number) for number in saved.numbers),
                "encoder": encoder.name,
                "encoder_sha256": encoder.sha256,
                "method": "centres",
                "languages": languages,
                "max_length": MAX_LENGTH,
                "licence": "not stated",
                "provenance": (f"{comments:,} comments of one workspace; no text of them is in this bundle",),
            },
        )
    return load_bundle(output, "topics")


def load_topics(bundle: Bundle, encoder: TextReader) -> SavedTopics:
    """Read the topics of a bundle that was verified.

    Raises:
        BundleError: the encoder is another one, or the files do not fit together.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    if encoder.sha256 != bundle.manifest.encoder_sha256:
        raise BundleError(
            f"{bundle.manifest.name}: its topics are places in the vectors of another {bundle.manifest.encoder}; "
            "find the topics again with this one"
        )
    try:
        weights = load_file(bundle.folder / WEIGHTS)
        centres, reach = weights["centres"], weights["reach"]
        found = TypeAdapter(dict[str, tuple[SavedTopic, ...]]).validate_json((bundle.folder / ABOUT).read_bytes())
        topics, broad = found["topics"], found["broad"]
    except (OSError, KeyError, ValidationError, SafetensorError) as e:
        raise BundleError(f"{bundle.folder}: {WEIGHTS} or {ABOUT} is no part of a topics bundle; save it again") from e
    fits = (
        centres.shape == (len(topics), encoder.width)
        and reach.shape == (len(topics),)
        and len(topics) > 0
        and bool(np.isfinite(centres).all() and np.isfinite(reach).all())
        and len({topic.topic for topic in (*topics, *broad)}) == len(topics) + len(broad)
        and {topic.parent for topic in topics} - {None} == {topic.topic for topic in broad}
    )
    if not fits:
        raise BundleError(f"{bundle.folder}: {WEIGHTS} and {ABOUT} do not fit together; save the topics again")
    return SavedTopics(topics, broad, centres.astype(np.float32), reach.astype(float))


def _card(name: str, saved: SavedTopics, encoder: TextReader, comments: int) -> str:
    what = (
        f"A *topics* bundle of `discourse`: the centres of {len(saved.topics)} topics in vectors of `{encoder.name}`, "
        f"found in {comments:,} comments. A new comment gets the nearest topic if it is as near to its centre as all "
        "but the farthest tenth of the comments that the topic was found in, else none."
    )
    limits = (
        "It holds no text of any comment; keywords are words that at least two comments of a topic use. Topics are "
        "found, not defined: nobody has judged whether a comment belongs to one."
    )
    lines = [
        f"# {name}",
        "",
        what,
        "",
        limits,
        "",
        "| topic | stability | part of |",
        "|---|---|---|",
    ]
    for topic in (*saved.topics, *saved.broad):
        stable = "" if topic.stability is None else f"{topic.stability:.2f}"
        above = "" if topic.parent is None else str(topic.parent)
        shown = f"{topic.topic}: {topic.label} ({', '.join(topic.keywords)})".replace("|", "/")
        lines.append(f"| {shown.replace('<', '&lt;')} | {stable} | {above} |")
    return "\n".join(lines) + "\n"
