"""Importing one plugin: whatever a stranger's import does is kept at this border."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from holdall.errors import PluginLoadError
from holdall.registry.border import reason_of
from holdall.registry.candidates import KINDS, State
from holdall.registry.signatures import misfits

if TYPE_CHECKING:
    from holdall.registry.candidates import Candidate

HOLDALL_API: Final = (1, 0)
"""Version of the plugin contract: the groups name the first number, and a class
that needs something newer may say so in `holdall_api`."""


def imported(candidate: Candidate) -> Any:
    """Import what the candidate names and check that it is such a plugin.

    Raises:
        PluginLoadError: It is not, or its import failed in whatever way.
    """
    module_name, _, attribute = candidate.target.partition(":")
    try:
        plugin: Any = import_module(module_name)
        for part in filter(None, attribute.split(".")):
            plugin = getattr(plugin, part)
    except KeyboardInterrupt:
        raise
    except ModuleNotFoundError as exc:
        raise load_error(candidate, *_missing(candidate, module_name, exc)) from exc
    except BaseException as exc:
        raise load_error(candidate, State.BROKEN, f"its import raised {reason_of(exc)}") from exc
    check(candidate, plugin)
    return plugin


def check(candidate: Candidate, plugin: object) -> None:
    """Refuse what is no plugin of its kind, with everything that does not fit.

    Raises:
        PluginLoadError: It does not fit.
    """
    try:
        wanted = getattr(plugin, "holdall_api", HOLDALL_API)
        problems = misfits(candidate.kind, plugin)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # of a metaclass, a descriptor, an annotation
        reason = f"looking at it raised {reason_of(error)}"
        raise load_error(candidate, State.BROKEN, reason) from error
    if not _is_version(wanted):
        problems.append(f"its 'holdall_api' must be two numbers like (1, 0), not {wanted!r}")
    elif wanted[0] != HOLDALL_API[0] or wanted[1] > HOLDALL_API[1]:
        needed, spoken = (".".join(map(str, version)) for version in (wanted, HOLDALL_API))
        reason = f"it is written for plugin contract {needed}; this holdall speaks {spoken}"
        raise load_error(candidate, State.INCOMPATIBLE, reason)
    if problems:
        raise load_error(candidate, State.INVALID, "; ".join(problems))


def load_error(candidate: Candidate, state: State, reason: str) -> PluginLoadError:
    """Return the error of a load, naming distribution and version, and who overwrote its file."""
    from holdall.registry.ownership import overwritten  # reads files; few loads fail

    reason = "; ".join(filter(None, (reason, overwritten(candidate))))
    return PluginLoadError(KINDS[candidate.kind], candidate.id, state, candidate.origin, reason)


def _is_version(value: Any) -> bool:
    return (
        isinstance(value, tuple) and len(value) == 2 and all(type(part) is int for part in value)
    )


def _missing(
    candidate: Candidate, module_name: str, error: ModuleNotFoundError
) -> tuple[State, str]:
    missing = error.name or reason_of(error)
    if missing.partition(".")[0] == module_name.partition(".")[0]:
        return State.BROKEN, f"its import raised {reason_of(error)}"
    if candidate.extras:
        extras = ",".join(candidate.extras)
        command = f'pip install "{candidate.distribution}[{extras}]"'
        return State.MISSING_DEPENDENCY, f"the module {missing!r} is not installed; {command}"
    return State.MISSING_DEPENDENCY, (
        f"the module {missing!r} is not installed, and {candidate.distribution} does not say "
        f"that it needs it; install it, and tell the authors of {candidate.distribution}"
    )
