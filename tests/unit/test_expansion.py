"""What `providers expand` says that a plan would run."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from holdall.errors import AmbiguousUnitError, UnitError, UnknownUnitError
from holdall.session import find_plan
from holdall.units import TestPlan
from holdall.validation import WaitingTemplate, device_context, expand
from holdall_plugins.providers.pxu import PxuLoader

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from holdall.units import Provider
    from holdall.validation import Expansion, PlannedJob

UNITS = """\
    id: disks
    plugin: resource
    command: list-disks
    user: root

    id: facts
    plugin: resource
    command: list-facts

    unit: setup job
    id: install
    command: apt install

    unit: template
    template-resource: disks
    id: read/{name}
    template-id: read
    plugin: shell
    command: read {name}
    environ: SIZE

    id: first
    plugin: shell
    command: true
    requires: facts.kind == 'laptop'

    id: second
    plugin: user-interact-verify
    command: true
    depends: first
    steps: Look at it
    estimated_duration: 30

    id: asked
    plugin: manual
    steps: Press it
    imports: from com.canonical.plainbox import manifest
    requires: manifest.has_key == 'True'

    id: sleep
    plugin: shell
    command: rtcwake -m mem -s 30

    id: reboot
    plugin: shell
    command: reboot
    flags: noreturn

    unit: test plan
    id: plan
    _name: Plan
    setup_include: install
    bootstrap_include: disks
    include:
     second certification-status=blocker
     read
     read/sd.*
     asked
     sleep
     reboot
     gone
     com.canonical.plainbox::manifest
    """
FACTS = {"ns::disks": "name: sda\n\nname: sdb\n", "facts": "kind: laptop\n"}


def provider(folder: Path, text: str = UNITS, name: str = "ns") -> Provider:
    path = folder / f"{name}.pxu"
    path.write_text(dedent(text))
    return PxuLoader().load(str(path))


def expanded(
    folder: Path, resources: Mapping[str, str], text: str = UNITS, plan: str = "ns::plan"
) -> Expansion:
    context = device_context([provider(folder, text)])
    found = context.get_unit(plan, "test plan")
    assert isinstance(found, TestPlan)
    return expand(context, found, resources, {})


def jobs(expansion: Expansion) -> dict[str, PlannedJob]:
    return {job.id.removeprefix("ns::"): job for job in expansion.jobs}


def test_jobs_stand_in_their_order_with_the_phase_that_they_run_in(tmp_path: Path) -> None:
    expansion = expanded(tmp_path, FACTS)

    assert [(job.id.removeprefix("ns::"), job.phase) for job in expansion.jobs] == [
        ("install", "setup"),
        ("disks", "bootstrap"),
        ("facts", "run"),
        ("first", "run"),
        ("second", "run"),
        ("read/sda", "run"),
        ("read/sdb", "run"),
        ("asked", "run"),
        ("sleep", "run"),
        ("reboot", "run"),
    ]
    assert expansion.waiting == ()
    assert [reason for job in expansion.jobs for reason in job.skipped] == []


def test_a_job_says_what_it_needs_and_what_becomes_of_people_and_machine(tmp_path: Path) -> None:
    by_id = jobs(expanded(tmp_path, FACTS))

    assert by_id["disks"].user == "root"
    assert (by_id["read/sda"].template_id, by_id["read/sda"].environ) == ("ns::read", ("SIZE",))
    second = by_id["second"]
    assert (second.person, second.steps) == ("starts and verifies", "Look at it")
    assert (second.depends, second.certification_status) == (("ns::first",), "blocker")
    assert second.estimated_duration == 30
    assert (by_id["asked"].person, by_id["asked"].manifest) == ("performs", ("has_key",))
    assert (by_id["sleep"].effect, by_id["reboot"].effect) == ("suspends", "restarts")
    assert by_id["first"].requires == ("facts.kind == 'laptop'",)
    assert by_id["first"].resources == ("ns::facts",)


def test_a_job_whose_resource_says_otherwise_would_not_run_nor_what_depends_on_it(
    tmp_path: Path,
) -> None:
    by_id = jobs(expanded(tmp_path, {**FACTS, "facts": "kind: phone\n"}))

    assert by_id["first"].skipped == (
        "the resource expression \"facts.kind == 'laptop'\" does not hold",
    )
    assert by_id["second"].skipped == ("the job 'ns::first' that it depends on would not run",)


def test_without_records_templates_wait_and_nothing_is_said_of_requirements(
    tmp_path: Path,
) -> None:
    expansion = expanded(tmp_path, {})

    by_id = jobs(expansion)
    assert "read/sda" not in by_id
    assert expansion.waiting == (WaitingTemplate("ns::read", "ns::disks"),)
    assert (by_id["first"].needs_records, by_id["first"].skipped) == (("ns::facts",), ())


def test_what_is_listed_and_not_there_is_named(tmp_path: Path) -> None:
    assert expanded(tmp_path, FACTS).unmatched == ("ns::gone",)


def test_resource_jobs_that_are_made_of_records_take_theirs(tmp_path: Path) -> None:
    text = """\
        id: a
        plugin: resource
        command: a

        unit: template
        template-resource: a
        id: b_{x}
        plugin: resource
        command: b

        unit: template
        template-resource: b_1
        id: c_{y}
        plugin: shell
        command: c

        unit: test plan
        id: plan
        _name: P
        include: c_.*
        """

    expansion = expanded(tmp_path, {"b_1": "y: 2\n", "a": "x: 1\n"}, text)

    assert [job.id for job in expansion.jobs] == ["ns::c_2"]


def test_a_plan_that_selects_nothing_says_why(tmp_path: Path) -> None:
    text = "id: a\nplugin: shell\ncommand: a\ndepends: b\n\nunit: test plan\nid: plan\n"

    expansion = expanded(tmp_path, {}, f"{text}_name: P\ninclude: a\n")

    assert expansion.jobs == ()
    assert "no job that could run is selected" in expansion.problems[0]
    assert "'ns::b'" in expansion.problems[0]


def test_records_of_no_resource_job_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownUnitError, match="no resource job is called 'disk'"):
        expanded(tmp_path, {"disk": "x: y\n"})


def test_a_plan_with_a_line_that_can_not_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnitError, match="is no regular expression"):
        expanded(tmp_path, {}, UNITS.replace("gone", "g("))


def test_a_plan_of_two_providers_is_ambiguous(tmp_path: Path) -> None:
    context = device_context([provider(tmp_path), provider(tmp_path, UNITS, "other")])

    with pytest.raises(AmbiguousUnitError, match=r"ns::plan.*other::plan"):
        find_plan(context, "plan")


ASKING = """\
    unit: manifest entry
    id: dock
    name: Dock
    value-type: bool

    unit: manifest entry
    id: ports
    name: Ports
    value-type: natural

    id: docked
    command: true
    plugin: shell
    imports: from com.canonical.plainbox import manifest as m
    requires: m.dock == 'True'

    id: wired
    command: true
    plugin: shell
    imports: from com.canonical.plainbox import manifest
    requires: int(manifest.ports) > 1

    unit: setup job
    id: install
    command: true
    requires-manifest: ["dock"]

    unit: test plan
    id: plan
    name: Plan
    setup_include: install
    include: docked wired
    nested_part: other

    unit: test plan
    id: other
    name: Other
    include: docked
    nested_part: plan
    """.replace("docked wired", "\n     docked\n     wired")


def asked(folder: Path, manifest: Mapping[str, str | bool | int]) -> Expansion:
    context = device_context([provider(folder, ASKING)])
    return expand(context, find_plan(context, "ns::plan"), {}, {}, manifest)


def skipped(expansion: Expansion) -> list[str]:
    return [job.id.removeprefix("ns::") for job in expansion.jobs if job.skipped]


def test_jobs_that_the_manifest_would_skip_say_so_and_open_questions_are_left_open(
    tmp_path: Path,
) -> None:
    assert skipped(asked(tmp_path, {})) == []
    assert skipped(asked(tmp_path, {"ns::dock": False})) == ["install", "docked"]
    assert skipped(asked(tmp_path, {"dock": True, "ports": 1})) == ["wired"]


def test_a_plan_that_nests_itself_is_a_problem(tmp_path: Path) -> None:
    assert asked(tmp_path, {}).problems == (
        "a test plan nests itself: ns::plan -> ns::other -> ns::plan; each counts once",
    )


def test_records_of_a_job_that_is_no_resource_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownUnitError, match="ns::first"):
        expanded(tmp_path, {"ns::first": "name: a\n"})
