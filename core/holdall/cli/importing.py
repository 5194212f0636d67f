"""`holdall import`: results of other tools into sessions, one for each source."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import redirect_stdout
from functools import partial as partial_of
from gettext import gettext as _
from typing import TYPE_CHECKING, Any

import click

from holdall.cli.configuration import installed
from holdall.cli.exits import exit_code, message, traceback_of
from holdall.cli.lazy import is_debugging
from holdall.cli.options import chosen_repository, json_option, store_option
from holdall.cli.output import counted, ending, note, note_lines, print_json
from holdall.cli.redaction import redact_stored_option
from holdall.errors import HoldallError
from holdall.recording import import_results
from holdall.view import SessionView, verdict

if TYPE_CHECKING:
    from holdall.contracts import Repository
    from holdall.recording import Imported
    from holdall.redaction import RedactionRules


@click.command("import")
@click.argument("source", nargs=-1, required=True)
@click.option(
    "--as",
    "importer",
    metavar="NAME",
    default="",
    help="The importer to use. [default: the one that accepts the source by its content]",
)
@click.option(
    "--title", default="", help="What to call the session. [default: the name of the source]"
)
@click.option(
    "--device",
    metavar="ID",
    default="local",
    help="The device of results that name none. [default: local]",
)
@click.option("--together", is_flag=True, help="Make one session of all sources.")
@click.option(
    "--partial",
    is_flag=True,
    help="Keep what is sound of a damaged source; the session says what is missing.",
)
@redact_stored_option
@store_option
@json_option
def import_sources(
    source: tuple[str, ...],
    importer: str,
    title: str,
    device: str,
    store: str | None,
    *,
    together: bool,
    partial: bool,
    rules: RedactionRules,
    as_json: bool,
) -> int:
    """Record results of other tools, in a session for each SOURCE.

    SOURCE is a file or a folder, or - for standard input. A source that can't be
    imported leaves no session, and the others alone. Exits with 0 also where tests
    failed.
    """
    _check_sources(source)
    registry = installed()
    if importer:
        registry.resolve("importers", importer)
    repository = chosen_repository(store, registry)
    chosen = partial_of(
        import_results,
        repository=repository,
        importer=importer,
        title=title,
        device=device,
        partial=partial,
        registry=registry,
        redact=rules,
    )
    rows, code = [], 0
    for sources in [source] if together else [(each,) for each in source]:
        try:
            with redirect_stdout(sys.stderr):  # what a plugin prints
                imported = chosen(["/dev/stdin" if text == "-" else text for text in sources])
        except HoldallError as error:
            code = max(code, exit_code(error) or 0)
            rows.append({"sources": sources, "error": _told(error)})
        else:
            rows.append({"sources": sources, "error": "", **_shown(repository, imported)})
    if as_json:
        print_json(rows)
    return code


def _told(error: HoldallError) -> str:
    note(f"holdall: {message(error)}")
    if is_debugging():
        note_lines(traceback_of(error))
    return message(error)


def _check_sources(sources: tuple[str, ...]) -> None:
    if sources.count("-") > 1:
        raise click.UsageError(_("standard input (-) can be read once"))


def _shown(repository: Repository, imported: Imported) -> dict[str, Any]:
    """Print what was imported, and return it for programs."""
    storage = repository.open(imported.session_id, mode="r")
    try:
        view = SessionView.of(storage)
        word = verdict(view).word
        note(f"{word}: {', '.join(counted(Counter(map(ending, view.jobs()))))}")
        for problem in imported.problems:
            note(_("not imported: {problem}").format(problem=problem))
        for what, count in imported.left_out.items():
            note(_("not kept as it was: {what} ({count})").format(what=what, count=count))
        note(_("session {id} in {store}").format(id=view.session_id, store=repository.url))
        return {
            "session": view.session_id,
            "store": repository.url,
            "importers": imported.importers,
            "problems": imported.problems,
            "left_out": imported.left_out,
            "verdict": word,
            "outcomes": {str(outcome): count for outcome, count in view.counts.items()},
        }
    finally:
        storage.close()
