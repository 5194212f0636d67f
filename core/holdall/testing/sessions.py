r"""Sessions to try exporters on: one with everything in it, an empty one, big ones.

session = sample_session()
holdall.export(session, "acme.markdown", "report.md")
"""

from __future__ import annotations

from hashlib import sha256
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

import msgspec

from holdall.errors import MissingBlobError
from holdall.journal import (
    CategoryDefined,
    DeviceAdded,
    JobDefined,
    JobRecord,
    JobsSelected,
    JobStarted,
    MetadataChanged,
    PlanRecord,
    PlansChanged,
    PluginUsed,
    ProviderAdded,
    ResultRecorded,
    SessionCreated,
    WriterOpened,
    pack_record,
)
from holdall.results import Attachment, IOLogRecord, JobResult, Measurement, Outcome, Subtest
from holdall.stores import checked_blob
from holdall.view import SessionView

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from holdall.journal import AnyEvent

START: Final = 1_767_225_600.0  # 2026-01-01 00:00:00 UTC

# What has broken reports before, by the name that it gets in a job id.
HOSTILE: Final[Mapping[str, str]] = {
    "controls": "bell\x07 null\x00 escape\x1b[31m red \x1b]0;title\x07 return\r tab\t del\x7f",
    "c1": "csi \x9b31m next line \x85 osc \x9d0;title\x9c",
    "formula": "=cmd|' /C calc'!A0 @SUM(1) =HYPERLINK(\"http://example.com\")",
    "cell-escape": "_x0041_ is no A, _x005F_ is no underscore",
    "markup": "</script><script>alert(1)</script> ]]> <!-- &amp; <b onclick='x'>\"quoted\"",
    "xml-illegal": "\ufffe \uffff \x0b \x0c",
    "surrogate": "\\udc80 was a lone surrogate",
    "bidi": "user\u202egpj.exe \u2066isolated\u2069 \u200f",
    "astral": "\U0001f9ea test tube, e\u0301 combined, \u4e2d\u6587, \u05e9\u05dc\u05d5\u05dd",
    "lines": "first line\nsecond line\r\nthird\u2028fourth",
    "template": "{{ 7 * 7 }} {% raw %} ${HOME} %s %(x)s",
}

# Ids that must not lead to one file name, and out of no folder.
HOSTILE_IDS: Final = (
    "com.example::../../etc/passwd",
    "com.example::a/b",
    "com.example::a:b",
    "com.example::case",
    "com.example::Case",
    "com.example::CASE",
    "com.example::" + "long" * 100,
    "com.example::with blank",
    "com.example::caf\u00e9",
    "-rf",
    ".hidden",
    "..",
)


class SampleSession(NamedTuple):
    """Events and blobs of a session; `holdall.export` takes it as it is.

    Its blobs are read as those of a store are: once, from the start to the end, and checked there.
    """

    events: tuple[AnyEvent, ...]
    blobs: Mapping[str, bytes] = {}

    def view(self) -> SessionView:
        """Return the view of the session."""
        return SessionView(self.events, open_blob=self._open_blob)

    def _open_blob(self, ref: str) -> BinaryIO:
        if ref not in self.blobs:
            raise MissingBlobError(ref)
        return checked_blob(iter((self.blobs[ref],)), ref, session_id="sample")


def empty_session() -> SampleSession:
    """Return a session that was created, and nothing else happened."""
    return SampleSession((SessionCreated(at=START, session_id="sample-empty"),))


def sample_session() -> SampleSession:
    """Return a session with every outcome, two devices, several attempts and hostile text."""
    blobs: dict[str, bytes] = {}
    events = [*_opening(), *_outcomes(blobs), *_hostile(), *_second_device()]
    return SampleSession(tuple(events), blobs)


