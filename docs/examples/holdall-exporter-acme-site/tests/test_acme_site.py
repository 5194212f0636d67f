from __future__ import annotations

from typing import TYPE_CHECKING

from holdall import Registry, export
from holdall.testing import ExporterContract
from holdall.testing.exporters import ID, registry_of

from acme_site import SiteExporter

if TYPE_CHECKING:
    from pathlib import Path

    from holdall.testing.sessions import SampleSession


class TestSiteExporter(ExporterContract):
    """It keeps the promises of every exporter."""

    exporter = SiteExporter


def test_each_device_has_a_page_that_the_index_links(
    holdall_session: SampleSession, tmp_path: Path
) -> None:
    registry: Registry = registry_of(SiteExporter)
    report = export(holdall_session.view(), ID, tmp_path / "site", registry=registry)

    index = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert len(report.parts) == 1 + len(holdall_session.view().devices)
    assert '<a href="device-2.html">dut-7</a>' in index
