"""The dialect of Checkbox: its layout, from sessions with anything in them."""

from __future__ import annotations

import base64
import gzip
import io
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator

from holdall.exports.pipeline import export
from holdall.journal.events import (
    CategoryDefined,
    DeviceRemoved,
    JobDefined,
    JobRecord,
    MetadataChanged,
    ResultRecorded,
    SessionCreated,
)
from holdall.redaction import RedactionRules
from holdall.registry.registry import Registry
from holdall.results import IOLogRecord, JobResult, Outcome
from holdall.testing.exporters import ID, registry_of
from holdall.testing.sessions import (
    HOSTILE,
    SampleSession,
    devices_session,
    empty_session,
    sample_session,
)
from holdall.testing.strategies import hostile_sessions
from holdall_exporters.json import JsonExporter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.contracts.exporters import ExportWarning
    from holdall.journal.events import AnyEvent

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "tests" / "data" / "checkbox-submission.schema.json"
REAL = ROOT.parent / "shared" / "data" / "plainbox-sessions"
NAMESPACE = "com.canonical.certification"

ORDER = (
    *("title", "origin", "testplan_id", "custom_joblist", "description", "packages"),
    *("snap-packages", "distribution", "results", "resource-results", "attachment-results"),
    *("rejected-jobs", "category_map", "launcher", "system_information", "dkms_info"),
    *("devices", "raw-devices-dmi", "modprobe-info", "pci_subsystem_id", "kernel"),
    *("architecture", "memory", "processor", "kernel-cmdline", "bto-info", "image-version"),
    "buildstamp",
)
STATUS = {Outcome.PASS: "pass", Outcome.FAIL: "fail", Outcome.CRASH: "fail"}


