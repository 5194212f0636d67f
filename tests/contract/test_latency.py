"""The wrapper that waits keeps the contract of wrappers."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from holdall.stores import open_repository
from holdall.testing import WrapperContract
from holdall_plugins.stores.latency import LatencyRepository

if TYPE_CHECKING:
    from holdall.contracts import Repository

_numbers = itertools.count()


class TestLatencyRepository(WrapperContract):
    wrapper = LatencyRepository
    head = "latency?jitter_ms=0.01"
    durable = False
    processes = False

    @pytest.fixture
    def inner(self) -> Repository:
        return open_repository(f"memory://latency {next(_numbers)}")
