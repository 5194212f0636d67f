"""`holdall sessions pack` and `unpack`: a session as one file."""

from __future__ import annotations

import sys
from gettext import gettext as _
from pathlib import Path

import click

from holdall.cli.configuration import installed
from holdall.cli.options import chosen_repository, find_session, json_option, store_option
from holdall.cli.output import note, print_json, print_line
from holdall.exports import open_target
from holdall.upkeep import LIMITS, pack_session, unpack_session


@click.command("pack")
@click.argument("session")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(),
    metavar="FILE",
    help="The archive, such as night.holdall.zip; `-` is standard output.",
)
@store_option
def pack(session: str, output: str, store: str | None) -> None:
    """Write a session into one file, which `unpack` makes a session of elsewhere.

    SESSION is an id, the beginning of one, or `last`. What is in the file can be resumed and
    exported wherever it is unpacked.
    """
    repository = chosen_repository(store, installed())
    session_id = find_session(repository, session)
    target = sys.stdout.buffer if output == "-" else output
    with open_target(target) as sink:
        pack_session(repository, session_id, sink)
    if output != "-":
        note(_("packed {id} into {path}").format(id=session_id, path=output))


@click.command("unpack")
@click.argument("archive", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--no-limits",
    is_flag=True,
    help="Unpack also what is suspiciously large, of an archive whose origin you know.",
)
@store_option
@json_option
def unpack(
    archive: tuple[Path, ...], store: str | None, *, no_limits: bool, as_json: bool
) -> None:
    """Make the sessions that are in archives of `pack`; each whole, or not at all."""
    repository = chosen_repository(store, installed())
    ids = []
    for path in archive:
        ids.append(unpack_session(path, repository, limits=None if no_limits else LIMITS))
        if not as_json:
            print_line(_("unpacked {path} as {id}").format(path=path, id=ids[-1]))
    if as_json:
        print_json(ids)
