"""What comes together: frames, sides and topics against one another, and who writes and in which language."""

from __future__ import annotations

from dataclasses import dataclass

from discourse.report.material import Material
from discourse.report.sentences import SIDES
from discourse.report.views.panels import Panel, frame_columns, given, groups_of, panel, side_columns


@dataclass(frozen=True, slots=True)
class CrossingsView:
    """Panels of pairs of tags, and panels of tags by kinds of authors and languages."""

    panels: tuple[Panel, ...]
    people: tuple[Panel, ...]

    @property
    def hatched(self) -> bool:
        """Whether any cell is hatched."""
        return any(each.hatched for each in (*self.panels, *self.people))

    @property
    def shares(self) -> bool:
        """Whether any cell holds a share from labels of people."""
        return any(each.shares for each in (*self.panels, *self.people))


def crossings(material: Material) -> CrossingsView:
    """Gather the matrices that the estimates hold counts for."""
    words = material.words
    frames = frame_columns(material)
    by_name = {frame.name: frame.title for frame in material.codebook.frames}
    topics = _topics(material)
    found: list[Panel | None] = []
    if len(frames) > 1:
        found.append(panel(material, "frame", by_name, frames, words.text("crossing.frame.frame"), "cross-frames"))
    for place, target in enumerate(material.config.stance.targets, start=1):
        sides = {f"{target}:{side}": words.text(f"stance.{side}") for side in SIDES}
        heading = words.text("crossing.stance.frame", target=target)
        found.append(panel(material, "stance", sides, frames, heading, f"cross-sides-{place}"))
    found.append(panel(material, "topic", topics, frames, words.text("crossing.topic.frame"), "cross-topics"))
    for place, target in enumerate(material.config.stance.targets, start=1):
        heading = words.text("crossing.topic.stance", target=target)
        name = f"cross-topics-{place}"
        found.append(panel(material, "topic", topics, side_columns(material, target), heading, name))
    return CrossingsView(given(*found), given(*_people(material)))


def _people(material: Material) -> list[Panel | None]:
    words = material.words
    every = frame_columns(material)
    found: list[Panel | None] = []
    for kind in ("author_group", "language"):
        prefix = "language" if kind == "language" else f"group.{kind}"
        groups = {name: words.text(f"{prefix}.{name}", otherwise=name) for name in groups_of(material, kind)}
        found.append(panel(material, kind, groups, every, words.text(f"crossing.{kind}"), f"cross-{kind}"))
    return found


def _topics(material: Material) -> dict[str, str]:
    hidden = material.config.topics.hide
    rows = material.topic_info.sort("topic").select("topic", "label").iter_rows()
    return {str(topic): material.policy.line(label) for topic, label in rows if topic not in hidden}
