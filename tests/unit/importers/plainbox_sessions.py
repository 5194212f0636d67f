"""Sessions as plainbox writes them, in every format, made of facts that a test knows."""

from __future__ import annotations

import base64
import gzip
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def record(data: bytes, stream: str = "stdout") -> list[Any]:
    """Return a record of output as plainbox keeps it."""
    return [0.25, stream, base64.b64encode(data).decode()]


def result(outcome: str | None, **more: Any) -> dict[str, Any]:
    """Return a result with output in the session."""
    empty: dict[str, Any] = {
        "execution_duration": None,
        "comments": None,
        "return_code": None,
        "io_log": [],
    }
    return {**empty, "outcome": outcome, **more}


def document(version: int) -> dict[str, Any]:
    """Return a session of a format: one job passed, one failed, one did not run."""
    hollow = {"ns::usb": [result(None)]} if version < 4 else {}
    metadata: dict[str, Any] = {
        "title": "Night \u2013 1",
        "flags": ["incomplete"],
        "running_job_name": None,
    }
    if version >= 2:
        blob = base64.b64encode(json.dumps({"testplan_id": "ns::plan"}).encode()).decode()
        metadata["app_blob"] = blob
    if version >= 3:
        metadata["app_id"] = "com.example:app"
    if version >= 6:
        metadata |= {"custom_joblist": True, "rejected_jobs": ["ns::left"]}
    if version >= 7:
        metadata["last_job_start_time"] = 1700000000.5
    if version >= 11:
        metadata["remaining_todo_jobs"] = True
    session: dict[str, Any] = {
        "jobs": {"ns::disk": "a" * 64, "ns::net": "b" * 64, "ns::usb": "c" * 64},
        "desired_job_list": ["ns::net", "ns::usb"],
        "mandatory_job_list": ["ns::disk"],
        "metadata": metadata,
        "results": {
            "ns::disk": [
                result("pass", execution_duration=1.5, return_code=0, io_log=[record(b"\xff\n")])
            ],
            "ns::net": [
                *([result("pass")] if version >= 4 else []),
                result("fail", comments="no link", io_log=[record(b"down\n", "stderr")]),
            ],
            **hollow,
        },
    }
    if version >= 8:
        session["system_information"] = {"uname": {"output": "x"}}
    return {"session": session, "version": version}


def written(folder: Path, saved: dict[str, Any]) -> Path:
    """Write a session as plainbox does, and return its folder."""
    (folder / "io-logs").mkdir(parents=True, exist_ok=True)
    text = json.dumps(saved, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    (folder / "session").write_bytes(gzip.compress(text.encode()))
    return folder
