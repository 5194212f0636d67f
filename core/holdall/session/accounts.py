"""Accounts that jobs run as: what can't be done is known, and reported, before a run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from holdall.contracts import ChecksAccounts
from holdall.registry import calling
from holdall.session.reading import folders_of, unreadable
from holdall.session.runners import runner_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from holdall.session.context import SessionDeviceContext
    from holdall.session.runners import BoundRunner
    from holdall.units import Job

_MOST: Final = 10


def account_of(job: Job, normal_user: str) -> str:
    """Return the account that performs *job*; empty for the one that runs holdall."""
    return job.user or normal_user


def has_several_accounts(contexts: Iterable[SessionDeviceContext], normal_user: str) -> bool:
    """Whether this is root, and jobs of other accounts are among the units."""
    if os.geteuid():
        return False
    users = {unit.get("user") for context in contexts for unit in context.unit_list}
    return bool({*users, normal_user} - {"", "root"})


class AccountProblems:
    """Why jobs can't run as the account that they need, asked of each runner once."""

    def __init__(
        self,
        runners: Mapping[str, BoundRunner],
        normal_user: str,
        warn: Callable[[str], None],
    ) -> None:
        self._runners: Final = runners
        self._normal_user: Final = normal_user
        self._warn: Final = warn
        self._known: Final[dict[tuple[str, str], str | None]] = {}
        self._reported: Final[set[tuple[str, str]]] = set()
        self._checked: Final[set[tuple[str, str]]] = set()

    def of(self, context: SessionDeviceContext, job: Job) -> str | None:
        """Return why *job* can't run as its account; None if it can, or the runner can't say."""
        user = account_of(job, self._normal_user)
        if not user or not job.command:
            return None
        key = (context.device.id, user)
        if key not in self._known:
            self._known[key] = self._asked(*key)
        return self._known[key]

    def _asked(self, device_id: str, user: str) -> str | None:
        bound = self._runners[device_id]
        if not isinstance(bound.runner, ChecksAccounts):
            return None
        with calling(bound.plugin, f"asking whether jobs can run as {user!r}") as call:
            problem = bound.runner.account_problem(user)
            return None if problem is None else call.returned(problem, str)

    def report(self, context: SessionDeviceContext) -> None:
        """Name the jobs still to run that can't, once for each account."""
        hindered: dict[str, list[str]] = {}
        for job in context.state.run_list:
            was_tried = context.state.job_state_map[job.id].was_tried
            if not was_tried and self.of(context, job) is not None:
                hindered.setdefault(account_of(job, self._normal_user), []).append(job.id)
        for user, job_ids in hindered.items():
            key = (context.device.id, user)
            if key not in self._reported:
                self._reported.add(key)
                names = ", ".join(job_ids[:_MOST]) + (", ..." if len(job_ids) > _MOST else "")
                self._warn(
                    f"{len(job_ids)} of the jobs can't run as {user!r} and count as not "
                    f"performed: {self._known[key]} ({names})"
                )
        self._report_unreadable(context)

    def _report_unreadable(self, context: SessionDeviceContext) -> None:
        """Name the providers whose folders an account can't read that performs their jobs."""
        if runner_name(context.device.runner) != "local":
            return
        for job in context.state.run_list:
            user = account_of(job, self._normal_user)
            provider = context.provider_of(job)
            if not (user and job.command and provider) or (user, provider.name) in self._checked:
                continue
            self._checked.add((user, provider.name))
            path = unreadable(folders_of(provider), user)
            if path is not None and self.of(context, job) is None:
                self._warn(
                    f"jobs of {provider.name!r} run as {user!r}, which can't read {str(path)!r}: "
                    "they will not find its programs and files; make it readable, move the "
                    "provider, or let another account run them (--normal-user)"
                )
