"""A session whose plugin is gone says which package to install."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.conftest import Cli

POINTS = "[holdall.provider_loaders]\nlab = acme_lab:Loader\n"
MODULE = "from holdall_plugins.providers.pxu import PxuLoader as Loader\n"
JOB = "id: one\nplugin: shell\ncommand: true\n_summary: One\n"


def test_a_session_names_the_package_of_a_loader_that_is_gone(
    holdall: Cli, provider: Callable[[str], str]
) -> None:
    site = holdall.folder / "site"
    info = site / "acme_lab-1.4.dist-info"
    info.mkdir(parents=True)
    (site / "acme_lab.py").write_text(MODULE)
    (info / "METADATA").write_text("Metadata-Version: 2.3\nName: acme-lab\nVersion: 1.4\n")
    (info / "entry_points.txt").write_text(POINTS)
    holdall.environ["PYTHONPATH"] = str(site)
    done = holdall("run", f"lab:{provider(JOB)}")
    assert done.code == 0, done.err

    del holdall.environ["PYTHONPATH"]
    resumed = holdall("resume", "last")

    assert resumed.code in {2, 3, 4}
    assert "read by 'lab' of acme-lab 1.4: pip install \"acme-lab==1.4\"" in resumed.err
