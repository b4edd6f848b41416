"""One HTML file from a workspace: views, template and style sheet put together, and written in one step."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jinja2
from markupsafe import Markup

from discourse.config import Config
from discourse.receipt import library_versions
from discourse.report.legible import legible_page
from discourse.report.material import Material, read
from discourse.report.phrases import Phrase, plain
from discourse.report.scripts import script
from discourse.report.theme import style_sheet
from discourse.report.views import (
    comments,
    comparisons,
    crossings,
    data,
    frames,
    header,
    method,
    privacy,
    replies,
    stance,
    timeline,
    topics,
)
from discourse.workspace import Outcome, Workspace
from discourse.writing import write_text


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that the template prints."""

    header: header.Header
    frames: frames.FramesView
    targets: tuple[stance.TargetView, ...]
    topics: topics.TopicsView
    crossings: crossings.CrossingsView
    replies: replies.RepliesView
    comparisons: tuple[comparisons.Table, ...]
    timeline: timeline.TimelineView | None
    comments: comments.CommentsView
    data: data.DataView
    method: method.MethodView
    privacy: privacy.PrivacyView
    quotes: str
    version: str


def run(workspace: Workspace, config: Config, output: Path) -> Outcome:
    """Write the report of a workspace as one HTML file, whole or not at all.

    Args:
        workspace: its tables, as far as there are any; an empty one gives a page that says so.
        config: what `[report]` asks for, the codebook, the targets and the bundles.
        output: the file to write.

    Returns:
        How many comments are shown and how many findings stand at the top.

    Raises:
        InputError: the codebook cannot be read.
        UsageError: `[report]` asks for a language or a colour that does not exist.
        WorkspaceError: a table is damaged, or the file cannot be written.
    """
    style = style_sheet(config.report.theme)
    material = read(workspace, config)
    page = assemble(material)
    write_text(output, render(page, material, style))
    shown = sum(len(thread.cards) for thread in page.comments.threads)
    said = len(page.header.opening) + len(page.header.further)
    return Outcome({"comments_shown": shown, "findings": said})


def page_of(workspace: Workspace, config: Config) -> str:
    """Return the whole page without writing it, see `run`."""
    style = style_sheet(config.report.theme)
    material = read(workspace, config)
    return render(assemble(material), material, style)


def assemble(material: Material) -> Page:
    """Turn tables into what is printed; the texts that are quoted are read here and only here."""
    by_frame, by_target, by_topic = frames.examples(material), stance.examples(material), topics.examples(material)
    by_reason = data.examples(material)
    found = (by_frame, by_target, by_topic, by_reason)
    chosen = [example for each in found for part in each.values() for example in part]
    cards = comments.cards(material, list(dict.fromkeys(example.comment_id for example in chosen)))
    return Page(
        header=header.header(material),
        frames=frames.frames(material, cards, by_frame),
        targets=stance.targets(material, cards, by_target),
        topics=topics.topics(material, cards, by_topic),
        crossings=crossings.crossings(material),
        replies=replies.replies(material, cards),
        comparisons=comparisons.comparisons(material),
        timeline=timeline.over_time(material),
        comments=comments.comments(material, cards),
        data=data.data(material, cards, by_reason),
        method=method.method(material),
        privacy=privacy.privacy(material),
        quotes=material.policy.quotes,
        version=library_versions().get("discourse", ""),
    )


def render(page: Page, material: Material, style: str) -> str:
    """Fill the template of the report."""
    return _filled("page.html.j2", page, material, style)


def fill(template: str, page: object, material: Material) -> str:
    """Fill another template in the same design, see `render`."""
    return _filled(template, page, material, style_sheet(material.config.report.theme))


def _filled(template: str, page: object, material: Material, style: str) -> str:
    """Fill a template; every string is escaped there, only charts come as markup."""
    html = (
        environment()
        .get_template(template)
        .render(
            page=page,
            t=material.words.text,
            lang=material.words.lang,
            style=Markup(style),  # noqa: S704  # our own file, and colours checked by `style_sheet`
            style_hash=_hash(style),
            script=Markup(script()),  # noqa: S704  # our own file
            script_hash=_hash(script()),
        )
    )
    return legible_page(html)


@cache
def environment() -> jinja2.Environment:
    """Return the templates, compiled once in a process."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("discourse.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"figures": figures, "plain": plain}
    return made


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def figures(phrase: Phrase) -> Markup:
    """Mark up a phrase: each figure names the estimate it was taken from."""
    parts: list[Markup] = []
    for part in phrase:
        if isinstance(part, str):
            parts.append(Markup("{}").format(part))
            continue
        lead = Markup("<strong>{}</strong>").format(part.lead) if part.lead else Markup("")
        figure = Markup('<span data-estimate="{}">{}{}</span>').format(part.estimate_id, lead, part.rest)
        parts.append(Markup(figure.replace(" %", "\u00a0%")))  # noqa: S704  # escaped one line above
    return Markup("").join(parts)
