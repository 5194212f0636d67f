"""The promises of importers: what they accept, and what they record."""

from __future__ import annotations

import gzip
import random
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from holdall.contracts import FolderImporter
from holdall.contracts.importers import HEAD
from holdall.errors import HoldallError, OptionValueError, PluginLoadError
from holdall.exports import export
from holdall.recording import Recorder
from holdall.registry import State
from holdall.stores import open_repository
from holdall.testing.checks.damage import contents, damaged, with_hostile_text
from holdall.testing.checks.fresh import (
    own_plugins,
    require_found_without_import,
    require_quick_import,
)
from holdall.testing.checks.importers.subject import recorded, size_of
from holdall.testing.checks.outcomes import CheckFailed, require
from holdall.view import SessionView

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdall.contracts import Repository
    from holdall.testing.checks.importers.subject import ImporterSubject

_LOOK_S: Final = 0.1  # of CPU time, for a few KiB

# Each is a format of its own, and that of no tool that records results.
_FOREIGN: Final = {
    "an empty file": b"",
    "a picture": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(64),
    "a program": b"\x7fELF\x02\x01\x01" + bytes(64),
    "a PDF": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    "an empty ZIP archive": b"PK\x05\x06" + bytes(18),
    "an empty file that was packed": gzip.compress(b"", mtime=0),
    "a database": b"SQLite format 3\x00" + bytes(84),
    "a web page": b"<!doctype html>\n<title>Hello</title>\n",
    "some XML": b'<?xml version="1.0"?>\n<catalog><book/></catalog>\n',
    "a JSON object": b'{"name": "book", "pages": [1, 2]}\n',
    "a JSON list": b"[1, 2, 3]\n",
    "a table": b"book,pages\nsome,12\n",
    "some YAML": b"book: some\npages:\n- 1\n",
    "a letter": b"Dear all,\n\nthe book is late.\n",
    "zeros": bytes(HEAD),
    "random bytes": random.Random(12).randbytes(HEAD),  # noqa: S311 - the same each time
}
_NAMES: Final = ("", ".", "results.xml", "a\nb", "caf\u00e9", "\udc80", "long" * 100)


def is_found_without_import(subject: ImporterSubject) -> None:
    """Its id leads to it before anything of it is imported."""
    require_found_without_import(subject.candidate)


def is_imported_quickly(subject: ImporterSubject) -> None:
    """Its import keeps to a budget of CPU time, and pulls in nothing that no importer needs."""
    require_quick_import(subject.candidate, subject.import_ms)


def refuses_other_formats(subject: ImporterSubject) -> None:
    """It accepts no other format, whatever the file is called, and random bytes neither."""
    names = (*_NAMES, *(Path(sample).name for sample in subject.samples if _is_file(sample)))
    for what, head in _FOREIGN.items():
        for name in names:
            require(not _accepts(subject, head, name), f"it accepts {what} called {name!r}")
    with TemporaryDirectory(prefix="holdall-check-") as folder:
        for what, head in _FOREIGN.items():
            Path(folder, what).write_bytes(head)
        accepted = _accepts(subject, b"", "folder", Path(folder))
        require(not accepted, "it accepts a folder of files that are none of its format")


def accepts_its_samples(subject: ImporterSubject) -> None:
    """It accepts its samples, by content rather than by name, and says so quickly."""
    with subject.all_sources() as sources:
        for source in sources:
            head = _head(source)
            require(_accepts(subject, head, source.name, source), f"it refuses {source.name!r}")
            if source.is_file():
                renamed = _accepts(subject, head, "renamed")
                require(renamed, f"it refuses {source.name!r} under another name")
            for end in range(0, len(head), 97):
                _accepts(subject, head[:end], source.name)


def records_jobs(subject: ImporterSubject) -> None:
    """Each sample becomes jobs with results."""
    with subject.all_sources() as sources:
        for source in sources:
            jobs = list(subject.loaded(source).jobs())
            require(jobs, f"no job came of {source.name!r}")
            tried = [job for job in jobs if job.attempt_count]
            require(tried, f"no job of {source.name!r} has a result")


def leaves_the_source_alone(subject: ImporterSubject) -> None:
    """The source is only read, and nothing is written beside it."""
    with subject.sources() as sources:
        for source in sources:
            before = contents(source.parent)
            subject.loaded(source)
            after = contents(source.parent)
            changed = sorted(set(before.items()) ^ set(after.items()))
            require(not changed, f"loading {source.name!r} changed {changed and changed[0][0]!r}")


def prints_nothing(subject: ImporterSubject) -> None:
    """Standard output and standard error are the user's."""
    printed = StringIO()
    with subject.sources() as sources, redirect_stdout(printed), redirect_stderr(printed):
        for source in sources:
            subject.loaded(source)
    require(not printed.getvalue(), f"it printed {printed.getvalue()[:40]!r}")


def repeats_itself(subject: ImporterSubject) -> None:
    """The same source gives the same session, times included."""
    with subject.sources() as sources:
        for source in sources:
            first, second = recorded(subject.loaded(source)), recorded(subject.loaded(source))
            require(first == second, f"{source.name!r} gives another session the second time")


