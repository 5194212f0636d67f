"""The promises of hook plugins as tests: subclass, name the plugin, and run pytest.

class TestNotify(HooksContract):
    plugin = acme_notify
    settings = {"url": "http://127.0.0.1:9/"}
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from holdall.testing.checks.hooks.promises import HooksSubject
from holdall.testing.promises import each_promise, require_kept

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class HooksContract:
    """The promises of a hook plugin; each test is one of them.

    The checks are those that `holdall plugins check` makes.

    Attributes:
        plugin: The module with its hooks, or an object that has them.
        settings: What a user would set for it.
        slowest_ms: How much longer a checkpoint may take because of it.
    """

    plugin: object  # no ClassVar: mypy would refuse a module
    settings: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    slowest_ms: ClassVar[float] = 50.0

    @pytest.fixture
    def given_settings(self) -> Mapping[str, Any]:
        """Return the settings; override it if they name what a test has to make first."""
        return self.settings

    @each_promise("hooks")
    def test_it_keeps_the_promise(
        self, check: Callable[[HooksSubject], None], given_settings: Mapping[str, Any]
    ) -> None:
        """One promise, which the check's name and first line say."""
        subject = HooksSubject(
            plugin=self.plugin, settings=given_settings, slowest_ms=self.slowest_ms
        )
        require_kept(check, subject)
