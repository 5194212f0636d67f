"""What came out, in few words: how far the session is, what went wrong, counts and a ring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from holdall.languages import N_, NN_, grouped
from holdall.results import Outcome
from holdall_exporters.html.kinds import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from holdall.languages import Catalog
    from holdall.view import SessionState, SessionView, Tally, Verdict

_STATES: Final[Mapping[SessionState, str]] = {
    "new": N_("Not started"),
    "running": N_("Running"),
    "unfinished": N_("Unfinished"),
}
_DONE: Final = NN_("{done} of {count} job is done", "{done} of {count} jobs are done")
_FAILED: Final = frozenset({"failed", "unexpected-pass", "crashed", "error"})
_TOLD: Final[Mapping[SessionState, frozenset[str]]] = {
    "new": frozenset(),
    "running": _FAILED,
    "unfinished": _FAILED | {"in-flight", "undecided"},
}
_LEFT: Final = frozenset({None, Outcome.NONE})
_GAP: Final = 0.6  # hundredths of the ring between two outcomes


class Standing(NamedTuple):
    """How a session stands, in words: its state, unless it has finished, then its verdict.

    Attributes:
        mark: The state, or `pass` or `fail` of a finished session; the colour goes by it.
        state: The word for the state; empty if the session has finished.
        verdict: `PASS` or `FAIL`, if that can be said.
    """

    mark: str
    state: str
    verdict: str
    reasons: list[str]


class Count(NamedTuple):
    """One outcome in the summary, with its arc of a ring whose length is 100."""

    id: str
    kind: str
    label: str
    number: int
    text: str
    start: str
    length: str


def standing_of(view: SessionView, session_verdict: Verdict) -> Standing:
    """Return how the session stands; before its end it fails only by what went wrong already."""
    catalog, state = view.catalog, _state(view)
    reasons = [
        reason.headline_in(catalog)
        for reason in session_verdict.reasons
        if state == "finished" or reason.code in _TOLD[state]
    ]
    if state == "finished":
        nothing = catalog.gettext("nothing failed and nothing is left to do")
        mark = "pass" if session_verdict.passed else "fail"
        return Standing(mark, "", session_verdict.word, reasons or [nothing])
    has_failed = any(reason.code in _FAILED for reason in session_verdict.reasons)
    if not has_failed and state != "new":
        reasons.append(catalog.gettext("nothing that has ended went wrong"))
    if state == "unfinished":
        reasons.append(catalog.gettext("the run was interrupted, or goes on elsewhere"))
    word = session_verdict.word if has_failed else ""
    return Standing(state, catalog.gettext(_STATES[state]), word, [_progress(view), *reasons])


def _state(view: SessionView) -> SessionState:
    """Return the state; what was selected nowhere, and has results all the same, has finished."""
    if view.state != "new":
        return view.state
    is_tried = any(tally.outcome is not Outcome.NONE for tally in view.whole.tallies)
    return "finished" if is_tried else "new"


def _progress(view: SessionView) -> str:
    """Return how many jobs are done."""
    catalog, tallies = view.catalog, view.whole.tallies
    total = sum(tally.number for tally in tallies)
    if not total:
        return catalog.gettext("no job was selected")
    done = total - sum(tally.number for tally in tallies if tally.outcome in _LEFT)
    text = catalog.ngettext(*_DONE, total)
    return text.format(done=grouped(done, catalog), count=grouped(total, catalog))


def counts_of(view: SessionView, tallies: Sequence[tuple[str, Tally]]) -> Iterator[Count]:
    """Yield the outcomes; the ring shows a single failure among many as at least one hundredth."""
    shares = [max(1.0, 100 * tally.number / view.job_count) for _, tally in tallies]
    scale = 100 / (sum(shares) or 1)
    gap = _GAP if len(tallies) > 1 else 0
    start = 0.0
    for (name, (outcome, label, number)), share in zip(tallies, shares, strict=True):
        length = share * scale
        kind = kind_of(outcome)
        arc = max(length - gap, 0.2)
        text = f"{grouped(number, view.catalog)} {label}"
        yield Count(name, kind, label, number, text, f"{-start:.2f}", f"{arc:.2f} {100 - arc:.2f}")
        start += length


def share_of(counts: Iterable[Count], total: int, catalog: Catalog) -> str:
    """Return how many of 100 jobs passed; 100 only if all did."""
    passed = sum(count.number for count in counts if count.kind == "pass")
    return catalog.gettext("{number}%").format(number=100 * passed // total if total else 0)
