"""From a session to a report: options, selection, sinks and the pipeline."""

from holdall.exports.bound import NOTHING_SECRET, BoundExporter, Session
from holdall.exports.options import describe_options, options_schema
from holdall.exports.pipeline import ExportRequest, export, export_many
from holdall.exports.redact import RedactionRules
from holdall.exports.selection import Selection
from holdall.exports.units import Units, units_in

__all__ = [
    "NOTHING_SECRET",
    "BoundExporter",
    "ExportRequest",
    "RedactionRules",
    "Selection",
    "Session",
    "Units",
    "describe_options",
    "export",
    "export_many",
    "options_schema",
    "units_in",
]
