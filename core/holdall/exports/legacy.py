"""Option strings of plainbox, and what each of them means to an exporter of today."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

LEGACY_OPTIONS: Final[Mapping[str, tuple[str, Any]]] = MappingProxyType(
    {
        "flatten_io_log": ("logs", "all"),
        "squash_io_log": ("logs", "all"),
        "with_io_log": ("logs", "all"),
        "with_attachments": ("attachments", True),
        "with_category_map": ("categories", True),
        "with_certification_status": ("certification_status", True),
        "with_comments": ("comments", True),
        "with_job_defs": ("definitions", True),
        "with_job_description": ("descriptions", True),
        "with_job_hash": ("checksums", True),
        "with_job_list": ("job_list", True),
        "with_job_via": ("job_via", True),
        "with_resource_map": ("resources", True),
        "with_run_list": ("run_list", True),
        "with_summary": ("summary", True),
        "with_sys_info": ("devices", True),
        "with_text_attachments": ("text_attachments", True),
        "with_unit_categories": ("categories", True),
        "machine_json": ("compact", True),
        "tp_export": ("test_plan", True),
        "without_session_desc": ("session_description", False),
    }
)
"""The field and value that each name stands for, `-` written as `_`.

A name means something to an exporter that has the field, or that shares it with
all others; to the rest it is an option that they don't have.
"""
