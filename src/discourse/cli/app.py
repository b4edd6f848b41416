"""All verbs on one screen. Heavy libraries are imported by the functions that need them, so that --help is instant."""

from __future__ import annotations

import typer

from discourse.cli.annotate_judge import annotate_app
from discourse.cli.bundle import bundle_app
from discourse.cli.codebook import codebook_app
from discourse.cli.compare import compare
from discourse.cli.doctor import doctor
from discourse.cli.export import export
from discourse.cli.forget import forget
from discourse.cli.report import report
from discourse.cli.run import demo, run
from discourse.cli.sources import sources
from discourse.cli.stage import aggregate, collect, normalize
from discourse.cli.status import status
from discourse.cli.tag import tag

HELP = """From a comment thread to an honest report: who says what, how many, and how sure we can be. Offline.

Start with:

  discourse demo                                 the embedded sample, in under a minute

  discourse run thread.csv -o WS                 all stages on your own comments

  discourse run thread.csv --target "the new law" -o WS     with stance to a target

The report is WS/report.html. Data goes to stdout (--json), everything else to stderr. Exit codes: 0 done, 1 the input
or the run failed, 2 wrong usage, 130 interrupted (run again to go on). --debug shows tracebacks."""

app = typer.Typer(
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(run)
app.command()(demo)
app.command()(collect)
app.command()(normalize)
app.command()(tag)
app.command()(aggregate)
app.command()(report)
app.command()(compare)
app.command()(export)
app.command()(status)
app.command()(sources)
app.command()(forget)
app.command()(doctor)
app.add_typer(codebook_app, name="codebook")
app.add_typer(bundle_app, name="bundle")
app.add_typer(annotate_app, name="annotate")
