"""The suites of checks: one for each kind of plugin whose promises are plain functions.

Those of stores are tests of pytest instead: `holdall.testing.checks.repositories.installed`.
"""

from __future__ import annotations

import traceback
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from holdall.testing.checks.outcomes import CheckFailed, CheckSkipped, Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from holdall.registry import Registry

_KINDS: Final = (
    "exporters",
    "hooks",
    "importers",
    "provider_loaders",
    "providers",
    "runners",
)
"""Each has a folder beside this file, whose `SUITE` it is; imported when it is wanted."""


class Given(NamedTuple):
    """What the checks of an installed plugin may be given besides its id.

    Attributes:
        sources: What a loader or an importer is to read.
        url: The device that a runner is to reach.
        memory_mib: How much memory one export may take.
        configured: Whether a hooks plugin gets what the configuration sets for it.
    """

    sources: tuple[str, ...] = ()
    url: str = ""
    memory_mib: float = 5.0
    configured: bool = False


class Suite(NamedTuple):
    """The checks of one kind.

    Attributes:
        checks: Every promise, cheap ones first; the first line of a docstring names it.
        installed: Returns what the checks take, for an installed plugin: by id, registry and
            what was given.
    """

    checks: tuple[Callable[[Any], None], ...]
    installed: Callable[[str, Registry, Given], Any]


def suite_of(kind: str) -> Suite:
    """Return the suite of a kind, named as the registry names it.

    Raises:
        KeyError: It has none.
    """
    if kind not in _KINDS:
        raise KeyError(kind)
    suite: Suite = import_module(f"holdall.testing.checks.{kind}").SUITE
    return suite


def findings(suite: Suite, subject: object) -> Iterator[Finding]:
    """Make every check, and yield what came of each."""
    for check in suite.checks:
        yield made(check, subject)


def promise_of(check: Callable[[Any], None]) -> str:
    """Return what a check is about, in one line."""
    return (check.__doc__ or "").partition("\n")[0]


def made(check: Callable[[Any], None], subject: object) -> Finding:
    """Make one check and return its finding; whatever the plugin raises is a failure."""
    promise = promise_of(check)
    try:
        check(subject)
    except CheckSkipped as reason:
        return Finding(check.__name__, promise, "skip", str(reason))
    except CheckFailed as failure:
        cause = failure.__cause__
        trace = "".join(traceback.format_exception(cause)) if cause else ""
        return Finding(check.__name__, promise, "fail", str(failure), trace)
    except Exception as error:  # noqa: BLE001 - the border to a stranger's code
        words = f"{type(error).__name__}: {error}"
        return Finding(check.__name__, promise, "fail", words, traceback.format_exc())
    return Finding(check.__name__, promise, "pass")
