"""What a run was asked for, kept in the session so that a resume does the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from holdall.session.manager import SessionManager
    from holdall.session.metadata import SessionMetaData

APP_ID: Final = "holdall"


class ReportRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A report that is written when the run ends.

    Attributes:
        path: The file it goes to; None for standard output.
        options: Options of the exporter, `KEY=VALUE`.
        strict: Whether an option that the exporter lacks is an error.
        title: What a launcher calls the report; empty if the command line asked for it.
        optional: Whether a person at the terminal is asked if it is wanted.
    """

    exporter: str = ""
    path: str | None = None
    options: tuple[str, ...] = ()
    strict: bool = True
    title: str = ""
    optional: bool = False


class Conduct(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a run is conducted, and what it reports.

    Attributes:
        timeout: Seconds that one attempt may take, None for any time.
        asks: Whether a person at the terminal is asked.
        shown: Of which jobs the output is shown at a terminal; empty for the default.
        rounds: How often jobs that failed run again by themselves.
        rounds_made: How many of these rounds have begun.
        delay_s: Seconds before each of them.
    """

    reports: tuple[ReportRequest, ...] = ()
    timeout: float | None = None
    asks: bool = True
    shown: str = ""
    rounds: int = 0
    rounds_made: int = 0
    delay_s: float = 0.0


class Request(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a user asked to run besides test plans; kept in the session, which may go on later.

    Attributes:
        patterns: Ids of jobs, or expressions for them.
        everything: Whether all automated jobs are meant, because nothing was asked for.
        exclude: Expressions for qualified ids of jobs that don't run; they match from an id's
            beginning, also on the ids of templates. What a selected job needs runs all the same.
        match: Expressions, one of which a job must match to run.
        conduct: How the run is conducted, and what it reports.
    """

    patterns: tuple[str, ...] = ()
    everything: bool = False
    exclude: tuple[str, ...] = ()
    match: tuple[str, ...] = ()
    conduct: Conduct = Conduct()


def kept_request(metadata: SessionMetaData) -> Request:
    """Return the request that a session keeps; an empty one if another application made it."""
    if metadata.app_id != APP_ID or not metadata.app_blob:
        return Request()
    # Names of files need not be UTF-8; Python has them with lone surrogates.
    text = metadata.app_blob.decode("utf-8", "surrogatepass")
    return msgspec.convert(json.loads(text), Request)


def keep_request(metadata: SessionMetaData, request: Request) -> None:
    """Keep *request* in a session, in place of an earlier one."""
    text = json.dumps(msgspec.to_builtins(request), ensure_ascii=False, separators=(",", ":"))
    metadata.app_id = APP_ID
    metadata.app_blob = text.encode("utf-8", "surrogatepass")


def kept_conduct(manager: SessionManager) -> Conduct:
    """Return how the run of a session was to be conducted, as far as the session keeps it.

    What was masked so that it can't be read any more is not kept.
    """
    contexts = manager.device_context_list
    try:
        return kept_request(contexts[0].state.metadata).conduct if contexts else Conduct()
    except (ValueError, msgspec.ValidationError):
        return Conduct()


def keep_conduct(manager: SessionManager, conduct: Conduct) -> None:
    """Keep *conduct* in a session, unless another application keeps its own data there."""
    for context in manager.device_context_list:
        metadata = context.state.metadata
        if metadata.app_id == APP_ID or not (metadata.app_id or metadata.app_blob):
            request = msgspec.structs.replace(kept_request(metadata), conduct=conduct)
            keep_request(metadata, request)
