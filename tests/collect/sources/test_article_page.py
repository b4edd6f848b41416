"""Article pages: the markup of many themes, a user's profile, and what is no comment."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from discourse.collect.answers import Answer
from discourse.collect.article import article_of
from discourse.collect.sources.article_page import ArticlePage
from discourse.collect.sources.explain import explain
from discourse.collect.sources.platform import Page
from discourse.collect.sources.profiles import Profile, load_profile
from discourse.errors import InputError
from discourse.tables import Precision, Reason

SEEN = datetime(2025, 3, 1, tzinfo=UTC)
CLASSIC = """<h3 id="comments">2 Responses to “Top 10”</h3><ol class="commentlist"><li class="alt" id="comment-1">
<cite><a href="/a">Ada</a></cite> Says:<br><small class="commentmetadata">
<a href="#comment-1">March 3rd, 2007 at 4:05 pm
</a></small><p>First</p></li><li id="comment-2"><cite>Bo</cite> Says:<br><small class="commentmetadata">
<a href="#comment-2">March 4th, 2007 at 4:05 pm</a></small><p>Second</p></li></ol>"""
INDENTED = """<section id="comments" class="comment-wrapper"><h2>Comments</h2><a id="comment-1"></a>
<article class="comment"><p class="submitted">Submitted by <span class="username">Ada</span> on
<time datetime="2014-01-02T03:04:05Z">x</time></p>
<div class="content"><p>First</p></div></article><div class="indented"><a id="comment-2"></a><article class="comment">
<p class="submitted">Submitted by <span class="username">Bo</span> on Fri, 01/03/2014 - 10:20</p>
<div class="content"><p>Second</p></div></article></div></section>"""
SPLIT = """<div id="comments"><dl><dt class="comment depth-1" id="comment-1"><span class="comment_author">Ada</span>
<span class="comment_time"><a>June 28, 2015 at 10:25 pm</a></span></dt><dd class="comment depth-1"><p>First</p></dd>
<dt class="comment depth-2" id="comment-2"><span class="comment_author">Bo</span><span class="comment_time"><a>June 29,
2015 at 1:25 am</a></span></dt><dd class="comment depth-2"><p>Second</p></dd></dl></div>"""
MICRODATA = """<div itemscope itemtype="https://schema.org/Comment" id="c-1"><b itemprop="author">Ada</b>
<meta itemprop="dateCreated" content="2020-01-01T10:00:00Z"><p itemprop="text">First</p>
<div itemprop="comment" itemscope itemtype="https://schema.org/Comment" id="c-2"><b itemprop="author">Bo</b>
<time itemprop="dateCreated" datetime="2020-01-02">x</time><p itemprop="text">Second</p></div></div>"""
SCHEMA_AROUND_LISTS = """<ol class="comment-list"><li class="comment" id="comment-1"><article
itemprop="comment" itemscope
itemtype="https://schema.org/Comment"><p itemprop="author" itemscope><span itemprop="name">Ada</span></p>
<time datetime="2019-02-03T10:00:00Z">x</time><div itemprop="text">First</div></article><ul class="children">
<li class="comment" id="comment-2"><article itemprop="comment" itemscope itemtype="https://schema.org/Comment">
<p itemprop="author" itemscope><span itemprop="name">Bo</span></p><time datetime="2019-02-04T10:00:00Z">x</time>
<div itemprop="text">Second</div></article></li></ul></li></ol>"""


def page(body: str, lang: str = "en", url: str = "https://b.example.org/x/") -> Answer:
    """Return a page."""
    html = f'<!DOCTYPE html><html lang="{lang}"><head><title>T</title></head><body>{body}</body></html>'
    return Answer(url, 200, {"content-type": "text/html"}, html.encode(), SEEN)


def read(body: str, lang: str = "en") -> Page:
    """Read a page."""
    return ArticlePage().read(page(body, lang))


@pytest.mark.parametrize(
    ("body", "nested"),
    [(CLASSIC, False), (INDENTED, True), (SPLIT, True), (MICRODATA, True), (SCHEMA_AROUND_LISTS, True)],
    ids=["classic", "indented", "split", "microdata", "schema-around-lists"],
)
def test_themes_give_the_same_comments(body: str, nested: bool) -> None:
    """Ids, parents, authors, times and words come from each class of markup, without labels in the text."""
    first, second = read(body).comments
    assert [first.native_id, second.native_id] == ["1", "2"]
    assert [first.parent, second.parent] == [None, "1" if nested else None]
    assert [first.author, second.author] == ["Ada", "Bo"]
    assert first.created.at is not None
    assert second.created.at is not None
    assert [one.text for one in (first, second)] in (["First", "Second"], ["<p>First</p>", "<p>Second</p>"])


def test_what_is_no_comment_is_left_out() -> None:
    """A sidebar's newest comments, the form and the article's own text give no comment, and the thread says so."""
    found = read("""<article><h1>T</h1><p>A comment on lamps.</p></article><aside><ul class="recent-comments">
    <li class="comment" id="comment-3">Zed on lamps</li></ul></aside><div id="respond"><form class="comment-form">
    <p class="comment-form-comment"><textarea id="comment"></textarea></p></form></div>""")
    assert found.comments == ()
    assert "no comments" in (found.threads[0].reason or "")


def test_pingbacks_are_counted_and_are_no_comments() -> None:
    """Pingbacks among the comments, and trackbacks in a list of their own, are quarantined."""
    found = read("""<ol class="commentlist"><li class="pingback depth-1" id="comment-9">
    <p>Pingback: a site</p></li></ol>
    <ul id="trackback_list"><li><a href="https://c.example.org/">Another site</a></li></ul>""")
    assert [one.reason for one in found.comments] == [Reason.NOT_A_COMMENT] * 2


@pytest.mark.parametrize(
    ("words", "lang", "at", "precision"),
    [
        ("3. März 2015 um 14:05 Uhr", "de-DE", "2015-03-03T14:05:00+00:00", Precision.MINUTE),
        ("3 février 2020 à 10 h 12 min", "fr-FR", "2020-02-03T10:12:00+00:00", Precision.MINUTE),
        ("March 3, 2021 4:05 pm", "en", "2021-03-03T16:05:00+00:00", Precision.MINUTE),
        ("March 3, 2021", "", "2021-03-03T00:00:00+00:00", Precision.DAY),
        ("2 days ago", "en", "2025-02-27T00:00:00+00:00", Precision.RELATIVE),
        ("soon", "en", None, Precision.UNKNOWN),
    ],
)
def test_times_in_words(words: str, lang: str, at: str | None, precision: Precision) -> None:
    """Dates in the page's language keep the precision with which they were written."""
    (one,) = read(
        f'<div class="comment" id="comment-1"><i class="fn">A</i><i class="date">{words}</i><p>x</p></div>', lang
    ).comments
    assert (one.created.at.isoformat() if one.created.at else None, one.created.precision) == (at, precision)


