"""One exporter with its options, bound to a session: it writes the reports of one request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from tempfile import SpooledTemporaryFile
from time import perf_counter
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol, cast

from holdall.contracts import ExportReport, ReportKind, Storage
from holdall.errors import ExportError, HoldallError, NestedReportError, PluginCallError
from holdall.exports.context import Context
from holdall.exports.options import describe_options, parse_both
from holdall.exports.redact import RedactionRules
from holdall.exports.selection import Selection, select
from holdall.exports.sinks import CountingSink, open_target
from holdall.exports.units import resolve_exporter, units_of
from holdall.hooks import Hooks, installed_hooks
from holdall.view import SessionView

if TYPE_CHECKING:
    from holdall.contracts import Exporter, Sink
    from holdall.exports.options import Given, Parsed
    from holdall.exports.sinks import Target
    from holdall.exports.units import Units
    from holdall.registry import Registry


class HasView(Protocol):
    """A session manager, or whatever else can tell what it holds."""

    def view(self) -> SessionView:
        """Return the view of the session as it is now."""
        ...


Session = SessionView | Storage | HasView
Progress = Callable[[int, int], object]
Cancelled = Callable[[], bool]

NOTHING_SECRET: Final = RedactionRules()

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


class BoundExporter:
    """An exporter with its options checked, bound to a session that may go on.

    Attributes:
        id: Canonical id, or that of an exporter unit.
        unit: The exporter unit, None if the exporter was asked for by its own name.
        origin: Distribution and version it comes from.
        options: An instance of its `Options`.
        selection: What of the session to show.
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
        self._registry = registry or installed()
        self._session = session
        self._hooks = hooks
        self._redact = redact
        self._units = units_of(session) if units is None else units
        self._candidate, self.unit = resolve_exporter(
            self._registry, exporter, self._units, lambda: view_of(session)
        )
        self._class: type[Exporter] = self._registry.load("exporters", self._candidate.id)
        self.id = self.unit.id if self.unit else self._candidate.id
        self.origin = self._candidate.origin
        parsed = self._parsed(options, strict=strict)
        self.options, self.ignored_options = parsed.own, parsed.ignored
        self.selection: Selection = parsed.shared
        self._lang = self.selection.lang or lang

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
        progress: Progress | None = None,
        cancelled: Cancelled | None = None,
    ) -> ExportReport:
        """Write the session as it is now to a path or binary stream; as `export`."""
        start = perf_counter()
        hooks = self._hooks or hooks_of(self._session) or installed_hooks(self._registry)
        changes: Counter[str] = Counter()
        view = self._shown(hooks, changes)
        context = self._context(view, self.options, progress=progress, cancelled=cancelled)
        _warn_of_missing(hooks, context)
        check = self._check(context) if verify else None
        with context, open_target(target, check=check) as sink:
            hooks.wrap(
                "wrap_export",
                lambda: self._call(view, sink, context),
                view=view,
                exporter_id=self.id,
                context=context,
            )
        changes.update(context.counts)
        return ExportReport(
            exporter=self.id,
            target=sink.name,
            size=sink.size,
            sha256=sink.sha256,
            media_type=self.media_type,
            distribution=self._candidate.distribution,
            version=self._candidate.version,
            warnings=tuple(context.warnings),
            changes=dict(changes),
            parts=sink.parts,
            ignored_options=self.ignored_options,
            duration_s=perf_counter() - start,
        )

    def _shown(self, hooks: Hooks, changes: Counter[str]) -> SessionView:
        """Return the view that the exporter gets: masked first, so that no cut hides a secret."""
        shown = hooks.wrap(
            "filter_view",
            lambda view: view,
            view=view_of(self._session),
            exporter_id=self.id,
            redact=self._redact,
            changes=changes,
        )
        if not isinstance(shown, SessionView):
            raise PluginCallError(
                "hook", "filter_view", "a plugin", "filtering", f"it returned {shown!r}, no view"
            )
        if not set(self._redact.names) <= set(changes):
            raise ExportError(
                f"cannot export {self.id!r} masked: the hook plugin 'redaction' is not in use, "
                "so nothing masks anything"
            )
        return select(shown, self.selection, changes)

    def _check(self, context: Context) -> Callable[[BinaryIO], None]:
        """Return what reads a written report back, if the exporter knows how to."""
        verify = getattr(self._class, "verify", None)
        if not callable(verify):
            context.warn("not-verified", f"{self.id} can't read its reports back")

        def check(report: BinaryIO) -> None:
            if callable(verify):
                try:
                    verify(report)
                except Exception as error:
                    cause = f"{type(error).__name__}: {error}"
                    raise self._blame("reading its report back", cause) from error

        return check

    def _parsed(self, given: Given, *, strict: bool) -> Parsed:
        """Return the options; a class that can't be read as one is a fault of the exporter."""
        try:
            describe_options(self._class.Options)
        except Exception as error:
            cause = f"{type(error).__name__}: {error}"
            raise self._blame("describing its options", cause) from error
        preset = self.unit.unit.option_list if self.unit else ()
        return parse_both(
            self.id, self._class.Options, Selection, given, strict=strict, preset=preset
        )

    def _blame(self, doing: str, cause: str) -> PluginCallError:
        return PluginCallError("exporter", self.id, self.origin, doing, cause)

    def _context(
        self,
        view: SessionView,
        options: object,
        *,
        inside: tuple[str, ...] = (),
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
            progress=progress,
            cancelled=cancelled,
        )

    def _call(self, view: SessionView, sink: Sink, context: Context) -> None:
        """Let the exporter write; whatever it raises becomes an error that names it."""
        try:
            context.check_cancelled()
            self._class().export(view, sink, context)
        except (HoldallError, KeyboardInterrupt):
            raise
        except BaseException as error:
            if error is context.caller_error:
                raise
            cause = f"{type(error).__name__}: {error}"
            raise self._blame("exporting", cause) from error

    def _kind_of(self, outer: Context, exporter_id: str) -> ReportKind:
        """Return what another exporter's reports are, one that does not write just now."""
        other = BoundExporter(
            self._session, exporter_id, registry=self._registry, units=self._units
        )
        if other.id in outer.writing:
            raise NestedReportError(other.id, outer.writing)
        return ReportKind(other.id, other.suffix, other.media_type)

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
        folder = str(outer.temporary_folder)
        spool = cast("BinaryIO", SpooledTemporaryFile(_IN_MEMORY, dir=folder))  # noqa: SIM115 - the caller closes it
        try:
            with other._context(
                view, other.options, inside=outer.writing, cancelled=outer.is_cancelled
            ) as inner:
                other._call(view, CountingSink(spool, exporter_id), inner)
        except BaseException:
            spool.close()
            raise
        outer.warnings.extend(inner.warnings)
        outer.counts.update(inner.counts)
        spool.seek(0)
        return spool


def _warn_of_missing(hooks: Hooks, context: Context) -> None:
    """Warn of hook plugins that can't be had: one of them may mask what others should not see."""
    for failure in hooks.failures:
        if not failure.hook:
            context.warn("hook-not-loaded", str(failure.error))


def installed() -> Registry:
    """Return a registry of what is installed."""
    from holdall.registry import Registry

    return Registry.discover()
