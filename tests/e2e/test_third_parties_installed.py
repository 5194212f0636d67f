"""Four third parties, really installed: each state and each message as designed."""

from __future__ import annotations

import json
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.e2e.venvs import fresh, write

if TYPE_CHECKING:
    from tests.e2e.venvs import Venv

PYPROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{name}"
version = "{version}"
dependencies = ["holdall"]

[project.entry-points."holdall.exporters"]
"{id}" = "{module}:Exporter"

{more}
[tool.hatch.build.targets.wheel]
only-include = ["{module}.py"]
"""

MODULE = """\
from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    '''What the list holds.

    Attributes:
        bullet: What a line begins with.
    '''

    bullet: str = "-"


class Exporter:
    summary, suffix, media_type = "Markdown list", ".md", "text/markdown"
    Options = Options

    def export(self, view, sink, context):
        for number, job in enumerate(view.jobs()):
            line = ascii(f"{job.outcome} {job.id}")[1:-1]
            sink.write(f"{ascii(context.options.bullet)[1:-1]} {line}\\n".encode())
            context.progress(number, view.job_count)
"""

SCRIPTS = Path(sysconfig.get_path("scripts"))
ALIAS = '[project.entry-points."holdall.aliases"]\nmd = "acme.markdown"\n'

FOUR = ("acme-markdown", "broken-report", "needy-report", "rival-markdown")
RIVALS = "acme-markdown 1.2 and rival-markdown 3.0"


def project(folder: Path, origin: str, plugin_id: str, source: str, more: str = "") -> Path:
    name, version = origin.split()
    module = name.replace("-", "_")
    words = {"name": name, "version": version, "id": plugin_id, "module": module, "more": more}
    return write(
        folder / name, {"pyproject.toml": PYPROJECT.format(**words), f"{module}.py": source}
    )


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Venv:
    """An environment with holdall, four third parties and a stored session."""
    folder = tmp_path_factory.mktemp("lab")
    made = fresh(folder)
    sources = folder / "sources"
    made.install(
        project(sources, "acme-markdown 1.2", "acme.markdown", MODULE, ALIAS),
        project(sources, "broken-report 0.9", "broken.report", "raise OSError('no licence')\n"),
        project(sources, "needy-report 2.0", "needy.report", f"import no_such_lib\n{MODULE}"),
        project(sources, "rival-markdown 3.0", "acme.markdown", MODULE),
    )
    done = made.holdall("run", "smoke", "--job", "executable")
    assert done.code == 0, done.err
    return made


@pytest.fixture
def policy(lab: Venv) -> Path:
    """The project's file of rules, taken away again afterwards."""
    path = lab.folder / "home" / "holdall.toml"
    path.unlink(missing_ok=True)
    return path


def test_every_third_party_is_listed_and_none_imported(lab: Venv, policy: Path) -> None:
    del policy
    done = lab.holdall("plugins", "list", "exporters", "--json")

    found = {
        (each["id"], each["distribution"]): (each["version"], each["state"], each["reason"])
        for each in json.loads(done.out)
        if each["distribution"] in FOUR
    }
    assert found == {
        ("acme.markdown", "acme-markdown"): ("1.2", "ambiguous", "rival-markdown declares it too"),
        ("acme.markdown", "rival-markdown"): ("3.0", "ambiguous", "acme-markdown declares it too"),
        ("broken.report", "broken-report"): ("0.9", "ready", ""),
        ("needy.report", "needy-report"): ("2.0", "ready", ""),
    }
    assert (done.code, done.err) == (0, "")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        pytest.param(
            "acme.markdown",
            f"cannot choose the exporter 'acme.markdown': {RIVALS} both declare it; uninstall all "
            'but one of them, or say which with prefer = {"acme.markdown" = "acme-markdown"} '
            "below [plugins] in holdall.toml",
            id="conflict",
        ),
        pytest.param("md", "cannot choose the exporter 'acme.markdown'", id="alias-of-conflict"),
        pytest.param(
            "broken.report",
            "cannot load the exporter 'broken.report' of broken-report 0.9: its import raised "
            "OSError: no licence",
            id="raises-at-import",
        ),
        pytest.param(
            "needy.report",
            "cannot load the exporter 'needy.report' of needy-report 2.0: the module "
            "'no_such_lib' is not installed, and needy-report does not say that it needs it; "
            "install it, and tell the authors of needy-report",
            id="missing-module",
        ),
    ],
)
def test_each_failure_is_one_line_that_blames_its_author(
    lab: Venv, policy: Path, name: str, words: str
) -> None:
    del policy
    done = lab.holdall("export", "last", f"{name}=out.md", "global")

    assert (done.code, done.out) == (4, "PASS\n")
    assert done.err.startswith(f"holdall: {words}")
    assert done.err.count("\n") == 1
    assert not (lab.folder / "home" / "out.md").exists()


