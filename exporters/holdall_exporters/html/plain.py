"""The plain table: the first jobs as HTML, for readers whose browser runs no scripts."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from holdall.writing import duration, html_text
from holdall_exporters.html.kinds import heading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.view import JobView, SessionView


def plain_rows(view: SessionView, limit: int) -> Iterator[Markup]:
    """Yield the rows of the first *limit* jobs."""
    several = len(view.devices) > 1
    for job in islice(view.jobs(), limit):
        # Some thousand rows: a template takes several times as long.
        yield Markup("<tr>" + "".join(_cells(job, view, several=several)) + "</tr>\n")  # noqa: S704


def _cells(job: JobView, view: SessionView, *, several: bool) -> Iterator[str]:
    yield f"<td>{escape(job.label)}</td>"
    name, job_id = escape(heading(job.summary, view.catalog)), escape(html_text(job.id))
    yield f'<th scope="row"><bdi>{name}</bdi></th><td><code><bdi>{job_id}</bdi></code></td>'
    yield f"<td><bdi>{escape(html_text(job.category))}</bdi></td>"
    if several:
        yield f"<td><bdi>{escape(html_text(job.device_id))}</bdi></td>"
    yield f"<td>{escape(duration(job.duration, view.catalog))}</td>"
