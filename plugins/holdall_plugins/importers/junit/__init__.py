"""JUnit XML, in the dialects of those who write it; holdall's own reports too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdall.reading import Start, XmlNode, xml_nodes, xml_root
from holdall_plugins.importers.findings import Devices
from holdall_plugins.importers.junit.suites import Suites

if TYPE_CHECKING:
    from pathlib import Path

    from holdall import Recorder
    from holdall.contracts import Importer
    from holdall.reading import End

_ROOTS: Final = frozenset({"testsuites", "testsuite", "testrun"})
_SUITES: Final = _ROOTS | {"testresults"}
_WHOLES: Final = frozenset(
    {
        "testcase",
        "properties",
        "property",
        "system-out",
        "system-err",
        "failure",
        "error",
        "skipped",
        "flakyFailure",
        "flakyError",
        "rerunFailure",
        "rerunError",
    }
)


class JUnitImporter:
    """A job for each test case; reruns are earlier or later attempts at it.

    Suites may be nested in any way, and several reports may stand in one file.
    """

    def accepts(self, head: bytes, name: str) -> bool:
        """Return whether a file begins as one of JUnit's elements."""
        root = xml_root(head)
        return root is not None and root.tag in _ROOTS and not root.namespace

    def load(self, source: Path, recorder: Recorder) -> None:
        """Record each case when it was read, and what suites say of devices at the end.

        Raises:
            ValueError: It is no such file, or damaged; the message has the line.
        """
        with Devices(recorder) as devices:
            suites = Suites(recorder, devices, source.parent)
            try:
                for step in xml_nodes(source, _WHOLES, several_roots=True):
                    _take(step, suites)
            finally:
                suites.finish()


def _take(step: XmlNode | Start | End, suites: Suites) -> None:
    if isinstance(step, XmlNode):
        if step.tag == "testcase":
            suites.take_case(step)
        else:
            suites.take_part(step)
    elif isinstance(step, Start):
        if not suites.depth and step.tag not in _ROOTS:
            raise ValueError(f"line {step.line}: <{step.tag}> begins no report of JUnit")
        suites.open(step, is_suite=step.tag in _SUITES)
    else:
        suites.close()


if TYPE_CHECKING:
    _: type[Importer] = JUnitImporter
