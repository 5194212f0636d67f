"""The context of one export: what an exporter can read and report while it writes."""

from __future__ import annotations

import errno
import os
from collections import Counter
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import TYPE_CHECKING, Any, Final, Self

from holdall.contracts import ExportWarning
from holdall.errors import ExportCancelled, ExportTargetError, HoldallError
from holdall.writing import moment

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from typing import BinaryIO

    from holdall.contracts import ReportKind
    from holdall.units import BoundUnit
    from holdall.view import SessionView

    KindOf = Callable[["Context", str], ReportKind]
    Render = Callable[["Context", str, SessionView, object], BinaryIO]


class Context:
    """The `ExportContext` of one export; what it opened is gone when it is left.

    Attributes:
        writing: The exporters whose reports are being written, the outermost first.
        options: An instance of the exporter's own `Options`.
        lang: The language for people.
        color: Whether who reads the report sees colours.
        columns: Those of the terminal that the report goes to; 0 if it goes to none.
        provenance: The exporter's own distribution and version.
        unit: The exporter unit that was asked for, None if it was the exporter itself.
        warnings: The warnings that `warn` was given, in that order.
        counts: The sums of what `count` was given, by name.
        caller_error: What the application's `progress` or `cancelled` raised.
    """

    def __init__(
        self,
        exporter_id: str,
        view: SessionView,
        *,
        options: Any,
        provenance: str,
        kind_of: KindOf,
        render: Render,
        unit: BoundUnit | None = None,
        inside: tuple[str, ...] = (),
        lang: str = "en",
        color: bool = False,
        columns: int = 0,
        progress: Callable[[int, int], object] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> None:
        self.exporter_id = exporter_id
        self.writing = (*inside, exporter_id)
        self.options = options
        self.lang = lang
        self.color = color
        self.columns = columns
        self.provenance = provenance
        self.unit = unit
        self.warnings: list[ExportWarning] = []
        self.counts: Counter[str] = Counter()
        self.caller_error: BaseException | None = None
        self._modified = view.modified
        self._kind_of = kind_of
        self._render = render
        self._progress = progress
        self._cancelled = cancelled
        self._folder: TemporaryDirectory[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._folder is not None:
            self._folder.cleanup()

    @cached_property
    def now(self) -> datetime:
        """The moment to print: `SOURCE_DATE_EPOCH`, or the session's last event, in UTC."""
        epoch = os.environ.get("SOURCE_DATE_EPOCH", "").strip()
        if not epoch:
            return moment(self._modified)
        try:
            return moment(float(int(epoch)))
        except ValueError:
            text = f"SOURCE_DATE_EPOCH is {epoch!r} and should be a number of seconds; not used"
            self.warn("source-date-epoch", text)
            return moment(self._modified)

    @property
    def temporary_folder(self) -> Path:
        """A private folder that is gone after the export."""
        if self._folder is None:
            self._folder = TemporaryDirectory(prefix="holdall-export-")
        return Path(self._folder.name)

    def warn(self, code: str, text: str) -> None:
        """Note in the `ExportReport` that something was left out or changed."""
        self.warnings.append(ExportWarning(code, text))

    def count(self, what: str, number: int = 1) -> None:
        """Note in the `ExportReport` how often something was left out, such as `logs cut`."""
        self.counts[what] += number

    def progress(self, done: int, total: int) -> None:
        """Tell how far the export is; raises `ExportCancelled` when it is to stop."""
        self.check_cancelled()
        report = self._progress
        if report is not None:
            self._ask(lambda: report(done, total))

    def check_cancelled(self) -> None:
        """Raise `ExportCancelled` when the export is to stop."""
        if self.is_cancelled():
            raise ExportCancelled(self.exporter_id)

    def is_cancelled(self) -> bool:
        """Whether the export is to stop."""
        return self._cancelled is not None and bool(self._ask(self._cancelled))

    def _ask(self, application: Callable[[], object]) -> object:
        """Call what the application gave, and remember that an error was its own."""
        try:
            return application()
        except BaseException as error:
            self.caller_error = error
            raise

    def kind_of(self, exporter_id: str) -> ReportKind:
        """Return what the reports of another exporter are; it may be named by an alias."""
        return self._kind_of(self, exporter_id)

    def render(self, exporter_id: str, view: SessionView, options: object = None) -> BinaryIO:
        """Return another exporter's report as a file opened at its start; to be closed."""
        return self._render(self, exporter_id, view, options)


def full_disk(error: BaseException) -> ExportTargetError | None:
    """Return the error that says that temporary files had no room, if *error* comes of that.

    It does not if it comes of an error that says itself what had no room, such as the target.
    """
    cause = error.__cause__
    while cause is not None and not isinstance(cause, HoldallError):
        if isinstance(cause, OSError) and cause.errno in _FULL:
            reason = f"{cause.strerror}; make room there, or let TMPDIR name another folder"
            return ExportTargetError(str(cause.filename or gettempdir()), reason)
        cause = cause.__cause__ or cause.__context__
    return None


_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
