"""`discourse forget`: a person's or a comment's words leave a workspace."""

from __future__ import annotations

from typing import Annotated

import typer

from discourse.cli.options import Json, WorkspaceFolder, print_json


def forget(
    workspace: WorkspaceFolder,
    author: Annotated[
        str | None, typer.Option(metavar="NAME", help="The name as delivered, or the pseudonym in the tables.")
    ] = None,
    comment: Annotated[str | None, typer.Option(metavar="ID", help="A comment_id of the table comments.")] = None,
    as_json: Json = False,
) -> None:
    """Remove a person's or a comment's words from raw files, tables and report.

    The rows stay, since replies hang on them, without text and author and as deleted; tags stay as numbers. Quotes of
    the words in other comments go, too. A text of under 20 letters is removed from raw files wherever it stands alone,
    also where others said the same. Files outside the workspace, such as the export that was read, stay as they are.

    Examples:

      discourse forget WS --author "Jane Doe"

      discourse forget WS --comment reddit:abc123
    """
    from discourse.forget import check
    from discourse.forget import forget as forget_words
    from discourse.progress import say

    done = forget_words(workspace, author=author, comment=comment)
    if as_json:
        print_json(done)
    else:
        print(
            f"{done.comments:,} comments forgotten; {done.passages:,} passages taken out of {done.files:,} raw files, "
            f"{done.cells:,} cells of tables cleaned"
        )
    if done.dropped:
        say(
            f"{done.dropped:,} archived answers were dropped whole, since the words could not be taken out alone; "
            "other comments in them are lost when the archive is read again"
        )
    if done.report_removed:
        say(f"report.html was removed; write it anew with: discourse report {workspace}")
    check(done, workspace)
    say("every file of the workspace was looked through: no distinctive piece of 20 letters is left")
    if done.unchecked:
        say(f"{done.unchecked:,} texts are too short to be looked for; they were removed where they stood alone")