def works_in_threads(subject: ImporterSubject) -> None:
    """Imports at the same time record what one alone does."""
    with subject.sources() as sources:
        alone = [recorded(subject.loaded(source)) for source in sources]
        with ThreadPoolExecutor(4) as pool:
            views = list(pool.map(subject.loaded, sources * 4))
    require([recorded(view) for view in views] == alone * 4, "imports disturb each other")


def survives_damage(subject: ImporterSubject) -> None:
    """What is cut or damaged is read as far as it goes, or is a ValueError that says where."""
    with subject.sources() as sources:
        for source in sources:
            for what in damaged(source):
                error = subject.load(source).error
                if error is None:
                    continue
                words = f"{type(error).__name__}: {error}"
                if not isinstance(error, ValueError):
                    reason = f"{source.name!r} {what} raised no ValueError, but {words}"
                    raise CheckFailed(reason) from error
                located = any(sign.isdigit() for sign in str(error)) or source.name in str(error)
                reason = f"{source.name!r} {what} raised {words}, which does not say where"
                require(located, reason)


def can_be_exported(subject: ImporterSubject) -> None:
    """Every built-in exporter writes its sessions, also those with hostile text."""
    with subject.sources() as sources:
        for source in sources:
            _export_all(subject.loaded(source), source.name)
            for _what in with_hostile_text(source):
                view, error = subject.load(source)
                if error is None:
                    _export_all(view, f"{source.name} with hostile text")


def keeps_memory_flat(subject: ImporterSubject) -> None:
    """A large source is read piece by piece and never gathered."""
    with subject.large_sources() as sources, TemporaryDirectory(prefix="holdall-check-") as folder:
        store = open_repository(f"file://{folder}/store", registry=own_plugins())
        for source in sources:
            with Recorder.create(store) as recorder:
                subject.importer().load(source, recorder)  # imports and caches
            view = SessionView.of(store.open(recorder.session_id, mode="r"))
            # The recorder itself keeps the ids of jobs, and what waits for a checkpoint.
            alone = _peak_mib(store, partial(_record_again, view))
            took = _peak_mib(store, partial(subject.importer().load, source)) - alone
            allowed = min(subject.allowance_mib, size_of(source) / 2**21)
            reason = f"{source.name!r} took {took:.1f} MiB, and {allowed:.1f} are allowed"
            require(took < allowed, reason)


def _peak_mib(store: Repository, record: Callable[[Recorder], None]) -> float:
    with Recorder.create(store) as recorder:
        tracemalloc.start()
        try:
            record(recorder)
            recorder.checkpoint()
            _now, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    return peak / 2**20


def _record_again(view: SessionView, recorder: Recorder) -> None:
    for job in view.jobs():
        recorder.job(job.id, device=job.device_id, summary=_copy(job.summary))
        for attempt in job.attempts:
            records = ((each.delay, each.stream, each.data) for each in attempt.io_log())
            recorder.record(
                job.id,
                device=job.device_id,
                outcome=attempt.outcome,
                comments=_copy(attempt.comments),
                output=records,
                subtests=attempt.subtests,
                measurements=attempt.measurements,
            )


def _copy(text: str) -> str:
    """Return a string of its own, which counts as memory of the recorder that waits with it."""
    return text.encode().decode()


def _accepts(subject: ImporterSubject, head: bytes, name: str, source: Path | None = None) -> bool:
    """Ask the importer; whatever it raises, and anything but a bool, is a broken promise.

    One of folders is asked about the *source* itself, if that is one.
    """
    importer = subject.importer()
    start = time.process_time()
    try:
        if source is not None and source.is_dir() and isinstance(importer, FolderImporter):
            answer = importer.accepts_folder(source)
        else:
            answer = importer.accepts(head, name)
    except (Exception, SystemExit) as error:
        words = f"{type(error).__name__}: {error}"
        raise CheckFailed(f"looking at {head[:16]!r} called {name!r} raised {words}") from error
    took = time.process_time() - start
    require(isinstance(answer, bool), f"accepts returned {answer!r} and not True or False")
    require(took < _LOOK_S, f"looking at {len(head)} bytes took {took:.1f} s of CPU time")
    return answer


def _head(source: Path) -> bytes:
    if source.is_dir():
        return b""
    with source.open("rb") as file:
        return file.read(HEAD)


def _export_all(view: SessionView, what: str) -> None:
    registry = own_plugins()
    for candidate in registry.candidates("exporters"):
        if candidate.state is not State.READY:
            continue
        try:
            with TemporaryDirectory() as folder:  # a report may be one itself
                export(view, candidate.id, Path(folder, "report"), registry=registry)
        except (OptionValueError, PluginLoadError):
            continue  # it needs an option, such as a template, or an extra that is not installed
        except HoldallError as error:
            raise CheckFailed(f"{candidate.id} can't write {what!r}: {error}") from error


def _is_file(sample: Path) -> bool:
    return not Path(sample).is_dir()
