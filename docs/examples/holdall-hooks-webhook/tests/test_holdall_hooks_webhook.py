from __future__ import annotations

import json
from concurrent.futures import wait
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Queue
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from holdall import JobResult, SessionManager, make_unit
from holdall.errors import ConfigurationError
from holdall.testing import HooksContract

from holdall_hooks_webhook import WebhookListener, listener

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Server(HTTPServer):
    """A web server on this machine that keeps what it is sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.received: Queue[dict[str, Any]] = Queue()
        self.babbles = False
        self.url = f"http://127.0.0.1:{self.server_port}/results"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Server)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.put(json.loads(body))
        if self.server.babbles:
            self.wfile.write(b"this is no HTTP\r\n\r\n")
            return
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Write nothing to the output of the tests."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as made:
        Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield made
        made.shutdown()


class TestWebhookListener(HooksContract):
    """It keeps the promises of every hook plugin."""

    plugin = listener

    @pytest.fixture
    def given_settings(self, server: Server) -> Mapping[str, Any]:
        return {"url": server.url, "failures": True}


def run(listener: WebhookListener, settings: Mapping[str, Any]) -> None:
    """Let one job pass and another fail, and wait until all is sent."""
    fields = {"plugin": "shell", "command": "true"}
    jobs = [make_unit({"id": name, **fields}) for name in ("good", "bad")]
    with SessionManager.create_with_unit_list(jobs, "memory://webhook") as manager:
        manager.hooks.register(listener, settings=settings)
        assert manager.state is not None
        manager.state.update_desired_job_list(manager.state.job_list)
        for job, outcome in zip(manager.state.job_list, ("pass", "fail"), strict=True):
            manager.state.update_job_result(job, JobResult(outcome=outcome))
        manager.checkpoint()
    wait([listener._sending.submit(lambda: None)])


@pytest.mark.parametrize(("failures", "sent"), [(False, ["good", "bad"]), (True, ["bad"])])
def test_each_result_is_sent(server: Server, *, failures: bool, sent: list[str]) -> None:
    run(WebhookListener(), {"url": server.url, "failures": failures})

    assert [server.received.get(timeout=5)["job"] for _ in sent] == sent
    assert server.received.empty()


def test_a_server_that_is_down_is_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    run(WebhookListener(), {"url": "http://127.0.0.1:9/"})

    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_an_answer_that_is_no_http_is_reported_once(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    server.babbles = True

    run(WebhookListener(), {"url": server.url})

    (record,) = caplog.records
    assert (record.levelname, "BadStatusLine" in record.getMessage()) == ("WARNING", True)


@pytest.mark.parametrize(
    "settings",
    [
        {"url": "ftp://lab"},
        {"url": "http://lab server:80/r"},
        {"url": "http://lab/\n"},
        {"url": "http://lab/caf\u00e9"},
        {"url": "http://:80/r"},
        {"url": "http://lab:eighty/r"},
        {"url": "http://lab:99999/r"},
        {"timeout_s": "soon"},
        {"ulr": "x"},
    ],
)
def test_settings_that_can_not_be_are_refused(settings: Mapping[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=r"settings\.webhook"):
        WebhookListener().configure(settings)
