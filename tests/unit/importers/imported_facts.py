"""What an importer made of a file, as values that tests compare."""

from __future__ import annotations

from collections import Counter
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from holdall import Recorder
from holdall.stores import open_repository
from holdall.view import SessionView

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdall import Measurement
    from holdall.contracts import Importer
    from holdall.view import AttemptView, JobView

SAMPLES: Final = Path(__file__).parents[2] / "data" / "importers"
_numbers: Final = count()


class Made:
    """The session that comes of a file, and what the file has besides."""

    def __init__(self, importer: type[Importer], source: Path, *, device: str = "local") -> None:
        repository = open_repository(f"memory://facts-{next(_numbers)}")
        with Recorder.create(repository, device=device, clock=lambda: 1.7e9) as recorder:
            importer().load(source, recorder)
            self.left_out: Mapping[str, int] = dict(recorder.left_out)
        storage = repository.open(recorder.session_id, mode="r")
        self.view: SessionView = SessionView.of(storage)
        self.jobs: list[JobView] = list(self.view.jobs())

    def job(self, job_id: str) -> JobView:
        return next(job for job in self.jobs if job.id == job_id)

    @property
    def outcomes(self) -> dict[str, int]:
        return dict(Counter(str(job.outcome) for job in self.jobs))

    @property
    def devices(self) -> dict[str, dict[str, str]]:
        return {device.id: dict(device.facts) for device in self.view.devices}

    def attempts(self, job_id: str) -> list[tuple[str, float | None, str]]:
        return [(str(a.outcome), a.duration, a.comments) for a in self.job(job_id).attempts]


def output(attempt: AttemptView | JobView) -> list[tuple[str, bytes]]:
    return [(record.stream, record.data) for record in attempt.io_log()]


def made_of(importer: type[Importer], folder: Path, text: str, name: str = "report.xml") -> Made:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return Made(importer, path)


def comments_of(job: JobView) -> str:
    """Return what a report has of a comment: all of it only where something went wrong."""
    if job.outcome.failed and not job.xfail:
        return job.comments.rstrip("\n")
    return job.comments.partition("\n")[0] if job.xfail and job.outcome.failed else ""


def measured(part: Measurement) -> tuple[object, ...]:
    """Return a measurement as a report has it: without limits, any value is a text."""
    is_judged = part.lower is not None or part.upper is not None
    return (part.name, part.value if is_judged else str(part.value), part.lower, part.upper)


def facts(view: SessionView) -> list[Any]:
    """Return what reports of JUnit show of a session."""
    devices = [(each.id, each.description or each.id, dict(each.facts)) for each in view.devices]
    return [sorted(devices)] + [
        (
            job.device_id,
            job.id,
            job.summary,
            job.category,
            job.xfail,
            str(job.outcome),
            round(job.duration or 0.0, 3),
            comments_of(job),
            job.skip_reason.partition("\n")[0],
            output(job),
            job.subtests,
            list(map(measured, job.measurements)),
            [
                (str(each.outcome), each.comments.partition("\n")[0])
                for each in job.attempts[:-1]
                if each.outcome.failed
            ],
        )
        for job in view.jobs()
    ]
