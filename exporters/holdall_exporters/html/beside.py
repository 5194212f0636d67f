"""Links to the files of an archive that the page stands in, as `holdall.tar` lays it out."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from holdall.writing import attachment_names, attempt_path

if TYPE_CHECKING:
    from holdall.view import AttemptView, JobView


def link_to_log(job: JobView, attempt: AttemptView, number: int, *, several: bool) -> str:
    """Return the link to the output of attempt *number*, the first being 1; empty without one."""
    if not attempt.io_log_size:
        return ""
    path = attempt_path(job, number, several_devices=several)
    # The standard output of an attachment job is an attachment.
    if job.plugin == "attachment" and any(r.stream == "stdout" for r in attempt.io_log()):
        return quote(f"attachments/{path}/stdout")
    return quote(f"logs/{path}.log")


def links_to_files(job: JobView, attempt: AttemptView, number: int, *, several: bool) -> list[str]:
    """Return the links to the attachments of attempt *number*."""
    if not attempt.attachments:
        return []
    path = attempt_path(job, number, several_devices=several)
    return [quote(f"attachments/{path}/{name}") for name in attachment_names(job, attempt)]
