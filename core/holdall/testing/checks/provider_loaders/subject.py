"""The provider loader under test, and copies of its sources."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

from holdall.testing.checks.fresh import installed_class
from holdall.testing.checks.outcomes import CheckSkipped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from holdall.contracts import ProviderLoader
    from holdall.registry import Candidate
    from holdall.units import Provider

_MARK = "\nimport pathlib as _pathlib\n_pathlib.Path({path!r}).touch()\n"
"""What a Python file would do if it was executed."""


class Copy(NamedTuple):
    """A copy of a source, whose Python files would leave a mark if one was executed.

    Attributes:
        path: The file or folder.
        mark: The file that would be there.
    """

    path: Path
    mark: Path


@dataclass(frozen=True, kw_only=True)
class LoaderSubject:
    """A provider loader to check.

    Attributes:
        loader: Its class.
        sources: What it loads.
        damaged: Sources with one bad record each.
        candidate: Its installed declaration; None for a class that is not installed.
        import_ms: How much CPU time its import may take.
    """

    loader: type[ProviderLoader]
    sources: Sequence[str] = ()
    damaged: Sequence[str] = ()
    candidate: Candidate | None = None
    import_ms: float = 1000.0

    @classmethod
    def of(cls, loader: type[ProviderLoader], sources: Sequence[str] = ()) -> LoaderSubject:
        """Return the subject for a class; if it is installed, that is checked as well."""
        candidate = installed_class("provider_loaders", loader)
        return cls(loader=loader, sources=tuple(sources), candidate=candidate)

    def given(self) -> Sequence[str]:
        """Return the sources.

        Raises:
            CheckSkipped: There are none.
        """
        if not self.sources:
            raise CheckSkipped("it takes a source; give --source SOURCE, or `source` in a test")
        return self.sources

    @contextmanager
    def copies(self) -> Iterator[list[Copy]]:
        """Give a copy of each source that is a file or folder.

        Raises:
            CheckSkipped: None is.
        """
        paths = [Path(source) for source in self.given() if Path(source).exists()]
        if not paths:
            raise CheckSkipped("it takes a source that is a file or a folder")
        with TemporaryDirectory(prefix="holdall-check-") as folder:
            yield [
                _copied(path.absolute(), Path(folder, str(number)))
                for number, path in enumerate(paths)
            ]


def content(provider: Provider) -> tuple[Any, ...]:
    """Return what a provider says, as values to compare."""
    units = [(unit.kind, unit.id, unit.checksum) for unit in provider.unit_list]
    return (provider.name, provider.namespace, provider.version, units, provider.problems)


def _copied(source: Path, folder: Path) -> Copy:
    folder.mkdir()
    mark = folder / "executed"
    target = folder / "copy" / source.name
    target.parent.mkdir()
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True)
    else:
        shutil.copyfile(source, target)
    files = target.rglob("*.py") if target.is_dir() else [target] * (target.suffix == ".py")
    for file in files:
        with file.open("a", encoding="utf-8") as end:
            end.write(_MARK.format(path=str(mark)))
    return Copy(target, mark)
