"""The built-in provider: each of its commands is run on this machine, as a runner would."""

from __future__ import annotations

import ast
import json
import os
import shlex
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from holdall.providers import load_provider
from holdall.units import Job
from holdall.units.records import Record, parse_records

if TYPE_CHECKING:
    from pathlib import Path

PROVIDER = load_provider("smoke")
JOBS = {unit.partial_id: unit for unit in PROVIDER.unit_list if isinstance(unit, Job)}
RESOURCES = sorted(name for name, job in JOBS.items() if job.plugin == "resource")
AUTOMATED = sorted(name for name, job in JOBS.items() if job.automated)
PLANS = {unit.partial_id: unit for unit in PROVIDER.unit_list if unit.kind == "test plan"}


def run(name: str, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a job's command in an environment like that of a runner, and nothing else in it."""
    share, work = folder / "share", folder / "work"
    share.mkdir()
    work.mkdir()
    data = str(PROVIDER.data_folder)
    environment = {
        "PATH": os.environ["PATH"],
        "HOLDALL_PROVIDER_DATA": data,
        "PLAINBOX_PROVIDER_DATA": data,
        "HOLDALL_SESSION_SHARE": str(share),
        "PLAINBOX_SESSION_SHARE": str(share),
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "TMPDIR": str(folder),
        **environ,
    }
    command = ["bash", "-c", JOBS[name].command]
    return subprocess.run(
        command, cwd=work, env=environment, capture_output=True, text=True, check=False, timeout=60
    )


def records(text: str) -> list[dict[str, str]]:
    found = list(parse_records(text))
    assert all(isinstance(item, Record) for item in found)
    return [item.fields for item in found if isinstance(item, Record)]


def test_the_definition_is_without_a_problem() -> None:
    assert PROVIDER.problems == []
    assert (PROVIDER.name, PROVIDER.namespace) == ("smoke", "holdall.smoke")


@pytest.mark.parametrize("name", AUTOMATED)
def test_each_automated_job_passes_here_and_tells_what_it_found(name: str, tmp_path: Path) -> None:
    done = run(name, tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip()
    assert list((tmp_path / "work").iterdir()) == []  # it cleans up behind itself


@pytest.mark.parametrize("name", AUTOMATED)
def test_no_job_needs_a_locale_or_a_home(name: str, tmp_path: Path) -> None:
    assert run(name, tmp_path, LANG="C", LC_ALL="C", HOME="/nonexistent").returncode == 0


def test_a_check_that_fails_says_why(tmp_path: Path) -> None:
    (tmp_path / "python3").write_text(
        "#!/bin/sh\nulimit -f 1\nexec " + shlex.quote(str(shutil.which("python3"))) + ' "$@"\n'
    )
    (tmp_path / "python3").chmod(0o755)

    done = run("disk/write-read", tmp_path, PATH=f"{tmp_path}:{os.environ['PATH']}")

    assert done.returncode == 1
    assert "File too large" in done.stderr


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("cpu", {"count", "usable", "model"}),
        ("disk", {"free", "total"}),
        ("executable", {"name", "path"}),
        ("memory", {"total"}),
        ("platform", {"family", "system", "release", "machine", "python", "implementation"}),
    ],
)
def test_resources_print_records_of_known_fields(
    name: str, fields: set[str], tmp_path: Path
) -> None:
    found = records(run(name, tmp_path).stdout)

    assert found
    assert all(set(record) == fields and all(record.values()) for record in found)


def test_every_resource_is_tested() -> None:
    assert RESOURCES == ["cpu", "disk", "executable", "memory", "platform"]


def test_resources_tell_numbers_as_numbers(tmp_path: Path) -> None:
    for name, field in (("cpu", "count"), ("memory", "total"), ("disk", "free")):
        (tmp_path / name).mkdir()
        (record,) = records(run(name, tmp_path / name).stdout)
        assert int(record[field]) > 0


def test_the_executables_are_on_the_path(tmp_path: Path) -> None:
    found = {
        record["name"]: record["path"] for record in records(run("executable", tmp_path).stdout)
    }

    assert {"sh", "python3"} <= set(found)
    assert all(os.access(path, os.X_OK) for path in found.values())


def test_the_attachment_is_json_without_names_of_machine_or_user(tmp_path: Path) -> None:
    facts = json.loads(run("machine/facts", tmp_path).stdout)

    assert set(facts) == {"cpu", "disk", "memory", "platform"}
    assert os.uname().nodename not in facts["platform"].values()


@pytest.mark.parametrize("name", JOBS)
def test_each_job_has_words_for_people_and_a_category_of_the_provider(name: str) -> None:
    job = JOBS[name]
    categories = {unit.id for unit in PROVIDER.unit_list if unit.kind == "category"}

    assert job.get("summary")
    assert len(job.summary) <= 80
    assert job.description
    assert job.estimated_duration
    assert job.category_id in categories


@pytest.mark.parametrize("name", JOBS)
def test_each_job_requires_only_resources_of_the_provider(name: str) -> None:
    for line in filter(None, JOBS[name].requires.splitlines()):
        tree = ast.walk(ast.parse(line, mode="eval"))
        names = {
            node.value.id
            for node in tree
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        }
        assert names
        assert names <= set(RESOURCES)


def test_the_plans_hold_every_job_that_is_no_resource() -> None:
    patterns = {
        line.split()[0] for plan in PLANS.values() for line in plan.get("include").splitlines()
    }
    prefixes = {pattern.removesuffix(".*") for pattern in patterns if pattern.endswith(".*")}
    left_out = {
        name
        for name in JOBS
        if name not in patterns and not any(name.startswith(prefix) for prefix in prefixes)
    }

    assert set(PLANS) == {"smoke", "smoke-quick", "smoke-manual"}
    assert PLANS["smoke"].ids("nested_part") == (PLANS["smoke-quick"].id,)
    assert left_out == set(RESOURCES)
    assert patterns - set(JOBS) == {"person/.*", "process/.*"}


def test_everything_automated_is_expected_to_take_a_few_seconds() -> None:
    assert sum(JOBS[name].estimated_duration or 0 for name in AUTOMATED) < 5
