"""`holdall sessions watch`: what becomes of a session, as it is stored."""

from __future__ import annotations

from gettext import gettext as _
from shlex import quote
from typing import TYPE_CHECKING

import click
import msgspec

from holdall.cli.configuration import installed
from holdall.cli.options import Seconds, chosen_repository, find_session, store_option
from holdall.cli.output import print_line
from holdall.errors import StorageError
from holdall.journal import JobStarted, ResultRecorded, Snapshot, unpack_snapshot
from holdall.upkeep import follow_session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.journal import AnyEvent


@click.command("watch")
@click.argument("session")
@click.option(
    "--after",
    type=click.IntRange(min=0),
    default=0,
    metavar="NUMBER",
    help="Show only what stands behind the entry of this number.",
)
@click.option(
    "--timeout", type=Seconds(), metavar="SECONDS", help="End when nothing comes for so long."
)
@click.option("--json", "as_json", is_flag=True, help="Print each event as a line of JSON.")
@store_option
def watch(
    session: str, after: int, timeout: float | None, store: str | None, *, as_json: bool
) -> None:
    """Show the results of a session as they are stored, those to come too, until Ctrl-C.

    SESSION is an id, the beginning of one, or `last`. Each line begins with the number of
    its entry, from which `--after` goes on.
    """
    repository = chosen_repository(store, installed())
    session_id = find_session(repository, session)
    shown: set[tuple[str, str, float]] = set()
    number = after
    try:
        for number, event in follow_session(repository, session_id, after=after, timeout=timeout):
            for line in _lines(session_id, number, event, shown, as_json=as_json):
                print_line(line)
    except StorageError as error:
        text = _("`holdall sessions watch {id} --after {number}` goes on")
        error.add_note(text.format(id=quote(session_id), number=number))
        raise


def _lines(
    session_id: str,
    number: int,
    event: AnyEvent,
    shown: set[tuple[str, str, float]],
    *,
    as_json: bool,
) -> Iterator[str]:
    """Yield a line for each event that is new; what a snapshot repeats is left out."""
    if isinstance(event, Snapshot):
        for kept in unpack_snapshot(session_id, event):
            yield from _lines(session_id, number, kept, shown, as_json=as_json)
        return
    if isinstance(event, ResultRecorded | JobStarted):
        mark = (type(event).__name__, f"{event.device} {event.job_id}", event.at)
        if mark in shown:
            return
        shown.add(mark)
    if as_json:
        # An event says itself what kind it is of, as in the journal.
        yield f'{{"number":{number},' + msgspec.json.encode(event).decode()[1:]
    elif isinstance(event, ResultRecorded):
        outcome = _(event.result.outcome.label)
        yield f"{number}  {outcome}  {event.job_id}  {event.result.comments or ''}".rstrip()
    elif isinstance(event, JobStarted):
        begun = _("started")
        yield f"{number}  {begun}  {event.job_id}"
