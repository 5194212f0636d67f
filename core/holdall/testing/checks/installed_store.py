"""The contract over the store at a URL, for `holdall plugins check`; pytest collects it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from holdall.stores import open_repository
from holdall.testing.repositories import RepositoryContract

if TYPE_CHECKING:
    from pathlib import Path

    from holdall.contracts import Repository

URL = "HOLDALL_CHECK_URL"
"""Variable with the URL, in which `{folder}` stands for a new folder."""

ONE_PROCESS = "HOLDALL_CHECK_ONE_PROCESS"
"""Variable that says that the store lives in one process."""


class TestStore(RepositoryContract):
    """The store that the variables name."""

    durable = processes = not os.environ.get(ONE_PROCESS)

    @pytest.fixture
    def repository(self, tmp_path: Path) -> Repository:
        """Return an empty repository."""
        return open_repository(os.environ[URL].replace("{folder}", str(tmp_path)))

    def reopen(self, repository: Repository) -> Repository:
        """Return another one of its URL."""
        return open_repository(repository.url)
