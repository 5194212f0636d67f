"""`holdall sessions check`: whether what is stored is what was written."""

from __future__ import annotations

from gettext import gettext as _
from typing import TYPE_CHECKING

import click

from holdall.cli.configuration import installed
from holdall.cli.exits import STORAGE, message
from holdall.cli.options import chosen_repository, find_session, json_option, store_option
from holdall.cli.output import note, print_json, print_table
from holdall.cli.progress import shown_steps
from holdall.errors import StorageError, UnknownSessionError
from holdall.upkeep import Checked, check_session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.contracts import Repository


@click.command("check")
@click.argument("session", nargs=-1)
@click.option("--deep", is_flag=True, help="Read the bytes of logs and attachments, too.")
@store_option
@json_option
def check(session: tuple[str, ...], store: str | None, *, deep: bool, as_json: bool) -> None:
    """Read sessions from their first entry to their last, and say what is damaged.

    SESSION is an id, the beginning of one, or `last`; without it all are checked. Nothing
    is changed. Exits with 3 if something is damaged or can't be read.
    """
    repository = chosen_repository(store, installed())
    ids = [find_session(repository, name) for name in session] or list(repository.ids())
    rows = list(_checked(repository, list(dict.fromkeys(ids)), deep=deep))
    if as_json:
        print_json(
            [
                {
                    "session": checked.session_id,
                    "entries": checked.entries,
                    "blobs": checked.blobs,
                    "damage": [str(error) for error in (*checked.damage, *unread)],
                }
                for checked, unread in rows
            ]
        )
    else:
        columns = (_("SESSION"), _("STATE"), _("ENTRIES"), _("BLOBS"))
        print_table(
            columns,
            [
                (c.session_id, _state(c, unread), str(c.entries), str(c.blobs))
                for c, unread in rows
            ],
        )
        for checked, unread in rows:
            for error in (*checked.damage, *unread):
                note(f"holdall: {message(error)}")
    if any(checked.damage or unread for checked, unread in rows):
        raise SystemExit(STORAGE)


def _checked(
    repository: Repository, ids: list[str], *, deep: bool
) -> Iterator[tuple[Checked, tuple[StorageError, ...]]]:
    """Yield what was found, and why a session could not be read, which is no damage."""
    with shown_steps() as steps:
        progress = steps(repository.url) or (lambda _done, _all: None)
        for done, session_id in enumerate(ids):
            progress(done, len(ids))
            try:
                yield check_session(repository, session_id, deep=deep), ()
            except UnknownSessionError:
                continue  # it was removed meanwhile
            except StorageError as error:
                yield Checked(session_id, 0, 0, ()), (error,)


def _state(checked: Checked, unread: tuple[StorageError, ...]) -> str:
    if checked.damage:
        return _("damaged")
    return _("unreadable") if unread else _("whole")
