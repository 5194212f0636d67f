"""From a session to a report: names, options, sinks and the pipeline."""

from holdall.exports.bound import BoundExporter, Session, parsed_options
from holdall.exports.folders import LISTING, check_is_path
from holdall.exports.naming import KnownExporter, Units, find_exporter, units_in
from holdall.exports.options import (
    OptionRow,
    describe_options,
    options_class_of,
    options_schema,
)
from holdall.exports.pipeline import ExportRequest, export, export_many
from holdall.exports.sinks import open_target
from holdall.exports.view_options import ViewOptions

__all__ = [
    "LISTING",
    "BoundExporter",
    "ExportRequest",
    "KnownExporter",
    "OptionRow",
    "Session",
    "Units",
    "ViewOptions",
    "check_is_path",
    "describe_options",
    "export",
    "export_many",
    "find_exporter",
    "open_target",
    "options_class_of",
    "options_schema",
    "parsed_options",
    "units_in",
]
