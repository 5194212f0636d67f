"""`holdall sessions repair` and `ship`: for stores over several others."""

from __future__ import annotations

from gettext import gettext as _
from typing import TYPE_CHECKING

import click
import msgspec

from holdall.cli.configuration import installed
from holdall.cli.exits import STORAGE
from holdall.cli.options import chosen_repository, find_session, json_option, store_option
from holdall.cli.output import print_json, print_line
from holdall.contracts import Repair, Repairable, Shipment, Shippable
from holdall.errors import HoldallError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdall.contracts import Repository


@click.command("repair")
@click.argument("session", nargs=-1)
@click.option("--dry-run", is_flag=True, help="Say what is amiss, and change nothing.")
@store_option
@json_option
def repair_sessions(
    session: tuple[str, ...], store: str | None, *, dry_run: bool, as_json: bool
) -> None:
    """Give each store of a mirror what it lacks.

    SESSION is an id, the beginning of one, or `last`; without any, all sessions are
    repaired.
    """
    repository = chosen_repository(store, installed())
    if not isinstance(repository, Repairable):
        text = _("{url} is no store that can be repaired, such as a mirror")
        raise click.UsageError(text.format(url=repository.url))
    repairs: list[Repair] = []
    for session_id in _chosen(repository, session):
        try:
            repairs.extend(repository.repair(session_id, dry_run=dry_run))
        except HoldallError as error:
            repairs.append(Repair(session_id, repository.url, "", reason=str(error)))
    if as_json:
        print_json([msgspec.to_builtins(repair._asdict()) for repair in repairs])
    else:
        for repair in repairs:
            print_line(_said(repair, dry_run=dry_run))
        if not repairs:
            print_line(_("nothing is amiss in the stores that could be asked"))
    if any(repair.reason or not (repair.is_repaired or dry_run) for repair in repairs):
        click.get_current_context().exit(STORAGE)


def _said(repair: Repair, *, dry_run: bool) -> str:
    head = f"{repair.id}: {repair.store}: {repair.problem}".removesuffix(": ")
    if repair.is_repaired:
        return _("{problem}; repaired").format(problem=head)
    if repair.reason:
        return _("{problem}; not repaired: {reason}").format(problem=head, reason=repair.reason)
    return head if dry_run else _("{problem}; not repaired").format(problem=head)


@click.command("ship")
@click.argument("session", nargs=-1)
@store_option
@json_option
def ship_sessions(session: tuple[str, ...], store: str | None, *, as_json: bool) -> None:
    """Bring to the far store of tiers what is only near.

    SESSION is an id, the beginning of one, or `last`; without any, all sessions are
    shipped.
    """
    repository = chosen_repository(store, installed())
    if not isinstance(repository, Shippable):
        text = _("{url} is no store that ships, such as tiered")
        raise click.UsageError(text.format(url=repository.url))
    left = (
        _chosen(repository, session) if session else [each.id for each in repository.unshipped()]
    )
    outcomes = [_shipped(repository, session_id) for session_id in left]
    if as_json:
        print_json([outcome._asdict() for outcome in outcomes])
    else:
        for outcome in outcomes:
            if outcome.entries is None:
                text = _("{id}: not shipped: {reason}")
            else:
                text = _("{id}: {count} entries shipped")
            print_line(text.format(id=outcome.id, count=outcome.entries, reason=outcome.reason))
        if not outcomes:
            print_line(_("every session is far"))
    if any(outcome.reason for outcome in outcomes):
        click.get_current_context().exit(STORAGE)


def _shipped(repository: Shippable, session_id: str) -> Shipment:
    try:
        return Shipment(session_id, repository.ship(session_id))
    except HoldallError as error:
        return Shipment(session_id, None, str(error))


def _chosen(repository: Repository, names: Sequence[str]) -> list[str]:
    """Return the ids of the sessions that were named, of all if none was."""
    if not names:
        return list(repository.ids())
    return list(dict.fromkeys(find_session(repository, name) for name in names))
