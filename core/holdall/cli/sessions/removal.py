"""`holdall sessions rm`: remove sessions for good."""

from __future__ import annotations

from gettext import gettext as _

import click

from holdall.cli.autostart import remove as remove_autostart
from holdall.cli.configuration import installed
from holdall.cli.options import chosen_repository, find_session, store_option
from holdall.cli.output import print_line
from holdall.session import remove_share


@click.command("rm")
@click.argument("session", nargs=-1, required=True)
@store_option
def remove_sessions(session: tuple[str, ...], store: str | None) -> None:
    """Remove sessions for good."""
    repository = chosen_repository(store, installed())
    # All names are looked up before the first session goes, since `last` would be another then.
    for session_id in dict.fromkeys([find_session(repository, name) for name in session]):
        repository.remove(session_id)
        remove_share(repository, session_id)
        remove_autostart(session_id)
        print_line(_("removed {id}").format(id=session_id))