@cache
def validator() -> Draft202012Validator:
    schema = json.loads(SCHEMA.read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


class Submitted(NamedTuple):
    """A submission that was read, and the warnings that came with it."""

    content: dict[str, Any]
    warnings: tuple[ExportWarning, ...]


def submitted(session: SampleSession, *options: str) -> Submitted:
    """Return the submission of *session*, after every check there is."""
    stream = io.BytesIO()
    report = export(
        session,
        ID,
        stream,
        options=["dialect=checkbox", *options],
        registry=registry_of(JsonExporter),
        verify=True,
    )
    content = json.loads(stream.getvalue())
    validator().validate(content)
    assert list(content) == [name for name in ORDER if name in content]
    return Submitted(content, report.warnings)


def by_id(items: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {each["full_id"]: each for each in items}


def session_of(**outputs: bytes) -> SampleSession:
    """Return a session in which jobs of Checkbox's own providers printed *outputs*."""
    events: list[AnyEvent] = [SessionCreated(at=1, session_id="machine")]
    for name, output in outputs.items():
        plugin = "attachment" if name.endswith(("_json", "_attachment", "stamp")) else "resource"
        job_id = f"{NAMESPACE}::{name}"
        log = [IOLogRecord(0, "stdout", output), IOLogRecord(0, "stderr", b"warning\n")]
        events += [
            JobDefined(at=1, job=JobRecord(id=job_id, plugin=plugin)),
            ResultRecorded(at=2, job_id=job_id, result=JobResult(outcome="pass", io_log=log)),
        ]
    return SampleSession(tuple(events))


def test_every_job_with_a_result_stands_in_it_once() -> None:
    session = sample_session()
    found = submitted(session).content

    items = [*found["results"], *found["resource-results"], *found["attachment-results"]]
    wanted = [job.id for job in session.view().jobs() if job.attempts or job.in_flight]
    assert sorted(each["full_id"] for each in items) == sorted(wanted)
    assert [each["id"] for each in found["attachment-results"]] == ["attachment"]
    assert by_id(found["results"])["com.example::collected"]["plugin"] == "resource"


@pytest.mark.parametrize("outcome", [each for each in Outcome if each is not Outcome.NONE])
def test_an_outcome_has_one_of_three_statuses(outcome: Outcome) -> None:
    results = by_id(submitted(sample_session()).content["results"])
    found = results[f"com.example::outcome-{outcome}"]

    told = Outcome.CRASH if outcome is Outcome.ERROR else outcome
    assert (found["outcome"], found["status"]) == (told, STATUS.get(told, "skip"))


def test_a_job_that_was_never_tried_is_not_in_it() -> None:
    results = by_id(submitted(sample_session()).content["results"])

    assert "com.example::outcome-none" not in results


def test_a_job_in_flight_is_a_crash() -> None:
    found = by_id(submitted(sample_session()).content["results"])["com.example::in-flight"]

    assert (found["outcome"], found["status"]) == ("crash", "fail")


def test_a_result_is_whole() -> None:
    found = by_id(submitted(sample_session()).content["results"])["com.example::outcome-fail"]

    assert found == {
        "id": "outcome-fail",
        "full_id": "com.example::outcome-fail",
        "name": "Summary of outcome-fail",
        "certification_status": "blocker",
        "category": "Disks & drives",
        "category_id": "com.example::disk",
        "status": "fail",
        "outcome": "fail",
        "skip_reason": "",
        "comments": "",
        "io_log": (
            "plain line\nnot UTF-8: \\xff\\xfe\\x80\ncut character: caf\u00e9, cut escape: red\n"
        ),
        "type": "test",
        "project": "certification",
        "duration": pytest.approx(0.246913578),
        "plugin": "shell",
        "template_id": "",
    }


def test_a_missing_duration_is_nought() -> None:
    found = by_id(submitted(sample_session()).content["results"])

    assert found["com.example::interrupted"]["duration"] == 0


def test_hostile_text_is_encoded_as_json_and_not_as_html() -> None:
    found = by_id(submitted(sample_session()).content["results"])

    names = {name: found[f"com.example::hostile-{name}"]["name"] for name in HOSTILE}
    assert names == HOSTILE


def test_a_category_that_nobody_defined_has_a_name_all_the_same() -> None:
    found = submitted(sample_session()).content

    assert found["category_map"]["com.example::nowhere"] == "nowhere"
    assert by_id(found["results"])["com.example::unknown-category"]["category"] == "nowhere"


def test_logs_are_there_as_asked_for() -> None:
    found = by_id(submitted(sample_session(), "logs=failed").content["results"])

    assert found["com.example::outcome-fail"]["io_log"]
    assert found["com.example::outcome-pass"]["io_log"] == ""


def test_rejected_jobs_are_told_also_when_nothing_else_is_known_of_them() -> None:
    record = JobRecord(id="a::known", summary="Known", category_id="a::c", plugin="manual")
    session = SampleSession(
        (
            SessionCreated(at=1, session_id="s"),
            CategoryDefined(at=1, id="a::c", name="Category"),
            JobDefined(at=1, job=record),
            MetadataChanged(
                at=1,
                changes={
                    "rejected_jobs": msgspec.Raw(b'["a::known","a::gone"]'),
                    "custom_joblist": msgspec.Raw(b"true"),
                },
            ),
        )
    )
    found = submitted(session).content

    assert found["custom_joblist"] is True
    assert found["rejected-jobs"][0] == {
        "id": "known",
        "full_id": "a::known",
        "name": "Known",
        "plugin": "manual",
        "certification_status": "non-blocker",
        "category": "Category",
        "category_id": "a::c",
        "template_id": "",
    }
    assert found["rejected-jobs"][1]["name"] == "a::gone"
    assert set(found["category_map"]) == {each["category_id"] for each in found["rejected-jobs"]}


def test_nothing_stays_of_the_metadata_of_a_device_that_left() -> None:
    changes = {"rejected_jobs": msgspec.Raw(b'["a"]'), "custom_joblist": msgspec.Raw(b"true")}
    session = SampleSession(
        (
            SessionCreated(at=1, session_id="s"),
            MetadataChanged(at=1, changes=changes),
            DeviceRemoved(at=2, device="local"),
        )
    )
    found = submitted(session).content

    assert (found["custom_joblist"], found["rejected-jobs"]) == (False, [])


def test_what_jobs_told_of_the_machine_has_members_of_its_own() -> None:
    found = submitted(
        session_of(
            package=b"name: bash\nversion: 5.2\n\nname: zsh\nversion: 5.9\n",
            snap=b"name: core24\nrevision: 9\n",
            lsb=b"distributor_id: Ubuntu\nrelease: 24.04\n",
            uname=b"name: Linux\nrelease: 6.8.0-31-generic\n",
            dpkg=b"version: 1.22\narchitecture: arm64\n",
            meminfo=b"total: 16000000000\nswap: 0\n",
            cpuinfo=b"platform: aarch64\ncount: 4\n",
            udev_json=b'[{"name": "<&> \\"eth0\\""}]',
            modprobe_json=b'{"a": [1, 2.5, null, true]}',
            recovery_info_attachment_json=b'{"image_version": "noble-1", "bto_version": "A00"}',
            kernel_cmdline_attachment=b"BOOT_IMAGE=/vmlinuz quiet\n",
            **{"info/buildstamp": b"canonical-oem-20240501\n"},
        )
    )

    jobs = ("results", "resource-results", "attachment-results", "rejected-jobs", "category_map")
    told = {name: value for name, value in found.content.items() if name not in jobs}
    assert found.warnings == ()
    assert told == {
        "title": "machine",
        "origin": told["origin"],
        "custom_joblist": False,
        "launcher": {},
        "system_information": {"version": 1},
        "packages": [{"name": "bash", "version": "5.2"}, {"name": "zsh", "version": "5.9"}],
        "snap-packages": [{"name": "core24", "revision": "9"}],
        "distribution": {"distributor_id": "Ubuntu", "release": "24.04"},
        "kernel": "6.8.0-31-generic",
        "architecture": "arm64",
        "memory": {"swap": 0, "total": 16_000_000_000},
        "processor": {"platform": "aarch64", "count": "4"},
        "devices": [{"name": '<&> "eth0"'}],
        "modprobe-info": {"a": [1, 2.5, None, True]},
        "image-version": "noble-1",
        "kernel-cmdline": "BOOT_IMAGE=/vmlinuz quiet",
        "buildstamp": "canonical-oem-20240501",
    }


@pytest.mark.parametrize(
    "output",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b'{"a": ', id="cut"),
        pytest.param(b"[NaN]", id="not a number"),
        pytest.param(b"\xff\xfe", id="not UTF-8"),
        pytest.param(b'["\\ud800"]', id="a lone surrogate"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[" * 100_000, id="too deep"),
        pytest.param(b'{"a": 1}, "results": []', id="more than one value"),
    ],
)
def test_an_attachment_that_is_no_json_is_left_out_with_a_warning(output: bytes) -> None:
    found = submitted(session_of(udev_json=output, modprobe_json=b"{}"))

    assert "devices" not in found.content
    assert found.content["modprobe-info"] == {}
    assert len(found.content["attachment-results"]) == 2
    (warning,) = found.warnings
    assert warning.code == "not-json"
    assert f"'{NAMESPACE}::udev_json'" in warning.text


def test_an_attachment_job_that_was_skipped_is_no_reason_to_warn() -> None:
    job_id = f"{NAMESPACE}::udev_json"
    skipped = JobResult(outcome="skipped-resource")
    session = SampleSession(
        (
            SessionCreated(at=1, session_id="s"),
            JobDefined(at=1, job=JobRecord(id=job_id, plugin="attachment")),
            ResultRecorded(at=2, job_id=job_id, result=skipped),
        )
    )

    assert submitted(session).warnings == ()


def test_secrets_are_masked_wherever_a_submission_has_them() -> None:
    stream = io.BytesIO()
    session = session_of(
        package=b"name: hunter2\nversion: 1\n",
        udev_json=b'{"password": "hunter2"}',
        kernel_cmdline_attachment=b"secret=hunter2\n",
    )

    report = export(
        session,
        "json",
        stream,
        options=["dialect=checkbox"],
        registry=Registry.discover(),
        redact=RedactionRules(secrets={"TOKEN": "hunter2"}),
    )

    assert b"hunter2" not in stream.getvalue()
    assert json.loads(stream.getvalue())["devices"] == {"password": "[redacted]"}
    assert report.changes["redacted: secret TOKEN"] > 0


def test_several_devices_are_warned_of() -> None:
    found = submitted(devices_session())

    assert [each.code for each in found.warnings] == ["several-devices"]
    assert len(found.content["results"]) == devices_session().view().job_count


def test_an_empty_session_has_all_that_is_required() -> None:
    found = submitted(empty_session()).content

    assert found["results"] == found["attachment-results"] == found["rejected-jobs"] == []


def test_a_job_is_one_line() -> None:
    stream = io.BytesIO()
    export(
        sample_session(),
        ID,
        stream,
        options=["dialect=checkbox"],
        registry=registry_of(JsonExporter),
    )

    lines = stream.getvalue().splitlines()
    jobs = [json.loads(line.rstrip(b",")) for line in lines if line.startswith(b'{"id"')]
    assert len(jobs) == sum(
        bool(job.attempts or job.in_flight) for job in sample_session().view().jobs()
    )


def test_a_document_of_neither_dialect_is_not_verified() -> None:
    with pytest.raises(msgspec.ValidationError):
        JsonExporter.verify(io.BytesIO(b'{"title": "a", "results": []}'))


@settings(max_examples=40, deadline=None)
@given(session=hostile_sessions())
def test_any_session_satisfies_the_schema(session: SampleSession) -> None:
    found = submitted(session).content

    wanted = [job.id for job in session.view().jobs() if job.in_flight or job.outcome != "none"]
    items = [*found["results"], *found["attachment-results"]]
    assert sorted(each["full_id"] for each in items) == sorted(wanted)


def real_session(path: Path) -> tuple[dict[str, Any], SampleSession]:
    """Return a session file of Checkbox as it is, and as a session of ours."""
    old: dict[str, Any] = json.loads(gzip.decompress((path / "session").read_bytes()))["session"]
    return old, SampleSession(tuple(real_events(old)))


def real_events(old: dict[str, Any]) -> Iterator[AnyEvent]:
    metadata = old["metadata"]
    yield SessionCreated(at=1, session_id="real", title=metadata["title"] or "")
    for job_id in old["jobs"]:
        plugin = "resource" if "::res" in job_id else "shell"
        yield JobDefined(at=1, job=JobRecord(id=job_id, plugin=plugin))
    names = ("rejected_jobs", "custom_joblist")
    changes = {n: msgspec.Raw(msgspec.json.encode(metadata[n])) for n in names if n in metadata}
    yield MetadataChanged(at=1, changes=changes)
    for job_id, results in old["results"].items():
        for result in results:
            log = [(d, s, base64.b64decode(data)) for d, s, data in result.pop("io_log")]
            yield ResultRecorded(at=2, job_id=job_id, result=JobResult(**result, io_log=log))


@pytest.mark.skipif(not REAL.is_dir(), reason="the session files by Checkbox are not there")
@pytest.mark.parametrize("version", [1, 4, 6, 8, 11])
def test_a_session_of_checkbox_becomes_a_submission(version: int) -> None:
    old, session = real_session(REAL / f"v{version}.session")
    found = submitted(session).content

    last = {job_id: results[-1] for job_id, results in old["results"].items()}
    tried = {job_id: result["outcome"] for job_id, result in last.items() if result["outcome"]}
    results = by_id(found["results"])
    assert {job_id: item["outcome"] for job_id, item in results.items()} == tried
    for job_id, item in results.items():
        assert item["comments"] == (last[job_id]["comments"] or "")
        assert item["duration"] == (last[job_id]["execution_duration"] or 0)
    assert [each["full_id"] for each in found["rejected-jobs"]] == old["metadata"].get(
        "rejected_jobs", []
    )
    assert found["title"] == old["metadata"]["title"]
