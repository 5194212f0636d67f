"""The plugins that are installed: found by their entry points, loaded when asked for."""

from typing import TYPE_CHECKING

from holdall.doors import lazy_door
from holdall.registry.aliases import LEGACY, SHORT
from holdall.registry.border import Identity, calling, reason_of, shown
from holdall.registry.candidates import (
    APPLICATION,
    EXPORTER_ID,
    KINDS,
    NAME,
    OWN_DISTRIBUTION,
    Candidate,
    State,
    id_fault,
)
from holdall.registry.loading import imported
from holdall.registry.policy import TRIED, PluginPolicy
from holdall.registry.registry import Registry
from holdall.registry.resolution import Resolution
from holdall.registry.signatures import METHODS, misfits

if TYPE_CHECKING:
    from holdall.registry.ownership import installation, stranger
else:
    __getattr__, __dir__ = lazy_door(__name__, {".ownership": ("installation", "stranger")})

__all__ = [
    "APPLICATION",
    "EXPORTER_ID",
    "KINDS",
    "LEGACY",
    "METHODS",
    "NAME",
    "OWN_DISTRIBUTION",
    "SHORT",
    "TRIED",
    "Candidate",
    "Identity",
    "PluginPolicy",
    "Registry",
    "Resolution",
    "State",
    "calling",
    "id_fault",
    "imported",
    "installation",
    "misfits",
    "reason_of",
    "shown",
    "stranger",
]
