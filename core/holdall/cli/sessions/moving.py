"""`holdall sessions copy` and `move`: sessions in another store."""

from __future__ import annotations

from gettext import gettext as _
from typing import TYPE_CHECKING

import click

from holdall.cli.configuration import installed
from holdall.cli.options import (
    chosen_repository,
    command_options,
    find_session,
    json_option,
    store_option,
)
from holdall.cli.output import note, print_json, print_line
from holdall.cli.progress import shown_steps
from holdall.upkeep import copy_session, move_session

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdall.upkeep import Copied

_options = command_options(
    click.argument("session", nargs=-1, required=True),
    click.option(
        "--to",
        required=True,
        metavar="STORE",
        help="The other store: a URL, or a name of holdall.toml.",
    ),
    store_option,
    json_option,
)


@click.command("copy")
@_options
def copy(session: tuple[str, ...], to: str, store: str | None, *, as_json: bool) -> None:
    """Copy sessions to another store, and compare what was stored.

    SESSION is an id, the beginning of one, or `last`. Numbers and checksums of entries are
    kept; a copy that was cut off is gone on with.
    """
    _transfer(copy_session, session, to, store, as_json=as_json)


@click.command("move")
@_options
def move(session: tuple[str, ...], to: str, store: str | None, *, as_json: bool) -> None:
    """Copy sessions to another store, and remove them here when all of it is there.

    SESSION is an id, the beginning of one, or `last`.
    """
    _transfer(move_session, session, to, store, as_json=as_json)


def _transfer(
    transfer: Callable[..., Copied],
    session: tuple[str, ...],
    to: str,
    store: str | None,
    *,
    as_json: bool,
) -> None:
    registry = installed()
    source = chosen_repository(store, registry)
    target = chosen_repository(to, registry, option="to")
    # All names are looked up before the first session goes, since `last` would be another then.
    ids = dict.fromkeys([find_session(source, name) for name in session])
    rows = []
    with shown_steps() as steps:
        for session_id in ids:
            copied = transfer(source, session_id, target, progress=steps(session_id))
            entries, blobs, size = copied.amount
            row = {"session": session_id, "store": target.url, "entries": entries, "blobs": blobs}
            rows.append({**row, "bytes": size, "share_problem": copied.share_problem})
            if not as_json:
                text = _(
                    "{id}: {entries} entries and {blobs} blobs, {size} bytes, are in {store} now"
                )
                print_line(
                    text.format(
                        id=session_id, entries=entries, blobs=blobs, size=size, store=target.url
                    )
                )
            if copied.share_problem:
                text = _("the folder that the jobs share was not copied whole: {reason}")
                note("holdall: " + text.format(reason=copied.share_problem))
    if as_json:
        print_json(rows)
