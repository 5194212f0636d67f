"""The engine: a session that is alive, its devices, its states and its runs."""

from typing import TYPE_CHECKING

from holdall.doors import lazy_door
from holdall.session.siblings import siblings

if TYPE_CHECKING:
    from holdall.session.attachments import store_attachment
    from holdall.session.capture import LogCapture, OpenLogs, log_name, recover
    from holdall.session.conduct import Conduct, ReportRequest, Request, keep_conduct, kept_conduct
    from holdall.session.context import SessionDeviceContext
    from holdall.session.creating import PREFIX, create_storage
    from holdall.session.folders import copy_share, remove_share, share_in
    from holdall.session.load import ALL_CHANGED, CHOICES, IGNORE_CHECKSUMS, peek
    from holdall.session.manager import SessionManager
    from holdall.session.manifest import find_entry, is_hidden, resource_key
    from holdall.session.output import OutputReader
    from holdall.session.people import NOBODY, auto_retry_candidates, retry_candidates, try_again
    from holdall.session.report_lines import report_schema
    from holdall.session.resources import (
        MANIFEST,
        ResourceExpression,
        expression_lines,
        parse_expression,
        parse_imports,
        requirements,
    )
    from holdall.session.restarting import RESTARTING
    from holdall.session.run import RunSettings, run_session
    from holdall.session.runners import BoundRunner, TaskWrapper, open_runner, runner_name
    from holdall.session.salvage import Salvage, salvage_session
    from holdall.session.selection import begin, default_plan, find_plan, finish
    from holdall.session.solver import dependencies, solve
    from holdall.session.state import SessionState
    from holdall.session.statistics import seconds_left
    from holdall.session.templates import template_resource
else:
    __getattr__, __dir__ = lazy_door(
        __name__,
        {
            ".attachments": ("store_attachment",),
            ".capture": ("LogCapture", "OpenLogs", "log_name", "recover"),
            ".conduct": ("Conduct", "ReportRequest", "Request", "keep_conduct", "kept_conduct"),
            ".context": ("SessionDeviceContext",),
            ".folders": ("copy_share", "remove_share", "share_in"),
            ".load": ("ALL_CHANGED", "CHOICES", "IGNORE_CHECKSUMS", "peek"),
            ".creating": ("PREFIX", "create_storage"),
            ".manager": ("SessionManager",),
            ".manifest": ("find_entry", "is_hidden", "resource_key"),
            ".output": ("OutputReader",),
            ".people": ("NOBODY", "auto_retry_candidates", "retry_candidates", "try_again"),
            ".report_lines": ("report_schema",),
            ".resources": (
                "MANIFEST",
                "ResourceExpression",
                "expression_lines",
                "parse_expression",
                "parse_imports",
                "requirements",
            ),
            ".restarting": ("RESTARTING",),
            ".run": ("RunSettings", "run_session"),
            ".runners": ("BoundRunner", "TaskWrapper", "open_runner", "runner_name"),
            ".salvage": ("Salvage", "salvage_session"),
            ".selection": ("begin", "default_plan", "find_plan", "finish"),
            ".solver": ("dependencies", "solve"),
            ".state": ("SessionState",),
            ".statistics": ("seconds_left",),
            ".templates": ("template_resource",),
        },
    )

__all__ = [
    "ALL_CHANGED",
    "CHOICES",
    "IGNORE_CHECKSUMS",
    "MANIFEST",
    "NOBODY",
    "PREFIX",
    "RESTARTING",
    "BoundRunner",
    "Conduct",
    "LogCapture",
    "OpenLogs",
    "OutputReader",
    "ReportRequest",
    "Request",
    "ResourceExpression",
    "RunSettings",
    "Salvage",
    "SessionDeviceContext",
    "SessionManager",
    "SessionState",
    "TaskWrapper",
    "auto_retry_candidates",
    "begin",
    "copy_share",
    "create_storage",
    "default_plan",
    "dependencies",
    "expression_lines",
    "find_entry",
    "find_plan",
    "finish",
    "is_hidden",
    "keep_conduct",
    "kept_conduct",
    "log_name",
    "open_runner",
    "parse_expression",
    "parse_imports",
    "peek",
    "recover",
    "remove_share",
    "report_schema",
    "requirements",
    "resource_key",
    "retry_candidates",
    "run_session",
    "runner_name",
    "salvage_session",
    "seconds_left",
    "share_in",
    "siblings",
    "solve",
    "store_attachment",
    "template_resource",
    "try_again",
]
