"""From pytest's options to a recorder, and from its session to reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import pytest

from holdall import HoldallError, Recorder
from holdall.front_ends import message, redaction_rules, session_named, surroundings
from holdall.units import LOCAL

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from holdall.contracts import Level, Repository
    from holdall.redaction import RedactionRules
    from holdall.registry import Registry


PYTEST: Final = "pytest"
ROOT: Final = "pytest root"
"""Facts of the device of a recorded run: the version of pytest, and the root folder."""


class Target(NamedTuple):
    """A report that is wanted at the end."""

    exporter: str
    path: Path


class Before(NamedTuple):
    """What a session held before this run.

    Attributes:
        finished: Ids of jobs that have a result.
        broken: Ids of files that could not be collected.
        facts: Those of the device.
    """

    finished: frozenset[str] = frozenset()
    broken: frozenset[str] = frozenset()
    facts: Mapping[str, str] = {}


class Opened(NamedTuple):
    """A session that is recorded, and what was asked for."""

    recorder: Recorder
    repository: Repository
    registry: Registry
    device: str
    level: Level
    targets: tuple[Target, ...]
    before: Before
    is_resumed: bool

    def write_reports(self) -> list[str]:
        """Write the reports that are wanted; return what went wrong, each in one line."""
        if not self.targets:
            return []
        from holdall import export  # dear, and most runs want no report

        problems = []
        for target in self.targets:
            try:
                storage = self.repository.open(self.recorder.session_id, mode="r")
                try:
                    target.path.parent.mkdir(parents=True, exist_ok=True)
                    export(storage, target.exporter, target.path, registry=self.registry)
                finally:
                    storage.close()
            except (HoldallError, OSError) as error:
                text = f"the report {target.exporter}={target.path} was not written"
                problems.append(f"{text}: {message(error)}")
        return problems


def opened(config: pytest.Config) -> Opened:
    """Begin, or go on with, the session that the options ask for.

    Raises:
        pytest.UsageError: An option or the store can't be used.
    """
    option = config.option
    try:
        found = surroundings(option.holdall or config.getini("holdall_store"))
        targets = tuple(_target(config, text) for text in option.holdall_export)
        for target in targets:
            found.registry.load("exporters", target.exporter)
        rules = redaction_rules(
            option.holdall_redact, option.holdall_redact_env, option.holdall_redact_key
        )
        recorder, device, before = _begun(config, found.repository, found.registry, rules)
    except HoldallError as error:
        raise pytest.UsageError(f"holdall: {message(error)}") from error
    level: Level = option.holdall_durability
    is_resumed = option.holdall_resume is not None
    return Opened(
        recorder, found.repository, found.registry, device, level, targets, before, is_resumed
    )


def _begun(
    config: pytest.Config,
    repository: Repository,
    registry: Registry,
    rules: RedactionRules,
) -> tuple[Recorder, str, Before]:
    """Return the recorder, its device, and what the session held before."""
    option = config.option
    redact = rules or None
    if option.holdall_resume is None:
        device = option.holdall_device or LOCAL
        title = option.holdall_title or f"pytest {config.rootpath.name}"
        recorder = Recorder.create(
            repository, title=title, device=device, registry=registry, redact=redact
        )
        facts = {PYTEST: pytest.__version__, ROOT: str(config.rootpath)}
        recorder.device(device, facts=facts)
        recorder.checkpoint(level="process")  # a run that is killed at once has its title
        return recorder, device, Before(facts=facts)
    session_id = _resumed(repository, option.holdall_resume, str(config.rootpath))
    device, before = _before(repository, session_id, option.holdall_device)
    recorder = Recorder.append(
        repository, session_id, device=device, registry=registry, redact=redact
    )
    return recorder, device, before


def _resumed(repository: Repository, wanted: str, root: str) -> str:
    """Return the session that is meant; the last one is the last of the same root folder.

    Raises:
        pytest.UsageError: It is none of pytest's, or there is none of this folder.
    """
    from holdall import list_sessions

    if wanted != "last":
        session_id = session_named(repository, wanted)
        if PYTEST not in _facts(repository, session_id):
            raise pytest.UsageError(
                f"holdall: the session {session_id} was not recorded by pytest; "
                "`holdall sessions list` shows all of them"
            )
        return session_id
    infos = sorted(list_sessions(repository), key=lambda info: info.modified, reverse=True)
    for info in infos:
        is_readable = info.state in {"new", "unfinished", "finished"}
        if is_readable and _facts(repository, info.id).get(ROOT) == root:
            return info.id
    raise pytest.UsageError(
        f"holdall: no session in {repository.url} is one of pytest in {root}; record one with "
        "--holdall, or give the id of another folder's (--holdall-resume ID)"
    )


def _facts(repository: Repository, session_id: str) -> Mapping[str, str]:
    """Return the facts of all devices of a session."""
    from holdall import SessionView

    storage = repository.open(session_id, mode="r")
    try:
        view = SessionView.of(storage)
        return {name: text for device in view.devices for name, text in device.facts.items()}
    finally:
        storage.close()


def _before(repository: Repository, session_id: str, device: str) -> tuple[str, Before]:
    """Return the device, and what the session holds; an interrupted attempt is no result."""
    from holdall import Outcome, SessionView

    storage = repository.open(session_id, mode="r")
    try:
        view = SessionView.of(storage)
        if not device:
            device = view.devices[0].id if view.devices else LOCAL
        jobs = [job for job in view.jobs(device_id=device) if job.attempt_count]
        finished = {job.id for job in jobs if job.interrupted_by is None and not job.in_flight}
        broken = {job.id for job in jobs if job.outcome is Outcome.ERROR and "::" not in job.id}
        facts = next((known.facts for known in view.devices if known.id == device), {})
        return device, Before(frozenset(finished), frozenset(broken), dict(facts))
    finally:
        storage.close()


def _target(config: pytest.Config, text: str) -> Target:
    name, _, path = text.partition("=")
    if not name or not path:
        raise pytest.UsageError(
            f"--holdall-export takes FORMAT=PATH, as in html=report.html, and not {text!r}"
        )
    # Tests may change the folder that they run in.
    return Target(name, config.invocation_params.dir / path)
