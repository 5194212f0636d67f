"""The processes that tests run in, and what some need besides Python packages.

Where something is missing, tests skip and say so.
"""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

INSTALL: Final = (
    "apt-get install -y --no-install-recommends chromium default-jre-headless jq libarchive-tools "
    "libreoffice-calc-nogui libxml2-utils npm poppler-utils xz-utils zstd && npm install "
    "--prefix tests --no-save --no-audit --no-fund --ignore-scripts ajv ajv-formats allure@3 "
    "axe-core ctrf html-validate junit2json tap-parser vnu-jar xunit-viewer"
)
TOGETHER: Final = {
    "tests/contract/test_bad_stores_fail.py",
    "tests/e2e/test_examples_installed.py",
    "tests/e2e/test_pytest_recorder.py",
    "tests/e2e/test_scaffold.py",
    "tests/e2e/test_third_parties_installed.py",
}
"""Files whose tests run in one process: what they share takes long to make."""

NODE_MODULES: Final = Path(
    os.environ.get("HOLDALL_NODE_MODULES", Path(__file__).parent / "node_modules")
)


def pytest_configure() -> None:
    """Heed interrupts: a shell starts what runs in its background with SIGINT ignored.

    Commands that tests start would inherit that, and those that tests interrupt never end.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def data_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what sessions leave in the user's data folder out of that of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Use all cores, unless `-n` says how many, `-p no:xdist` takes them away, or `--pdb` asks."""
    is_worker = hasattr(config, "workerinput")
    if is_worker or not config.pluginmanager.hasplugin("xdist"):
        return
    if config.option.numprocesses is None and not config.option.tx:
        config.option.numprocesses = "auto"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Run all tests of a file in one process where they share what takes long to make."""
    missing = [file for file in TOGETHER if not config.rootpath.joinpath(file).is_file()]
    if missing:
        raise pytest.UsageError(f"tests/conftest.py: TOGETHER names no files: {missing}")
    from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

    class Scheduling(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return file if file in TOGETHER else nodeid

    return Scheduling(config, log) if config.option.dist == "load" else None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Run two for each core: tests often wait, for children, for servers and for disks."""
    wished = os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return int(wished) if wished else 2 * (cores or 1)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave most parameters of a test that is marked `sampled(COUNT)` to the long run."""
    sampled: dict[str, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("sampled"):
            sampled.setdefault(item.nodeid.partition("[")[0], []).append(item)
    for members in sampled.values():
        mark = members[0].get_closest_marker("sampled")
        count = mark.args[0] if mark else len(members)
        kept = {number * len(members) // count for number in range(count)}
        for number, item in enumerate(sorted(members, key=lambda member: member.nodeid)):
            if number not in kept:
                item.add_marker(pytest.mark.soak)


@pytest.fixture(scope="session")
def install() -> str:
    """Return the command that installs all of it."""
    return INSTALL


@pytest.fixture(scope="session")
def program() -> Callable[[str], str]:
    """Return what finds a program's path, or skips the test."""

    def find(name: str) -> str:
        path = shutil.which(name)
        if path is None:
            pytest.skip(f"there is no {name}: {INSTALL}")
        return path

    return find


@pytest.fixture(scope="session")
def node_module() -> Callable[[str], Path]:
    """Return what finds a file of a package of npm, or skips the test."""

    def find(name: str) -> Path:
        path = NODE_MODULES / name
        if not path.exists():
            pytest.skip(f"there is no {name} in {NODE_MODULES}: {INSTALL}")
        return path

    return find
