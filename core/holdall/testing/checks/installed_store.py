"""The contract over the store at a URL, for `holdall plugins check`; pytest collects it."""

from __future__ import annotations

import os
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from holdall.stores import open_repository
from holdall.testing.checks.stores import Outcomes
from holdall.testing.repositories import RepositoryContract

if TYPE_CHECKING:
    from pathlib import Path

    from holdall.contracts import Repository

URL = "HOLDALL_CHECK_URL"
"""Variable with the URL, in which `{folder}` stands for a new folder."""

ONE_PROCESS = "HOLDALL_CHECK_ONE_PROCESS"
"""Variable that says that the store lives in one process."""


def outcomes() -> Outcomes:
    """Run the contract over the store that the variables name, and return what came of it."""
    kept = Outcomes(TestStore)
    unused = ("cacheprovider", "xdist", "randomly")
    options = [option for name in unused for option in ("-p", f"no:{name}")]
    with TemporaryDirectory(prefix="holdall-check-") as folder:
        places = (f"--rootdir={folder}", f"--basetemp={folder}/new", "-c", os.devnull)
        pytest.main(["-q", *options, *places, "--pyargs", __name__], plugins=[kept])
    return kept


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
