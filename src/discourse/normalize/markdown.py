"""Markdown as comment platforms write it, to text; light, so that ordinary punctuation is never taken for markup."""

from __future__ import annotations

import re

from discourse.normalize.marked import Marked, is_web_address, resolve_entities

# Every quantifier that could backtrack is possessive: a hostile comment costs time linear in its length.
_CODE = re.compile(r"(?<![`\\])(`{1,3}+)([^`\n]++)\1(?!`)")
_LINK = re.compile(
    r"(?<!\\)!?\[((?:[^\[\]\\]|\\.|\[[^\[\]\n]*+\])*+)\]"
    r"\(\s*+<?((?:[^()\s<>]|\([^()\s<>]*+\))*+)>?(?:\s++(?:\"[^\"\n]*+\"|'[^'\n]*+'))?\s*+\)"
)
_BOLD = re.compile(r"(?<![A-Za-z0-9*\\])\*\*(?=[^\s*])((?:[^*\n\\]|\\.|\*(?!\*))*+)(?<=[^\s\\])\*\*(?![A-Za-z0-9*])")
_INLINE: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?<![A-Za-z0-9*\\])\*\*\*(?=\S)([^*\n]++)(?<=\S)\*\*\*(?![A-Za-z0-9*])"), r"\1"),
    (_BOLD, r"\1"),
    (re.compile(r"(?<![A-Za-z0-9*\\])\*(?=[^\s*])([^*\n]++)(?<=[^\s\\])\*(?![A-Za-z0-9*])"), r"\1"),
    # Not a dunder name, and never within a word or an address.
    (re.compile(r"(?<![^\s(\[\"'*~])__(?=\S)([^_\n]*+ [^_\n]*+)(?<=\S)__(?![^\s.,;:!?)\]\"'*~])"), r"\1"),
    (re.compile(r"(?<![^\s(\[\"'*~])_(?=[^\s_])([^_\n]++)(?<=[^\s\\])_(?![^\s.,;:!?)\]\"'*~])"), r"\1"),
    (re.compile(r"(?<!\\)~~(?=\S)([^~\n]++)(?<=\S)~~"), r"\1"),
    (re.compile(r"(?<!\S)\^++\(([^()\n]*+)\)"), r"\1"),
    (re.compile(r"(?<!\S)\^++(?=[A-Za-z0-9\[(])"), ""),
    (re.compile(r"<(https?://[^\s<>]++)>", re.IGNORECASE), r"\1"),
)
_LINES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"^[ \t]*+(?:```|~~~)[A-Za-z0-9+-]*+[ \t]*+$", re.MULTILINE), ""),
    (re.compile(r"^[ \t]*+(?:(?:-[ \t]*+){3,}|(?:\*[ \t]*+){3,}|(?:_[ \t]*+){3,})$", re.MULTILINE), ""),
    (re.compile(r"^[ \t]*+\|?[ \t]*+:?-{2,}+:?[ \t]*+(?:\|[ \t]*+:?-++:?[ \t]*+)++\|?[ \t]*+$", re.MULTILINE), ""),
    # One # without a space is a hashtag.
    (re.compile(r"^((?:>[ \t]?)*+)(?:#{2,6}[ \t]*+|#[ \t]++)(?=\S)", re.MULTILINE), r"\1"),
    (re.compile(r"^([ \t]*+)\*[ \t]++(?=\S)", re.MULTILINE), r"\1- "),
)
_SPOILER = re.compile(r">!((?:[^!>\n]|!(?!<))++)!<")
_ESCAPE = re.compile(r"\\([\\`*_{}\[\]()#+\-.!~>|^<&])")
# The editor of Reddit writes these entities as text, and its interface then escapes their ampersand.
_ESCAPED_BLANK = re.compile(r"&amp;(?=(?:#x200[bB]|nbsp|#32);)")


def read_markdown(source: str) -> Marked:
    """Read a Markdown text of Reddit's kind; lines that begin with ``>`` stay for `quotes.take_quotes`.

    Args:
        source: Markdown, with or without HTML entities.

    Returns:
        The text and the http(s) targets of its links.
    """
    text = resolve_entities(_ESCAPED_BLANK.sub("&", source))
    for pattern, kept in _LINES:
        text = pattern.sub(kept, text)
    text = _SPOILER.sub(r"\1", text)
    links: list[str] = []
    parts: list[str] = []
    last = 0
    for code in _CODE.finditer(text):
        parts += [_read_inline(text[last : code.start()], links), code[2]]
        last = code.end()
    parts.append(_read_inline(text[last:], links))
    return Marked("".join(parts), links=tuple(links))


def read_bold_and_links(source: str) -> Marked:
    """Read only ``[text](address)`` and ``**bold**``, for texts whose markup nobody told."""
    links: list[str] = []
    return Marked(_BOLD.sub(r"\1", _read_links(source, links)), links=tuple(links))


def _read_inline(text: str, links: list[str]) -> str:
    text = _read_links(text, links)
    for pattern, kept in _INLINE:
        text = pattern.sub(kept, text)
    return _ESCAPE.sub(r"\1", text)


def _read_links(text: str, links: list[str]) -> str:
    def keep_words(found: re.Match[str]) -> str:
        words, target = found[1], found[2]
        # Relative targets (/r/name, #part) and image ids are markup too; only web addresses are collected.
        if not target or (":" in target and not is_web_address(target)):
            return found[0]
        line = text[text.rfind("\n", 0, found.start()) + 1 : found.start()]
        if is_web_address(target) and not line.lstrip().startswith(">"):
            links.append(target)
        return words.strip()

    return _LINK.sub(keep_words, text)
