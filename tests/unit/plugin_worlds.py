"""Made installations for tests of the plugin layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdall.registry.candidates import Declared
from holdall.registry.discovery import scan
from holdall.registry.policy import EVERYTHING
from holdall.registry.registry import Registry

if TYPE_CHECKING:
    from pathlib import Path

    from holdall.registry.policy import PluginPolicy

GOOD = """
from dataclasses import dataclass
@dataclass
class Options: pass
class Exporter:
    summary, suffix, media_type = "Good", ".good", "text/plain"
    Options = Options
    def export(self, view, sink, context): sink.write(b"good")
"""


def exporter(
    name: str, value: str = "nowhere:Exporter", *, of: str = "acme", version: str = "1.0"
) -> Declared:
    return Declared(kind="exporters", name=name, value=value, distribution=of, version=version)


def alias(name: str, target: str, *, of: str = "acme") -> Declared:
    return Declared(
        kind="aliases",
        name=name,
        value=target,
        distribution=of,
        distribution_ids=frozenset({target}),
    )


def install(
    site: Path,
    name: str,
    *,
    version: str = "1.0",
    points: str = "",
    requires: str = "",
    modules: dict[str, str] | None = None,
) -> Path:
    """Write what an installer leaves behind, and return the folder of metadata."""
    info = site / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    needs = f"Requires-Dist: {requires}\n" if requires else ""
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.3\nName: {name}\nVersion: {version}\n{needs}\nwords\n"
    )
    (info / "entry_points.txt").write_text(points)
    for module, source in (modules or {}).items():
        path = site / f"{module.replace('.', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    return info


def found_in(*sites: Path, policy: PluginPolicy = EVERYTHING) -> Registry:
    """Return the registry of what these folders or archives hold."""
    found = scan([str(site) for site in sites])
    return Registry(found.declared, policy=policy, problems=found.problems)