def hostile_session(text: str) -> SampleSession:
    """Return a session each of whose texts is *text*: names, ids, facts, output, all of them."""
    record = JobRecord(
        id=text,
        summary=text,
        description=text,
        plugin=text,
        category_id=text,
        certification_status=text,
        template_id=text,
        checksum=text,
        origin=text,
    )
    data = text.encode()
    result = JobResult(
        outcome=Outcome.FAIL,
        comments=text,
        skip_reason=text,
        io_log=(*_stdout(data), IOLogRecord(0.2, "stderr", data)),
        attachments=(Attachment(name=text, media_type=text, size=len(data), data=data),),
        subtests=(Subtest(name=text, outcome=Outcome.FAIL, message=text),),
        measurements=(Measurement(name=text, value=text, unit=text, outcome=Outcome.FAIL),),
    )
    events: tuple[AnyEvent, ...] = (
        SessionCreated(at=START, session_id="sample-hostile", title=text),
        DeviceAdded(at=START, device=text, description=text, facts={text: text}, runner=text),
        ProviderAdded(
            at=START, device=text, name=text, namespace=text, version=text, description=text
        ),
        PlansChanged(at=START, plans=(PlanRecord(id=text, name=text, description=text),)),
        CategoryDefined(at=START, id=text, name=text),
        JobDefined(at=START, device=text, job=record),
        JobsSelected(at=START, device=text, run_list=(text,)),
        ResultRecorded(at=START + 1, device=text, job_id=text, result=result),
    )
    return SampleSession(events)


def devices_session() -> SampleSession:
    """Return a session of three devices that ran the same jobs, with different outcomes."""
    events: list[AnyEvent] = [SessionCreated(at=START, session_id="sample-devices")]
    outcomes = (Outcome.PASS, Outcome.FAIL, Outcome.SKIP)
    for name, outcome in zip(("dut-1", "dut-2", "dut-3"), outcomes, strict=True):
        events.append(DeviceAdded(at=START, device=name, description=f"device {name}"))
        for job in ("disk", "cpu"):
            job_id = f"com.example::{job}"
            record = JobRecord(id=job_id, summary=f"Check the {job}")
            result = JobResult(outcome=outcome, io_log=_stdout(b"output\n"))
            events += [
                JobDefined(at=START, device=name, job=record),
                ResultRecorded(at=START + 1, device=name, job_id=job_id, result=result),
            ]
    return SampleSession(tuple(events))


def big_session(jobs: int, *, devices: int = 1, log_every: int = 10) -> SampleSession:
    """Return a session of *jobs* jobs in 20 categories; each *log_every*-th failed, with a log.

    One device is the local one; each of several ran all jobs.
    """
    names = ["local"] if devices == 1 else [f"dut-{number + 1}" for number in range(devices)]
    results = chain.from_iterable(_big(jobs, name, log_every) for name in names)
    return SampleSession((*_big_opening(jobs), *results))


def _opening() -> Iterator[AnyEvent]:
    yield SessionCreated(at=START, session_id="sample-1", title="first title")
    yield WriterOpened(at=START, version="1.0")
    yield PluginUsed(
        at=START,
        kind="repositories",
        id="memory",
        distribution="holdall",
        version="1.0",
        target="holdall_plugins.stores.memory:MemoryRepository",
    )
    title = msgspec.Raw(msgspec.json.encode('Sample <session> & "more"'))
    yield MetadataChanged(at=START, changes={"title": title})
    yield DeviceAdded(at=START, device="local", description="this machine")
    facts = {"cpu": "4 x Cortex-A72", "=formula": "<b>bold</b>", "note": HOSTILE["controls"]}
    yield DeviceAdded(at=START, device="dut-7", description="device on the bench", facts=facts)
    yield ProviderAdded(at=START, name="com.example:sample", namespace="com.example", version="3")
    plan = PlanRecord(id="com.example::smoke", name="Smoke & mirrors", description="It's <quick>")
    yield PlansChanged(at=START, plans=(plan,))
    yield CategoryDefined(at=START, id="com.example::disk", name="Disks & drives")
    yield CategoryDefined(at=START, id="com.example::hostile", name='Hostile "text"')


