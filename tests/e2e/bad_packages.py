"""Packages that are wrong in one way each, as a stranger's mistakes make them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

EXPORTER = """\
class Exporter:
    summary, suffix, media_type = "Odd", ".odd", "text/plain"
    def export(self, view, sink, context): sink.write(b"odd")
"""

OPTIONS = """\
import dataclasses, datetime, decimal, enum, typing, pathlib, uuid
{definition}
class Exporter:
    summary, suffix, media_type = "Odd", ".odd", "text/plain"
    Options = Options
    def export(self, view, sink, context): sink.write(b"odd")
"""

DATACLASS = OPTIONS.replace(
    "{definition}",
    "@dataclasses.dataclass(frozen=True)\nclass Options:\n    odd: {hint} = {value}",
)


@dataclass(frozen=True)
class Package:
    """A distribution that declares one plugin.

    Attributes:
        id: The plugin's; the distribution is called after it.
        source: Its module; None if that is missing.
        words: What every command says of it.
        state: What a listing says of it, before anything was imported.
        loaded: What a load makes of it; empty if it is never loaded.
        kind: Of which kind it is.
        requires: What the distribution says that it requires.
        more: Further entry points, by group.
        target: What the entry point names; its module's `Exporter` if not said.
    """

    id: str
    source: str | None
    words: str
    state: str = "ready"
    loaded: str = "invalid"
    kind: str = "exporters"
    requires: tuple[str, ...] = ("holdall",)
    more: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    target: str = ""

    @property
    def distribution(self) -> str:
        return "odd-" + self.id.replace(".", "-").replace("_", "-").lower()

    @property
    def module(self) -> str:
        return "odd_" + self.id.replace(".", "_").replace("-", "_").lower()

    def install(self, site: Path) -> None:
        """Write what an installer leaves behind."""
        info = site / f"{self.distribution.replace('-', '_')}-1.5.dist-info"
        info.mkdir(parents=True)
        needs = "".join(f"Requires-Dist: {each}\n" for each in self.requires)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.3\nName: {self.distribution}\nVersion: 1.5\n{needs}"
        )
        target = self.target or f"{self.module}:Exporter"
        groups = {f"holdall.{self.kind}": {self.id: target}, **self.more}
        lines = [
            line
            for group, points in groups.items()
            for line in (f"[{group}]", *(f"{name} = {value}" for name, value in points.items()))
        ]
        (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
        written = [info / "METADATA", info / "entry_points.txt"]
        if self.source is not None:
            path = site / f"{self.module}.py"
            path.write_text(self.source)
            written.append(path)
        record = "".join(f"{path.relative_to(site)},,\n" for path in written)
        (info / "RECORD").write_text(record)


def option(name: str, hint: str, value: str, words: str) -> Package:
    """A package with one option of a type that no option may have, or with a bad default."""
    source = DATACLASS.replace("{hint}", hint).replace("{value}", value)
    return Package(f"odd.{name}", source, words)


_KINDS = "and an option is a str, bool, int, float"

PACKAGES = (
    # signatures and members
    Package("odd.nothing", "class Exporter: pass\n", "it has no attribute 'summary'; "),
    Package("odd.function", "def Exporter(): pass\n", "and not a class"),
    Package("odd.instance", EXPORTER + "Exporter = Exporter()\n", "and not a class"),
    Package("odd.few", EXPORTER.replace("sink, context", "sink"), "must take 3 arguments"),
    Package("odd.many", EXPORTER.replace("context", "context, more"), "must take 3 arguments"),
    Package("odd.keyword", EXPORTER.replace("context", "*, context"), "must take 3 arguments"),
    Package("odd.generator", EXPORTER.replace('sink.write(b"odd")', "yield"), "is a generator"),
    Package("odd.coroutine", EXPORTER.replace("def export", "async def export"), "is a coroutine"),
    Package("odd.suffix", EXPORTER.replace('".odd"', '"odd"'), "its 'suffix' must be a file name"),
    Package("odd.summary", EXPORTER.replace('"Odd"', "7"), "its 'summary' must be a str, not 7"),
    Package("odd.output", EXPORTER + "    output = 'files'\n", "its 'output' must be one of"),
    # what its import does
    Package(
        "odd.raises",
        "raise OSError('no licence')\n",
        "raised OSError: no licence",
        loaded="broken",
    ),
    Package("odd.exits", "raise SystemExit(3)\n", "raised SystemExit: 3", loaded="broken"),
    Package("odd.syntax", "class Exporter\n", "raised SyntaxError", loaded="broken"),
    Package("odd.gone", None, "raised ModuleNotFoundError", loaded="broken"),
    Package(
        "odd.renamed", "class Reporter: pass\n", "has no attribute 'Exporter'", loaded="broken"
    ),
    Package(
        "odd.needy",
        f"import no_such_lib\n{EXPORTER}",
        "the module 'no_such_lib' is not installed, and odd-odd-needy does not say",
        loaded="missing-dependency",
    ),
    Package(
        "odd.extra",
        f"import no_such_lib\n{EXPORTER}",
        'pip install "odd-odd-extra[pdf]"',
        loaded="missing-dependency",
        target="odd_odd_extra:Exporter [pdf]",
    ),
    Package(
        "odd.newer",
        EXPORTER + "    holdall_api = (1, 9)\n",
        "written for plugin contract 1.9",
        loaded="incompatible",
    ),
    Package(
        "odd.api", EXPORTER + "    holdall_api = '1'\n", "its 'holdall_api' must be two numbers"
    ),
    # options
    option("dict", "dict[str, str]", "dataclasses.field(default_factory=dict)", _KINDS),
    option("mutable", "list[str]", "[]", "raised ValueError: mutable default"),
    Package(
        "odd.needed",
        OPTIONS.replace("{definition}", "@dataclasses.dataclass\nclass Options:\n    odd: int"),
        "every field of its 'Options' must have a default",
    ),
    Package(
        "odd.plain",
        OPTIONS.replace("{definition}", "class Options:\n    odd = 1"),
        "its 'Options' must be a dataclass",
    ),
    Package(
        "odd.none",
        OPTIONS.replace("{definition}", "Options = None"),
        "its 'Options' must be a dataclass",
    ),
    # declarations
    Package(
        "odd.hyphen-ated",
        EXPORTER,
        "its id can't hold '-'; write 'odd.hyphen_ated'",
        "incompatible",
        "",
    ),
    Package("Odd.Upper", EXPORTER, "its id can't hold 'O', 'U'", "incompatible", ""),
    Package("odd", EXPORTER, "its id must be lower-case words with dots", "incompatible", ""),
    Package(
        "holdall.mine", EXPORTER, "ids that begin with 'holdall.' are reserved", "shadowed", ""
    ),
    Package(
        "odd.future",
        EXPORTER,
        "it needs holdall>=99",
        "incompatible",
        "",
        requires=("holdall>=99",),
    ),
    Package(
        "odd.unread", EXPORTER, "can't be read", "incompatible", "", requires=("holdall >= > 1",)
    ),
    # other kinds
    Package(
        "oddstore", "class Exporter: pass\n", "it has no method 'from_url'", kind="repositories"
    ),
    Package(
        "oddrunner",
        "class Exporter:\n    def run(self): pass\n",
        "it has no method 'from_url'",
        kind="runners",
    ),
    Package(
        "oddloader",
        "class Exporter:\n    def accepts(self): pass\n    def load(self, s): pass\n",
        "its method 'accepts' must take 1 argument",
        kind="provider_loaders",
    ),
    Package(
        "oddimporter",
        "class Exporter:\n    def accepts(self, h, n): pass\n",
        "it has no method 'load'",
        kind="importers",
    ),
    Package(
        "oddhooks", "def result_stored(): pass\n", "hookimpl", kind="hooks", target="odd_oddhooks"
    ),
    Package(
        "oddprovider",
        "",
        "no folder of an installed package",
        kind="providers",
        target="odd_oddprovider",
        loaded="broken",
    ),
    Package(
        "Odd-Runner",
        EXPORTER,
        "its id can't hold '-', 'O', 'R'",
        "incompatible",
        "",
        kind="runners",
    ),
)

OPTIONS_OF_NO_TYPE = (
    option("bytes", "bytes", "b''", _KINDS),
    option("date", "datetime.date | None", "None", _KINDS),
    option("decimal", "decimal.Decimal", "decimal.Decimal(1)", _KINDS),
    option("union", "int | str", "1", _KINDS),
    option("any", "typing.Any", "None", _KINDS),
    option("object", "object", "None", _KINDS),
    option("callable", "typing.Callable[[], int]", "int", _KINDS),
    option("pair", "tuple[int, str]", "(1, 'a')", _KINDS),
    option("nested", "list[list[int]]", "dataclasses.field(default_factory=list)", _KINDS),
    option("bools", "list[bool]", "dataclasses.field(default_factory=list)", _KINDS),
    option("literal", "typing.Literal[1, 'a']", "1", _KINDS),
    option("complex", "complex", "1j", _KINDS),
    option("uuid", "uuid.UUID | None", "None", _KINDS),
    option("unknown", "'Nowhere'", "None", "the types of its 'Options' can't be read"),
)
"""Further types that no option may have; they differ in what `msgspec` would make of them."""