def test_the_line_that_the_conflict_tells_settles_it(lab: Venv, policy: Path) -> None:
    policy.write_text('[plugins]\nprefer = {"acme.markdown" = "acme-markdown"}\n')

    done = lab.holdall("export", "last", "md")
    listed = json.loads(lab.holdall("plugins", "list", "exporters", "--json").out)

    assert (done.code, done.out, done.err) == (0, "- pass holdall.smoke::executable\n", "")
    rival = next(each for each in listed if each["distribution"] == "rival-markdown")
    assert rival["state"] == "shadowed"
    assert rival["reason"] == f"{policy}:2, plugins.prefer prefers acme-markdown 1.2"


def test_what_is_blocked_by_a_variable_is_out_of_the_way(lab: Venv, policy: Path) -> None:
    del policy
    done = lab.holdall("export", "last", "md", HOLDALL_PLUGINS_BLOCK="dist:rival-*")

    assert (done.code, done.out) == (0, "- pass holdall.smoke::executable\n")


def test_without_plugins_only_holdalls_own_are_used(lab: Venv, policy: Path) -> None:
    del policy
    done = lab.holdall("--no-plugins", "export", "last", "md")
    variable = lab.holdall("export", "last", "broken.report", HOLDALL_NO_PLUGINS="1")

    assert done.code == 4
    assert "--no-plugins: only holdall's own plugins are used" in done.err
    assert "blocked: HOLDALL_NO_PLUGINS=1: only" in variable.err
    assert lab.holdall("--no-plugins", "export", "last", "global").out == "PASS\n"


def test_why_tells_the_steps_of_a_conflict(lab: Venv, policy: Path) -> None:
    del policy
    done = lab.holdall("plugins", "why", "md", "--json")

    steps = [(step["what"], step["words"]) for step in json.loads(done.out)["steps"]]
    assert done.code == 4
    assert steps[:4] == [
        ("id", "no exporter has the id 'md'"),
        ("alias", "'md' is an alias of 'acme.markdown' (of acme-markdown)"),
        (
            "claim",
            "acme-markdown 1.2 declares acme.markdown, ambiguous: rival-markdown declares it too",
        ),
        (
            "claim",
            "rival-markdown 3.0 declares acme.markdown, ambiguous: acme-markdown declares it too",
        ),
    ]


def test_show_tells_an_exporters_options(lab: Venv, policy: Path) -> None:
    policy.write_text('[plugins]\nprefer = {"acme.markdown" = "acme-markdown"}\n')

    shown = json.loads(lab.holdall("plugins", "show", "md", "--json").out)

    mine = next(each for each in shown if each["distribution"] == "acme-markdown")
    assert mine["options"] == [
        {"name": "bullet", "type": "text", "default": "-", "help": "What a line begins with."}
    ]


def test_the_doctor_imports_each_and_finds_what_is_wrong(lab: Venv, policy: Path) -> None:
    del policy
    done = lab.holdall("plugins", "doctor", "--json")

    found = {
        each["id"]: (each["state"], each["problems"])
        for each in json.loads(done.out)["plugins"]
        if each["distribution"] in {"broken-report", "needy-report"}
    }
    own = [
        each["problems"]
        for each in json.loads(done.out)["plugins"]
        if each["distribution"] == "holdall"
    ]
    assert done.code == 4
    assert found["broken.report"][0] == "broken"
    assert "OSError: no licence" in found["broken.report"][1][0]
    assert found["needy.report"][0] == "missing-dependency"
    assert own == [[]] * len(own)


def test_the_check_passes_for_the_good_one_and_blames_the_others(lab: Venv, policy: Path) -> None:
    policy.write_text('[plugins]\nprefer = {"acme.markdown" = "acme-markdown"}\n')

    good = lab.holdall("plugins", "check", "md")
    broken = lab.holdall("plugins", "check", "broken.report")

    assert good.code == 0, good.out
    assert "acme.markdown of acme-markdown 1.2: 21 of 24 checks passed" in good.out
    assert broken.code == 4
    assert "OSError: no licence" in broken.out


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("markdown", "is no exporter's id; it looks like 'acme.markdown'"),
        ("holdall.mine", "ids that begin with 'holdall.' are reserved"),
    ],
)
def test_a_scaffold_is_refused_for_an_id_that_could_not_be_used(
    lab: Venv, name: str, words: str
) -> None:
    done = lab.holdall("plugins", "new", "exporter", name)

    assert done.code == 2
    assert words in done.err
