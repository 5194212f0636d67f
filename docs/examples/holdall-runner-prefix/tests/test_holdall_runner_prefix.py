from __future__ import annotations

import pytest
from holdall import Device, SessionDeviceContext, SessionManager, SessionState, make_unit
from holdall.errors import RunnerUrlError
from holdall.session import RunSettings, run_session
from holdall.testing import RunnerContract

from holdall_runner_prefix import PrefixRunner


class TestPrefixRunner(RunnerContract):
    """It keeps the promises of every runner."""

    runner = PrefixRunner

    @pytest.fixture
    def url(self) -> str:
        return "prefix:nice -n 1"


@pytest.mark.parametrize("rest", ["", ":", ":'half", "://host"])
def test_a_url_without_a_command_is_refused(rest: str) -> None:
    with pytest.raises(RunnerUrlError):
        PrefixRunner.from_url(f"prefix{rest}")


def test_a_job_runs_behind_the_command() -> None:
    job = make_unit({"id": "nice", "plugin": "shell", "command": "nice"})
    with SessionManager.create("memory://prefix") as manager:
        context = SessionDeviceContext(SessionState([job]), device=Device("slow"))
        state = manager.add_device_context(context).state
        state.update_desired_job_list(state.job_list)
        runner = PrefixRunner.from_url("prefix:nice -n 7")
        run_session(manager, RunSettings({"PATH": "/usr/bin:/bin"}), runners={"slow": runner})
        [shown] = manager.view().jobs()

        written = b"".join(record.data for record in shown.io_log())

    assert int(written) >= 7
