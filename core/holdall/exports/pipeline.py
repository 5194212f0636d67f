"""One or many exporters over one view of a session."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial
from tempfile import SpooledTemporaryFile
from time import perf_counter
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from holdall.errors import ExportError, HoldallError, PluginCallError
from holdall.exports.context import Context
from holdall.exports.options import describe_options, parse_both
from holdall.exports.redact import RedactionRules
from holdall.exports.report import ExportReport
from holdall.exports.selection import Selection, select
from holdall.exports.shared import SharedLogs
from holdall.exports.sinks import CountingSink, open_target, target_name
from holdall.exports.view import SessionView
from holdall.hooks import Hooks, installed_hooks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Protocol

    from holdall.contracts import Exporter, Sink, Storage
    from holdall.exports.options import Given, Parsed
    from holdall.exports.sinks import Target
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


def export(
    session: Session,
    exporter: str,
    target: Target,
    *,
    options: Given = (),
    strict: bool = True,
    registry: Registry | None = None,
    lang: str = "en",
    redact: RedactionRules = NOTHING_SECRET,
    verify: bool = False,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> ExportReport:
    """Write *session* to *target*, whole or not at all, and return what was written.

    Args:
        session: A view, an open storage, or a session manager.
        exporter: Id or alias.
        target: A path, or a binary stream; a stream is not closed.
        options: Strings like `logs=failed`, a mapping, or an instance of the exporter's `Options`.
        strict: Refuse options that the exporter does not have; otherwise they are ignored.
        registry: Where to find exporters; what is installed if not given.
        redact: What is to be masked, wherever it stands.
        verify: Read the report back before it takes the place of an older one.
        progress: Called now and then with jobs done and jobs in all.
        cancelled: Asked now and then whether to stop.

    Raises:
        PluginError: There is no such exporter, it can't be loaded, or it failed.
        ExportError: Its options or the target don't allow it, or it was cancelled.
    """
    bound = BoundExporter(
        session,
        exporter,
        options=options,
        strict=strict,
        registry=registry,
        lang=lang,
        redact=redact,
    )
    return bound.export_to(target, verify=verify, progress=progress, cancelled=cancelled)


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """One of the reports that `export_many` is to write."""

    exporter: str
    target: Target
    options: Given = ()
    strict: bool = True


def export_many(
    session: Session,
    requests: Iterable[ExportRequest],
    *,
    registry: Registry | None = None,
    lang: str = "en",
    redact: RedactionRules = NOTHING_SECRET,
    verify: bool = False,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> list[ExportReport]:
    """Write every requested report of one moment of *session*, whatever happens to the others.

    The report of one that failed holds its `exception`; nothing of it was written. Large logs
    are read from the session once, and masked once, however many reports hold them.
    """
    registry = registry or _installed()
    hooks = hooks_of(session) or installed_hooks(registry)
    bind = partial(BoundExporter, registry=registry, hooks=hooks, lang=lang, redact=redact)
    view = view_of(session)
    requests = tuple(requests)
    reports = []
    with SharedLogs() as logs:
        # A copy of a log pays if several reports read it, or one report masks it several times.
        shown = view.sharing(logs) if len(requests) > 1 or redact else view
        for each in requests:
            try:
                bound = bind(shown, each.exporter, options=each.options, strict=each.strict)
                report = bound.export_to(
                    each.target, verify=verify, progress=progress, cancelled=cancelled
                )
            except HoldallError as error:
                name = target_name(each.target)
                report = ExportReport(exporter=each.exporter, target=name, exception=error)
            reports.append(report)
    return reports


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
        id: Canonical id.
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
        hooks: Hooks | None = None,
        lang: str = "en",
        redact: RedactionRules = NOTHING_SECRET,
    ) -> None:
        self._registry = registry or _installed()
        self._session = session
        self._hooks = hooks
        self._redact = redact
        self._candidate = self._registry.resolve("exporters", exporter)
        self._class: type[Exporter] = self._registry.load("exporters", self._candidate.id)
        self.id = self._candidate.id
        self.origin = self._candidate.origin
        parsed = self._parsed(options, strict=strict)
        self.options, self.ignored_options = parsed.own, parsed.ignored
        self.selection: Selection = parsed.shared
        self._lang = self.selection.lang or lang

    @property
    def suffix(self) -> str:
        """File name ending of its reports, with the dot."""
        return self._class.suffix

    @property
    def media_type(self) -> str:
        """What its reports are."""
        return self._class.media_type

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
        return ExportReport(
            exporter=self.id,
            target=sink.name,
            size=sink.size,
            sha256=sink.sha256,
            media_type=self._class.media_type,
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
        return parse_both(self.id, self._class.Options, Selection, given, strict=strict)

    def _blame(self, doing: str, cause: str) -> PluginCallError:
        return PluginCallError("exporter", self.id, self.origin, doing, cause)

    def _context(
        self,
        view: SessionView,
        options: object,
        *,
        progress: Progress | None = None,
        cancelled: Cancelled | None = None,
    ) -> Context:
        return Context(
            self.id,
            view,
            options=options,
            provenance=self.origin,
            render=self._render,
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

    def _render(
        self, outer: Context, exporter_id: str, view: SessionView, options: object
    ) -> BinaryIO:
        """Write another exporter's report to a temporary file; its warnings are the outer's."""
        other = BoundExporter(
            view,
            exporter_id,
            options=() if options is None else options,
            registry=self._registry,
            lang=self._lang,
        )
        folder = str(outer.temporary_folder)
        spool = cast("BinaryIO", SpooledTemporaryFile(_IN_MEMORY, dir=folder))  # noqa: SIM115 - the caller closes it
        try:
            with other._context(view, other.options, cancelled=outer.is_cancelled) as inner:
                other._call(view, CountingSink(spool, exporter_id), inner)
        except BaseException:
            spool.close()
            raise
        outer.warnings.extend(inner.warnings)
        spool.seek(0)
        return spool


def _warn_of_missing(hooks: Hooks, context: Context) -> None:
    """Warn of hook plugins that can't be had: one of them may mask what others should not see."""
    for failure in hooks.failures:
        if not failure.hook:
            context.warn("hook-not-loaded", str(failure.error))


def _installed() -> Registry:
    from holdall.registry import Registry

    return Registry.discover()
