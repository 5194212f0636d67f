"""What crosses from the workers of pytest-xdist to the process that records.

Results travel in the reports of pytest. The definitions of tests, and files that tests
attach, are left in a folder, for workers run on the machine of the one that records.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest

from holdall_plugins.pytest_recorder.definitions import (
    Definition,
    definition_of,
    deselect,
    known_by_id,
)

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

INPUT: Final = "holdall"
"""Key of what a worker is given, in its `workerinput`."""
OUTPUT: Final = "holdall_facts"
"""Key of the facts that a worker found, in its `workeroutput`."""

Measured = tuple[str, "float | str", str, "float | None", "float | None"]
"""Name, value, unit, lower and upper limit."""


class Attached(NamedTuple):
    """A file that a test attached on a worker.

    Attributes:
        path: Where its content waits.
    """

    name: str
    media_type: str
    path: str


class Parts(NamedTuple):
    """What tests gave on a worker since the last report."""

    attachments: list[Attached]
    measurements: list[Measured]


class Worker:
    """Sends what pytest's own reports do not hold, from a worker to the recording process."""

    def __init__(self, config: pytest.Config) -> None:
        given = config.workerinput[INPUT]  # type: ignore[attr-defined]
        self._facts: Final[dict[str, str]] = {}
        self._config: Final = config
        self._worker_id: Final[str] = config.workerinput["workerid"]  # type: ignore[attr-defined]
        self._folder: Final = Path(given["folder"])
        self._finished: Final[list[str]] = given["finished"]
        self._parts = Parts([], [])
        self._count = 0

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Leave out what has a result."""
        deselect(config, items, self._finished)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Write the definitions before pytest-xdist announces the ids."""
        definitions = {item.nodeid: definition_of(item) for item in session.items}
        if self._folder.is_dir():
            path = definitions_file(self._folder, self._worker_id)
            path.write_text(json.dumps(definitions), encoding="ascii")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self,
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Put into the report what the test attached and measured."""
        report = yield
        if self._parts != ([], []):
            report.holdall = [list(map(list, part)) for part in self._parts]  # type: ignore[attr-defined]
            self._parts = Parts([], [])
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Hand over the properties of the suite."""
        self._config.workeroutput[OUTPUT] = self._facts  # type: ignore[attr-defined]

    def attach(
        self,
        _item: pytest.Item,
        content: str | os.PathLike[str] | bytes,
        *,
        name: str,
        media_type: str,
    ) -> None:
        """Keep a copy of the content until the report is read."""
        self._count += 1
        path = self._folder / f"{self._worker_id}-{self._count}"
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            shutil.copyfile(content, path)
        self._parts.attachments.append(
            Attached(attachment_name(content, name), media_type, str(path))
        )

    def add_facts(self, facts: dict[str, str]) -> None:
        """Keep facts of the device until the worker ends."""
        self._facts.update(facts)

    def measure(self, _item: pytest.Item, measured: Measured) -> None:
        """Keep a value until the next report is made."""
        self._parts.measurements.append(measured)


def parts_of(report: Any) -> Parts | None:
    """Return what the test of a report attached and measured on a worker, if anything."""
    sent = getattr(report, "holdall", None)
    if sent is None:
        return None
    attachments, measurements = sent
    return Parts(
        [Attached(*fields) for fields in attachments],
        [tuple(fields) for fields in measurements],
    )


def definitions_file(folder: Path, worker_id: str) -> Path:
    """Return where a worker leaves what it collected."""
    return folder / f"{worker_id}.json"


def read_definitions(path: Path, node_ids: list[str]) -> dict[str, Definition]:
    """Return the definitions that a worker left, by node id; without them the ids alone."""
    known: Mapping[str, list[str]] = {}
    if path.is_file():
        known = json.loads(path.read_text(encoding="ascii"))
    return {
        node_id: Definition(*known[node_id]) if node_id in known else known_by_id(node_id)
        for node_id in node_ids
    }


def attachment_name(content: str | os.PathLike[str] | bytes, name: str) -> str:
    """Return what to call an attachment.

    Raises:
        ValueError: Bytes without a name.
    """
    if not name and isinstance(content, bytes):
        raise ValueError("bytes that are attached need a name, as in name='trace.bin'")
    return name or Path(os.fsdecode(content)).name
