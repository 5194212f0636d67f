"""The checks find out providers that break a promise; a check that nothing fails is worthless."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from holdall.registry import Registry
from holdall.testing import ProviderContract
from holdall.testing.checks import Given, findings, made, suite_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from holdall.testing.providers import ProviderSubject

    Edits = dict[str, tuple[str, str]]

SUITE = suite_of("providers")
CHECKS = {check.__name__: check for check in SUITE.checks}

DEFINITION = """\
[PlainBox Provider]
name = acme.rack:burnin
namespace = acme.rack
version = 1.0
description = Burn-in of a rack
"""
UNITS = """\
id: disk/speed
plugin: shell
_summary: Disk is fast
estimated_duration: 1.0
command: python3 "$PLAINBOX_PROVIDER_DATA/speed.py"

unit: test plan
id: burnin
_name: Burn-in
estimated_duration: 1.0
include: disk/speed
"""
FILES = {
    "acme_rack/__init__.py": "raise SystemExit('it was imported')\n",
    "acme_rack/rack.provider": DEFINITION,
    "acme_rack/units/rack.pxu": UNITS,
    "acme_rack/data/speed.py": "print('fast')\n",
    "acme_rack/bin/rack-tool": "#!/bin/sh\n",
    "acme_rack-1.0.dist-info/METADATA": (
        "Metadata-Version: 2.4\nName: acme-rack\nVersion: 1.0\nLicense-Expression: MIT\n"
    ),
    "acme_rack-1.0.dist-info/entry_points.txt": "[holdall.providers]\nrack = acme_rack\n",
}

# By check, edits of the files, each of which breaks it: text of a file that becomes another; no
# other text takes the file away.
BROKEN: list[tuple[str, str, Edits]] = [
    ("no-definition", "says_what_it_is", {"acme_rack/rack.provider": ("", "")}),
    (
        "no-version",
        "says_what_it_is",
        {"acme_rack/rack.provider": ("version = 1.0", "version = 0")},
    ),
    (
        "no-description",
        "says_what_it_is",
        {"acme_rack/rack.provider": ("description = Burn-in of a rack\n", "")},
    ),
    ("no-units", "is_read_without_import", {"acme_rack/units/rack.pxu": ("", "")}),
    (
        "lost-definition",
        "every_definition_is_read",
        {"acme_rack/units/rack.pxu": ("plugin: shell\n", "plugin: shell\nnonsense\n")},
    ),
    (
        "unknown-dependency",
        "is_valid",
        {"acme_rack/units/rack.pxu": ("plugin: shell", "plugin: shell\ndepends: nothing")},
    ),
    (
        "reserved-namespace",
        "has_a_namespace_of_its_own",
        {
            "acme_rack/rack.provider": (
                "name = acme.rack:burnin\nnamespace = acme.rack",
                "name = holdall.rack:burnin\nnamespace = holdall.rack",
            )
        },
    ),
    (
        "plan-of-nothing",
        "plans_select_jobs",
        {"acme_rack/units/rack.pxu": ("include: disk/speed", "include: disk/sped")},
    ),
    (
        "no-shell",
        "commands_are_shell",
        {"acme_rack/units/rack.pxu": ('command: python3 "', 'command: if python3 "')},
    ),
    ("program-left-out", "ships_what_commands_call", {"acme_rack/data/speed.py": ("", "")}),
    (
        "program-of-another-name",
        "ships_what_commands_call",
        {"acme_rack/units/rack.pxu": ("/speed.py", "/sped.py")},
    ),
    (
        "no-licence",
        "has_a_licence",
        {"acme_rack-1.0.dist-info/METADATA": ("License-Expression: MIT\n", "")},
    ),
]


@pytest.fixture
def installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Edits], ProviderSubject]:
    """Install the good package with a few edits."""
    site = tmp_path / "site"

    def install(edits: Edits) -> ProviderSubject:
        for name, text in FILES.items():
            before, after = edits.get(name, ("", ""))
            if name in edits and not before:
                continue
            assert before in text
            path = site / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace(before, after) if before else text, encoding="utf-8")
        (site / "acme_rack/bin/rack-tool").chmod(0o755)
        record = site / "acme_rack-1.0.dist-info" / "RECORD"
        record.write_text("".join(f"{name},,\n" for name in FILES))
        monkeypatch.syspath_prepend(site)
        subject: ProviderSubject = SUITE.installed("rack", Registry.discover(), Given())
        return subject

    return install


class TestSmoke(ProviderContract):
    """The built-in provider keeps every promise."""

    provider = "smoke"


def test_a_good_provider_keeps_every_promise(
    installed: Callable[[Edits], ProviderSubject],
) -> None:
    found = findings(SUITE, installed({}))

    assert {each.check: each.message for each in found if each.outcome != "pass"} == {}


@pytest.mark.parametrize(
    ("check", "edits"),
    [pytest.param(check, edits, id=name) for name, check, edits in BROKEN],
)
def test_a_provider_that_breaks_a_promise_is_found_out(
    installed: Callable[[Edits], ProviderSubject], check: str, edits: Edits
) -> None:
    found = made(CHECKS[check], installed(edits))

    assert (found.check, found.outcome) == (check, "fail")
    assert found.message


def test_a_package_that_something_imports_is_found_out(
    installed: Callable[[Edits], ProviderSubject], tmp_path: Path
) -> None:
    subject = installed({"acme_rack/__init__.py": ("raise SystemExit('it was imported')", "")})
    (tmp_path / "site/sitecustomize.py").write_text("import acme_rack\n")

    found = made(CHECKS["is_read_without_import"], subject)
    assert found.message == "reading it imported acme_rack"


def test_units_that_another_provider_has_too_are_found_out(
    installed: Callable[[Edits], ProviderSubject], tmp_path: Path
) -> None:
    other = tmp_path / "site" / "other"
    (other / "units").mkdir(parents=True)
    (other / "rack.provider").write_text(DEFINITION.replace("burnin", "copy"))
    (other / "units/rack.pxu").write_text(UNITS)
    points = "acme_rack-1.0.dist-info/entry_points.txt"
    line = "rack = acme_rack\n"
    subject = installed({points: (line, f"{line}other = other\n")})

    found = made(CHECKS["has_a_namespace_of_its_own"], subject)
    assert found.message == "the provider 'acme.rack:copy' has units of the same ids"


def test_a_program_that_can_not_be_run_is_found_out(
    installed: Callable[[Edits], ProviderSubject], tmp_path: Path
) -> None:
    subject = installed({})
    (tmp_path / "site/acme_rack/bin/rack-tool").chmod(0o644)

    found = made(CHECKS["ships_what_commands_call"], subject)
    assert "make it executable: chmod +x" in found.message


def test_a_file_that_the_distribution_does_not_own_is_found_out(
    installed: Callable[[Edits], ProviderSubject], tmp_path: Path
) -> None:
    subject = installed({})
    (tmp_path / "site/acme_rack/data/left-over.py").touch()

    found = made(CHECKS["ships_its_files"], subject)
    assert "left-over.py" in found.message


def test_every_check_has_a_provider_that_fails_it() -> None:
    assert set(CHECKS) == {*(check for _name, check, _edits in BROKEN), "ships_its_files"}
