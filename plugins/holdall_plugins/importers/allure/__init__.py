"""The results of Allure: a folder with a file for each attempt at a test, or one such file."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from holdall_plugins.importers.allure.about import record_run
from holdall_plugins.importers.allure.index import Index
from holdall_plugins.importers.allure.results import (
    Begun,
    Container,
    Globals,
    Result,
    nested,
    read,
)
from holdall_plugins.importers.allure.tests import Tests, outcome_of, said_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdall import Recorder
    from holdall.contracts import Importer

_HEAD: Final = 4096
_LOOKED_AT: Final = 20
_FIRST: Final = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"')
_FIELDS: Final = (
    re.compile(rb'"(?:uuid|historyId|testCaseId)"\s*:\s*"'),
    re.compile(rb'"(?:status|stage)"\s*:\s*"(?:passed|failed|broken|skipped|unknown|finished)'),
    re.compile(rb'"(?:start|stop)"\s*:\s*\d'),
    re.compile(rb'"(?:fullName|labels|steps|statusDetails|stage|testCaseId)"\s*:'),
)


class AllureImporter:
    """Records each test with its attempts; steps, and fixtures that failed, are its parts."""

    def accepts(self, head: bytes, name: str) -> bool:
        """Return whether it is a single result."""
        return _FIRST.match(head) is not None and all(each.search(head) for each in _FIELDS)

    def accepts_folder(self, folder: Path) -> bool:
        """Return whether a result is in the folder itself."""
        looked_at = 0
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith("-result.json") and entry.is_file(follow_symlinks=False):
                    with Path(entry).open("rb") as file:
                        if _is_result(file.read(_HEAD)):
                            return True
                    looked_at += 1
                    if looked_at == _LOOKED_AT:
                        break
        return False

    def load(self, source: Path, recorder: Recorder) -> None:
        """Record the results."""
        with Index() as index:
            if source.is_dir():
                _Folder(source, recorder, index).record()
            else:
                Tests(source.parent, recorder, index).record(read(source, Result), source.name)


def _is_result(head: bytes) -> bool:
    """Whether a file of the right name is a result; what says so may stand behind its head."""
    return _FIRST.match(head) is not None and _FIELDS[1].search(head) is not None


class _Folder:
    """A folder of results, read twice: for their order, and to record them."""

    def __init__(self, folder: Path, recorder: Recorder, index: Index) -> None:
        self._folder: Final = folder
        self._recorder: Final = recorder
        self._index: Final = index
        self._readers: Final[dict[str, Callable[[Path], None]]] = {
            "-result.json": self._note_result,
            "-container.json": self._note_container,
            "-globals.json": self._note_globals,
        }

    def record(self) -> None:
        """Record all of it.

        Raises:
            ValueError: A file is damaged; the message has its name.
        """
        with os.scandir(self._folder) as entries:
            for entry in entries:
                self._note(entry)
        self._index.seal()
        tests = Tests(self._folder, self._recorder, self._index)
        for name in self._index.results():
            tests.record(read(self._folder / name, Result), name)
        record_run(self._folder, self._recorder, tests.devices or {self._recorder.device_id})

    def _note(self, entry: os.DirEntry[str]) -> None:
        ending = f"-{entry.name.rpartition('-')[2]}"
        if ending in self._readers:
            if entry.is_file(follow_symlinks=False):
                self._readers[ending](Path(entry))
            else:
                self._recorder.leave_out("links and other things that are no files")

    def _note_result(self, path: Path) -> None:
        start = read(path, Begun).start
        is_number = isinstance(start, int | float) and not isinstance(start, bool)
        self._index.add_result(float(start) if is_number else 0.0, path.name)

    def _note_container(self, path: Path) -> None:
        container = read(path, Container)
        kinds = (("set-up", container.befores), ("tear-down", container.afters))
        for kind, fixtures in kinds:
            for fixture in fixtures or ():
                outcome = outcome_of(fixture, path.name)
                if outcome not in {"fail", "error"}:
                    self._recorder.leave_out("fixtures that did not fail")
                    continue
                files = [*(fixture.attachments or ())]
                files += [f for _n, part in nested(fixture.steps) for f in part.attachments or ()]
                if files:
                    self._recorder.leave_out("attachments of fixtures", len(files))
                name = f"{kind} {fixture.name or ''}".strip()
                for child in container.children or ():
                    self._index.add_fixture(child, name, outcome, said_of(fixture.details))

    def _note_globals(self, path: Path) -> None:
        told = read(path, Globals)
        for number, error in enumerate(told.errors or ()):
            job_id = self._index.job(f"{path.name} {number}", "outside of tests")
            self._recorder.job(job_id)
            self._recorder.record(job_id, outcome="error", comments=said_of(error) or None)
        if told.attachments:
            self._recorder.leave_out("attachments outside of tests", len(told.attachments))


if TYPE_CHECKING:
    _: type[Importer] = AllureImporter
