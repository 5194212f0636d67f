"""What providers of Checkbox count on without defining it: ids that Checkbox itself brings."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from holdall.languages import N_

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMESPACE: Final = "com.canonical.plainbox"

BUILTIN_JOBS: Final = frozenset({f"{_NAMESPACE}::manifest", f"{_NAMESPACE}::collect-manifest"})
"""Jobs that plans may name though no provider has them: holdall asks for the manifest itself."""

_NAMES: Final = MappingProxyType(
    {
        "audio": N_("Audio tests"),
        "benchmarks": N_("Benchmarks tests"),
        "bluetooth": N_("Bluetooth tests"),
        "camera": N_("Camera tests"),
        "codecs": N_("Codec tests"),
        "cpu": N_("CPU tests"),
        "daemons": N_("System Daemon tests"),
        "disk": N_("Disk tests"),
        "esata": N_("eSATA disk tests"),
        "ethernet": N_("Ethernet Device tests"),
        "expresscard": N_("ExpressCard tests"),
        "fingerprint": N_("Fingerprint reader tests"),
        "firewire": N_("Firewire disk tests"),
        "firmware": N_("Firmware tests"),
        "floppy": N_("Floppy disk tests"),
        "graphics": N_("Graphics tests"),
        "hibernate": N_("Hibernation tests"),
        "info": N_("Informational tests"),
        "input": N_("Input Devices tests"),
        "keys": N_("Hotkey tests"),
        "led": N_("LED tests"),
        "mediacard": N_("Media Card tests"),
        "memory": N_("Memory tests"),
        "mir": N_("MIR tests"),
        "miscellanea": N_("Miscellaneous tests"),
        "mobilebroadband": N_("Mobile broadband tests"),
        "monitor": N_("Monitor tests"),
        "networking": N_("Non-device specific networking tests"),
        "optical": N_("Optical Drive tests"),
        "peripheral": N_("Peripheral tests"),
        "power-management": N_("Power Management tests"),
        "stress": N_("Stress tests"),
        "suspend": N_("Suspend tests"),
        "touchpad": N_("Touchpad tests"),
        "touchscreen": N_("Touchscreen tests"),
        "usb": N_("USB tests"),
        "user_apps": N_("User Applications"),
        "virtualization": N_("Virtualization tests"),
        "wireless": N_("Wireless networking tests"),
    }
)

BUILTIN_CATEGORIES: Final[Mapping[str, str]] = MappingProxyType(
    {f"{_NAMESPACE}::{name}": heading for name, heading in _NAMES.items()}
)
"""Headings by category id, used where no category unit says otherwise; in English."""
