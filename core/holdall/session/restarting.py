"""Jobs that restart the machine: how they find the way back, and what they report of it.

Programs of Checkbox's providers that restart it several times read the command that goes
on from one file of the folder that jobs share, and write their result to another one.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import msgspec

from holdall.errors import JobRestartingError
from holdall.results import Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from holdall.session.manager import SessionManager
    from holdall.units import Job

RESTARTING: Final = frozenset({"noreturn", "autorestart"})
"""The flags of jobs that restart the machine."""

RESPAWN: Final = "__respawn_checkbox"
RESULT: Final = "__result"
_TOLD: Final = frozenset({Outcome.PASS, Outcome.FAIL, Outcome.SKIP})


def offer_respawn(job: Job, share: Path, command: str) -> None:
    """Let a job that does not return find the command that goes on with the session."""
    if command and "noreturn" in job.flags:
        with suppress(OSError):  # it can do without: a person may go on
            (share / RESULT).unlink(missing_ok=True)
            (share / RESPAWN).write_text(command, encoding="utf-8")


def told_result(job: Job, share: Path | None) -> dict[str, Any]:
    """Return what a job that restarted the machine wrote of its result; nothing if it did not."""
    if share is None or not job.flags & RESTARTING:
        return {}
    path = share / RESULT
    try:
        content = msgspec.json.decode(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError):
        content = None
    with suppress(OSError):
        path.unlink()
    told = content if isinstance(content, dict) else {}
    outcome = next((known for known in _TOLD if known == told.get("outcome")), Outcome.CRASH)
    comments = told.get("comments")
    said = comments if isinstance(comments, str) and comments else None
    return {"outcome": outcome, "comments": said or f"the job wrote it to the file {RESULT!r}"}


def check_done(manager: SessionManager, share: Path) -> None:
    """Refuse to go on while a job in flight restarts the machine and goes on itself afterwards.

    Raises:
        JobRestartingError: It has not written its result yet.
    """
    for context in manager.device_context_list:
        for state in context.state.job_state_map.values():
            is_own = state.in_flight and RESPAWN in state.job.command
            if is_own and not (share / RESULT).exists():
                raise JobRestartingError(manager.storage.id, state.job.id)
