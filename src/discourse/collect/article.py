"""The article under discussion, from its page: title, text, date, author and site, by trafilatura."""

from __future__ import annotations

from trafilatura import bare_extraction

from discourse.collect.answers import Answer, Ask
from discourse.collect.moments import UNKNOWN, moment
from discourse.collect.sources.platform import RawThread

# trafilatura takes comments for the text where the article is short.
_COMMENTS = (
    "#comments, .comments-area, .wp-block-comments, .commentlist, .comment-list, #respond, #disqus_thread, "
    "#comment_list, "
    "#trackback_list, [itemprop=comment], #isso-thread, .comment-respond"
)


def article_ask(url: str, thread: str) -> Ask:
    """Return the request for an article's page, for a source that does not deliver the article itself."""
    return Ask(url, thread, accept="text/html", page=True, context=(("article_of", thread),))


def article_of(answer: Answer, thread: str) -> RawThread:
    """Return what a page tells of its article; comments, menus and advertisements are no part of the text.

    Args:
        answer: a page.
        thread: the native id of the thread that it belongs to.
    """
    url = answer.url.partition("#")[0] or None
    page = answer.html()
    canonical = page.css_first('link[rel="canonical"]')
    url = url or ((canonical.attributes.get("href") or None) if canonical is not None else None)
    heading = page.css_first("title")
    fallback = RawThread(
        native_id=thread, url=url, title=(heading.text(strip=True) or None) if heading is not None else None
    )
    for part in reversed(page.css(_COMMENTS)):
        part.decompose()
    try:
        found = bare_extraction(page.html or "", url=url, include_comments=False, with_metadata=True)
    # trafilatura promises nothing of what it raises; a thread without its article is still a thread.
    except Exception:  # noqa: BLE001
        return fallback
    if found is None or isinstance(found, dict):
        return fallback
    return RawThread(
        native_id=thread,
        title=found.title or fallback.title,
        site=found.sitename or found.hostname or None,
        url=url or found.url or None,
        author=found.author or None,
        article=found.text or None,
        published=moment(found.date) if found.date else UNKNOWN,
    )
