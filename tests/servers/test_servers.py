"""The servers that the tests start hold what was put into them, by their own count."""

from __future__ import annotations

from tests.servers.isso import Isso
from tests.servers.truth import Known
from tests.servers.wordpress import WordPress
from tests.servers.xtd import Xtd

from discourse.tables import State


def visible(known: list[Known]) -> int:
    """Count the comments that any reader sees."""
    return sum(one.listed and one.state is State.VISIBLE for one in known)


def test_isso_counts_what_was_written(isso_server: Isso) -> None:
    """Isso counts the approved comments, without deleted and held ones."""
    assert isso_server.count() == visible(isso_server.known) == 42


def test_xtd_counts_what_was_written(xtd_server: Xtd) -> None:
    """The Django site counts listed comments, the removed one too, without those that are withheld."""
    assert xtd_server.count() == sum(one.listed for one in xtd_server.known) == 14


def test_wordpress_counts_what_was_written(wordpress_server: WordPress) -> None:
    """WordPress counts approved comments and the pingback; trash, spam and held ones apart."""
    counts = wordpress_server.counts()
    assert counts["approved"] == visible(wordpress_server.known) + 1 == 128
    assert (counts["moderated"], counts["spam"], counts["trash"]) == (1, 1, 1)
