"""The map of topics: which comments are drawn, where their vectors are kept, and in which colours."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from markupsafe import Markup

from discourse.models.input_key import input_key
from discourse.report.maps import COLOURS, Region, layout, topic_map
from discourse.report.material import Material
from discourse.tables import COMMENTS, EMBEDDINGS

# Enough to see where topics lie; more would only make the file larger.
DRAWN = 2_000
# Fewer comments than these are no map.
FEWEST = 20


@dataclass(frozen=True, slots=True)
class Key:
    """One colour of the map and the topic that it stands for."""

    colour: int
    label: str


@dataclass(frozen=True, slots=True)
class TopicMap:
    """The drawn map and its key; whether only a part of the comments is drawn."""

    chart: Markup
    keys: tuple[Key, ...]
    sampled: bool


def draw(material: Material, labels: Mapping[int, str]) -> TopicMap | None:
    """Draw the comments whose vectors are kept, coloured by topic.

    Args:
        material: the tables.
        labels: names of the topics that may be named, largest first.

    Returns:
        None where too few vectors are kept, or no topic may be named.
    """
    placed = _vectors(material)
    if placed.height < FEWEST or not labels:
        return None
    vectors = np.stack([np.asarray(vector, dtype=np.float32) for vector in placed["vector"]])
    topics = [topic if topic in labels else None for topic in placed["topic"]]
    places = layout(vectors, topics)
    number = np.array([-1 if topic is None else topic for topic in topics])
    coloured = list(labels)[:COLOURS]
    regions = [
        Region(colour, labels[topic], places[number == topic])
        for colour, topic in enumerate(coloured)
        if (number == topic).any()
    ]
    rest = ~np.isin(number, coloured)
    if rest.any():
        regions.append(Region(None, "", places[rest]))
    words = material.words
    chart = topic_map("topic-map", words.text("topics.map"), words.text("topics.map.desc"), regions)
    keys = tuple(Key(region.colour, region.label) for region in regions if region.colour is not None)
    return TopicMap(chart, keys, material.topics.height > DRAWN)


def _vectors(material: Material) -> pl.DataFrame:
    """Return topic and vector of at most `DRAWN` comments, chosen by the hash of their ids, so always the same."""
    rank = pl.col("comment_id").map_elements(
        lambda name: hashlib.sha256(name.encode()).hexdigest(), return_dtype=pl.String
    )
    chosen = material.topics.with_columns(rank.alias("rank")).sort("rank").head(DRAWN).select("comment_id", "topic")
    kept = material.workspace.scan(EMBEDDINGS)
    encoders = kept.select(pl.col("encoder").unique()).collect()["encoder"].sort().to_list()
    if not chosen.height or not encoders:
        return chosen.head(0).with_columns(vector=pl.lit(None))
    texts = (
        material.workspace.scan(COMMENTS)
        .filter(pl.col("comment_id").is_in(chosen["comment_id"].implode()))
        .select("comment_id", "text")
        .collect()
    )
    found: list[pl.DataFrame] = []
    for encoder in encoders:
        keys = texts.with_columns(input_key=pl.Series([input_key(text or "", encoder) for text in texts["text"]]))
        here = kept.filter((pl.col("encoder") == encoder) & pl.col("input_key").is_in(keys["input_key"].implode()))
        rows = keys.join(here.select("input_key", "vector").collect(), on="input_key")
        found.append(chosen.join(rows.select("comment_id", "vector"), on="comment_id", maintain_order="left"))
    return max(found, key=lambda rows: rows.height)
