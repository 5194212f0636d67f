"""`holdall sessions list` and `show`: what is stored."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from gettext import gettext as _
from typing import TYPE_CHECKING, get_args

import click
import msgspec

from holdall import journal
from holdall.cli.configuration import installed
from holdall.cli.options import (
    Age,
    chosen_repository,
    find_session,
    json_option,
    moment,
    note_if_missing,
    store_option,
)
from holdall.cli.output import counted, ending, print_json, print_line, print_table
from holdall.contracts import SessionPhase, Shippable
from holdall.languages import N_
from holdall.view import SessionView, verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdall.contracts import Repository, SessionInfo

# What is shown of a session, by its name in JSON.
_NAMES = {
    "session": N_("session"),
    "title": N_("title"),
    "store": N_("store"),
    "created": N_("created"),
    "modified": N_("modified"),
    "devices": N_("devices"),
    "providers": N_("providers"),
    "plans": N_("plans"),
    "plugins": N_("plugins"),
    "jobs": N_("jobs"),
    "outcomes": N_("outcomes"),
    "verdict": N_("verdict"),
    "in flight": N_("in flight"),
}


@click.command("list")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(get_args(SessionPhase)),
    metavar="STATE",
    help="Only sessions in this state; may be repeated.",
)
@click.option("--title", metavar="TEXT", help="Only sessions whose title has this text in it.")
@click.option("--device", metavar="ID", help="Only sessions with this device.")
@click.option(
    "--verdict",
    "word",
    type=click.Choice(["PASS", "FAIL"]),
    metavar="WORD",
    help="Only sessions of this verdict.",
)
@click.option("--newer", type=Age(), metavar="AGE", help="Only sessions written within, as 12h.")
@click.option("--older", type=Age(), metavar="AGE", help="Only sessions not written for so long.")
@store_option
@json_option
def list_sessions(
    states: tuple[str, ...],
    title: str | None,
    device: str | None,
    word: str | None,
    newer: float | None,
    older: float | None,
    store: str | None,
    *,
    as_json: bool,
) -> None:
    """List the stored sessions, newest first; damaged ones too."""
    repository = chosen_repository(store, installed())
    infos = journal.list_sessions(repository)
    if not infos:
        note_if_missing(repository, store)
    now = journal.now()
    infos = [
        info
        for info in infos
        if (not states or info.state in states)
        and (title is None or title.casefold() in info.title.casefold())
        and (word is None or info.verdict == word)
        and (newer is None or info.modified >= now - newer)
        and (older is None or info.modified < now - older)
        and (device is None or device in _devices_of(repository, info))
    ]
    _print(infos, _unshipped(repository), as_json=as_json)


def _print(
    infos: Sequence[SessionInfo], unshipped: dict[str, int | None] | None, *, as_json: bool
) -> None:
    if as_json:
        print_json([msgspec.to_builtins(info) | _behind(info.id, unshipped) for info in infos])
        return
    columns = [_("SESSION"), _("STATE"), _("RESULTS"), _("MODIFIED (UTC)"), _("TITLE")]
    rows = [
        [i.id, i.state, f"{i.results}/{i.jobs}", moment(i.modified), i.title or i.reason]
        for i in infos
    ]
    if unshipped is not None:
        columns.insert(3, _("NOT SHIPPED"))
        for info, row in zip(infos, rows, strict=True):
            count = _behind(info.id, unshipped)["unshipped"]
            row.insert(3, "?" if count is None else str(count))
    print_table(columns, rows)


def _unshipped(repository: Repository) -> dict[str, int | None] | None:
    """Return how much of which session is only near, None for a store that ships nothing."""
    if not isinstance(repository, Shippable):
        return None
    return {shipment.id: shipment.entries for shipment in repository.unshipped()}


def _behind(session_id: str, unshipped: dict[str, int | None] | None) -> dict[str, int | None]:
    """Return the field of a session that says how many entries are not far."""
    return {} if unshipped is None else {"unshipped": unshipped.get(session_id, 0)}


def _devices_of(repository: Repository, info: SessionInfo) -> Sequence[str]:
    """Return the ids of a session's devices, which is read where no summary says them."""
    if info.devices or info.reason or info.state == "empty":
        return info.devices
    with closing(repository.open(info.id, mode="r")) as storage:
        return [device.id for device in SessionView.of(storage).devices]


@click.command("show")
@click.argument("session")
@store_option
@json_option
def show_session(session: str, store: str | None, *, as_json: bool) -> None:
    """Show what is in a session. SESSION is an id, the beginning of one, or `last`."""
    repository = chosen_repository(store, installed())
    storage = repository.open(find_session(repository, session), mode="r")
    try:
        view = SessionView.of(storage)
        shown = _shown(view, repository.url)
        if not as_json:
            shown["outcomes"] = Counter(map(ending, view.jobs()))
    finally:
        storage.close()
    if as_json:
        print_json(shown)
        return
    for name, value in shown.items():
        print_line(f"{_(_NAMES[name])}: {_joined(value)}")


def _shown(view: SessionView, store: str) -> dict[str, object]:
    return {
        "session": view.session_id,
        "title": view.title,
        "store": store,
        "created": moment(view.created),
        "modified": moment(view.modified),
        "devices": [device.id for device in view.devices],
        "providers": [f"{provider.name} {provider.version}" for provider in view.providers],
        "plans": [plan.id for plan in view.plans],
        "plugins": [f"{p.kind} {p.id} ({p.distribution} {p.version})" for p in view.plugins],
        "jobs": view.job_count,
        "outcomes": {str(outcome): count for outcome, count in view.counts.items()},
        "verdict": verdict(view).word,
        "in flight": [job.id for job in view.jobs() if job.in_flight],
    }


def _joined(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(counted(value)) or _("none")
    if isinstance(value, list):
        return ", ".join(map(str, value)) or _("none")
    return str(value)
