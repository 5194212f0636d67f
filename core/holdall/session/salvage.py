"""Another session made of what is whole in a damaged one."""

from __future__ import annotations

from contextlib import ExitStack, closing
from itertools import count
from shlex import quote
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from holdall.errors import CorruptSessionError, NothingToSalvageError, SessionExistsError
from holdall.journal import (
    JobStarted,
    Journal,
    ResultRecorded,
    SessionCreated,
    describe_session,
    list_sessions,
    read_prefix,
)
from holdall.session.folders import copy_share, remove_share
from holdall.view import SessionView

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from holdall.contracts import Repository, Storage
    from holdall.journal import AnyEvent, WholePrefix
    from holdall.results import JobResult

_CHUNK = 2**20


class Salvage(NamedTuple):
    """What was kept of a damaged session, and what was not.

    Attributes:
        session_id: The session that was made; the damaged one stays as it is.
        damage: The damage that it ends in front of; None if only output is damaged.
        head: Number of the last entry of the damaged session that was kept.
        results: How many jobs have a result in the session that was made.
        results_before: How many had one by what the damaged session says of itself at its
            end; None if that can't be read.
        without_result: The selected jobs that have no result, so a resume runs them.
        without_output: The jobs of whose output or attachments something is damaged.
        share_problem: Why the folder that jobs share was not copied whole, nothing if it was.
    """

    session_id: str
    damage: CorruptSessionError | None
    head: int
    results: int
    results_before: int | None
    without_result: Sequence[str]
    without_output: Sequence[str]
    share_problem: str


def salvage_session(repository: Repository, session_id: str) -> Salvage:
    """Make another session of what is whole in a damaged one, which is not changed at all.

    Raises:
        NothingToSalvageError: Nothing of it is damaged, or not even its first entry is whole.
        NewerFormatError: A newer holdall wrote it.
        StorageFullError: No room for the new session; nothing of it stays.
    """
    with closing(repository.open(session_id, mode="r")) as damaged:
        prefix = read_prefix(damaged)
        if not prefix.events or not isinstance(prefix.events[0], SessionCreated):
            raise NothingToSalvageError(session_id, repository.url, _why_nothing(prefix.damage))
        target = _created(repository, session_id)
        with ExitStack() as undo:
            undo.callback(remove_share, repository, target.id)
            undo.callback(repository.remove, target.id)
            undo.callback(target.close)
            journal = Journal.begin(target)
            copier = _Copier(damaged, target)
            journal.append(copier.copied(prefix))
            if prefix.damage is None and not copier.without_output:
                reason = f"it is whole; `holdall resume {quote(session_id)}` goes on with it"
                raise NothingToSalvageError(session_id, repository.url, reason)
            share_problem = copy_share(damaged, target)
            view = SessionView.of(target)
            undo.pop_all()
        journal.close()
    return Salvage(
        session_id=target.id,
        damage=prefix.damage,
        head=prefix.head,
        results=describe_session(repository, target.id).results,
        results_before=_results_before(repository, session_id),
        without_result=[job.id for job in view.jobs() if not job.attempt_count],
        without_output=copier.without_output,
        share_problem=share_problem,
    )


def _why_nothing(damage: CorruptSessionError | None) -> str:
    if damage is None:
        return "it has no entries, or begins with none of a session"
    return f"not even its first entry is whole ({damage.reason}, at {damage.location})"


def _results_before(repository: Repository, session_id: str) -> int | None:
    """Return how many results a session had by its ends, which may be whole all the same."""
    infos = [info for info in list_sessions(repository) if info.id == session_id]
    return next((info.results for info in infos if not info.reason), None)


def _created(repository: Repository, session_id: str) -> Storage:
    for number in count(1):
        try:
            return repository.create(f"{session_id}.salvaged-{number}")
        except SessionExistsError:
            continue
    raise AssertionError  # numbers have no end


class _Copier:
    """Copies events and the blobs that they name; a blob that is damaged is left out."""

    def __init__(self, source: Storage, target: Storage) -> None:
        self._source = source
        self._target = target
        self.without_output: list[str] = []

    def copied(self, prefix: WholePrefix) -> Iterator[AnyEvent]:
        # Of a start without a result the result may be what was lost; a resume would take
        # the job for one that ended with holdall.
        left_out = _in_flight(prefix.events) if prefix.damage else set()
        for event in prefix.events:
            if isinstance(event, SessionCreated):
                yield msgspec.structs.replace(event, session_id=self._target.id)
            elif isinstance(event, ResultRecorded):
                result = self._with_blobs(event.result)
                if result != event.result:
                    self.without_output.append(event.job_id)
                yield msgspec.structs.replace(event, result=result)
            elif id(event) not in left_out:
                yield event

    def _with_blobs(self, result: JobResult) -> JobResult:
        attachments = tuple(
            attachment
            for attachment in result.attachments
            if not attachment.ref or self._copy(attachment.ref)
        )
        if attachments != result.attachments:
            result = msgspec.structs.replace(result, attachments=attachments)
        if result.io_log_ref and not self._copy(result.io_log_ref):
            result = msgspec.structs.replace(
                result,
                io_log_ref=None,
                io_log_size=0,
                io_log_dropped=result.io_log_dropped + result.io_log_size,
            )
        return result

    def _copy(self, ref: str) -> bool:
        """Copy a blob; False if it is damaged."""
        try:
            with self._source.open_blob(ref) as blob:
                self._target.put_blob(iter(lambda: blob.read(_CHUNK), b""))
        except CorruptSessionError:
            return False
        return True


def _in_flight(events: Sequence[AnyEvent]) -> set[int]:
    """Return the identities of the starts without a result."""
    starts: dict[tuple[str, str], AnyEvent] = {}
    for event in events:
        if isinstance(event, JobStarted):
            starts[event.device, event.job_id] = event
        elif isinstance(event, ResultRecorded):
            starts.pop((event.device, event.job_id), None)
    return {id(event) for event in starts.values()}
