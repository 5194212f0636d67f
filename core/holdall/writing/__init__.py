"""The authors' kit: text made safe, logs, masking, moments, file names."""

from typing import TYPE_CHECKING

from holdall.doors import lazy_door

if TYPE_CHECKING:
    from holdall.writing.causes import CAUSES_MAX, Cause, cause_of, causes_of, last_lines
    from holdall.writing.cleaning import (
        CELL_LENGTH,
        CELLS_CUT,
        cell_of,
        cell_text,
        escape_sequences,
        html_text,
        line_text,
        strip_escapes,
        terminal_text,
        xml_text,
    )
    from holdall.writing.columns import columns_of, wrapped
    from holdall.writing.controls import ControlFilter
    from holdall.writing.cuts import (
        Gap,
        cut_middle,
        cut_text,
        mark_of,
        shortened,
        split_room,
        text_mark,
    )
    from holdall.writing.files import (
        attachment_names,
        attempt_path,
        file_name,
        free_name,
        gathered,
        lone_name,
    )
    from holdall.writing.logs import (
        BYTES_CUT,
        LOGS_CUT,
        LogChoice,
        kept_log,
        log_text,
        stream_runs,
        wants_log,
    )
    from holdall.writing.masking import LARGEST_MATCH, MaskedLog, Span, masked_log, masked_records
    from holdall.writing.moments import duration, iso, iso_milliseconds, moment, readable
    from holdall.writing.parts import (
        MEASUREMENTS_LEFT_OUT,
        SUBTESTS_LEFT_OUT,
        count_parts_left_out,
        measured_text,
        number_text,
        reason_text,
    )
else:
    __getattr__, __dir__ = lazy_door(
        __name__,
        {
            ".causes": ("CAUSES_MAX", "Cause", "cause_of", "causes_of", "last_lines"),
            ".cleaning": (
                "CELL_LENGTH",
                "CELLS_CUT",
                "cell_of",
                "cell_text",
                "escape_sequences",
                "html_text",
                "line_text",
                "strip_escapes",
                "terminal_text",
                "xml_text",
            ),
            ".columns": ("columns_of", "wrapped"),
            ".controls": ("ControlFilter",),
            ".cuts": (
                "Gap",
                "cut_middle",
                "cut_text",
                "mark_of",
                "shortened",
                "split_room",
                "text_mark",
            ),
            ".files": (
                "attachment_names",
                "attempt_path",
                "file_name",
                "free_name",
                "gathered",
                "lone_name",
            ),
            ".logs": (
                "BYTES_CUT",
                "LOGS_CUT",
                "LogChoice",
                "kept_log",
                "log_text",
                "stream_runs",
                "wants_log",
            ),
            ".masking": ("LARGEST_MATCH", "MaskedLog", "Span", "masked_log", "masked_records"),
            ".moments": ("duration", "iso", "iso_milliseconds", "moment", "readable"),
            ".parts": (
                "MEASUREMENTS_LEFT_OUT",
                "SUBTESTS_LEFT_OUT",
                "count_parts_left_out",
                "measured_text",
                "number_text",
                "reason_text",
            ),
        },
    )

__all__ = [
    "BYTES_CUT",
    "CAUSES_MAX",
    "CELLS_CUT",
    "CELL_LENGTH",
    "LARGEST_MATCH",
    "LOGS_CUT",
    "MEASUREMENTS_LEFT_OUT",
    "SUBTESTS_LEFT_OUT",
    "Cause",
    "ControlFilter",
    "Gap",
    "LogChoice",
    "MaskedLog",
    "Span",
    "attachment_names",
    "attempt_path",
    "cause_of",
    "causes_of",
    "cell_of",
    "cell_text",
    "columns_of",
    "count_parts_left_out",
    "cut_middle",
    "cut_text",
    "duration",
    "escape_sequences",
    "file_name",
    "free_name",
    "gathered",
    "html_text",
    "iso",
    "iso_milliseconds",
    "kept_log",
    "last_lines",
    "line_text",
    "log_text",
    "lone_name",
    "mark_of",
    "masked_log",
    "masked_records",
    "measured_text",
    "moment",
    "number_text",
    "readable",
    "reason_text",
    "shortened",
    "split_room",
    "stream_runs",
    "strip_escapes",
    "terminal_text",
    "text_mark",
    "wants_log",
    "wrapped",
    "xml_text",
]
