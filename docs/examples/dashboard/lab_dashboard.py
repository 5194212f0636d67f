"""A dashboard of a bench: jobs run in one thread, and pages on loopback show them meanwhile."""

from __future__ import annotations

import argparse
import io
import threading
import time
from contextlib import closing
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import holdall
from holdall.registry import PluginPolicy
from holdall.session import RunSettings, run_session

if TYPE_CHECKING:
    from holdall.contracts import ProcessMark, Task
    from holdall.results import Interruption
    from holdall.units import Job

JOBS = [
    holdall.make_unit({"id": name, "plugin": "shell", "command": command}, namespace="bench")
    for name, command in {"disk": "87.5 50", "wifi": "12 30", "usb": "41 40"}.items()
]
# The only reports that a page may ask for, and never with options: some of them read files.
REPORTS = {"page": "text/html; charset=utf-8", "data": "application/json"}


class BenchRunner:
    """Asks the bench, `bench:SECONDS`; the command of a job is what it measures, and the limit."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    @classmethod
    def from_url(cls, url: str, *, options: object = None) -> BenchRunner:
        """Return the bench that takes so long for each job."""
        return cls(float(url.partition(":")[2] or 0))

    def run(self, task: Task) -> holdall.JobResult:
        """Measure once; the start of the attempt is durable before anything is done."""
        task.started(None)
        time.sleep(self._seconds)
        value, limit = map(float, task.job.command.split())
        task.output("stdout", b"%g MB/s on %s\n" % (value, task.device.id.encode()))
        speed = holdall.Measurement(name="speed", value=value, unit="MB/s", lower=limit)
        return holdall.JobResult(outcome=speed.outcome, measurements=[speed])

    def interrupted(self, process: ProcessMark | None) -> Interruption:
        """Say what ended an attempt: nothing of it is left on the bench."""
        return "unknown"


class Board:
    """What the start page shows: set by hooks in one thread, read by those of the server."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._states: dict[str, str] = {}

    @holdall.hookimpl
    def job_started(self, job: Job) -> None:
        """Show that a job runs."""
        with self._lock:
            self._states[job.id] = "runs"

    @holdall.hookimpl
    def result_stored(self, job: Job, result: holdall.JobResult) -> None:
        """Show a result once it is durable; what was shown stays true."""
        with self._lock:
            self._states[job.id] = str(result.outcome)

    def states(self) -> dict[str, str]:
        """Return what is known of each job now."""
        with self._lock:
            return dict(self._states)


class Dashboard:
    """One session of the bench, and what others may see of it while it runs."""

    def __init__(self, store: str, plugins: holdall.Registry, *, bench: str = "bench:1") -> None:
        self._plugins = plugins
        self._repository = holdall.open_repository(store, registry=plugins)
        self._device = holdall.Device("dut-7", description="Bench 7", runner=bench)
        self.board = Board()
        self.session_id = ""

    def run(self) -> None:
        """Run all jobs; the manager belongs to the thread that calls this, and to no other."""
        with holdall.SessionManager.create(self._repository, registry=self._plugins) as manager:
            manager.hooks.register(self.board)
            context = holdall.SessionDeviceContext(device=self._device)
            for unit in JOBS:
                context.add_unit(unit)
            manager.add_device_context(context)
            context.state.update_desired_job_list(context.state.job_list)
            manager.checkpoint()
            self.session_id = manager.storage.id
            run_session(manager, RunSettings(environ={}))

    def report(self, name: str) -> bytes:
        """Return a report of what is stored by now; it reads beside the thread that writes."""
        target = io.BytesIO()
        with closing(self._repository.open(self.session_id, mode="r")) as storage:
            view = holdall.SessionView.of(storage)
            holdall.export(view, name, target, registry=self._plugins)
        return target.getvalue()

    def page(self) -> bytes:
        """Return the start page."""
        states = self.board.states().items()
        rows = "".join(f"<tr><td>{escape(job)}<td>{escape(state)}" for job, state in states)
        links = " ".join(f'<a href="/report/{name}">{name}</a>' for name in REPORTS)
        return f"<!doctype html><title>Bench</title><table>{rows}</table>{links}".encode()


def own_registry() -> holdall.Registry:
    """Return the registry of this application: what is installed, its own runner and names."""
    policy = PluginPolicy.of(alias={"page": "holdall.html", "data": "holdall.json"})
    plugins = holdall.Registry.discover(policy)
    plugins.register("runners", "bench", BenchRunner)
    return plugins


def server_of(dashboard: Dashboard, port: int = 0) -> ThreadingHTTPServer:
    """Return a server on loopback, which nobody else on the network reaches."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            folder, _, name = self.path.rpartition("/")
            if self.path == "/":
                self._send(dashboard.page(), "text/html; charset=utf-8")
            elif folder == "/report" and name in REPORTS and dashboard.session_id:
                self._send(dashboard.report(name), REPORTS[name])
            else:
                self.send_error(404)

        def _send(self, body: bytes, media_type: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing of requests that went well."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


def main() -> None:
    """Run the bench, and serve its pages until the program is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", default="memory://bench")
    parser.add_argument("--bench", default="bench:1", help="bench:SECONDS for each job")
    parser.add_argument("--once", action="store_true", help="end when all jobs are done")
    given = parser.parse_args()
    dashboard = Dashboard(given.store, own_registry(), bench=given.bench)
    with server_of(dashboard) as server:
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        print(f"http://127.0.0.1:{server.server_port}/", flush=True)
        dashboard.run()
        print(*(f"{job}: {state}" for job, state in dashboard.board.states().items()), sep="\n")
        if given.once:
            server.shutdown()
        serving.join()


if __name__ == "__main__":
    main()
