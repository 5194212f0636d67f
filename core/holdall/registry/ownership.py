"""Which distribution owns a plugin's module: the declaring one, or another."""

from __future__ import annotations

import csv
import json
import sys
from base64 import urlsafe_b64encode
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from holdall.registry.policy import normalised

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.registry.candidates import Candidate


def stranger(candidate: Candidate) -> str:
    """Say whose module the candidate's target is, if not its own distribution's.

    Nothing is imported. Returns nothing where the owner is unknown.
    """
    if not candidate.location:
        return ""
    module = candidate.target.partition(":")[0]
    own = list(_files(Path(candidate.location)))
    if not own or any(_holds(file, module) for file in own):
        return overwritten(candidate)
    if _is_editable(Path(candidate.location), own, module):
        return ""
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names:
        return f"its target {module!r} is a module of Python's standard library"
    owners = sorted(
        name
        for info, name in _neighbours(Path(candidate.location))
        if any(_holds(file, module) for file in _files(info))
    )
    if not owners or normalised(candidate.distribution) in map(normalised, owners):
        return ""
    return f"its target {module!r} belongs to {', '.join(owners)}"


def overwritten(candidate: Candidate) -> str:
    """Say who else installed the file of the candidate's module, if it isn't as it was installed.

    Returns nothing where that is unknown.
    """
    info, own = Path(candidate.location), normalised(candidate.distribution)
    module = candidate.target.partition(":")[0]
    for file, digest in _rows(info) if candidate.location else ():
        path = info.parent / file
        if not _is_module(file, module) or digest == _digest(path):
            continue
        holders = sorted(name for other, name in _neighbours(info) if file in _files(other))
        if holders and own not in map(normalised, holders):
            return (
                f"the file {str(path)!r} was installed by {', '.join(holders)} too, which "
                "overwrote it; uninstall one of them, and install the other anew"
            )
    return ""


def installation(location: str) -> str:
    """Say how a distribution was installed, as far as its metadata records it."""
    try:
        said = json.loads((Path(location) / "direct_url.json").read_text(encoding="utf-8"))
        kind = "editable from" if said.get("dir_info", {}).get("editable") else "from"
        return f"{kind} {said['url']}"
    except (OSError, ValueError, KeyError, AttributeError):
        return ""


def _neighbours(info: Path) -> Iterator[tuple[Path, str]]:
    """Yield the metadata and the name of each distribution installed beside this one."""
    for other in info.parent.glob("*.dist-info"):
        if other != info:
            yield other, other.name.partition("-")[0].replace("_", "-")


def _files(info: Path) -> Iterator[str]:
    """Yield the installed files of a distribution, as its record lists them."""
    return (file for file, _digest in _rows(info))


def _rows(info: Path) -> Iterator[tuple[str, str]]:
    """Yield the record of a distribution: each file with its digest, where it has one."""
    try:
        with (info / "RECORD").open(encoding="utf-8", newline="") as stream:
            for row in csv.reader(stream):
                if row:
                    yield row[0], row[1] if len(row) > 1 else ""
    except (OSError, UnicodeDecodeError, csv.Error):
        return


def _digest(path: Path) -> str:
    """Return the digest of a file, as records word it."""
    digest = sha256(path.read_bytes() if path.is_file() else b"").digest()
    return f"sha256={urlsafe_b64encode(digest).decode().rstrip('=')}"


def _is_module(file: str, module: str) -> bool:
    path = module.replace(".", "/")
    return file in {f"{path}.py", f"{path}/__init__.py"}


def _holds(file: str, module: str) -> bool:
    path = module.replace(".", "/")
    return (
        _is_module(file, module)
        or file.startswith((f"{path}.cpython", f"{path}.abi3"))
        or (file.startswith(f"{path}/") and file.endswith(".py"))
    )


def _is_editable(info: Path, files: list[str], module: str) -> bool:
    """Whether the module is in a folder that the distribution adds to the search path."""
    for file in files:
        if not file.endswith(".pth"):
            continue
        try:
            lines = (info.parent / file).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            continue
        for line in lines:
            base = Path(line) / module.replace(".", "/")
            if line.startswith("import ") or base.is_dir() or base.with_suffix(".py").is_file():
                return True
    return False
