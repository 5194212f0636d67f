"""What the page's script says, in the language of the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdall.languages import N_, NN_, decimal, grouped
from holdall_exporters.html.kinds import SHAPES

if TYPE_CHECKING:
    from holdall.languages import Catalog

_SAID: Final = {
    "all_devices": N_("All devices"),
    "attachments": N_("Attachments"),
    "attempt": N_("Attempt {number}"),
    "category": N_("Category"),
    "certification": N_("Certification"),
    "choice": N_("{name} ({count})"),
    "code": N_("Exit code"),
    "content": N_("Content"),
    "copied": N_("Copied."),
    "copy": N_("Copy"),
    "device": N_("Device"),
    "duration": N_("Duration"),
    "expand": N_("Expand"),
    "flaky": N_("flaky"),
    "hit": N_("{place} of {count}"),
    "kib": N_("{count} KiB"),
    "kind": N_("Kind"),
    "limits": N_("Limits"),
    "log_file": N_("The whole output as a file"),
    "log_tools": N_("Tools for the output"),
    "matrix_about": N_(
        "Where outcomes differ: how many failed, crashed or could not be performed, of all. "
        "A cell leads to its jobs."
    ),
    "measurement": N_("Measurement"),
    "measurements": N_("Measurements"),
    "missing": N_("Its content is not in the session."),
    "no_durations": N_("No duration is known."),
    "no_hit": N_("Not found"),
    "no_status": N_("no certification status"),
    "no_times": N_("It is not known when these jobs were started."),
    "not_copied": N_("This browser does not let the page copy; it is selected instead."),
    "nothing": N_("No attempt has ended."),
    "of": N_("{part} of {count}"),
    "origin": N_("Defined in"),
    "outcome": N_("Outcome"),
    "output": N_("Output"),
    "percent": N_("{number}%"),
    "point_at": N_("Point at a job, or use the arrow keys, to see which it is."),
    "problem": N_("The table can't be shown by this browser ({reason})."),
    "reason": N_("Reason"),
    "save": N_("save"),
    "search_log": N_("Search the output"),
    "silent": N_("It wrote nothing, and no reason was recorded."),
    "silent_code": N_("It wrote nothing; its exit code is all that was recorded."),
    "started": N_("Started"),
    "subtest": N_("Subtest"),
    "subtests": N_("Subtests"),
    "template": N_("Template"),
    "time_span": N_("From {start}, for {duration}."),
    "to_end": N_("To the end"),
    "too_large": N_("Its content is too large for this page."),
    "unknown": N_("This report has nothing of that name: {names}"),
    "value": N_("Value"),
    "wrap": N_("Wrap lines"),
}
VIEWS: Final = {
    "matrix": N_("Devices and categories"),
    "slowest": N_("Slowest"),
    "table": N_("Table"),
    "timeline": N_("Timeline"),
}
_COUNTED: Final = {
    "bytes": NN_("{count} byte", "{count} bytes"),
    "dropped": NN_("{count} byte more was not kept", "{count} bytes more were not kept"),
    "found": NN_("{shown} of {count} job", "{shown} of {count} jobs"),
    "jobs": NN_("{count} job", "{count} jobs"),
    "more_devices": NN_(
        "{count} more device is not drawn; filter to see it.",
        "{count} more devices are not drawn; filter to see them.",
    ),
    "more_of_matrix": NN_(
        "{count} more category or device is not drawn; filter to see it.",
        "{count} more categories and devices are not drawn; filter to see them.",
    ),
    "slowest": NN_(
        "This job took {share} of the {total} that the jobs took together.",
        "These {count} jobs took {share} of the {total} that the jobs took together.",
    ),
    "untimed": NN_(
        "Of {count} job it is not known when it was started.",
        "Of {count} jobs it is not known when they were started.",
    ),
    "left_out": NN_(
        "{count} more job not printed here; filter the table to print others.",
        "{count} more jobs not printed here; filter the table to print others.",
    ),
}


def said(catalog: Catalog) -> dict[str, object]:
    """Return what the script says, which plural it takes for which count, and its numbers.

    200 counts show a whole rule: from a hundred on, it looks at the last two digits.
    """
    forms: dict[tuple[str, ...], int] = {}
    which = ""
    for count in range(200):
        forms_of_count = tuple(catalog.ngettext(*message, count) for message in _COUNTED.values())
        which += str(forms.setdefault(forms_of_count, len(forms)))
    return {
        "thousands": grouped(1_000, catalog)[1:-3],
        "shapes": SHAPES,
        "point": decimal(0.5, 1, catalog)[1:-1],
        "which": which,
        "forms": dict(zip(_COUNTED, zip(*forms, strict=True), strict=True)),
        "views": {name: catalog.gettext(message) for name, message in VIEWS.items()},
        **{name: catalog.gettext(message) for name, message in _SAID.items()},
    }
