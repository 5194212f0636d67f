"""`holdall testing`: what authors of plugins try their work on."""

from __future__ import annotations

from gettext import gettext as _

import click

from holdall.cli.configuration import installed
from holdall.cli.options import chosen_repository, store_option
from holdall.cli.output import note, print_line


@click.group()
def testing() -> None:
    """Make what authors of plugins try their work on."""


@testing.command("make-session")
@click.option(
    "--jobs",
    type=click.IntRange(0, 1_000_000),
    default=20,
    show_default=True,
    metavar="N",
    help="How many jobs each device ran; one in ten failed.",
)
@click.option(
    "--devices",
    type=click.IntRange(1, 1_000),
    default=1,
    show_default=True,
    metavar="N",
    help="How many devices there are.",
)
@click.option(
    "--hostile",
    is_flag=True,
    help="Add every outcome, several attempts and attachments, and text that has broken reports "
    "before in every field.",
)
@store_option
def make_session(*, jobs: int, devices: int, hostile: bool, store: str | None) -> None:
    """Store a session of results that nobody made, and print its id."""
    from holdall.testing.stored import session_of, store_session

    repository = chosen_repository(store, installed())
    session_id = store_session(session_of(jobs, devices, hostile=hostile), repository)
    print_line(session_id)
    note(_("stored in {store}").format(store=repository.url))
