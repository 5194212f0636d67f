"""The authors' kit: text made safe, logs, masking, moments, file names."""

from typing import TYPE_CHECKING

from holdall.doors import lazy_door

if TYPE_CHECKING:
    from holdall.writing.cleaning import (
        CELL_LENGTH,
        CELLS_CUT,
        cell_text,
        html_text,
        line_text,
        strip_escapes,
        terminal_text,
        xml_text,
    )
    from holdall.writing.controls import ControlFilter
    from holdall.writing.files import file_name, gathered
    from holdall.writing.logs import (
        BYTES_CUT,
        LOGS_CUT,
        LogChoice,
        head_of,
        log_text,
        mark_of,
        shortened,
        stream_runs,
        wants_log,
    )
    from holdall.writing.masking import LARGEST_MATCH, masked_records
    from holdall.writing.moments import duration, iso, moment, readable
    from holdall.writing.parts import (
        MEASUREMENTS_LEFT_OUT,
        SUBTESTS_LEFT_OUT,
        count_parts_left_out,
    )
else:
    __getattr__, __dir__ = lazy_door(
        __name__,
        {
            ".cleaning": (
                "CELL_LENGTH",
                "CELLS_CUT",
                "cell_text",
                "html_text",
                "line_text",
                "strip_escapes",
                "terminal_text",
                "xml_text",
            ),
            ".controls": ("ControlFilter",),
            ".files": ("file_name", "gathered"),
            ".logs": (
                "BYTES_CUT",
                "LOGS_CUT",
                "LogChoice",
                "head_of",
                "log_text",
                "mark_of",
                "shortened",
                "stream_runs",
                "wants_log",
            ),
            ".masking": ("LARGEST_MATCH", "masked_records"),
            ".moments": ("duration", "iso", "moment", "readable"),
            ".parts": ("MEASUREMENTS_LEFT_OUT", "SUBTESTS_LEFT_OUT", "count_parts_left_out"),
        },
    )

__all__ = [
    "BYTES_CUT",
    "CELLS_CUT",
    "CELL_LENGTH",
    "LARGEST_MATCH",
    "LOGS_CUT",
    "MEASUREMENTS_LEFT_OUT",
    "SUBTESTS_LEFT_OUT",
    "ControlFilter",
    "LogChoice",
    "cell_text",
    "count_parts_left_out",
    "duration",
    "file_name",
    "gathered",
    "head_of",
    "html_text",
    "iso",
    "line_text",
    "log_text",
    "mark_of",
    "masked_records",
    "moment",
    "readable",
    "shortened",
    "stream_runs",
    "strip_escapes",
    "terminal_text",
    "wants_log",
    "xml_text",
]
