"""`holdall sessions`: list, show and remove stored sessions."""

from __future__ import annotations

from collections import Counter
from gettext import gettext as _
from typing import TYPE_CHECKING

import click
import msgspec

from holdall import journal
from holdall.cli.autostart import remove as remove_autostart
from holdall.cli.configuration import installed
from holdall.cli.options import (
    chosen_repository,
    find_session,
    json_option,
    moment,
    note_if_missing,
    store_option,
)
from holdall.cli.output import counted, ending, print_json, print_line, print_table
from holdall.languages import N_
from holdall.session import remove_share, salvage_session
from holdall.view import SessionView, verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from holdall.session import Salvage

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

_SHOWN = 20
"""How many ids of jobs a line shows."""


@click.group()
def sessions() -> None:
    """Look at stored sessions, and remove them."""


@sessions.command("list")
@store_option
@json_option
def list_sessions(store: str | None, *, as_json: bool) -> None:
    """List the stored sessions, newest first; damaged ones too."""
    repository = chosen_repository(store, installed())
    infos = journal.list_sessions(repository)
    if not infos:
        note_if_missing(repository, store)
    if as_json:
        print_json([msgspec.to_builtins(info) for info in infos])
        return
    print_table(
        (_("SESSION"), _("STATE"), _("RESULTS"), _("MODIFIED (UTC)"), _("TITLE")),
        [
            (i.id, i.state, f"{i.results}/{i.jobs}", moment(i.modified), i.title or i.reason)
            for i in infos
        ],
    )


@sessions.command("show")
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


@sessions.command("rm")
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


@sessions.command("salvage")
@click.argument("session")
@store_option
def salvage(session: str, store: str | None) -> None:
    """Make another session of what is whole in a damaged one.

    SESSION is an id, the beginning of one, or `last`. The damaged session is not changed;
    `holdall resume` goes on with the new one.
    """
    repository = chosen_repository(store, installed())
    session_id = find_session(repository, session)
    for line in _salvaged(session_id, salvage_session(repository, session_id)):
        print_line(line)


def _salvaged(session_id: str, kept: Salvage) -> Iterator[str]:
    """Yield what was kept of a damaged session, and what was lost."""
    if kept.damage is None:
        text = _("{id}: all entries were copied to the session {new}")
    else:
        text = _(
            "{id}: the entries up to {head} were copied to the session {new}; "
            "what was recorded behind them is lost ({reason})"
        )
    reason = "" if kept.damage is None else f"{kept.damage.location}: {kept.damage.reason}"
    yield text.format(id=session_id, head=kept.head, new=kept.session_id, reason=reason)
    if kept.results_before is None:
        yield _("results kept: {kept}").format(kept=kept.results)
    else:
        text = _("results kept: {kept} of {before}")
        yield text.format(kept=kept.results, before=kept.results_before)
    if kept.without_result:
        yield _("jobs without a result now: {jobs}").format(jobs=_shortened(kept.without_result))
    if kept.without_output:
        text = _("jobs of whose output or attachments something is damaged: {jobs}")
        yield text.format(jobs=_shortened(kept.without_output))
    if kept.share_problem:
        text = _("the folder that the jobs share was not copied whole: {reason}")
        yield text.format(reason=kept.share_problem)
    text = _("{id} stays as it is; `holdall resume {new}` goes on with the new session")
    yield text.format(id=session_id, new=kept.session_id)


def _shortened(ids: Sequence[str]) -> str:
    shown = ", ".join(ids[:_SHOWN])
    return f"{shown}, ... ({len(ids)})" if len(ids) > _SHOWN else shown
