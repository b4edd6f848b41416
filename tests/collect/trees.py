"""Random threads, which the forms of all platforms write and the sources must read back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from discourse.tables import State

BEGAN = datetime(2025, 3, 1, 12, tzinfo=UTC)
_WORDS = 'lamp post council vote night camera street light cost meeting answer question <b> & "quoted" é 漢字 🙂'


@dataclass(frozen=True, slots=True)
class Node:
    """A comment: its number from 1, the number of the one it answers (None: a top comment), and what it says."""

    number: int
    parent: int | None
    text: str
    author: str
    state: State
    score: int

    @property
    def created(self) -> datetime:
        """When it was written, a minute after the one before."""
        return BEGAN + timedelta(minutes=self.number)


@dataclass(frozen=True, slots=True)
class Tree:
    """A thread: its title, its opening text, and its comments, parents first."""

    title: str
    article: str
    nodes: tuple[Node, ...]

    def children(self, number: int | None) -> list[Node]:
        """The comments that answer `number`; the top comments for None."""
        return [node for node in self.nodes if node.parent == number]


@st.composite
def trees(draw: st.DrawFn, *, most: int = 25, depth: int | None = None) -> Tree:
    """A thread of 1 to `most` comments, none deeper than `depth` (0: flat); each text is unlike the others."""
    size = draw(st.integers(1, most))
    nodes: list[Node] = []
    levels: dict[int | None, int] = {None: -1}
    for number in range(1, size + 1):
        open_to = [node.number for node in nodes if depth is None or levels[node.number] < depth]
        parent = draw(st.none() | st.sampled_from(open_to)) if open_to else None
        words = draw(st.lists(st.sampled_from(_WORDS.split()), min_size=1, max_size=8))
        state = draw(st.sampled_from([State.VISIBLE] * 6 + [State.DELETED, State.REMOVED]))
        levels[number] = levels[parent] + 1
        author = draw(st.sampled_from(["ada", "bo", "chi", "dé"]))
        nodes.append(Node(number, parent, f"{number} {' '.join(words)}", author, state, draw(st.integers(-5, 50))))
    return Tree("A thread about lamp posts", "The council wants lamps with cameras.", tuple(nodes))