def _outcomes(blobs: dict[str, bytes]) -> Iterator[AnyEvent]:
    """Yield a job for each outcome, and those with something special to them."""
    specials = ("flaky", "interrupted", "big-log", "attachment", "unknown-category", "collected")
    names = [f"outcome-{outcome}" for outcome in Outcome] + list(specials)
    ids = [f"com.example::{name}" for name in names]
    for job_id in ids:
        yield JobDefined(at=START + 1, job=_record(job_id))
    yield JobsSelected(at=START + 1, run_list=tuple(ids))
    for number, outcome in enumerate(Outcome):
        if outcome is not Outcome.NONE:
            job_id = f"com.example::outcome-{outcome}"
            result = _result(outcome, number)
            yield ResultRecorded(at=START + 2 + number, job_id=job_id, result=result)
    for name, results in _special_results(blobs).items():
        for result in results:
            yield ResultRecorded(at=START + 30, job_id=f"com.example::{name}", result=result)


def _record(job_id: str) -> JobRecord:
    name = job_id.rpartition("::")[2]
    plugin = {"attachment": "attachment", "collected": "resource", "flaky": "manual"}
    category = "com.example::nowhere" if name == "unknown-category" else "com.example::disk"
    return JobRecord(
        id=job_id,
        summary=f"Summary of {name}",
        description=f"What {name} is about.\nIn several lines.",
        plugin=plugin.get(name, "shell"),
        category_id=category,
        certification_status="blocker" if name == "outcome-fail" else "non-blocker",
        checksum=sha256(job_id.encode()).hexdigest(),
        estimated_duration=1.5,
        origin="sample.pxu:12",
    )


def _result(outcome: Outcome, number: int) -> JobResult:
    tried = not outcome.skipped and outcome is not Outcome.UNDECIDED
    return JobResult(
        outcome=outcome,
        return_code=(0 if outcome is Outcome.PASS else -11) if tried else None,
        execution_duration=0.123456789 * number if tried else None,
        started_at=START + number if tried else None,
        comments="seen by a person" if outcome is Outcome.UNDECIDED else None,
        skip_reason=f"why it was {outcome}" if outcome.skipped else None,
        io_log=_LOG if tried else (),
    )


def _special_results(blobs: dict[str, bytes]) -> dict[str, list[JobResult]]:
    long_line = IOLogRecord(0.5, "stdout", b"0123456789 abcdefghij " * 4000 + b"\n")
    big = b"".join(pack_record(record) for record in (*_LOG, long_line, *_LOG))
    screenshot = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
    attachments = (
        Attachment(name="notes.txt", media_type="text/plain", size=5, data=b"notes"),
        Attachment(
            name="../Shot.png", media_type="image/png", size=264, ref=_blob(blobs, screenshot)
        ),
        Attachment(name="notes.txt", media_type="text/plain", size=4, data=b"more"),
    )
    interrupted = JobResult(
        outcome=Outcome.CRASH, comments="holdall was ended", interrupted_by="rebooted"
    )
    size = len(long_line.data) + 2 * sum(len(record.data) for record in _LOG)
    return {
        "flaky": [_result(Outcome.FAIL, 1), interrupted, _result(Outcome.PASS, 3)],
        "interrupted": [interrupted],
        "big-log": [
            JobResult(
                outcome=Outcome.FAIL,
                execution_duration=4000,
                io_log_ref=_blob(blobs, big),
                io_log_size=size,
                io_log_dropped=1_234_567,
                attachments=attachments,
                subtests=_SUBTESTS,
                measurements=_MEASUREMENTS,
            )
        ],
        "attachment": [JobResult(outcome=Outcome.PASS, io_log=_stdout(b"key: value\n"))],
        "unknown-category": [JobResult(outcome=Outcome.PASS)],
        "collected": [JobResult(outcome=Outcome.PASS, io_log=_stdout(b"name: eth0\nmtu: 9\n"))],
    }


def _stdout(data: bytes) -> tuple[IOLogRecord, ...]:
    return (IOLogRecord(0.1, "stdout", data),)


def _blob(blobs: dict[str, bytes], data: bytes) -> str:
    ref = f"sha256:{sha256(data).hexdigest()}"
    blobs[ref] = data
    return ref


