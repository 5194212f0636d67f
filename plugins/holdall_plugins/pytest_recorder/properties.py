"""Properties of a suite as facts of the device: pytest's own fixture, listened to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from holdall_plugins.pytest_recorder import PLUGIN

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(scope="session")
def record_testsuite_property(
    record_testsuite_property: Callable[[str, object], None], request: pytest.FixtureRequest
) -> Callable[[str, object], None]:
    """Record a property of the suite as `--junitxml` does, and as a fact of the device."""
    recorded: Any = request.config.pluginmanager.get_plugin(PLUGIN)

    def record(name: str, value: object) -> None:
        record_testsuite_property(name, value)
        recorded.add_facts({name: str(value)})

    return record
