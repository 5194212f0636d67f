"""What a plugin's import can do, and that it costs only the doctor and the check."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Cli, Finished

GOOD = """
from dataclasses import dataclass
@dataclass
class Options: pass
class Exporter:
    summary, suffix, media_type = "Good", ".good", "text/plain"
    Options = Options
    def export(self, view, sink, context): sink.write(b"good")
"""


def install(
    holdall: Cli, source: str, *, target: str = "acme_odd:Exporter", group: str = "exporters"
) -> Path:
    site = holdall.folder / "site"
    info = site / "acme_odd-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "acme_odd.py").write_text(source)
    (info / "METADATA").write_text("Metadata-Version: 2.3\nName: acme-odd\nVersion: 1.0\n")
    name = "acme.odd" if group == "exporters" else "odd"
    (info / "entry_points.txt").write_text(f"[holdall.{group}]\n{name} = {target}\n")
    (info / "RECORD").write_text("acme_odd.py,,\n")
    holdall.environ["PYTHONPATH"] = str(site)
    # The doctor starts a process for each plugin that may be used; holdall's own would be 17.
    holdall.environ["HOLDALL_PLUGINS_BLOCK"] = "dist:holdall"
    return site


def diagnosed(done: Finished) -> dict[str, Any]:
    found: list[dict[str, Any]] = json.loads(done.out)["plugins"]
    return next(each for each in found if each["distribution"] == "acme-odd")


def test_an_endless_import_costs_only_the_doctor_and_the_check(holdall: Cli) -> None:
    install(holdall, "while True: pass")

    doctor = holdall("plugins", "doctor", "--timeout", "1", "--json")
    check = holdall("plugins", "check", "acme.odd", "--timeout", "1")
    listed = holdall("plugins", "list")

    assert doctor.code == 4
    assert diagnosed(doctor)["problems"] == ["broken: its import did not end within 1 s"]
    assert check.code == 4
    assert re.search(r"^its import +fail +it did not end within 1 s$", check.out, re.MULTILINE)
    assert listed.code == 0


@pytest.mark.parametrize(
    ("before", "problem"),
    [
        ("import sys, json; sys.modules['json'] = sys", "it replaced the module 'json'"),
        ("import sys; del sys.modules['json']", "it removed 'json'"),
        ("import locale; locale.setlocale(locale.LC_ALL, 'C')", "it changed the locale"),
        ("import warnings; warnings.simplefilter('ignore')", "it changed the warnings filter"),
        ("import os; os.environ['X'] = '1'", "it changed the environment"),
        ("import os; os.chdir('/')", "it changed the current folder"),
        ("import sys; sys.path.append('/x')", "it changed the search path of modules"),
        ("import sys; sys.stdout = None", "it changed standard output"),
    ],
)
def test_the_doctor_finds_what_an_import_changes_of_others(
    holdall: Cli, before: str, problem: str
) -> None:
    install(holdall, f"{before}\n{GOOD}")

    done = holdall("plugins", "doctor", "--json")

    assert done.code == 4
    assert diagnosed(done)["problems"] == [problem]


@pytest.mark.parametrize(
    ("source", "state", "problem"),
    [
        ("import os; os._exit(0)", "broken", "its import ended the process (exit code 0)"),
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
            "broken",
            "its import ended the process (signal SIGKILL)",
        ),
        ("raise SystemExit", "broken", "its import raised SystemExit"),
        ("import no_such_lib", "missing-dependency", "the module 'no_such_lib' is not"),
        ("class Exporter: pass", "invalid", "it has no attribute 'summary'"),
    ],
)
def test_the_doctor_tells_the_state_that_a_load_would_find(
    holdall: Cli, source: str, state: str, problem: str
) -> None:
    install(holdall, source)

    done = holdall("plugins", "doctor", "--json")

    assert done.code == 4
    assert diagnosed(done)["state"] == state
    assert problem in diagnosed(done)["problems"][0]


def test_the_doctor_tells_milliseconds_modules_and_warnings(holdall: Cli) -> None:
    before = "import warnings, colorsys\nwarnings.warn('old ways', DeprecationWarning)"
    install(holdall, f"{before}\n{GOOD}")

    done = holdall("plugins", "doctor", "--json")

    found = diagnosed(done)
    assert (done.code, found["problems"]) == (0, [])
    assert found["ms"] > 0
    assert found["modules"] >= 2
    assert found["warnings"] == ["DeprecationWarning: old ways"]


def test_the_doctor_finds_a_target_that_is_anothers_module(holdall: Cli) -> None:
    site = install(holdall, GOOD, target="stranger_md:Exporter")
    other = site / "stranger-2.0.dist-info"
    other.mkdir()
    (site / "stranger_md.py").write_text(GOOD)
    (other / "RECORD").write_text("stranger_md.py,,\n")

    done = holdall("plugins", "doctor", "--json")

    assert done.code == 4
    assert diagnosed(done)["problems"] == ["its target 'stranger_md' belongs to stranger"]


def test_a_file_that_another_distribution_overwrote_is_named_by_load_show_and_doctor(
    holdall: Cli,
) -> None:
    site = install(holdall, "class Other: pass\n")
    (site / "acme_odd-1.0.dist-info" / "RECORD").write_text("acme_odd.py,sha256=mine,400\n")
    rival = site / "acme_rival-2.0.dist-info"
    rival.mkdir()
    (rival / "METADATA").write_text("Metadata-Version: 2.3\nName: acme-rival\nVersion: 2.0\n")
    (rival / "RECORD").write_text("acme_odd.py,,\n")
    words = (
        f"the file '{site / 'acme_odd.py'}' was installed by acme-rival too, which overwrote it; "
        "uninstall one of them, and install the other anew"
    )

    check = holdall("plugins", "check", "acme.odd")
    shown = json.loads(holdall("plugins", "show", "acme.odd", "--json").out)
    doctor = diagnosed(holdall("plugins", "doctor", "acme.odd", "--json"))

    assert words in check.out
    assert [plugin["owner"] for plugin in shown] == [words]
    [problem] = doctor["problems"]
    assert problem.startswith("broken: ")
    assert problem.endswith(words)


def test_a_file_that_is_as_it_was_installed_is_nobody_elses(holdall: Cli) -> None:
    site = install(holdall, GOOD)
    digest = urlsafe_b64encode(hashlib.sha256(GOOD.encode()).digest()).decode().rstrip("=")
    (site / "acme_odd-1.0.dist-info" / "RECORD").write_text(f"acme_odd.py,sha256={digest},\n")
    rival = site / "acme_rival-2.0.dist-info"
    rival.mkdir()
    (rival / "RECORD").write_text("acme_odd.py,,\n")

    assert diagnosed(holdall("plugins", "doctor", "--json"))["problems"] == []


def test_the_doctor_finds_a_target_in_the_standard_library(holdall: Cli) -> None:
    install(holdall, GOOD, target="json:JSONDecoder")

    problems = diagnosed(holdall("plugins", "doctor", "--json"))["problems"]

    assert "its target 'json' is a module of Python's standard library" in problems


def test_the_doctor_finds_hooks_that_are_misspelt(holdall: Cli) -> None:
    source = "import holdall\n@holdall.hookimpl\ndef session_craeted(manager): ...\n"
    install(holdall, source, target="acme_odd", group="hooks")

    found = diagnosed(holdall("plugins", "doctor", "--json"))

    assert found["state"] == "invalid"
    assert "session_craeted" in found["reason"]


def test_the_doctor_reports_metadata_that_cannot_be_read(holdall: Cli) -> None:
    site = install(holdall, GOOD)
    (site / "acme_odd-1.0.dist-info" / "METADATA").write_bytes(b"\xff")

    done = holdall("plugins", "doctor", "--json")

    assert done.code == 4
    assert "its METADATA can't be read: it is not UTF-8" in json.loads(done.out)["problems"][0]


def test_listing_and_version_import_nothing_heavy(holdall: Cli) -> None:
    install(holdall, GOOD)
    heavy = {"pluggy", "msgspec", "rich", "jinja2", "openpyxl", "importlib_metadata", "acme_odd"}

    for arguments in (["--version"], ["plugins", "list"]):
        program = (
            "import sys\nfrom holdall.cli import main\n"
            f"try: main({arguments!r})\n"
            "finally: print(*sorted(name for name in sys.modules), file=sys.stderr)\n"
        )
        done = holdall.python(program)
        assert done.code == 0, done.err
        assert not heavy & set(done.err.split()), arguments


def test_the_doctor_looks_at_the_plugins_that_are_named(holdall: Cli) -> None:
    done = holdall("plugins", "doctor", "global", "local", "--json")
    unknown = holdall("plugins", "doctor", "globel")

    found = json.loads(done.out)["plugins"]
    assert [(each["id"], each["state"]) for each in found] == [
        ("holdall.verdict", "loaded"),
        ("local", "loaded"),
    ]
    assert done.code == 0
    assert unknown.code == 2
    assert "did you mean 'global'" in unknown.err


def test_an_extra_that_is_not_installed_is_a_problem_only_for_who_asks_for_its_plugin(
    holdall: Cli,
) -> None:
    install(holdall, "import no_such_module", target="acme_odd:Exporter [pdf]")

    passing = holdall("plugins", "doctor", "--json")
    asked = holdall("plugins", "doctor", "acme.odd")

    assert diagnosed(passing)["state"] == "missing-dependency"
    assert (passing.code, diagnosed(passing)["problems"]) == (0, [])
    assert asked.code == 4
    assert 'pip install "acme-odd[pdf]"' in asked.out


def test_modules_of_the_current_folder_are_none_of_a_plugins(holdall: Cli) -> None:
    install(holdall, GOOD)
    (holdall.folder / "json.py").write_text("raise SystemExit(3)")
    # As the installed script does, which has its own folder on the path and no other.
    command = [sys.executable, "-P", "-m", "holdall", "plugins", "doctor", "--json"]

    done = subprocess.run(
        command, env=holdall.environ, cwd=holdall.folder, capture_output=True, check=False
    )

    (found,) = [p for p in json.loads(done.stdout)["plugins"] if p["id"] == "acme.odd"]
    assert found["state"] == "loaded", done.stderr
