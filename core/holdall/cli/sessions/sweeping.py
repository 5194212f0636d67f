"""`holdall sessions gc`: what crashes left in sessions, dropped."""

from __future__ import annotations

from gettext import gettext as _
from typing import TYPE_CHECKING

import click

from holdall.cli.configuration import installed
from holdall.cli.options import Age, chosen_repository, find_session, json_option, store_option
from holdall.cli.output import print_json, print_line
from holdall.errors import StorageError, UnknownSessionError
from holdall.upkeep import GRACE_S, Swept, sweep_session

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from holdall.contracts import Repository


@click.command("gc")
@click.argument("session", nargs=-1)
@click.option("--dry-run", is_flag=True, help="Drop nothing; say what would be.")
@click.option(
    "--grace",
    type=Age(),
    default=GRACE_S,
    metavar="AGE",
    help="Leave sessions alone that were written within this time, such as 12h.  [default: 1d]",
)
@store_option
@json_option
def collect(
    session: tuple[str, ...], grace: float, store: str | None, *, dry_run: bool, as_json: bool
) -> None:
    """Drop blobs that no entry names, and logs of jobs that have ended: what crashes left.

    SESSION is an id, the beginning of one, or `last`; without it all are looked at.
    Sessions that are open, damaged, or have a job in flight are left alone.
    """
    repository = chosen_repository(store, installed())
    ids = [find_session(repository, name) for name in session] or list(repository.ids())
    rows = list(_swept(repository, dict.fromkeys(ids), grace, dry_run=dry_run))
    if as_json:
        print_json([row._asdict() for row in rows])
        return
    for row in rows:
        print_line(_shown(row, dry_run=dry_run))


def _swept(
    repository: Repository, ids: Iterable[str], grace: float, *, dry_run: bool
) -> Iterator[Swept]:
    for session_id in ids:
        try:
            yield sweep_session(repository, session_id, grace_s=grace, dry_run=dry_run)
        except UnknownSessionError:
            continue  # it was removed meanwhile
        except StorageError as error:
            yield Swept(session_id, kept=str(error))


def _shown(row: Swept, *, dry_run: bool) -> str:
    if row.kept:
        return _("{id}: left alone, {reason}").format(id=row.session_id, reason=row.kept)
    text = _("{id}: dropped {blobs} blobs and {logs} logs")
    if dry_run:
        text = _("{id}: {blobs} blobs and {logs} logs would be dropped")
    return text.format(id=row.session_id, blobs=len(row.blobs), logs=len(row.logs))
