"""The variables that a job's command sees."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from holdall.units import Job, Provider

ALWAYS: Final = (
    "HOME",
    "LANG",
    "LC_ALL",
    "LOGNAME",
    "PATH",
    "SHELL",
    "TERM",
    "TMPDIR",
    "USER",
)
"""Variables that every command sees; others only if its job's `environ` names them."""


def job_environ(
    job: Job,
    provider: Provider | None,
    given: Mapping[str, str],
    *,
    session_id: str,
    session_share: Path,
) -> dict[str, str]:
    """Return the complete environment of *job*'s command.

    Messages are in English unless the job has the flag `preserve-locale`. The
    provider's programs come first on PATH; its data folder and a folder that
    all jobs of the session share have variables of their own, under plainbox's
    names too.
    """
    environ = {name: given[name] for name in (*ALWAYS, *job.environ) if name in given}
    if "preserve-locale" not in job.flags:
        environ.pop("LC_ALL", None)
        environ["LANG"] = "C.UTF-8"
    environ["HOLDALL_SESSION"] = session_id
    environ["HOLDALL_JOB"] = job.id
    for prefix in ("HOLDALL", "PLAINBOX"):
        environ[f"{prefix}_SESSION_SHARE"] = str(session_share)
        if provider is not None and provider.data_folder is not None:
            environ[f"{prefix}_PROVIDER_DATA"] = str(provider.data_folder)
    if provider is not None and provider.bin_folder is not None:
        path = environ.get("PATH") or os.defpath
        environ["PATH"] = f"{provider.bin_folder}{os.pathsep}{path}"
    return environ
