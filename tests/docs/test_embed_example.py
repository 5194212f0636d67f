"""The application of the page on embedding runs, and shows a session while it goes on."""

from __future__ import annotations

import json
import threading
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from importlib.util import module_from_spec, spec_from_file_location
from typing import TYPE_CHECKING, Any

import pytest
from tests.docs.test_docs import EXAMPLES, ROOT, blocks

from holdall import SessionManager, open_repository
from holdall.errors import PluginCallError
from holdall.session import RunSettings, run_session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from holdall.contracts import Task
    from holdall.results import JobResult

PAGE = ROOT / "docs" / "how-to" / "embed-holdall.md"
PATIENCE_S = 20


def example() -> Any:
    spec = spec_from_file_location("lab_dashboard", EXAMPLES / "dashboard" / "lab_dashboard.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def served(module: Any, dashboard: Any) -> Iterator[str]:
    """Give the address of a server of the dashboard."""
    with module.server_of(dashboard) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def get(address: str, path: str) -> tuple[int, bytes]:
    """Return the status and the body of an answer."""
    connection = HTTPConnection(address, timeout=PATIENCE_S)
    with closing(connection):
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()


def outcomes(address: str) -> dict[str, str]:
    """Return the outcomes that the report of the session as it is now has."""
    document = json.loads(get(address, "/report/data")[1])
    return {job["id"]: job["outcome"] for job in document["jobs"]}


@pytest.mark.parametrize("store", ["memory://dashboard", "file://{}"])
def test_the_application_shows_a_session_while_it_runs(store: str, tmp_path: Path) -> None:
    module = example()
    at_second, go_on = threading.Event(), threading.Event()

    def run(bench: Any, task: Task) -> JobResult:
        """Stand still at the second job until it is let go."""
        if task.job.id == "bench::wifi":
            at_second.set()
            assert go_on.wait(PATIENCE_S)
        result: JobResult = module.BenchRunner.run(bench, task)
        return result

    plugins = module.own_registry()
    plugins.register("runners", "waiting", type("Waiting", (module.BenchRunner,), {"run": run}))
    dashboard = module.Dashboard(store.format(tmp_path), plugins, bench="waiting:0")
    thread = threading.Thread(target=dashboard.run)
    with served(module, dashboard) as address:
        thread.start()
        assert at_second.wait(PATIENCE_S)
        meanwhile = outcomes(address)
        page = get(address, "/")[1].decode()
        go_on.set()
        thread.join(PATIENCE_S)
        afterwards = outcomes(address)

    assert meanwhile == {"bench::disk": "pass", "bench::wifi": "none", "bench::usb": "none"}
    assert "bench::disk<td>pass" in page
    assert afterwards == {"bench::disk": "pass", "bench::wifi": "fail", "bench::usb": "pass"}


def test_a_session_of_the_application_goes_on_after_its_bench_failed(tmp_path: Path) -> None:
    module = example()

    def run(bench: Any, task: Task) -> JobResult:
        if task.job.id == "bench::wifi":
            raise OSError("the bench is off")
        result: JobResult = module.BenchRunner.run(bench, task)
        return result

    plugins = module.own_registry()
    plugins.register("runners", "broken", type("Broken", (module.BenchRunner,), {"run": run}))
    dashboard = module.Dashboard(f"file://{tmp_path}", plugins, bench="broken:0")
    with pytest.raises(PluginCallError, match="the bench is off"):
        dashboard.run()

    storage = open_repository(f"file://{tmp_path}").open(dashboard.session_id)
    with SessionManager.load_session(module.JOBS, storage, registry=plugins) as manager:
        bench = {"dut-7": module.BenchRunner(0)}
        run_session(manager, RunSettings(environ={}), runners=bench)
        came_to = {job.id: str(job.outcome) for job in manager.view().jobs()}

    assert came_to == {"bench::disk": "pass", "bench::wifi": "fail", "bench::usb": "pass"}


def test_the_application_makes_no_report_but_its_own() -> None:
    module = example()
    dashboard = module.Dashboard("memory://reports", module.own_registry(), bench="bench:0")
    dashboard.run()

    with served(module, dashboard) as address:
        paths = ["/report/template", "/report/holdall.json", "/report/data?title=x", "/data", "/x"]
        statuses = [get(address, path)[0] for path in ("/report/data", *paths)]

    assert statuses == [200, 404, 404, 404, 404, 404]


def test_the_page_shows_the_application_as_it_is() -> None:
    shown = {block.file: block.text for block in blocks(PAGE) if block.file}

    kept = {
        f"dashboard/{name}": (EXAMPLES / "dashboard" / name).read_text(encoding="utf-8")
        for name in ("pyproject.toml", "lab_dashboard.py")
    }
    assert shown == kept
