"""Charts are drawn to scale, escape their words and can be read without seeing them."""

from __future__ import annotations

from selectolax.lexbor import LexborHTMLParser

from discourse.report.charts import Group, Mark, Side, diverging, intervals, lines
from discourse.report.phrases import Figure

HOSTILE = "</text><script>alert(1)</script>"


def test_small_shares_have_ticks_as_the_language_writes_them() -> None:
    """An axis up to 1 % is cut at 0.2 %, in German at 0,2 %."""
    mark = Mark("m", Figure("0,4 %", "", "e"), 0.004, None, readers=True)
    ticks = [node.text() for node in LexborHTMLParser(intervals("c", "t", "d", [Group("", (mark,))], ",")).css(".tick")]
    assert ticks == ["0 %", "0,2 %", "0,4 %", "0,6 %", "0,8 %", "1 %"]


def test_dots_and_whiskers_stand_where_their_values_are() -> None:
    """On an axis to 20 %, a share of 10 % stands in the middle."""
    mark = Mark("by labels", Figure("10 %", " (5–15 %)", "e1"), 0.1, (0.05, 0.15), readers=True)
    tree = LexborHTMLParser(intervals("c", "title", "words", [Group("Fear", (mark,))]))
    dot = tree.css_first("circle.dot.readers")
    whisker = tree.css_first("line.whisker")
    assert dot is not None
    assert whisker is not None
    assert dot.attributes["cx"] == "50.00%"
    assert (whisker.attributes["x1"], whisker.attributes["x2"]) == ("25.00%", "75.00%")
    assert [tick.text() for tick in tree.css("text.tick")] == ["0 %", "5 %", "10 %", "15 %", "20 %"]


def test_no_share_is_hatched_and_has_no_dot() -> None:
    """A row without a share says so and draws no point that could be read as one."""
    mark = Mark("by error rates", Figure("", "no share – 31 of 1,204 tagged", "e2"), None, None, readers=False)
    tree = LexborHTMLParser(intervals("c", "title", "words", [Group("Fear", (mark,))]))
    assert tree.css_first("circle") is None
    assert tree.css_first("rect.none") is not None
    assert tree.css_first("[data-estimate=e2]") is not None
    assert not tree.css("text.tick")


def test_a_chart_has_title_and_description() -> None:
    """Screen readers get a named image."""
    tree = LexborHTMLParser(intervals("c", "What it shows", "What it says", []))
    chart = tree.css_first("svg")
    assert chart is not None
    assert chart.attributes["role"] == "img"
    assert chart.attributes["aria-labelledby"] == "c-title c-desc"
    assert tree.css_first("#c-title") is not None
    assert tree.css_first("#c-desc") is not None


def test_words_in_charts_are_escaped() -> None:
    """A title of a thread cannot leave its chart."""
    mark = Mark(HOSTILE, Figure(HOSTILE, HOSTILE, '"><script>'), 0.1, None, readers=False)
    side = Side(HOSTILE, Figure(HOSTILE, "", "e"), 0.2, None)
    drawn = intervals("c", HOSTILE, HOSTILE, [Group(HOSTILE, (mark,))]) + diverging(
        "d", HOSTILE, "", side, side, [side]
    )
    assert "<script" not in drawn
    assert "alert(1)" in drawn


def test_against_goes_left_and_favor_right() -> None:
    """Both bars start at the middle, and the longer one fills its half."""
    left = Side("Against", Figure("40 %", "", "a"), 0.4, None)
    right = Side("In favor", Figure("20 %", "", "b"), 0.2, None)
    tree = LexborHTMLParser(diverging("d", "t", "w", left, right, []))
    against, favor = tree.css_first("rect.against"), tree.css_first("rect.favor")
    assert against is not None
    assert favor is not None
    assert (against.attributes["x"], against.attributes["width"]) == ("0.00%", "50.00%")
    assert (favor.attributes["x"], favor.attributes["width"]) == ("50.00%", "25.00%")


def test_labels_break_between_words() -> None:
    """A word slightly too long stays whole; one that no line could hold is broken."""
    assert lines("Fear of surveillance", 11, 4) == ["Fear of", "surveillance"]
    assert all(len(line) <= 11 for line in lines("x" * 40, 11, 4))
