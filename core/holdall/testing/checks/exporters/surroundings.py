"""Promises about the process around an exporter: names, imports, threads, locale and clock."""

from __future__ import annotations

import json
import locale
import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from threading import Barrier
from typing import TYPE_CHECKING, Final

from holdall.testing.checks.fresh import require_quick_import
from holdall.testing.checks.outcomes import require
from holdall.testing.sessions import big_session, sample_session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.testing.checks.exporters.subject import ExporterSubject

_LOCALES: Final = ("tr_TR.UTF-8", "de_DE.UTF-8", "fr_FR.UTF-8", "C.UTF-8", "C")

_FIND: Final = """
import json, sys
from holdall.registry.policy import PluginPolicy
from holdall.registry import Registry
registry = Registry.discover(PluginPolicy.of(prefer=dict([sys.argv[-2:]])))
names = json.loads(sys.argv[1])
ids = sorted({registry.resolve("exporters", name).id for name in names})
print(json.dumps({"ids": ids, "imported": sys.argv[2] in sys.modules}))
"""

_DIGEST: Final = """
import io, sys
from holdall.exports import export
from holdall.registry import PluginPolicy, Registry
from holdall.testing.checks.exporters.subject import target_for
from holdall.testing.sessions import sample_session
registry = Registry.discover(PluginPolicy.of(prefer=dict([sys.argv[-2:]])))
with target_for(registry.load("exporters", sys.argv[1]), io.BytesIO()) as target:
    print(export(sample_session(), sys.argv[1], target, registry=registry).sha256)
"""


def is_found_without_import(subject: ExporterSubject) -> None:
    """Its id and its aliases lead to it before anything of it is imported."""
    aliases = subject.candidate.aliases if subject.candidate else ()
    module = _module(subject)
    owner = (subject.id, subject.distribution)
    seen = json.loads(subject.python(_FIND, json.dumps([subject.id, *aliases]), module, *owner))
    require(seen["ids"] == [subject.id], f"its names lead to {', '.join(seen['ids'])}")
    require(not seen["imported"], f"finding it imported {module}")


def is_imported_quickly(subject: ExporterSubject) -> None:
    """Its import keeps to a budget of CPU time, prints nothing, and pulls in what it needs."""
    require_quick_import(subject.candidate, subject.import_ms)


def repeats_itself_in_other_processes(subject: ExporterSubject) -> None:
    """Another process, with other hashes, writes the same bytes."""
    owner = (subject.id, subject.distribution)
    digests = {subject.python(_DIGEST, *owner, PYTHONHASHSEED=seed) for seed in ("1", "2")}
    require(len(digests) == 1, "two processes with different hash seeds write different bytes")


def works_in_threads(subject: ExporterSubject) -> None:
    """Two exports at once write what one alone does."""
    sessions = [sample_session(), big_session(300)]
    alone = [subject.export(session) for session in sessions]
    together = Barrier(4)

    def work(number: int) -> bytes:
        together.wait()
        return subject.export(sessions[number % 2])

    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(work, range(4)))
    require(reports == alone * 2, "exports at the same time disturb each other")


def works_elsewhere(subject: ExporterSubject) -> None:
    """Another locale and another time zone change no byte."""
    here = subject.export(sample_session())
    with _elsewhere():
        there = subject.export(sample_session())
    require(there == here, "the report depends on the locale or the time zone")


@contextmanager
def _elsewhere() -> Iterator[None]:
    """Be on the other side of the world, with the first foreign locale that is installed."""
    zone = os.environ.get("TZ")
    before = locale.setlocale(locale.LC_ALL)
    os.environ["TZ"] = "Pacific/Kiritimati" if zone != "Pacific/Kiritimati" else "UTC"
    time.tzset()
    try:
        for name in _LOCALES:
            with suppress(locale.Error):
                locale.setlocale(locale.LC_ALL, name)
                break
        yield
    finally:
        locale.setlocale(locale.LC_ALL, before)
        del os.environ["TZ"]
        if zone is not None:
            os.environ["TZ"] = zone
        time.tzset()


def _module(subject: ExporterSubject) -> str:
    target = subject.candidate.target if subject.candidate else subject.exporter.__module__
    return target.partition(":")[0]
