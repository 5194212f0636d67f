"""Which plugins write a session, and where they come from."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from holdall.errors import PluginError
from holdall.hooks import HookFailure
from holdall.journal.events import PluginUsed

if TYPE_CHECKING:
    from holdall.candidates import Candidate
    from holdall.session.manager import SessionManager

_LOG: Final = logging.getLogger(__name__)


def plugin_used(found: Candidate, *, at: float) -> PluginUsed:
    """Return the event that names a plugin, its distribution and its target."""
    return PluginUsed(
        at=at,
        kind=found.kind,
        id=found.id,
        distribution=found.distribution,
        version=found.version,
        target=found.target,
    )


def load_hooks(manager: SessionManager) -> None:
    """Register every installed hook module; one that can't be had hinders nothing."""
    for candidate in manager.registry.candidates("hooks"):
        try:
            found = manager.registry.load("hooks", candidate.id)
            manager.hooks.register(found, origin=candidate.origin)
        except PluginError as error:
            manager.hooks.failures.append(HookFailure("", candidate.origin, error))
            _LOG.error("%s", error)
        else:
            manager.note_plugin("hooks", candidate.id)
