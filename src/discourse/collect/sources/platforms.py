"""All platforms, in the order in which they are asked whose an address or an answer is; the page of anybody is last."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import cast

from discourse.collect.sources.platform import Platform
from discourse.errors import InputError

# Module and class of each; imported when needed, so that `discourse --help` stays fast.
_FAMILY = (
    ("isso", "Isso"),
    ("comments_xtd", "CommentsXtd"),
    ("discourse_forum", "DiscourseForum"),
    ("hackernews", "HackerNews"),
    ("youtube", "YouTube"),
    ("lemmy", "Lemmy"),
    ("reddit", "Reddit"),
    ("disqus", "Disqus"),
    ("waline", "Waline"),
    ("ghost", "Ghost"),
    ("lesswrong", "LessWrong"),
    ("bluesky", "Bluesky"),
    ("mastodon", "Mastodon"),
    ("substack", "Substack"),
    ("wordpress", "WordPress"),
)

# Comment servers that know nothing of the article beside which they stand.
_BESIDE_ARTICLES = {"isso", "xtd", "disqus", "waline", "ghost"}


def platforms(profile: Path | None = None) -> tuple[Platform, ...]:
    """Return every platform, ready to read.

    Args:
        profile: a TOML file of CSS selectors for pages, see `discourse.collect.profiles`.

    Raises:
        InputError, UsageError: the profile cannot be used.
    """
    from discourse.collect.sources.article_page import ArticlePage
    from discourse.collect.sources.profiles import load_profile
    from discourse.collect.sources.with_article import WithArticle

    page = ArticlePage(load_profile(profile) if profile is not None else None)
    family = [cast("Platform", _class(module, name)()) for module, name in _FAMILY]
    return (*(WithArticle(one) if one.name in _BESIDE_ARTICLES else one for one in family), page)


def platform_of_address(url: str, family: tuple[Platform, ...]) -> Platform:
    """Return the first platform whose address this is.

    Raises:
        InputError: it is nobody's.
    """
    for platform in family:
        if platform.start(url):
            return platform
    raise InputError(f"{url[:200]}: is no address that we can read; see: discourse sources")


def _class(module: str, name: str) -> type:
    return cast("type", getattr(import_module(f"discourse.collect.sources.{module}"), name))
