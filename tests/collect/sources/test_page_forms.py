"""Threads in the forms of WordPress, Disqus and article pages are read back as they were."""

from __future__ import annotations

import contextlib
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser
from tests.collect.forms import article_page, disqus, disqus_xml, json_ld, wordpress, wordpress_wxr
from tests.collect.trees import Tree, trees

from discourse.collect.answers import UnreadableAnswerError
from discourse.tables import State

FORMS = [wordpress, wordpress_wxr, article_page, json_ld, disqus, disqus_xml]
GONE = {State.DELETED, State.REMOVED}


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__.rpartition(".")[2])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tree=trees(), size=st.integers(1, 7))
def test_a_thread_is_read_back(form: ModuleType, tree: Tree, size: int) -> None:
    """Ids, parents, authors, times, words, states and the declared number are those that were written."""
    answers = form.answers(tree, page_size=size)
    assert all(form.PLATFORM.claims(answer) for answer in answers)
    pages = [form.PLATFORM.read(answer) for answer in answers]
    comments = {one.native_id: one for page in pages for one in page.comments}
    assert {name: one.parent for name, one in comments.items()} == {
        str(node.number): None if node.parent is None else str(node.parent) for node in tree.nodes
    }
    assert len({one.thread for one in comments.values()}) == 1
    assert {one.thread for one in comments.values()} <= {told.native_id for page in pages for told in page.threads}
    for node in tree.nodes:
        one = comments[str(node.number)]
        assert (one.state in GONE) == (node.state in GONE)
        assert one.created.at == node.created
        if node.state not in GONE:
            assert one.author == node.author
            words = LexborHTMLParser(one.text or "").text() if one.markup == "html" else one.text
            assert " ".join((words or "").split()) == node.text
        else:
            assert one.text is None
    declared = [told.declared for page in pages for told in page.threads if told.declared is not None]
    assert not declared or max(declared) == len(tree.nodes)
    assert not declared or form not in {wordpress_wxr, disqus_xml}


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__.rpartition(".")[2])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tree=trees(most=4), data=st.data())
def test_damaged_bytes_give_rows_or_a_reason(form: ModuleType, tree: Tree, data: st.DataObject) -> None:
    """An answer of which bytes were changed or cut off is read, or refused with a reason."""
    answer = data.draw(st.sampled_from(form.answers(tree, page_size=3)))
    body = bytearray(answer.body)
    for place in data.draw(st.lists(st.integers(0, len(body) - 1), max_size=8)):
        body[place] = data.draw(st.integers(0, 255))
    changed = type(answer)(
        answer.url, 200, answer.headers, bytes(body[: data.draw(st.integers(0, len(body)))]), answer.at
    )
    form.PLATFORM.claims(changed)
    with contextlib.suppress(UnreadableAnswerError):
        page = form.PLATFORM.read(changed)
        assert all(one.native_id or one.reason for one in page.comments)
