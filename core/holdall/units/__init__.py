"""Units: the frozen definitions that providers are made of.

A unit keeps its fields as they were written; the typed attributes of its kind
are read from them on first use. Field names may be spelt with `-` or `_`, and
`_field` (marked for translation) stands for `field`.
"""

from holdall.units.bound import BoundUnit
from holdall.units.builtin import BUILTIN_CATEGORIES, BUILTIN_JOBS
from holdall.units.device import LOCAL, Device
from holdall.units.exporter import ExporterUnit
from holdall.units.job import (
    AUTOMATED,
    PLUGINS,
    SUSPENDS,
    TWIN_PREFIXES,
    UNCATEGORISED,
    Job,
    SetupJob,
    duration,
)
from holdall.units.kinds import (
    KINDS,
    Category,
    ManifestEntry,
    PackagingMetaData,
    Template,
    UnknownUnit,
    draft_unit,
    make_unit,
)
from holdall.units.lists import list_words
from holdall.units.patterns import Pattern, free, selector, target
from holdall.units.provider import Provider, ProviderProblem
from holdall.units.records import Record, parse_records
from holdall.units.siblings import SiblingEntry, sibling_entries
from holdall.units.test_plan import BLOCKS, PlanLists, PlanOverride, TestPlan
from holdall.units.unit import Finding, Origin, Unit, own_id, qualified

__all__ = [
    "AUTOMATED",
    "BLOCKS",
    "BUILTIN_CATEGORIES",
    "BUILTIN_JOBS",
    "KINDS",
    "LOCAL",
    "PLUGINS",
    "SUSPENDS",
    "TWIN_PREFIXES",
    "UNCATEGORISED",
    "BoundUnit",
    "Category",
    "Device",
    "ExporterUnit",
    "Finding",
    "Job",
    "ManifestEntry",
    "Origin",
    "PackagingMetaData",
    "Pattern",
    "PlanLists",
    "PlanOverride",
    "Provider",
    "ProviderProblem",
    "Record",
    "SetupJob",
    "SiblingEntry",
    "Template",
    "TestPlan",
    "Unit",
    "UnknownUnit",
    "draft_unit",
    "duration",
    "free",
    "list_words",
    "make_unit",
    "own_id",
    "parse_records",
    "qualified",
    "selector",
    "sibling_entries",
    "target",
]
