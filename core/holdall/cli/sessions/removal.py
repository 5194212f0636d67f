"""`holdall sessions rm` and `prune`: sessions that are to go."""

from __future__ import annotations

from gettext import gettext as _
from typing import TYPE_CHECKING, Any

import click

from holdall.cli.autostart import remove as remove_autostart
from holdall.cli.configuration import installed
from holdall.cli.options import (
    Age,
    chosen_repository,
    find_session,
    json_option,
    moment,
    store_option,
)
from holdall.cli.output import note, print_json, print_line
from holdall.cli.retention import STATES
from holdall.errors import LockedStorageError, UnknownSessionError
from holdall.upkeep import Retention, remove_session, surplus_sessions

if TYPE_CHECKING:
    from holdall.contracts import Repository


@click.command("rm")
@click.argument("session", nargs=-1, required=True)
@store_option
def remove_sessions(session: tuple[str, ...], store: str | None) -> None:
    """Remove sessions for good."""
    repository = chosen_repository(store, installed())
    # All names are looked up before the first session goes, since `last` would be another then.
    for session_id in dict.fromkeys([find_session(repository, name) for name in session]):
        remove_session(repository, session_id)
        remove_autostart(session_id)
        print_line(_("removed {id}").format(id=session_id))


@click.command("prune")
@click.option(
    "--older", type=Age(), metavar="AGE", help="Sessions not written for so long, as 30d."
)
@click.option(
    "--keep",
    type=click.IntRange(min=0),
    metavar="N",
    help="The N newest of them stay anyway.",
)
@click.option(
    "--max-bytes",
    type=click.IntRange(min=0),
    metavar="N",
    help="The oldest ones, until all sessions of the store together have no more bytes.",
)
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(STATES),
    metavar="STATE",
    help="Sessions in this state; may be repeated.  [default: finished]",
)
@click.option("--dry-run", is_flag=True, help="Remove nothing; say what would be.")
@store_option
@json_option
def prune(
    older: float | None,
    keep: int | None,
    max_bytes: int | None,
    states: tuple[Any, ...],
    store: str | None,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Remove sessions that are old, or too many; those that are open stay."""
    if older is None and keep is None and max_bytes is None:
        raise click.UsageError(_("say which: --older, --keep or --max-bytes"))
    retention = Retention(
        older_s=older, keep=keep, max_bytes=max_bytes, **({"states": states} if states else {})
    )
    repository = chosen_repository(store, installed())
    gone = prune_store(repository, retention, dry_run=dry_run, quiet=as_json)
    if as_json:
        print_json(gone)


def prune_store(
    repository: Repository, retention: Retention, *, dry_run: bool = False, quiet: bool = False
) -> list[str]:
    """Remove what *retention* lets go, say so, and return the ids; what is open stays."""
    gone = []
    for info, _size in surplus_sessions(repository, retention):
        if not dry_run:
            try:
                remove_session(repository, info.id)
            except UnknownSessionError:
                continue  # somebody else removed it
            except LockedStorageError as error:
                note(f"holdall: {error}")
                continue
            remove_autostart(info.id)
        gone.append(info.id)
        if not quiet:
            text = _("would remove {id}, last written {moment}") if dry_run else _("removed {id}")
            print_line(text.format(id=info.id, moment=moment(info.modified)))
    return gone
