"""The variables that a job's command sees."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from holdall.units import Job, Provider

RESET_LANGUAGE: Final = "C.UTF-8"
"""The language of a job with the flag `reset-locale`."""


def job_environ(
    job: Job,
    provider: Provider | None,
    given: Mapping[str, str],
    *,
    session_id: str,
    session_share: Path,
    report: Path | None = None,
    providers: Iterable[Provider] = (),
    normal_user: str = "",
) -> dict[str, str]:
    """Return the complete environment of *job*'s command: all of *given*, and holdall's own.

    The programs of all providers of the job's namespace come first on PATH, in the
    order the providers were loaded; so of two of one name the first counts.

    Args:
        given: What the caller's environment and the configuration say.
        report: File that the job may write a report to.
        providers: All providers of the device, in the order they were loaded.
        normal_user: The account of jobs that name none; empty if nobody knows one.
    """
    environ = dict(given)
    if "reset-locale" in job.flags:
        _reset_language(environ)
    elif provider is not None:
        environ |= _messages(provider)
    environ["HOLDALL_SESSION"] = session_id
    environ["HOLDALL_JOB"] = job.id
    environ.pop("HOLDALL_REPORT", None)  # of a job that started this holdall
    if report is not None:
        environ["HOLDALL_REPORT"] = str(report)
    environ["SYSTEMD_IGNORE_CHROOT"] = "1"
    if normal_user:
        environ["NORMAL_USER"] = normal_user
    for prefix in ("HOLDALL", "PLAINBOX"):
        environ[f"{prefix}_SESSION_SHARE"] = str(session_share)
    environ |= _folders(provider) if provider is not None else {}
    programs = _program_folders(job, provider, providers)
    if programs:
        path = environ.get("PATH") or os.defpath
        environ["PATH"] = os.pathsep.join([*programs, path])
    return environ


def _reset_language(environ: dict[str, str]) -> None:
    for name in [name for name in environ if name.startswith("LC_")]:
        del environ[name]
    environ.pop("LANGUAGE", None)
    environ["LANG"] = RESET_LANGUAGE


def _messages(provider: Provider) -> dict[str, str]:
    """Return the variables by which programs find the translations of *provider*."""
    variables: dict[str, str] = {}
    if provider.gettext_domain:
        variables |= dict.fromkeys(
            ("TEXTDOMAIN", "PLAINBOX_PROVIDER_GETTEXT_DOMAIN"), provider.gettext_domain
        )
    if provider.locale_folder is not None:
        variables |= dict.fromkeys(
            ("TEXTDOMAINDIR", "PLAINBOX_PROVIDER_LOCALE_DIR"), str(provider.locale_folder)
        )
    return variables


def _folders(provider: Provider) -> dict[str, str]:
    folders = {
        "HOLDALL_PROVIDER_DATA": provider.data_folder,
        "PLAINBOX_PROVIDER_DATA": provider.data_folder,
        "PLAINBOX_PROVIDER_UNITS": provider.units_folder,
        "CHECKBOX_SHARE": provider.folder,
    }
    return {name: str(folder) for name, folder in folders.items() if folder is not None}


def _program_folders(
    job: Job, provider: Provider | None, providers: Iterable[Provider]
) -> dict[str, None]:
    """Return the folders of programs that *job* may call, each once, in order."""
    candidates = list(providers)
    if provider is not None and provider not in candidates:
        candidates.append(provider)
    return {
        str(candidate.bin_folder): None
        for candidate in candidates
        if candidate.bin_folder is not None
        and (candidate == provider or candidate.namespace == job.namespace)
    }
