"""Each result of a session of holdall, sent to a web server as JSON."""

from __future__ import annotations

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from holdall import hookimpl
from holdall.settings import Settings, options_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdall import JobResult, SessionDeviceContext, SessionManager
    from holdall.units import Job

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class WebhookOptions:
    """What can be set in the table `settings.webhook` of holdall.toml.

    Attributes:
        url: Where to send results; none is sent without it.
        failures: Whether to leave out what passed.
        timeout_s: Seconds that the server may take to answer.
    """

    url: str = ""
    failures: bool = False
    timeout_s: float = 5.0

    def __post_init__(self) -> None:
        """Refuse what is no address of a web server."""
        if self.url:
            _check_address(self.url)


def _check_address(url: str) -> None:
    """Refuse an address that no result can be sent to.

    Raises:
        ValueError: Always says which address, and what is wrong with it.
    """
    if not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError(f"the url {url!r} has characters that must be written as %xx")
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError as error:
        raise ValueError(f"the url {url!r} has no port that can be: {error}") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise ValueError(f"the url {url!r} is not http:// or https:// with a host")


class WebhookListener:
    """Sends in a thread of its own, so that no job waits for the server."""

    Options: ClassVar[type] = WebhookOptions

    def __init__(self) -> None:
        """Begin with nothing set; holdall calls `configure` before any other hook."""
        self._options = WebhookOptions()
        self._is_down = False
        # One thread, so results arrive in order; Python ends when all of them are sent.
        self._sending = ThreadPoolExecutor(1, thread_name_prefix="webhook")

    @hookimpl
    def configure(self, settings: Mapping[str, Any]) -> None:
        """Take what is set; a name or a value that is no option is an error that says so."""
        self._options = options_of(self, Settings(settings, "settings.webhook"))
        self._is_down = False

    @hookimpl
    def result_stored(
        self,
        manager: SessionManager,
        context: SessionDeviceContext,
        job: Job,
        result: JobResult,
    ) -> None:
        """Send a result that a crash can't take back any more."""
        if not self._options.url or (self._options.failures and not result.outcome.failed):
            return
        record = {
            "session": manager.storage.id,
            "device": context.device.id,
            "job": job.id,
            "outcome": result.outcome,
            "comments": result.comments,
        }
        self._sending.submit(self._send, json.dumps(record).encode(), self._options)

    def _send(self, body: bytes, options: WebhookOptions) -> None:
        """Send one result; after a failure no more, or each would wait for the server."""
        if self._is_down:
            return
        request = Request(options.url, body, {"Content-Type": "application/json"})
        try:
            with urlopen(request, timeout=options.timeout_s):
                pass
        except Exception as error:
            # Nobody reads the future of this thread, so what it let go would be lost: not only
            # OSError, but also http.client.HTTPException and ValueError.
            self._is_down = True
            _LOG.warning("results are not sent any more: %s: %r", options.url, error)


listener = WebhookListener()
