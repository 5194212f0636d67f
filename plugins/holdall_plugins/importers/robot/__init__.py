"""Output of Robot Framework 3 and later: output.xml, and the JSON of version 7."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from holdall.reading import xml_root
from holdall_plugins.importers.findings import Devices
from holdall_plugins.importers.robot.tests import Recording

if TYPE_CHECKING:
    from pathlib import Path

    from holdall import Recorder
    from holdall.contracts import Importer

_JSON: Final = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"generator"\s*:\s*"(?:Robot|Rebot)\b')


class RobotImporter:
    """A job for each test, whose keywords are subtests, in the category of its suite."""

    def accepts(self, head: bytes, name: str) -> bool:
        """Return whether a file begins as Robot's output does, in XML or JSON."""
        root = xml_root(head)
        if root is not None:
            return root.tag == "robot" and not root.namespace
        return _JSON.match(head) is not None

    def load(self, source: Path, recorder: Recorder) -> None:
        """Read the file twice: what a suite's tear-down does to its tests stands behind them.

        Raises:
            ValueError: It is no such file, or damaged; the message says where.
        """
        with source.open("rb") as file:
            head = file.read(64)
        with Devices(recorder) as devices:
            recording = Recording(recorder, devices)
            if _JSON.match(head) is None:
                from holdall_plugins.importers.robot import elements

                elements.read(source, recording)
            else:
                from holdall_plugins.importers.robot import objects

                objects.read(source, recording)


if TYPE_CHECKING:
    _: type[Importer] = RobotImporter
