"""The promises of runners as tests: subclass, name the class, and run pytest.

class TestSsh(RunnerContract):
    runner = SshRunner

    @pytest.fixture
    def url(self):
        return "ssh://root@dut-7"
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pytest

from holdall.testing.checks.runners.subject import RunnerSubject
from holdall.testing.promises import each_promise, require_kept

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdall.contracts import Runner


class RunnerContract:
    """The promises of a runner; each test is one of them.

    The checks are those that `holdall plugins check` makes. The device has a shell, `seq`, `head`,
    `kill` and the other commands of every Unix, and a folder `/tmp`.

    Attributes:
        runner: The class of the runner.
    """

    runner: ClassVar[type[Runner]]

    @pytest.fixture
    def url(self) -> str:
        """Return the URL of a device that there is."""
        raise NotImplementedError("a test of a runner gives a device as the fixture 'url'")

    @pytest.fixture
    def options(self) -> object:
        """Return an instance of the runner's `Options`, for one that has some."""
        return None

    @each_promise("runners")
    def test_it_keeps_the_promise(
        self, check: Callable[[RunnerSubject], None], url: str, options: object
    ) -> None:
        """One promise, which the check's name and first line say."""
        require_kept(check, RunnerSubject(runner=self.runner, url=url, options=options))
