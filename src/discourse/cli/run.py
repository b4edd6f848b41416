"""`discourse run` and `discourse demo`: all stages, only what is stale."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from discourse.cli.judge import JudgeModel, JudgeRuns, Tagger, Yes, agreed_by, judge_settings
from discourse.cli.options import Json, Set, Strict, Where, narrowed, parsed_map, parsed_settings, print_json
from discourse.progress import say

if TYPE_CHECKING:
    from discourse.config import Config
    from discourse.pipeline import RunResult

Sources = Annotated[
    list[str], typer.Argument(metavar="CONFIG|ADDRESS|FILE...", help="A discourse.toml, or addresses and files.")
]
Output = Annotated[
    Path | None, typer.Option("-o", "--output", metavar="WS", help="The workspace folder. Default: reports/NAME.")
]
ArticleLines = Annotated[
    str | None, typer.Option(metavar="A-B", help="Lines of a pasted text that are the article, such as 1-28.")
]
Mode = Annotated[
    str | None, typer.Option(help="Pasted text: one comment a line, or a paragraph. [auto|line|paragraph]")
]
Map = Annotated[
    list[str] | None, typer.Option("--map", metavar="OURS=THEIRS", help="A column by name, such as text=body.")
]
Furniture = Annotated[list[str] | None, typer.Option(metavar="REGEX", help="Lines that are page text, no comments.")]
Opening = Annotated[str | None, typer.Option(metavar="first", help="Each thread's first row is its opening post.")]
Attributes = Annotated[list[str] | None, typer.Option(metavar="COLUMN", help="Columns of yours to keep.")]
Thread = Annotated[
    str | None,
    typer.Option(metavar="ID", help="The thread's id, for files without one; of a Reddit dump, the one to read."),
]
Target = Annotated[list[str] | None, typer.Option("--target", help="A stance target; may be given several times.")]
Codebook = Annotated[str | None, typer.Option(help="A shipped codebook or a TOML file.")]
Frames = Annotated[str | None, typer.Option(metavar="BUNDLE", help="The frames bundle.")]
Stance = Annotated[str | None, typer.Option(metavar="BUNDLE", help="The stance bundle.")]
Exact = Annotated[
    bool | None,
    typer.Option("--exact/--cascade", help="Ask the encoder about every comment, or let a quick tier answer first."),
]
Engine = Annotated[
    str | None,
    typer.Option("--engine", help="Who works: this process, or the workers of a Ray cluster. [local|ray]"),
]
Labels = Annotated[list[str] | None, typer.Option(metavar="FILE", help="Labels given by people.")]
Quotes = Annotated[str | None, typer.Option(help="How much of the comments the report quotes. [full|short|none]")]
Lang = Annotated[str | None, typer.Option(help="The language of the report's own words. [en|de]")]
Scrub = Annotated[
    bool | None,
    typer.Option("--scrub/--no-scrub", help="Hide e-mail addresses, phone numbers and @names in quotes. Default: yes."),
]
Figures = Annotated[
    Path | None,
    typer.Option("--figures", metavar="FOLDER", help="Also write each chart as SVG and PNG, each table as CSV."),
]
Population = Annotated[
    str | None,
    typer.Option(help="What shares speak of: these comments, or threads like these beside. [collected|similar]"),
]
AuthorKey = Annotated[Path | None, typer.Option(help="A key file shared by workspaces, to match authors.")]
Languages = Annotated[list[str] | None, typer.Option(metavar="CODE", help="Languages that may occur, such as en.")]
Group = Annotated[
    list[str] | None,
    typer.Option(
        "--group", metavar="NAME", help="Compare groups: an attribute of yours, platform, site, depth, role, language."
    ),
]
SplitAt = Annotated[
    str | None, typer.Option("--split-at", metavar="DATE", help="Compare before and after a day, such as 2024-05-01.")
]
Seed = Annotated[int | None, typer.Option(help="Of everything random.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say for each stage RUN or SKIP, and why.")]


def run(
    sources: Sources,
    output: Output = None,
    article_lines: ArticleLines = None,
    mode: Mode = None,
    columns: Map = None,
    furniture: Furniture = None,
    opening: Opening = None,
    attributes: Attributes = None,
    thread: Thread = None,
    target: Target = None,
    codebook: Codebook = None,
    frames: Frames = None,
    stance: Stance = None,
    exact: Exact = None,
    engine: Engine = None,
    tagger: Tagger = None,
    judge_model: JudgeModel = None,
    judge_runs: JudgeRuns = None,
    yes: Yes = False,
    labels: Labels = None,
    population: Population = None,
    quotes: Quotes = None,
    scrub: Scrub = None,
    lang: Lang = None,
    figures: Figures = None,
    author_key: AuthorKey = None,
    languages: Languages = None,
    group: Group = None,
    split_at: SplitAt = None,
    seed: Seed = None,
    where: Where = None,
    settings: Set = None,
    dry_run: DryRun = False,
    strict: Strict = False,
    as_json: Json = False,
) -> None:
    """Do all stages: collect, normalize, tag, aggregate, report. What is fresh is skipped.

    Examples:

      discourse run pasted.txt --article-lines 1-28 -o WS

      discourse run export.csv --map text=body --target "the new law" -o WS

      discourse run discourse.toml --dry-run

      discourse run thread.csv --tagger openai-compatible --judge-model qwen2.5-7b-instruct -o WS
    """
    changes: dict[str, Any] = {
        "input.article_lines": article_lines,
        "input.mode": mode,
        "input.map": parsed_map(columns),
        "input.furniture": furniture or None,
        "input.opening": opening,
        "input.attributes": attributes or None,
        "input.thread": thread,
        "stance.targets": target or None,
        "codebook.file": codebook,
        "bundles.frames": frames,
        "bundles.stance": stance,
        "tagging.exact": exact,
        "engine": engine,
        **judge_settings(tagger, judge_model, judge_runs),
        "labels.files": labels or None,
        "aggregate.population": population,
        "report.quotes": quotes,
        "report.scrub": scrub,
        "report.lang": lang,
        "normalize.author_key": author_key,
        "normalize.languages": languages or None,
        "compare.groups": group or None,
        "compare.split_at": split_at,
        "seed": seed,
        **parsed_settings(settings),
    }
    config = narrowed(read_config(sources, changes), where)
    root = output or config.workspace or Path("reports") / Path(sources[0]).stem
    _run(config, root, figures, dry_run=dry_run, strict=strict, yes=yes, as_json=as_json)


def demo(
    output: Annotated[Path, typer.Option("-o", "--output", metavar="WS", help="The workspace folder.")] = Path(
        "reports/demo"
    ),
    as_json: Json = False,
) -> None:
    """Do the main job on the embedded sample: an invented thread under an invented story, with labels.

    Example:

      discourse demo -o WS
    """
    from importlib import resources

    from discourse.config import load_config

    with resources.as_file(resources.files("discourse") / "data" / "sample") as folder:
        _run(load_config(folder / "lamp-posts.toml"), output, as_json=as_json)


def read_config(sources: list[str], changes: dict[str, Any]) -> Config:
    """Return the configuration that is asked for: a TOML file, or defaults for some files, with flags on top."""
    from discourse.config import Config, load_config, override
    from discourse.errors import UsageError

    config = Config()
    if sources and sources[0].endswith(".toml"):
        if len(sources) > 1:
            raise UsageError(f"{sources[0]}: is a configuration; name further files in its [input] sources")
        config = load_config(Path(sources[0]))
    elif sources:
        changes = {"input.sources": list(sources), **changes}
    return override(config, changes)


def print_result(result: RunResult, *, as_json: bool) -> None:
    """Print what a run found: JSON, or the findings as sentences and where the report is."""
    if as_json:
        print_json(result)
        return
    for finding in result.findings[:3]:
        print(f"- {finding.sentence}")
    if result.report is not None:
        print(f"report: {result.report}")


def check_figures(folder: Path | None) -> None:
    """Refuse a folder for figures that holds something else, before anything runs."""
    if folder is not None:
        from discourse.report.figure_folder import check_folder

        check_folder(folder)


def write_charts(html: str, folder: Path | None) -> None:
    """Write the charts and tables of a page where they are asked for, and say where they are."""
    if folder is not None:
        from discourse.report.figure_folder import write_figures

        say(f"{len(write_figures(html, folder))} figures and tables in {folder}")


def _run(
    config: Config,
    root: Path,
    figures: Path | None = None,
    *,
    as_json: bool,
    dry_run: bool = False,
    strict: bool = False,
    yes: bool = False,
) -> None:
    from discourse.pipeline import run as run_stages

    check_figures(figures)
    result = run_stages(config, root, dry_run=dry_run, agreed=agreed_by(yes=yes))
    if dry_run:
        if as_json:
            print_json({"workspace": root, "stages": result.stages})
        for stage in result.stages:
            took = f", took {stage.seconds:.0f} s last time" if stage.seconds else ""
            if not as_json:
                print(f"{stage.status.upper():5}{stage.name:10} {stage.reason}{took}")
                for note in stage.notes if stage.status == "run" else ():
                    print(f"     {note}")
        return
    say(f"{result.comments:,} comments in {result.threads:,} threads, {result.quarantined:,} records quarantined")
    if result.report is not None:
        write_charts(result.report.read_text(encoding="utf-8"), figures)
    print_result(result, as_json=as_json)
    if strict and result.quarantined:
        raise typer.Exit(1)
