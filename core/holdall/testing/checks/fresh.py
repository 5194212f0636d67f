"""Promises about installed plugins that only a fresh process can tell: names and imports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

from holdall.registry import APPLICATION, TRIED, PluginPolicy, Registry, State
from holdall.testing.checks.endings import ending
from holdall.testing.checks.outcomes import CheckSkipped, require

if TYPE_CHECKING:
    from holdall.registry import Candidate

PATIENCE_S: Final = 60

TOO_MUCH: Final = ("aiohttp", "boto3", "httpx", "pytest", "requests", "unittest.mock", "urllib3")
"""What no plugin that turns one thing into another may import: neither network nor test suite."""

_FIND: Final = """
import json, sys
from holdall.registry import PluginPolicy, Registry
kind, name, module, distribution = sys.argv[1:]
registry = Registry.discover(PluginPolicy.of(prefer={name: distribution}))
found = registry.resolve(kind, name)
print(json.dumps({"id": found.id, "imported": module in sys.modules}))
"""

_IMPORT: Final = """
import importlib, json, sys, time
start = time.process_time()
importlib.import_module(sys.argv[1])
print(json.dumps({"ms": 1000 * (time.process_time() - start), "modules": sorted(sys.modules)}))
"""


def fresh_python(program: str, *arguments: str, **variables: str) -> str:
    """Return what a program prints in a fresh process that knows the same modules.

    Raises:
        RuntimeError: It failed.
    """
    path = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run(
        [sys.executable, "-P", "-c", program, *arguments],
        env={**os.environ, "PYTHONPATH": path, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=PATIENCE_S,
        check=False,
    )
    if done.returncode:
        how = ending(done.returncode, done.stderr)
        raise RuntimeError(f"a fresh process ended with {how}")
    return done.stdout


def own_plugins() -> Registry:
    """Return a registry of holdall's own plugins; no hook of others takes part in a check."""
    return Registry.discover(PluginPolicy.of(allow=()))


def declared(candidate: Candidate) -> Candidate | None:
    """Return a declaration that a fresh process finds too; None for what is only registered."""
    return None if candidate.distribution in {TRIED, APPLICATION} else candidate


def installed_class(kind: str, plugin: type) -> Candidate | None:
    """Return the installed declaration of a class; None if there is none that can be used."""
    target = f"{plugin.__module__}:{plugin.__qualname__}"
    usable = {State.READY, State.LOADED}
    return next(
        (
            candidate
            for candidate in Registry.discover().candidates(kind)
            if candidate.target == target and candidate.state in usable
        ),
        None,
    )


def require_found_without_import(candidate: Candidate | None) -> None:
    """Fail unless a fresh process finds the plugin and imports nothing of it."""
    installed = _installed(candidate)
    module = installed.target.partition(":")[0]
    owner = (installed.kind, installed.id, module, installed.distribution)
    seen = json.loads(fresh_python(_FIND, *owner))
    require(seen["id"] == installed.id, f"its name leads to {seen['id']}")
    require(not seen["imported"], f"finding it imported {module}")


def require_quick_import(candidate: Candidate | None, import_ms: float) -> None:
    """Fail unless the import keeps to a budget of CPU time, and to what is needed."""
    module = _installed(candidate).target.partition(":")[0]
    printed, measured = _imported(module)
    if measured["ms"] >= import_ms:  # once more: the first import may write bytecode
        printed, measured = _imported(module)
    require(not printed, f"its import printed {printed[:40]!r}")
    took = measured["ms"]
    reason = f"its import took {took:.0f} ms of CPU time; {import_ms:.0f} ms are allowed"
    require(took < import_ms, reason)
    heavy = [name for name in TOO_MUCH if name in measured["modules"]]
    require(not heavy, f"its import pulls in {', '.join(heavy)}")


def _imported(module: str) -> tuple[str, dict[str, Any]]:
    """Return what the import of a module printed, and what it cost."""
    printed, _end, measured = fresh_python(_IMPORT, module).rstrip("\n").rpartition("\n")
    return printed, json.loads(measured)


def _installed(candidate: Candidate | None) -> Candidate:
    if candidate is None:
        raise CheckSkipped("it is not declared by an installed distribution")
    return candidate
