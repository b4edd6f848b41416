"""What every platform must keep, whatever its form: the contract suite of the family."""

from __future__ import annotations

import random
import re
from importlib import import_module
from pathlib import Path
from types import ModuleType

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.collect.trees import BEGAN, trees

from discourse.collect.answers import Answer
from discourse.collect.harvest import Collected, harvest
from discourse.collect.sources.answer_file import owner
from discourse.collect.sources.base import Parsed
from discourse.collect.sources.platform import Platform
from discourse.collect.sources.platforms import platform_of_address, platforms
from discourse.tables import RAW_COMMENTS, RAW_THREADS, State

FORMS = sorted(path.stem for path in (Path(__file__).parent / "forms").glob("[a-z]*.py"))
FAMILY = platforms()
# Places in files follow the order of answers; everything else must not.
_UNORDERED = ("offset", "location")
_GONE = {State.DELETED.value, State.REMOVED.value}


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> ModuleType:
    """The form of one platform."""
    return import_module(f"tests.collect.forms.{request.param}")


def platform_of(form: ModuleType, answers: list[Answer]) -> Platform:
    """Return the platform that an address or, for a file, an answer leads to."""
    if form.ADDRESS:
        return platform_of_address(form.ADDRESS, FAMILY)
    found = owner(FAMILY, answers[0])
    assert found is not None
    return found


def read(form: ModuleType, answers: list[Answer]) -> Parsed:
    """Harvest answers in the order given."""
    return harvest(platform_of(form, answers), answers, Collected("file", BEGAN, "unnamed", {}))


def comments_of(parsed: Parsed) -> pl.DataFrame:
    """The comments without what is quarantined and without the opening post."""
    return parsed.comments.filter(pl.col("reason").is_null(), pl.col("reply_kind").ne_missing(pl.lit("opening")))


def number(form: ModuleType, native_id: str | None) -> int | None:
    """The number of the node: forms end their ids in it, counted from `FIRST_ID` where they say so."""
    found = re.search(r"(\d+)$", native_id or "")
    return int(found.group(1)) - getattr(form, "FIRST_ID", 0) if found else None


def depth(form: ModuleType) -> int | None:
    """How deep the platform's trees are."""
    return getattr(form, "DEPTH", None)


relaxed = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@relaxed
@given(data=st.data(), page_size=st.integers(2, 12))
def test_a_random_tree_is_read_back(form: ModuleType, data: st.DataObject, page_size: int) -> None:
    """Every comment comes back once, with its parent, its words and its author; gone ones stay as rows without text."""
    tree = data.draw(trees(depth=depth(form)))
    found = comments_of(read(form, form.answers(tree, page_size=page_size)))
    assert not found["native_id"].is_duplicated().any()
    rows = {number(form, row["native_id"]): row for row in found.iter_rows(named=True)}
    for node in tree.nodes:
        if node.number not in rows:
            assert node.state.value in _GONE, f"comment {node.number} is lost"
            assert not getattr(form, "KEEPS_GONE", True) or not any(one.parent == node.number for one in tree.nodes)
            continue
        row = rows[node.number]
        parent = number(form, row["native_parent"]) if row["native_parent"] in set(found["native_id"]) else None
        expected = node.parent if node.parent in rows else None
        assert parent == expected, f"comment {node.number} hangs on {parent} and not on {expected}"
        # Some platforms have no word for comments that are gone: their forms show them all.
        if node.state.value in _GONE and getattr(form, "SHOWS_GONE", True):
            assert row["state"] in _GONE
            assert row["text"] is None
        else:
            assert row["state"] == State.VISIBLE.value
            assert str(node.number) in (row["text"] or "")


@relaxed
@given(data=st.data(), page_size=st.integers(2, 6), seed=st.integers(0, 999))
def test_order_and_repetition_of_answers_mean_nothing(
    form: ModuleType, data: st.DataObject, page_size: int, seed: int
) -> None:
    """Answers in any order, some of them twice, give equal tables; reading again gives equal ones, too."""
    answers = form.answers(data.draw(trees(depth=depth(form))), page_size=page_size)
    shuffled = answers + answers[:2]
    random.Random(seed).shuffle(shuffled)
    once, again = read(form, answers), read(form, shuffled)
    assert once.comments.drop(_UNORDERED).equals(again.comments.drop(_UNORDERED))
    assert once.threads.sort("thread_id").equals(again.threads.sort("thread_id"))


@relaxed
@given(data=st.data(), page_size=st.integers(2, 6))
def test_what_is_missing_is_said(form: ModuleType, data: st.DataObject, page_size: int) -> None:
    """Nothing is collected beyond what is declared, and a lost answer leaves a gap that is declared or counted."""
    tree = data.draw(trees(depth=depth(form)))
    answers = form.answers(tree, page_size=page_size)
    whole = read(form, answers)
    declared = whole.threads["declared"].sum() if whole.threads["declared"].count() else None
    got = comments_of(whole).height
    if declared is not None:
        assert got <= declared or (comments_of(whole)["state"].is_in(list(_GONE))).any()
    if len(answers) > 1 and declared is not None:
        part = read(form, answers[:-1])
        lost = got - comments_of(part).height
        assert lost >= 0


@relaxed
@given(data=st.data())
def test_rows_conform_to_the_tables(form: ModuleType, data: st.DataObject) -> None:
    """What a platform gives are rows of the raw tables, each comment in a thread that is there."""
    parsed = read(form, form.answers(data.draw(trees(depth=depth(form))), page_size=5))
    RAW_COMMENTS.conform(parsed.comments)
    RAW_THREADS.conform(parsed.threads)
    assert set(parsed.comments["thread_id"]) <= set(parsed.threads["thread_id"])


@relaxed
@given(data=st.data(), seed=st.integers(0, 9_999))
def test_damaged_answers_give_rows_or_reasons(form: ModuleType, data: st.DataObject, seed: int) -> None:
    """A few changed bytes give comments or a reason, never a traceback."""
    answers = form.answers(data.draw(trees(most=8, depth=depth(form))), page_size=5)
    platform = platform_of(form, answers)
    chance = random.Random(seed)
    damaged: list[Answer] = []
    for answer in answers:
        body = bytearray(answer.body)
        for _ in range(chance.randint(1, 6)):
            if body:
                body[chance.randrange(len(body))] = chance.randrange(256)
        if chance.random() < 0.3:
            del body[chance.randrange(len(body) + 1) :]
        damaged.append(
            Answer(answer.url, answer.status, answer.headers, bytes(body), answer.at, answer.key, answer.context)
        )
    parsed = harvest(platform, damaged, Collected("file", BEGAN, "unnamed", {}))
    RAW_COMMENTS.conform(parsed.comments)
