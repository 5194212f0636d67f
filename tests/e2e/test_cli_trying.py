"""`--plugin`: a plugin that is no package yet; and what `--debug` and `--trace-plugins` show."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Cli

EXPORTER = """\
class Lines:
    summary, suffix, media_type = "Lines", ".txt", "text/plain"

    def export(self, view, sink, context):
        for job in view.jobs():
            sink.write(f"{job.outcome}\\n".encode())


class Failing(Lines):
    def export(self, view, sink, context):
        raise ZeroDivisionError


class Half:
    def export(self, view):
        pass


class Site(Lines):
    suffix, media_type, output = "", "text/html", "folder"


class Nothing:
    pass
"""

HOOKS = """\
from holdall import hookimpl


@hookimpl
def result_stored(job, result):
    print("heard of", job.id)
"""

ODD = (
    ("a:b", EXPORTER),
    ("hears", f"{HOOKS}\n\nclass Listener:\n    result_stored = result_stored\n"),
)

RUNNER = """\
from holdall import JobResult


class Lazy:
    @classmethod
    def from_url(cls, url, *, options=None):
        return cls()

    def run(self, task):
        task.started(None)
        return JobResult(outcome="pass", comments="nothing was done")

    def interrupted(self, process):
        return "unknown"
"""


@pytest.fixture
def lines(holdall: Cli) -> Path:
    path = holdall.folder / "lines.py"
    path.write_text(EXPORTER)
    return path


@pytest.mark.usefixtures("smoke_session")
def test_an_exporter_in_a_file_is_listed_as_such_and_writes_reports(
    holdall: Cli, lines: Path
) -> None:
    listed = json.loads(
        holdall("--plugin", f"{lines}:Lines", "plugins", "list", "exporters", "--json").out
    )
    mine = next(each for each in listed if each["distribution"] == "--plugin")
    report = holdall("--plugin", f"{lines}:Lines", "export", "last", "try.lines")
    named = holdall("--plugin", f"my.lines={lines}:Lines", "export", "last", "my.lines")

    assert (mine["id"], mine["version"], mine["state"]) == ("try.lines", str(lines), "loaded")
    assert report.code == 0, report.err
    assert set(report.out.splitlines()) == {"pass"}
    assert named.out == report.out
    assert [path.name for path in lines.parent.rglob("__pycache__")] == []
    assert "--plugin" not in holdall("plugins", "list").out


def test_a_listener_and_a_runner_in_files_take_part_in_a_run(holdall: Cli) -> None:
    hooks, runner = holdall.folder / "hears.py", holdall.folder / "lazy.py"
    hooks.write_text(HOOKS)
    runner.write_text(RUNNER)

    done = holdall(
        *("--plugin", str(hooks), "--plugin", f"{runner}:Lazy"),
        *("run", "smoke", "--job", "executable", "--device", "dut-7=lazy"),
    )

    assert done.code == 0, done.err
    assert "heard of holdall.smoke::executable" in done.out
    shown = holdall("export", "last", "json").out
    assert {plugin["distribution"] for plugin in json.loads(shown)["plugins"]} >= {"--plugin"}
    assert '"nothing was done"' in shown


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("lines.py:Half", "its method 'export' must take 3 arguments"),
        ("lines.py:Nothing", "it has the methods of no plugin: exporters have export; "),
        ("lines.py:Missing", "module 'lines' has no attribute 'Missing'"),
        ("gone.py:Lines", "there is no file "),
        ("lines:Lines", "it should look like path/to/module.py:Class"),
        ("sub/json.py:Lines", "the name 'json' is taken by the module of "),
        ("X=lines.py:Lines", "its id can't hold 'X'; write 'x', say"),
        ("raises.py:Lines", "its import raised SystemExit: 3"),
        ("lines.py", "nothing of it is marked with @holdall.hookimpl; or did you mean lines.py:"),
        ("a:b.py:Lines", "no module can be called 'a:b'; rename the file"),
        ("hears.py:Listener", "it is the class 'Listener'; give an instance of it"),
    ],
)
def test_what_can_not_be_tried_says_why(holdall: Cli, lines: Path, text: str, words: str) -> None:
    (lines.parent / "sub").mkdir()
    for name, source in (("sub/json", EXPORTER), ("raises", "raise SystemExit(3)\n"), *ODD):
        (lines.parent / f"{name}.py").write_text(source)

    refused = holdall("--plugin", text, "plugins", "list")

    assert refused.code == 4
    assert words in refused.err
    assert refused.err.count("\n") == 1


def test_a_session_that_was_run_by_a_tried_runner_says_so_when_it_is_gone(holdall: Cli) -> None:
    runner = holdall.folder / "lazy.py"
    runner.write_text(RUNNER)
    holdall(
        *("--plugin", f"{runner}:Lazy"),
        *("run", "smoke", "--job", "executable", "--device", "dut-7=lazy"),
    )

    again = holdall("resume", "last")

    assert again.code == 2
    assert f"run with it by --plugin; repeat that, with the file {str(runner)!r}" in again.err


@pytest.mark.parametrize(
    ("options", "variables", "words"),
    [
        (("--no-plugins",), {}, "--no-plugins: only holdall's own plugins are used"),
        ((), {"HOLDALL_PLUGINS_BLOCK": "dist:--plugin"}, "blocked by the rule 'dist:--plugin'"),
        ((), {"HOLDALL_PLUGINS_ALLOW": "acme.*"}, "no rule of HOLDALL_PLUGINS_ALLOW allows it"),
    ],
)
def test_a_policy_refuses_it_before_its_file_is_imported(
    holdall: Cli, lines: Path, options: tuple[str, ...], variables: dict[str, str], words: str
) -> None:
    lines.write_text("print('imported')\n")
    holdall.environ |= variables

    refused = holdall(*options, "--plugin", f"{lines}:Lines", "export", "last", "try.lines")

    assert (refused.code, refused.out) == (4, "")
    assert words in refused.err


def test_a_policy_about_it_is_no_mistake_where_nothing_is_tried(holdall: Cli) -> None:
    holdall.environ["HOLDALL_PLUGINS_BLOCK"] = "dist:--plugin"

    assert holdall("plugins", "list").err == ""


def test_no_plugins_is_read_behind_it_as_well(holdall: Cli, lines: Path) -> None:
    done = holdall("--plugin", f"{lines}:Lines", "--no-plugins", "plugins", "list")

    assert "only holdall's own plugins are used" in done.err


def test_check_checks_it_in_its_own_process(holdall: Cli, lines: Path) -> None:
    done = holdall("--plugin", f"{lines}:Failing", "plugins", "check", "try.lines", "--json")

    checks = {each["check"]: each for each in json.loads(done.out)["checks"]}
    assert checks["exports_everything"]["outcome"] == "fail"
    assert "ZeroDivisionError" in checks["exports_everything"]["traceback"]
    assert checks["is_found_without_import"]["outcome"] == "skip"


@pytest.mark.usefixtures("smoke_session")
def test_debug_shows_where_it_failed_and_how_names_were_resolved(
    holdall: Cli, lines: Path
) -> None:
    failed = holdall("--plugin", f"{lines}:Failing", "--debug", "export", "last", "try.lines")
    found = holdall("--debug", "export", "last", "global")
    quiet = holdall("export", "last", "global")

    assert f'File "{lines}", line 11, in export' in failed.err
    assert "holdall: the exporter 'global': no exporter has the id 'global'; " in found.err
    assert "'global' is an alias of 'holdall.verdict' (holdall's own); holdall 0.1.0" in found.err
    assert quiet.err == ""


@pytest.mark.usefixtures("smoke_session")
def test_calls_of_plugins_are_shown_with_their_times(holdall: Cli) -> None:
    holdall.environ["HOLDALL_TRACE_PLUGINS"] = "1"

    traced = holdall("export", "last", "json=o.json").err

    assert re.search(r"the exporter 'holdall.json' of holdall \S+, exporting: \d+\.\d", traced)
    assert re.search(r"the store 'file' of holdall \S+, opening the session '.*': \d", traced)


def test_a_folder_report_without_a_path_is_refused_before_anything_runs(holdall: Cli) -> None:
    folder = EXPORTER.replace('"text/plain"\n', '"text/plain"\n    output = "folder"\n', 1)
    (holdall.folder / "pages.py").write_text(folder)
    tried = ("--plugin", "pages.py:Lines")

    refused = holdall(*tried, "run", "smoke", "--job", "executable", "--export", "try.pages")

    assert refused.code == 2
    assert "the report is a folder, which needs a path, not a stream" in refused.err
    assert "executable" not in refused.out
    assert holdall("sessions", "list").out.count("\n") == 1


def test_a_hooks_plugin_that_refuses_its_settings_is_said_once_not_to_be_used(
    holdall: Cli,
) -> None:
    hooks = holdall.folder / "hears.py"
    hooks.write_text(HOOKS)
    (holdall.folder / "holdall.toml").write_text("[settings.hears]\nurl = 'http://lab/'\n")
    reports = ("--export", "text=out.txt", "--export", "junit=out.xml")

    done = holdall("--plugin", str(hooks), "run", "smoke", "--job", "cpu/count", *reports)

    told = [line for line in done.err.splitlines() if "it takes no settings" in line]
    assert [line.endswith("; the plugin is not used") for line in told] == [True]


def test_an_exporter_is_shown_with_what_its_report_is(holdall: Cli) -> None:
    module = holdall.folder / "tried.py"
    module.write_text(EXPORTER)

    shown = holdall("--plugin", f"{module}:Site", "plugins", "show", "try.tried").out

    rows = dict(line.split(":", 1) for line in shown.splitlines() if ": " in line)
    assert {name: rows[name].strip() for name in ("suffix", "media_type", "output")} == {
        "suffix": "none",
        "media_type": "text/html",
        "output": "folder",
    }