@pytest.mark.parametrize(
    ("heading", "number"),
    [("3 Responses to “Top 10”", 3), ("One thought on “X”", 1), ("1.204 Kommentare", 1204),
     ("Comments (17)", 17), ("2 réflexions sur « Top 10 »", 2), ("Leave a comment", None)],
)  # fmt: skip
def test_the_heading_tells_how_many(heading: str, number: int | None) -> None:
    """The declared number is the count in the comments' heading, not a number in the article's title."""
    assert read(f'<div id="comments"><h2 class="comments-title">{heading}</h2></div>').threads[0].declared == number


def test_further_pages_of_comments_and_no_other_links() -> None:
    """Links to further comments of the article are asked for; replies, other articles and other hosts are not."""
    found = read("""<div id="comments"><a href="comment-page-2/#comments">Older</a><a href="/x/?cpage=3">3</a>
    <a href="/x/?replytocom=4#respond">Reply</a><a href="https://evil.example/x/comment-page-2/">n</a>
    <a href="/y/comment-page-2/#comment-8">recent</a></div><a rel="next" href="/y/">Next article</a>""")
    assert {ask.url for ask in found.next} == {
        "https://b.example.org/x/comment-page-2/", "https://b.example.org/x/?cpage=3",
    }  # fmt: skip
    assert all(ask.page for ask in found.next)


