"""Prints what this machine is: records for a resource job, or all of it as JSON."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path


def platform_facts() -> dict[str, str]:
    """Return operating system, machine type and Python."""
    return {
        "family": os.name,
        "system": platform.system(),
        "release": platform.release(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
    }


def cpu_facts() -> dict[str, str]:
    """Return number and model of the processors."""
    count = os.cpu_count() or 1
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else count
    return {"count": str(count), "usable": str(usable), "model": cpu_model()}


def cpu_model() -> str:
    """Return the model's name as the system calls it, or the machine type."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    return sysctl("machdep.cpu.brand_string") or platform.machine() or "unknown"


def memory_facts() -> dict[str, str]:
    """Return the size of the memory; 0 where the system does not tell."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        total = int(sysctl("hw.memsize") or 0)
    return {"total": str(max(total, 0))}


def disk_facts() -> dict[str, str]:
    """Return size and room of the disk below the working folder."""
    usage = shutil.disk_usage(".")
    return {"total": str(usage.total), "free": str(usage.free)}


def sysctl(name: str) -> str:
    """Return a value of the BSDs and macOS, empty elsewhere."""
    program = shutil.which("sysctl")
    if not program:
        return ""
    done = subprocess.run([program, "-n", name], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


FACTS = {"platform": platform_facts, "cpu": cpu_facts, "memory": memory_facts, "disk": disk_facts}

if __name__ == "__main__":
    if sys.argv[1] == "all":
        everything = {name: facts() for name, facts in FACTS.items()}
        print(json.dumps(everything, indent=2, sort_keys=True))
    else:
        for key, value in FACTS[sys.argv[1]]().items():
            print(f"{key}: {value}")