def _hostile() -> Iterator[AnyEvent]:
    """Yield jobs whose every text is hostile, and jobs with hostile ids, on the second device."""
    for name, text in HOSTILE.items():
        job_id = f"com.example::hostile-{name}"
        record = JobRecord(
            id=job_id, summary=text, description=text, category_id="com.example::hostile"
        )
        yield JobDefined(at=START + 40, device="dut-7", job=record)
        log = (*_stdout(text.encode()), IOLogRecord(0.2, "stderr", text.encode()))
        result = JobResult(
            outcome=Outcome.FAIL,
            comments=text,
            skip_reason=text,
            io_log=log,
            subtests=(Subtest(name=text, outcome=Outcome.FAIL, message=text),),
            measurements=(Measurement(name=text, value=text, unit=text, outcome=Outcome.FAIL),),
        )
        yield ResultRecorded(at=START + 41, device="dut-7", job_id=job_id, result=result)
    for job_id in HOSTILE_IDS:
        yield JobDefined(at=START + 42, device="dut-7", job=JobRecord(id=job_id, summary=job_id))
        result = JobResult(outcome=Outcome.PASS, io_log=_stdout(b"output\n"))
        yield ResultRecorded(at=START + 43, device="dut-7", job_id=job_id, result=result)


def _second_device() -> Iterator[AnyEvent]:
    """Yield a job that was started on the second device and has not ended."""
    job_id = "com.example::in-flight"
    record = JobRecord(id=job_id, summary="Reboot the device", category_id="com.example::disk")
    yield JobDefined(at=START + 50, device="dut-7", job=record)
    yield JobsSelected(at=START + 50, device="dut-7", run_list=(job_id,))
    yield JobStarted(at=START + 51, device="dut-7", job_id=job_id)


def _big_opening(jobs: int) -> Iterator[AnyEvent]:
    yield SessionCreated(at=START, session_id="sample-big", title=f"{jobs} jobs")
    for number in range(20):
        yield CategoryDefined(at=START, id=f"com.example::c{number}", name=f"Category {number}")


def _big(jobs: int, device: str, log_every: int) -> Iterator[AnyEvent]:
    yield DeviceAdded(at=START, device=device)
    ids = tuple(f"com.example::job/{number}" for number in range(jobs))
    for number, job_id in enumerate(ids):
        record = JobRecord(
            id=job_id,
            summary=f"Check part {number} of the machine & its <friends>",
            category_id=f"com.example::c{number % 20}",
        )
        yield JobDefined(at=START, device=device, job=record)
    yield JobsSelected(at=START, device=device, run_list=ids)
    for number, job_id in enumerate(ids):
        failed = number % log_every == log_every - 1
        log = tuple(
            IOLogRecord(0.1 * n, "stdout", b"%d: a line of output\n" % n) for n in range(14)
        )
        result = JobResult(
            outcome=Outcome.FAIL if failed else Outcome.PASS,
            return_code=int(failed),
            execution_duration=number % 100 / 8,
            io_log=log if failed else (),
        )
        yield ResultRecorded(at=START + number, device=device, job_id=job_id, result=result)


_SUBTESTS: Final = (
    Subtest(name="write", outcome=Outcome.PASS, duration=0.5),
    Subtest(name="read back", outcome=Outcome.FAIL, message="byte 7 differs\nand byte 9"),
    Subtest(name="trim", outcome=Outcome.SKIP, message="not supported"),
)
_MEASUREMENTS: Final = (
    Measurement(name="write rate", value=91.5, unit="MB/s", lower=100),
    Measurement(name="temperature", value=40, unit="°C", lower=0, upper=70),
    Measurement(name="firmware", value="1.2.3"),
)
_LOG: Final = (
    IOLogRecord(0.001, "stdout", b"plain line\n"),
    IOLogRecord(0.002, "stderr", b"not UTF-8: \xff\xfe\x80\n"),
    IOLogRecord(0.003, "stdout", b"cut character: caf\xc3"),
    IOLogRecord(0.004, "stdout", b"\xa9, cut escape: \x1b["),
    IOLogRecord(0.005, "stdout", b"31mred\x1b[0m\r\n"),
)
