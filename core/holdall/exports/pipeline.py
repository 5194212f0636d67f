"""One or many exporters over one view of a session."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from holdall.contracts import ExportReport
from holdall.errors import HoldallError
from holdall.exports.bound import BoundExporter, hooks_of, view_of
from holdall.exports.naming import units_in, units_of
from holdall.exports.sinks import target_name
from holdall.hooks import installed_hooks
from holdall.redaction import NOTHING_SECRET
from holdall.registry import Registry
from holdall.view import SharedLogs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdall.exports.bound import Cancelled, Progress, Session
    from holdall.exports.options import Given
    from holdall.exports.sinks import Target
    from holdall.redaction import RedactionRules
    from holdall.units import Provider
    from holdall.view import SessionView


def export(
    session: Session,
    exporter: str,
    target: Target,
    *,
    options: Given = (),
    strict: bool = True,
    registry: Registry | None = None,
    providers: Iterable[Provider] = (),
    lang: str = "en",
    redact: RedactionRules = NOTHING_SECRET,
    verify: bool = False,
    color: bool = False,
    columns: int = 0,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> ExportReport:
    """Write *session* to *target*, whole or not at all, and return what was written.

    Args:
        session: A view, an open storage, or a session manager.
        exporter: Id or alias, or the id of an exporter unit.
        target: A path, or a binary stream; a stream is not closed.
        options: Strings like `logs=failed`, a mapping, or an instance of the exporter's `Options`.
        strict: Refuse options that the exporter does not have; otherwise they are ignored.
        registry: Where to find exporters; what is installed if not given.
        providers: Providers whose exporter units can be named, besides those of a session manager.
        redact: What is to be masked, wherever it stands.
        verify: Read the report back before it takes the place of an older one.
        color: Whether who reads the report sees colours: it goes to a terminal.
        columns: Those of that terminal; 0 if the report goes to none.
        progress: Called now and then with jobs done and jobs in all.
        cancelled: Asked now and then whether to stop.

    Raises:
        PluginError: The exporter is unknown, can't be loaded, or failed.
        ExportError: An option or the target is refused, or the export was cancelled.
    """
    bound = BoundExporter(
        session,
        exporter,
        options=options,
        strict=strict,
        registry=registry,
        units={**units_of(session), **units_in(providers)},
        lang=lang,
        redact=redact,
    )
    return bound.export_to(
        target,
        verify=verify,
        color=color,
        columns=columns,
        progress=progress,
        cancelled=cancelled,
    )


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """One of the reports that `export_many` is to write.

    Attributes:
        color, columns, progress: As those of `export`, for this report alone.
    """

    exporter: str
    target: Target
    options: Given = ()
    strict: bool = True
    color: bool = False
    columns: int = 0
    progress: Progress | None = None


def export_many(
    session: Session,
    requests: Iterable[ExportRequest],
    *,
    registry: Registry | None = None,
    providers: Iterable[Provider] = (),
    lang: str = "en",
    redact: RedactionRules = NOTHING_SECRET,
    verify: bool = False,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> list[ExportReport]:
    """Write every requested report of one moment of *session*, whatever happens to the others.

    The report of one that failed holds its `exception`, and its target is untouched. Large logs
    are read from the session once, and masked once, however many reports hold them.
    """
    registry = Registry.given(registry)
    view, requests = view_of(session), tuple(requests)
    units = {**units_of(session), **units_in(providers)}
    hooks = hooks_of(session) or installed_hooks(registry)
    bind = partial(
        BoundExporter, registry=registry, units=units, hooks=hooks, lang=lang, redact=redact
    )

    def written(request: ExportRequest, view: SessionView) -> ExportReport:
        try:
            bound = bind(view, request.exporter, options=request.options, strict=request.strict)
            return bound.export_to(
                request.target,
                verify=verify,
                color=request.color,
                columns=request.columns,
                progress=request.progress or progress,
                cancelled=cancelled,
            )
        except HoldallError as error:
            name = target_name(request.target)
            return ExportReport(exporter=request.exporter, target=name, exception=error)

    with SharedLogs() as logs:
        # A copy of a log pays if several reports read it, or one report masks it several times.
        shown = view.sharing(logs) if len(requests) > 1 or redact else view
        return [written(request, shown) for request in requests]