def test_a_profile_goes_before_all_rules(tmp_path: Path) -> None:
    """A profile's selectors find comments that no rule knows, and `explain` says that they were taken."""
    file = tmp_path / "p.toml"
    file.write_text(
        'comment = ".rm"\nid = "@data-k"\nparent = "@data-re"\nauthor = ".who"\ntime = ".when"\n'
        'time_format = "%d/%m/%y %Hh%M"\ntext = ".say"\nscore = ".up"\nnext = "a.more"\ndeclared = ".n"\n'
    )
    profile = load_profile(file)
    answer = page("""<b class="n">5 in all</b><div class="rm" data-k="k1"><i class="who">Ada</i><i
    class="when">03/02/20 10h12</i>
    <p class="say">First</p>
    <i class="up">7</i></div><div class="rm" data-k="k2" data-re="k1"><i class="who">Bo</i>
    <p class="say">Second</p></div><a class="more" href="?from=2">more</a>""")
    found = ArticlePage(profile).read(answer)
    assert [(c.native_id, c.parent, c.author, c.text, c.score) for c in found.comments] == [
        ("k1", None, "Ada", "First", 7.0), ("k2", "k1", "Bo", "Second", None),
    ]  # fmt: skip
    assert found.comments[0].created.at == datetime(2020, 2, 3, 10, 12, tzinfo=UTC)
    assert found.threads[0].declared == 5
    assert [ask.url for ask in found.next] == ["https://b.example.org/x/?from=2"]
    told = explain(answer, profile)
    assert [(one.rule, one.comments, one.taken) for one in told.rules] == [
        ("profile", 2, True), ("JSON-LD", 0, False), ("microdata", 0, False), ("common markup", 0, False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("toml", "key"),
    [('coment = ".c"', "coment"), ("", "comment"), ('comment = ".c"\ntext = "[["', "text"), ("comment = 3", "comment")],
)
def test_a_faulty_profile_names_the_key(tmp_path: Path, toml: str, key: str) -> None:
    """Unknown, missing and unusable keys end in one sentence with the file and the key."""
    file = tmp_path / "p.toml"
    file.write_text(toml)
    with pytest.raises(InputError, match=rf"p\.toml: {key}"):
        load_profile(file)


def test_explain_names_the_rule_that_was_taken() -> None:
    """Each rule's findings are counted, and the one with the most comments is taken."""
    told = explain(page(CLASSIC))
    assert [one.rule for one in told.rules if one.taken] == ["common markup"]
    assert told.declared == 2
    assert "common markup" in told.why
    assert explain(page("<p>nothing</p>"), Profile(comment=".x")).why.startswith("no rule")


def test_the_article_holds_no_comments() -> None:
    """The article's text is found without the comments below it."""
    words = "The council wants lamps with cameras along every street of the town, and asks what readers think. " * 5
    told = article_of(page(f"<article><h1>Lamps</h1><p>{words}</p></article>{CLASSIC}"), "b.example.org/x")
    assert "cameras" in (told.article or "")
    assert "Second" not in (told.article or "")


@pytest.mark.parametrize(
    ("name", "comments", "pings", "replies", "declared"),
    [
        ("anchor.ch.lanka", 12, 0, 6, 12), ("californiaglobe.com.amazon", 12, 8, 2, 20),
        ("foxyfolksy.com.buttercream", 80, 0, 41, 80), ("hearya.com.metal", 38, 1, 0, 38),
        ("lemire.me.json", 5, 0, 2, 5), ("thenervousbreakdown.com.loneliest", 11, 0, 2, 11),
    ],
)  # fmt: skip
def test_recorded_pages(shared: Path, name: str, comments: int, pings: int, replies: int, declared: int) -> None:
    """Pages of six themes give all comments with author, time and text, their tree and the declared number."""
    body = (shared / "payloads" / "wordpress_html" / f"{name}.html").read_bytes()
    answer = Answer("", 200, {}, body, SEEN)
    assert ArticlePage().claims(answer)
    found = ArticlePage().read(answer)
    real = [one for one in found.comments if one.reason is None]
    assert (len(real), len(found.comments) - len(real)) == (comments, pings)
    assert all(one.author and one.text and one.created.at for one in real)
    assert sum(one.parent is not None for one in real) == replies
    assert {one.parent for one in real} - {None} <= {one.native_id for one in real}
    assert found.threads[0].declared == declared
    assert len(found.threads[0].article or "") > 1000


def test_hostile_pages_are_read_in_time() -> None:
    """Thousands of comments, and elements nested as deeply as no page is, are read within seconds."""
    many = "".join(
        f'<li class="comment depth-{1 + n % 2}" id="comment-{n}"><b class="fn">A{n}</b><p>Text {n}</p></li>'
        for n in range(3000)
    )
    deep = '<div class="comment">x' * 5000
    began = time.monotonic()
    assert len(read(f'<ol class="commentlist">{many}</ol>').comments) == 3000
    read(deep)
    read('<div class="says"><time>' * 3000)
    assert time.monotonic() - began < 20
