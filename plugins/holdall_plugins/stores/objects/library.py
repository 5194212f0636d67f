"""The library that talks to object stores, as one process may use it.

Its threads do not survive a fork, and a child that calls it would wait for them for ever.
So a process that did not load it itself, its parent did, maps a copy of its own: another
file to the system, with threads of its own.
"""

from __future__ import annotations

import importlib.util
import mmap
import os
import sys
import tempfile
from contextlib import contextmanager
from functools import cache
from importlib.machinery import ExtensionFileLoader
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from holdall_plugins.stores.os_errors import refusals

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME: Final = "obstore._obstore"


@cache
def library() -> Any:
    """Return the functions of `obstore`, fit for this process."""
    os.register_at_fork(after_in_child=library.cache_clear)
    if _NAME in sys.modules:  # loaded by whom is unknown: before a fork, maybe
        path = str(sys.modules[_NAME].__file__)
        with refusals("make a copy for this process of", path):
            return _copy_of(Path(path))
    import obstore._obstore

    return obstore._obstore  # noqa: SLF001 - the copy has no other door


def _copy_of(path: Path) -> Any:
    with _copied(path) as copy:
        loader = ExtensionFileLoader(_NAME, copy)
        spec = importlib.util.spec_from_file_location(_NAME, copy, loader=loader)
        assert spec is not None  # noqa: S101 - a loader was given
        module = importlib.util.module_from_spec(spec)
        loader.exec_module(module)
    return module


@contextmanager
def _copied(path: Path) -> Iterator[str]:
    """Give the path of a copy, which is mapped inside the block and needed no longer after it."""
    if sys.platform == "linux":
        fd = os.memfd_create("obstore")
        try:
            # Mapped, so that what is read is counted only where it is used.
            with (
                path.open("rb") as file,
                mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as source,
                open(fd, "wb", closefd=False) as memory,
            ):
                memory.write(source)
            # By the number of the process: the same path would be the same library.
            yield f"/proc/{os.getpid()}/fd/{fd}"
        finally:
            os.close(fd)
    else:
        with tempfile.NamedTemporaryFile(suffix=path.suffix) as file:
            file.write(path.read_bytes())
            file.flush()
            yield file.name
