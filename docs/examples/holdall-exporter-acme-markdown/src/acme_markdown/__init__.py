"""Sessions of holdall as Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from holdall.contracts import ExportContext, Exporter, Sink
    from holdall.view import SessionView


@dataclass(frozen=True)
class Options:
    """What the list holds.

    Attributes:
        comments: Whether to show what was said about a job.
        bullet: What a line begins with.
    """

    comments: bool = False
    bullet: str = "-"


class MarkdownExporter:
    """A line per job, in the order they ran."""

    summary: ClassVar[str] = "Markdown list"
    suffix: ClassVar[str] = ".md"
    media_type: ClassVar[str] = "text/markdown"
    Options: ClassVar[type] = Options

    def export(self, view: SessionView, sink: Sink, context: ExportContext) -> None:
        """Write a heading and a line per job."""
        from holdall.writing import line_text  # text of jobs can hold anything

        sink.write(f"# {line_text(view.title or view.session_id)}\n\n".encode())
        bullet = line_text(context.options.bullet)
        for number, job in enumerate(view.jobs(), start=1):
            sink.write(f"{bullet} {job.outcome} `{line_text(job.id)}`\n".encode())
            if context.options.comments and job.comments:
                sink.write(f"  {line_text(job.comments)}\n".encode())
            context.progress(number, view.job_count)


if TYPE_CHECKING:
    _: type[Exporter] = MarkdownExporter
