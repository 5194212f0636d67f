"""holdall's own JUnit, back into what it was written of."""

from __future__ import annotations

from io import BytesIO
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.importers.imported_facts import SAMPLES, Made, facts, output

from holdall import Measurement, Recorder, Subtest
from holdall.exports import export
from holdall.stores import open_repository
from holdall.view import SessionView
from holdall_plugins.importers.junit import JUnitImporter

if TYPE_CHECKING:
    from pathlib import Path

_numbers = count()
SOURCES = [
    path for path in sorted((SAMPLES / "junit").iterdir()) if not path.name.startswith("holdall-")
]


def written(view: SessionView, path: Path, flavour: str = "rich") -> Path:
    report = BytesIO()
    export(view, "junit", report, options={"flavour": flavour, "logs": "all"})
    path.write_bytes(report.getvalue())
    return path


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_what_was_imported_comes_back_from_a_report_of_it(tmp_path: Path, source: Path) -> None:
    first = Made(JUnitImporter, source)

    again = Made(JUnitImporter, written(first.view, tmp_path / "again.xml"))

    assert joined(facts(again.view)) == joined(facts(first.view))


def joined(values: list[Any]) -> list[Any]:
    """Return facts with both streams of output in one, as JUnit of holdall has them."""
    devices, *jobs = values
    return [devices] + [
        tuple(
            b"".join(data for _stream, data in part) if place == 9 else part
            for place, part in enumerate(job)
        )
        for job in sorted(jobs, key=lambda job: job[:2])
    ]


text = st.text(st.characters(codec="ascii", min_codepoint=33), min_size=1, max_size=8)
attempts = st.lists(
    st.tuples(
        st.sampled_from(["pass", "fail", "crash", "error", "skip", "not-supported", "undecided"]),
        text,
    ),
    min_size=1,
    max_size=3,
)
jobs = st.dictionaries(
    text, st.tuples(attempts, st.booleans(), st.sampled_from(["", "disk", "net"])), max_size=4
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(jobs, st.booleans())
def test_a_session_comes_back_from_its_report(
    tmp_path_factory: pytest.TempPathFactory,
    tests: dict[str, tuple[list[tuple[str, str]], bool, str]],
    several: bool,  # noqa: FBT001 - hypothesis gives it
) -> None:
    repository = open_repository(f"memory://own-{next(_numbers)}")
    with Recorder.create(repository) as recorder:
        recorder.record("always", outcome="pass", device="board")
        for job_id, (tries, xfail, category) in tests.items():
            device = "board" if several else "other/board"
            recorder.device(device, description="A board", facts={"os": "Linux"})
            recorder.job(job_id, device=device, category=category, xfail=xfail)
            for outcome, why in tries:
                wrong = outcome in {"fail", "crash", "error"} or (xfail and outcome == "pass")
                reason = why if outcome in {"skip", "not-supported"} else None
                comment = why if wrong and not reason else None
                recorder.record(
                    job_id, device=device, outcome=outcome, comments=comment, skip_reason=reason
                )
    view = SessionView.of(repository.open(recorder.session_id, mode="r"))
    path = tmp_path_factory.mktemp("own") / "report.xml"

    again = Made(JUnitImporter, written(view, path))

    assert joined(facts(again.view)) == joined(facts(view))


def test_measurements_with_limits_and_subtests_come_back(tmp_path: Path) -> None:
    repository = open_repository(f"memory://own-{next(_numbers)}")
    measurements = [
        Measurement(name="volts", value=5, unit="V", lower=1, upper=4),
        Measurement(name="speed", value=-2.5, upper=3),
        Measurement(name="note", value="any (text): here"),
    ]
    subtests = [
        Subtest(name="one", outcome="fail", message="no device"),
        Subtest(name="two", outcome="pass"),
    ]
    with Recorder.create(repository) as recorder:
        recorder.record(
            "job",
            outcome="fail",
            comments="why\nwhere",
            output=b"log",
            measurements=measurements,
            subtests=subtests,
        )
    view = SessionView.of(repository.open(recorder.session_id, mode="r"))

    job = Made(JUnitImporter, written(view, tmp_path / "report.xml")).jobs[0]

    assert list(job.measurements) == measurements
    assert list(job.subtests) == subtests
    assert (job.comments, output(job)) == ("why\nwhere", [("stdout", b"log")])


@pytest.mark.parametrize("flavour", ["portable", "jenkins", "rich"])
def test_all_flavours_say_how_each_job_ended(flavour: str) -> None:
    made = Made(JUnitImporter, SAMPLES / "junit" / f"holdall-{flavour}.xml")

    assert made.outcomes == {
        "pass": 4,
        "fail": 2,
        "error": 1,
        "skip": 1,
        "not-supported": 1,
        "skipped-resource": 1,
        "none": 1,
        "undecided": 1,
        "crash": 1,  # the one that was in flight
    }
    assert made.devices["board"] == {"os": "linux", "cpu": "4"}


def test_a_report_that_no_job_passed_becomes_no_job_for_its_verdict(tmp_path: Path) -> None:
    repository = open_repository(f"memory://own-{next(_numbers)}")
    with Recorder.create(repository) as recorder:
        recorder.record("job", outcome="skip", skip_reason="no net")
    view = SessionView.of(repository.open(recorder.session_id, mode="r"))

    made = Made(JUnitImporter, written(view, tmp_path / "report.xml"))

    assert [(job.id, job.skip_reason) for job in made.jobs] == [("job", "no net")]
    assert made.left_out["cases that say that no job passed"] == 1
