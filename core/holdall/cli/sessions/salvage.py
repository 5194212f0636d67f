"""`holdall sessions salvage`: another session of what is whole in a damaged one."""

from __future__ import annotations

from gettext import gettext as _
from typing import TYPE_CHECKING

import click

from holdall.cli.configuration import installed
from holdall.cli.options import chosen_repository, find_session, store_option
from holdall.cli.output import print_line
from holdall.session import salvage_session

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from holdall.session import Salvage

_SHOWN = 20
"""How many ids of jobs a line shows."""


@click.command("salvage")
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
