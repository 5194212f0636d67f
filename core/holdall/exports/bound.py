"""One exporter with its options, bound to a session: it writes the reports of one request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from tempfile import SpooledTemporaryFile
from time import perf_counter
from types import NoneType
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, cast

from holdall.contracts import ExportReport, ReportKind, Storage, Verifies
from holdall.errors import (
    ExportError,
    ExportTargetError,
    HoldallError,
    NestedReportError,
    PluginCallError,
)
from holdall.exports.context import Context, full_disk
from holdall.exports.folders import open_folder
from holdall.exports.naming import find_exporter, units_of
from holdall.exports.options import describe_options, options_class_of, parse_both
from holdall.exports.sinks import CountingSink, NumberedSink, open_target, target_name
from holdall.exports.units import preset_options
from holdall.exports.view_options import ViewOptions, apply_view_options
from holdall.hooks import Hooks, installed_hooks
from holdall.redaction import NOTHING_SECRET, masker_of
from holdall.registry import Registry, calling
from holdall.view import SessionView

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from holdall.contracts import ExportWarning, FolderSink, Sink
    from holdall.exports.folders import FolderWriter
    from holdall.exports.naming import KnownExporter, Units
    from holdall.exports.options import Given, Parsed
    from holdall.exports.sinks import Target
    from holdall.redaction import RedactionRules


class HasView(Protocol):
    """A session manager, or anything else that can give a view of its session."""

    def view(self) -> SessionView:
        """Return the view of the session as it is now."""
        ...


Session = SessionView | Storage | HasView
"""What can be exported: a view, an open storage, or a session manager."""
Progress = Callable[[int, int], object]
Cancelled = Callable[[], bool]

_IN_MEMORY = 1 << 20  # bytes of a rendered report that wait in memory, the rest in a file


def view_of(session: Session) -> SessionView:
    """Return the view of a view, an open storage, or a session manager."""
    if isinstance(session, SessionView):
        return session
    if callable(getattr(session, "view", None)):
        return cast("HasView", session).view()
    if callable(getattr(session, "open_blob", None)):
        return SessionView.of(cast("Storage", session))
    raise TypeError(f"a session is a view, a storage or a session manager, not {session!r}")


def hooks_of(session: Session) -> Hooks | None:
    """Return the listeners of a session manager; None for a stored session."""
    hooks = getattr(session, "hooks", None)
    return hooks if isinstance(hooks, Hooks) else None


def parsed_options(
    exporter: KnownExporter, given: Given, *, strict: bool, registry: Registry
) -> Parsed:
    """Return the options of an exporter and of its view, with its unit's and the configured ones.

    Raises:
        PluginError: The exporter can't be loaded.
        ExportError: An option is refused.
    """
    exporter_class = exporter.load()
    options_class = options_class_of(exporter_class)
    return parse_both(
        exporter.identity,
        options_class,
        ViewOptions,
        given,
        strict=strict,
        preset=preset_options(exporter.unit, options_class) if exporter.unit else (),
        settings=registry.settings(exporter.candidate.id),
    )


class BoundExporter:
    """An exporter with its options checked, bound to a session that may go on.

    Attributes:
        id: Canonical id, or that of an exporter unit.
        unit: The exporter unit, None if the exporter was asked for by its own name.
        origin: Distribution and version it comes from.
        options: An instance of its `Options`.
        view_options: What of the session to show.
        ignored_options: Names that it does not have.
    """

    def __init__(
        self,
        session: Session,
        exporter: str,
        *,
        options: Given = (),
        strict: bool = True,
        registry: Registry | None = None,
        units: Units | None = None,
        hooks: Hooks | None = None,
        lang: str = "en",
        redact: RedactionRules = NOTHING_SECRET,
    ) -> None:
        self._registry = Registry.given(registry)
        self._session = session
        self._hooks = hooks
        self._redact = redact
        self._units = units_of(session) if units is None else units
        known = find_exporter(self._registry, exporter, self._units, lambda: view_of(session))
        self._class = known.load()
        self._candidate = known.candidate
        self._plugin = known.identity
        self.unit = known.unit
        self.id = known.id
        self.origin = self._plugin.origin
        parsed = parsed_options(known, options, strict=strict, registry=self._registry)
        self.options, self.ignored_options = parsed.own, parsed.ignored
        self.view_options: ViewOptions = parsed.shared
        self._lang = self.view_options.lang or lang

    @property
    def suffix(self) -> str:
        """File name ending of its reports, with the dot."""
        return self.unit.suffix(self._class.suffix) if self.unit else self._class.suffix

    @property
    def media_type(self) -> str:
        """What its reports are."""
        kind = self._class
        return self.unit.media_type(kind.suffix, kind.media_type) if self.unit else kind.media_type

    def export_to(
        self,
        target: Target,
        *,
        verify: bool = False,
        color: bool = False,
        columns: int = 0,
        progress: Progress | None = None,
        cancelled: Cancelled | None = None,
    ) -> ExportReport:
        """Write the session as it is now to a path or binary stream; as `export`."""
        hooks = self._hooks or hooks_of(self._session) or installed_hooks(self._registry)
        start = perf_counter()
        changes: Counter[str] = Counter()
        callbacks: dict[str, Any] = {"progress": progress, "cancelled": cancelled}
        try:
            view = self._shown(hooks, changes)
            context = self._context(view, self.options, color=color, columns=columns, **callbacks)
            _warn_of_missing(hooks, context)
            sink = self._written(target, view, context, hooks, verify=verify)
        except HoldallError as error:
            name = target_name(target)
            hooks.notify("export_finished", report=self._report(name, exception=error))
            raise
        changes.update(context.counts)
        report = self._report(
            sink.name,
            size=sink.size,
            sha256=sink.sha256,
            warnings=tuple(map(self._masked, context.warnings)),
            changes=dict(changes),
            parts=sink.parts,
            duration_s=perf_counter() - start,
        )
        hooks.notify("export_finished", report=report)
        return report

    def _masked(self, warning: ExportWarning) -> ExportWarning:
        masker = masker_of(self._redact)
        return warning._replace(text=masker.text(warning.text)) if masker else warning

    def _report(self, target: str, **more: Any) -> ExportReport:
        return ExportReport(
            exporter=self.id,
            target=target,
            media_type=self.media_type,
            distribution=self._candidate.distribution,
            version=self._candidate.version,
            ignored_options=self.ignored_options,
            **more,
        )

    def _written(
        self, target: Target, view: SessionView, context: Context, hooks: Hooks, *, verify: bool
    ) -> CountingSink | FolderWriter:
        """Let the exporter write to *target*; it is published if the exporter itself returned."""
        check = self._check(context) if verify else None
        opened: AbstractContextManager[CountingSink | FolderWriter]
        if self._output == "folder":
            opened = open_folder(target, check=check)
        else:
            opened = open_target(target, check=check, sink_class=self._sink_class)
        # Inside of `opened`: a wrapper that raises keeps the report from being published.
        with context, opened as sink:
            hooks.wrap(
                "wrap_export",
                lambda: self._call(view, sink, context),
                NoneType,
                view=view,
                exporter_id=self.id,
                context=context,
            )
        return sink

    @property
    def _output(self) -> str:
        """What its report is: `file`, `parts` or `folder`."""
        return str(getattr(self._class, "output", "file"))

    @property
    def _sink_class(self) -> type[CountingSink]:
        return NumberedSink if self._output == "parts" else CountingSink

    def _shown(self, hooks: Hooks, changes: Counter[str]) -> SessionView:
        """Return the view that the exporter gets: masked first, so that no cut hides a secret."""
        view, wanted = view_of(self._session), self.view_options
        if wanted.title:
            # The caller's own title may hold a secret as well.
            view, wanted = view.with_title(wanted.title), replace(wanted, title="")
        shown = hooks.wrap(
            "filter_view",
            lambda: view,
            SessionView,
            view=view,
            exporter_id=self.id,
            redact=self._redact,
            changes=changes,
        )
        # The plugin enters every rule in the changes, also with a count of 0.
        if not set(self._redact.names) <= set(changes):
            raise ExportError(
                f"cannot export {self.id!r} masked: the hook plugin 'redaction' is not in use, "
                "so nothing masks anything"
            )
        return apply_view_options(shown, wanted, changes)

    def _check(self, context: Context) -> Callable[[Any], None]:
        """Return what reads a written report back, if the exporter knows how to."""
        if not isinstance(self._class, Verifies):
            context.warn("not-verified", f"{self.id} can't read its reports back")
            return lambda _report: None

        def check(report: Any) -> None:
            with calling(self._plugin, "reading its report back") as call:
                exporter: Any = self._class()
                call.returned(exporter.verify(report), NoneType)

        return check

    def _context(
        self,
        view: SessionView,
        options: object,
        *,
        inside: tuple[str, ...] = (),
        color: bool = False,
        columns: int = 0,
        progress: Progress | None = None,
        cancelled: Cancelled | None = None,
    ) -> Context:
        return Context(
            self.id,
            view,
            options=options,
            provenance=self.origin,
            unit=self.unit,
            kind_of=self._kind_of,
            render=self._render,
            inside=inside,
            lang=self._lang,
            color=color,
            columns=columns,
            progress=progress,
            cancelled=cancelled,
        )

    def _call(self, view: SessionView, sink: Sink | FolderSink, context: Context) -> None:
        """Let the exporter write; whatever it raises becomes an error that names it."""
        context.check_cancelled()
        try:
            with calling(
                self._plugin, "exporting", passes=lambda error: error is context.caller_error
            ) as call:
                exporter: Any = self._class()  # what its `export` takes depends on its `output`
                call.returned(exporter.export(view, sink, context), NoneType)
        except PluginCallError as error:
            full = full_disk(error)
            if full is None:
                raise
            raise full from error

    def _kind_of(self, outer: Context, exporter_id: str) -> ReportKind:
        """Return what another exporter's reports are, one that does not write just now."""
        other = BoundExporter(
            self._session, exporter_id, registry=self._registry, units=self._units
        )
        if other.id in outer.writing:
            raise NestedReportError(other.id, outer.writing)
        rows = describe_options(options_class_of(other._class))
        names = tuple(row.name for row in rows)
        return ReportKind(other.id, other.suffix, other.media_type, names)

    def _render(
        self, outer: Context, exporter_id: str, view: SessionView, options: object
    ) -> BinaryIO:
        """Write another exporter's report to a temporary file; its warnings are the outer's."""
        other = BoundExporter(
            view,
            self._kind_of(outer, exporter_id).id,
            options=() if options is None else options,
            registry=self._registry,
            units=self._units,
            lang=self._lang,
        )
        if other._output == "folder":
            reason = "its report is a folder, and this place takes a file"
            raise ExportTargetError(f"<{other.id} in {outer.exporter_id}>", reason)
        folder = str(outer.temporary_folder)
        spool = cast("BinaryIO", SpooledTemporaryFile(_IN_MEMORY, dir=folder))  # noqa: SIM115 - the caller closes it
        try:
            with other._context(
                view, other.options, inside=outer.writing, cancelled=outer.is_cancelled
            ) as inner:
                other._call(view, other._sink_class(spool, f"{folder}/{other.id}"), inner)
        except BaseException:
            spool.close()
            raise
        outer.warnings.extend(inner.warnings)
        outer.counts.update(inner.counts)
        spool.seek(0)
        return spool


def _warn_of_missing(hooks: Hooks, context: Context) -> None:
    """Warn of hook plugins that are unavailable: one of them may mask secrets."""
    for failure in hooks.failures:
        if not failure.hook:
            context.warn("hook-not-loaded", str(failure.error))
