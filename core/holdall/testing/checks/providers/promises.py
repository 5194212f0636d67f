"""The promises of provider packages: found, read, valid, and shipped whole."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING, Final

from holdall.errors import HoldallError, ProviderLoadError
from holdall.providers import load_provider
from holdall.registry import OWN_DISTRIBUTION, Registry
from holdall.testing.checks.fresh import PATIENCE_S, fresh_python
from holdall.testing.checks.outcomes import CheckFailed, CheckSkipped, require
from holdall.units import Job, TestPlan
from holdall.validation import device_context, expand, validate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from holdall.registry import Candidate
    from holdall.units import Provider

_READ: Final = """
import json, sys
from holdall import Registry, load_provider
from holdall.registry import PluginPolicy
name, target, distribution = sys.argv[1:]
registry = Registry.discover(PluginPolicy.of(prefer={name: distribution}))
load_provider(name, registry=registry).unit_list
print(json.dumps({"imported": target in sys.modules}))
"""

_DATA: Final = re.compile(
    r"""\$\{?(?:HOLDALL|PLAINBOX|CHECKBOX)_PROVIDER_DATA\}?["']?/([\w./+-]+)"""
)
"""A file of the data folder, as a command names it."""

_SHIPPED: Final = (
    "if the source has it, it is not shipped: with setuptools, name it in "
    "[tool.setuptools.package-data]"
)
_RESERVED: Final = ("holdall.", "com.canonical.")


@dataclass(frozen=True, kw_only=True)
class ProviderSubject:
    """An installed provider to check.

    Attributes:
        candidate: How it is declared.
        registry: Finds it, and those that it must get along with.
    """

    candidate: Candidate
    registry: Registry

    @classmethod
    def installed(cls, name: str, registry: Registry | None = None) -> ProviderSubject:
        """Return the installed provider of that name.

        Raises:
            PluginError: There is none.
        """
        plugins = registry or Registry.discover()
        return cls(candidate=plugins.resolve("providers", name), registry=plugins)

    def load(self) -> Provider:
        """Return what the package's folder comes to.

        Raises:
            ProviderLoadError: It holds no provider.
        """
        return load_provider(self.candidate.id, registry=self.registry)

    @cached_property
    def provider(self) -> Provider:
        """What the package's folder comes to, for checks that take it for granted.

        Raises:
            CheckSkipped: It holds no provider, which a check of its own says.
        """
        try:
            return self.load()
        except ProviderLoadError as error:
            raise CheckSkipped("its package holds no provider") from error


def says_what_it_is(subject: ProviderSubject) -> None:
    """A .provider file gives its name, namespace and version; nothing is guessed."""
    try:
        provider = subject.load()
    except ProviderLoadError as error:
        raise CheckFailed(f"{error}; {_SHIPPED}") from error
    folder = provider.folder
    definitions = [] if folder is None else list(folder.glob("*.provider"))
    require(definitions, f"there is no .provider file in {folder}; {_SHIPPED}")
    require(provider.version not in {"", "0"}, f"{definitions[0]} has no version")
    require(provider.description, f"{definitions[0]} has no description")


def is_read_without_import(subject: ProviderSubject) -> None:
    """It is found and read, and no module of its package is imported."""
    found = subject.candidate
    require(subject.provider.unit_list, f"the package {found.target} holds no unit; {_SHIPPED}")
    seen = json.loads(fresh_python(_READ, found.id, found.target, found.distribution))
    require(not seen["imported"], f"reading it imported {found.target}")


def has_a_namespace_of_its_own(subject: ProviderSubject) -> None:
    """Its namespace is not reserved, and no other installed provider has units of its ids."""
    namespace = subject.provider.namespace
    if subject.candidate.distribution != OWN_DISTRIBUTION:
        taken = next((each for each in _RESERVED if f"{namespace}.".startswith(each)), "")
        require(not taken, f"namespaces that begin with {taken!r} are reserved; choose your own")
    for other in _others(subject):
        clash = other.namespace == namespace and {unit.id for unit in other.unit_list} & {
            unit.id for unit in subject.provider.unit_list
        }
        require(not clash, f"the provider {other.name!r} has units of the same ids")


def every_definition_is_read(subject: ProviderSubject) -> None:
    """No definition is lost, and none is read with a warning."""
    problems = subject.provider.problems
    require(not problems, _several(problems))


