"""An exporter of a stranger's: installed, listed, used, broken, and no harm to the others."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Cli

MODULE = """\
from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    bullet: str = "-"


class MarkdownExporter:
    summary, suffix, media_type = "Markdown list", ".md", "text/markdown"
    Options = Options

    def export(self, view, sink, context):
        for job in view.jobs():
            sink.write(f"{context.options.bullet} {job.outcome} {job.id}\\n".encode())
"""

PYPROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "holdall-exporter-markdown"
version = "1.2"
dependencies = ["holdall"]

[project.entry-points."holdall.exporters"]
"acme.markdown" = "acme_markdown:MarkdownExporter"

[project.entry-points."holdall.aliases"]
md = "acme.markdown"

[tool.hatch.build.targets.wheel]
only-include = ["acme_markdown.py"]
"""

ENTRY_POINTS = """\
[holdall.exporters]
acme.markdown = acme_markdown:MarkdownExporter

[holdall.aliases]
md = acme.markdown
"""

METADATA = """\
Metadata-Version: 2.3
Name: holdall-exporter-markdown
Version: {version}
Requires-Dist: {requires}
"""

OTHERS = ("html", "json", "junit", "tar", "text", "xlsx", "global")


def put_in_place(site: Path, *, version: str = "1.2", requires: str = "holdall") -> None:
    """Write what an installer leaves behind, without one."""
    info = site / f"holdall_exporter_markdown-{version}.dist-info"
    info.mkdir(parents=True)
    (site / "acme_markdown.py").write_text(MODULE)
    (info / "METADATA").write_text(METADATA.format(version=version, requires=requires))
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    (info / "RECORD").write_text(
        "".join(
            f"{path.relative_to(site)},,\n"
            for path in (site / "acme_markdown.py", *info.iterdir(), info / "RECORD")
        )
    )


def install_with_pip(site: Path, project: Path) -> None:
    """Build the distribution and install it as pip does, with nothing of the network."""
    project.mkdir()
    (project / "pyproject.toml").write_text(PYPROJECT)
    (project / "acme_markdown.py").write_text(MODULE)
    options = ("--no-build-isolation", "--no-deps", "--no-index", "--no-cache-dir", "--quiet")
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        *options,
        "--target",
        str(site),
        str(project),
    ]
    subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL)


@pytest.fixture(params=["written", "pip"])
def site(request: pytest.FixtureRequest, holdall: Cli) -> Path:
    """A folder on the path of modules, where the distribution is installed."""
    folder = holdall.folder / "site"
    if request.param == "written":
        put_in_place(folder)
    else:
        for module in ("hatchling", "pip"):
            if importlib.util.find_spec(module) is None:
                pytest.skip(f"the package is built without network, and {module} is not installed")
        install_with_pip(folder, holdall.folder / "project")
    holdall.environ["PYTHONPATH"] = str(folder)
    return folder


@pytest.fixture
def written(holdall: Cli) -> Path:
    folder = holdall.folder / "site"
    put_in_place(folder)
    holdall.environ["PYTHONPATH"] = str(folder)
    return folder


def listed(holdall: Cli) -> dict[str, dict[str, object]]:
    found = holdall("plugins", "list", "exporters", "--json")
    assert found.code == 0, found
    return {each["id"]: each for each in json.loads(found.out)}


@pytest.mark.usefixtures("smoke_session")
def test_a_third_party_exporter_is_listed_and_used_and_breaks_only_itself(
    holdall: Cli, site: Path
) -> None:
    mine = listed(holdall)["acme.markdown"]
    report = holdall("export", "last", "md")
    starred = holdall("export", "last", "md", "-O", "md.bullet=*")

    assert mine == {
        "kind": "exporters",
        "id": "acme.markdown",
        "aliases": ["md"],
        "state": "ready",
        "reason": "",
        "distribution": "holdall-exporter-markdown",
        "version": "1.2",
        "target": "acme_markdown:MarkdownExporter",
    }
    assert (report.code, report.out) == (0, "- pass holdall.smoke::executable\n")
    assert (starred.code, starred.out) == (0, "* pass holdall.smoke::executable\n")

    module = site / "acme_markdown.py"
    module.write_text(f"raise RuntimeError('out of order')\n{module.read_text()}")
    targets = [f"{name}=report.{name}" for name in OTHERS]
    broken = holdall("export", "last", "md=report.md", *targets)

    assert listed(holdall)["acme.markdown"] == mine
    assert broken.code == 4
    assert broken.err == (
        "holdall: cannot load the exporter 'acme.markdown' of holdall-exporter-markdown 1.2: "
        "its import raised RuntimeError: out of order\n"
    )
    assert not (holdall.folder / "report.md").exists()
    assert [
        name for name in OTHERS if not (holdall.folder / f"report.{name}").stat().st_size
    ] == []


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        pytest.param(
            MODULE.replace("for job in view.jobs()", "for job in view.nothing()"),
            "failed exporting: AttributeError: 'SessionView' object has no attribute 'nothing'; "
            "this is a fault of the plugin, report it to its authors",
            id="raises",
        ),
        pytest.param(
            MODULE.replace("bullet: str", "bullet: Nothing").replace(
                "from dataclasses", "from __future__ import annotations\nfrom dataclasses"
            ),
            "the types of its 'Options' can't be read (NameError: name 'Nothing' is not defined)",
            id="options",
        ),
        pytest.param(
            MODULE.replace("from data", "import no_such_module\nfrom data"),
            "the module 'no_such_module' is not installed, and holdall-exporter-markdown does not "
            "say that it needs it; install it, and tell the authors of holdall-exporter-markdown",
            id="undeclared-dependency",
        ),
        pytest.param(
            MODULE.replace("def export(self, view", "def export(self"),
            "its method 'export' must take 3 arguments (too many positional arguments)",
            id="wrong-shape",
        ),
        pytest.param("raise SystemExit(3)", "its import raised SystemExit: 3", id="exits"),
    ],
)
@pytest.mark.usefixtures("smoke_session")
def test_a_faulty_exporter_is_blamed_with_its_distribution_and_version(
    holdall: Cli, written: Path, broken: str, words: str
) -> None:
    (written / "acme_markdown.py").write_text(dedent(broken))

    found = holdall("export", "last", "md")

    assert (found.code, found.out) == (4, "")
    assert "'acme.markdown' of holdall-exporter-markdown 1.2" in found.err
    assert found.err.endswith(f"{words}\n")
    assert found.err.count("\n") == 1


@pytest.mark.usefixtures("smoke_session")
def test_an_exporter_for_another_version_of_holdall_is_not_imported(holdall: Cli) -> None:
    put_in_place(holdall.folder / "site", requires="holdall>=99")
    holdall.environ["PYTHONPATH"] = str(holdall.folder / "site")
    found = holdall("export", "last", "md")

    assert listed(holdall)["acme.markdown"]["state"] == "incompatible"
    assert found.code == 4
    assert "it needs holdall>=99, and this is holdall 0." in found.err


@pytest.mark.usefixtures("smoke_session")
def test_two_distributions_of_one_name_are_both_named_and_neither_is_used(
    holdall: Cli, written: Path
) -> None:
    rival = written / "rival-3.0.dist-info"
    rival.mkdir()
    (rival / "METADATA").write_text("Metadata-Version: 2.3\nName: rival\nVersion: 3.0\n")
    (rival / "entry_points.txt").write_text(ENTRY_POINTS)
    found = holdall("export", "last", "acme.markdown")

    assert found.code == 4
    assert "holdall-exporter-markdown 1.2 and rival 3.0" in found.err
    assert holdall("export", "last", "global").out == "PASS\n"
