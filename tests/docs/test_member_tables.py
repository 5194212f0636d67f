"""The reference names every member of what plugins have and are given."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from holdall import contracts, journal, results, view

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "api.md").read_text(encoding="utf-8")

GIVEN = (
    view.SessionView,
    view.JobView,
    view.AttemptView,
    view.JobGroup,
    view.Tally,
    view.DeviceView,
    view.Verdict,
    view.Reason,
    results.Outcome,
    results.IOLogRecord,
    results.Attachment,
    results.Subtest,
    results.Measurement,
    journal.PlanRecord,
    journal.ProviderAdded,
    journal.PluginUsed,
    contracts.ExportContext,
    contracts.ReportKind,
    contracts.Sink,
    contracts.SplitSink,
    contracts.FolderSink,
    contracts.ExportReport,
    contracts.ExportWarning,
    contracts.Runner,
    contracts.Task,
    contracts.ProcessMark,
    contracts.ChecksAccounts,
    contracts.ProviderLoader,
    contracts.Translates,
    contracts.FindsProviders,
    contracts.InstalledProvider,
    contracts.FolderImporter,
    contracts.Importer,
    contracts.Person,
    contracts.Question,
    contracts.Reply,
    contracts.Move,
)

# Their pages are compared with them elsewhere: those of exporters, and those of stores.
ON_OTHER_PAGES = {
    *(contracts.Exporter, contracts.HasOptions, contracts.Verifies, contracts.HasSchema),
    *(contracts.SplitExporter, contracts.FolderExporter, contracts.GrowsByLines),
    *(contracts.Repository, contracts.Storage, contracts.LogWriter, contracts.HasFolder),
    *(contracts.HasSummaries, contracts.HasExistence, contracts.Sweepable, contracts.Watchable),
    *(contracts.Repairable, contracts.Shippable),
}

# What a base of the language or of a library brings along, and nobody calls on these.
_BROUGHT_ALONG = {*dir(str), "name", "value", "index"}


def documented(kind: type) -> list[str]:
    """Return the members that the page has in the table of *kind*, each with type and meaning."""
    found = re.search(rf"^#### `{kind.__name__}`\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None, f"api.md does not have {kind.__name__}"
    table = re.findall(r"^\| `(\w+)[^`]*` \| (`[^`]+`) \| (\S.*) \|$", found[1], re.MULTILINE)
    return [name for name, _type, _meaning in table]


def members(kind: type) -> set[str]:
    """Return the public attributes of *kind*: fields, slots, properties and methods."""
    brought = _BROUGHT_ALONG - set(vars(kind)) if issubclass(kind, str | tuple) else set()
    names = {*dir(kind), *vars(kind), *getattr(kind, "__slots__", ())} | {
        name for base in kind.__mro__ for name in getattr(base, "__annotations__", ())
    }
    return {name for name in names if not name.startswith("_")} - brought


@pytest.mark.parametrize("kind", GIVEN, ids=lambda kind: kind.__name__)
def test_every_member_of_what_a_plugin_is_given_is_documented(kind: type) -> None:
    assert members(kind) - set(documented(kind)) == set()


def test_every_attribute_that_a_view_sets_on_itself_is_documented() -> None:
    shown = view.SessionView([journal.SessionCreated(at=0.0, session_id="lab")])

    assert {name for name in vars(shown) if name[0] != "_"} <= set(documented(view.SessionView))


def test_no_member_is_documented_that_does_not_exist() -> None:
    of_an_instance = {"catalog", "unsaved"}

    for kind in GIVEN:
        assert set(documented(kind)) - members(kind) - of_an_instance == set(), kind.__name__


def test_every_contract_of_a_plugin_is_documented() -> None:
    protocols = {
        kind
        for kind in (getattr(contracts, name) for name in contracts.__all__)
        if getattr(kind, "_is_protocol", False)
    }

    assert protocols - {*GIVEN} - ON_OTHER_PAGES == set()