def is_valid(subject: ProviderSubject) -> None:
    """`holdall providers validate` finds no error and no warning."""
    issues = [
        issue for issue in validate([subject.provider]) if issue.severity in {"error", "warning"}
    ]
    require(not issues, _several(issues))


def plans_select_jobs(subject: ProviderSubject) -> None:
    """Each test plan selects jobs, and all that it names is there."""
    for plan in subject.provider.unit_list:
        if not isinstance(plan, TestPlan):
            continue
        try:
            context = device_context([subject.provider])
            found = expand(context, plan, {}, os.environ)
        except HoldallError as error:
            raise CheckFailed(f"the plan {plan.id}: {error}") from error
        require(not found.problems, f"the plan {plan.id}: {_several(found.problems)}")
        missing = ", ".join(found.unmatched)
        require(not found.unmatched, f"the plan {plan.id} names what is not there: {missing}")
        selected = found.jobs or found.waiting
        require(selected, f"the plan {plan.id} selects no job")


def commands_are_shell(subject: ProviderSubject) -> None:
    """Each command can be parsed by its shell; none is run."""
    for job in _jobs(subject):
        is_shell = Path(job.shell).name in {"bash", "dash", "sh"}
        if not job.command or not is_shell or job.get("template-engine"):
            continue
        done = subprocess.run(
            [job.shell, "-n", "-c", job.command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=PATIENCE_S,
            check=False,
        )
        said = " ".join(done.stderr.split())
        require(not done.returncode, f"the command of {job.id} ({job.where}): {said}")


def ships_what_commands_call(subject: ProviderSubject) -> None:
    """The files of its data folder that commands name are there, and its programs can be run."""
    provider = subject.provider
    for job in _jobs(subject):
        for name in _DATA.findall(job.command):
            reason = f"the command of {job.id} ({job.where}) names {name!r} of the data folder"
            require(provider.data_folder is not None, f"{reason}, and it has no such folder")
            path = (provider.data_folder or Path()) / name
            require(path.exists(), f"{reason}, which is not installed: {path}")
    programs = sorted(provider.bin_folder.iterdir()) if provider.bin_folder else []
    for program in programs:
        if program.is_file():
            executable = os.access(program, os.X_OK)
            require(executable, f"{program} can't be run; make it executable: chmod +x")


def ships_its_files(subject: ProviderSubject) -> None:
    """All files of its folder belong to the distribution, so that uninstalling removes them."""
    location, folder = Path(subject.candidate.location), subject.provider.folder
    recorded = {(location.parent / row).resolve() for row in _record(location)}
    inside = [] if folder is None else _files(folder)
    if not any(path in recorded for path in inside):
        raise CheckSkipped("it is not installed from a wheel, but in place: install it whole")
    strange = [path for path in inside if path not in recorded]
    require(not strange, f"the distribution does not own {_several(strange)}")


def has_a_licence(subject: ProviderSubject) -> None:
    """The distribution says under which licence its definitions and programs are."""
    try:
        metadata = distribution(subject.candidate.distribution).metadata
    except PackageNotFoundError as error:
        raise CheckSkipped(f"its metadata can't be read: {error}") from error
    said = [*(metadata.get_all("License-Expression") or ()), *(metadata.get_all("License") or ())]
    said += [each for each in metadata.get_all("Classifier", []) if each.startswith("License ::")]
    require(any(said), 'its metadata names no licence; add license = "..." to [project]')


def _jobs(subject: ProviderSubject) -> Iterator[Job]:
    return (unit for unit in subject.provider.unit_list if isinstance(unit, Job))


def _others(subject: ProviderSubject) -> Iterator[Provider]:
    """Yield the other installed providers, as far as they can be read."""
    for candidate in subject.registry.candidates("providers"):
        if candidate.id != subject.candidate.id:
            try:
                yield load_provider(candidate.id, registry=subject.registry)
            except HoldallError:
                continue


def _several(what: Iterable[object]) -> str:
    """Return a few of several faults, and how many there are besides."""
    texts = [str(each) for each in what]
    more = f" and {len(texts) - 3} more" if len(texts) > 3 else ""
    return "; ".join(texts[:3]) + more


def _record(location: Path) -> list[str]:
    try:
        with (location / "RECORD").open(encoding="utf-8", newline="") as file:
            return [row[0] for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError, csv.Error):
        return []


def _files(folder: Path) -> list[Path]:
    """Return the files below a folder, without what Python itself leaves there."""
    return sorted(
        path.resolve()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    )
