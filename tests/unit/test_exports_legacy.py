"""Options of plainbox keep their meaning, and its traps are not carried on."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import pytest

from holdall.errors import OptionValueError, UnknownOptionError
from holdall.exports.bound import BoundExporter
from holdall.exports.options import LEGACY_OPTIONS, parse_both
from holdall.exports.pipeline import export
from holdall.exports.view_options import ViewOptions
from holdall.registry import Identity
from holdall.registry.registry import Registry
from holdall.testing.sessions import sample_session

ACME = Identity("exporter", "acme.x", "acme 1.0")
REGISTRY = Registry.discover()


@dataclass(frozen=True)
class Options:
    """Options of a test.

    Attributes:
        comments: Whether to show comments.
        session_description: Whether to show what the session is about.
    """

    comments: bool = False
    session_description: bool = True


def parsed(*given: str, strict: bool = True) -> Any:
    return parse_both(ACME, Options, ViewOptions, given, strict=strict)


@pytest.mark.parametrize(
    ("given", "now", "own", "shared"),
    [
        ("with-io-log", "logs=all", Options(), ViewOptions(logs="all")),
        ("squash-io-log", "logs=all", Options(), ViewOptions(logs="all")),
        ("with-attachments", "attachments", Options(), ViewOptions(attachments=True)),
        ("with_comments", "comments", Options(comments=True), ViewOptions()),
        (
            "without-session-desc",
            "no-session-description",
            Options(session_description=False),
            ViewOptions(),
        ),
    ],
)
def test_a_string_of_plainbox_means_an_option_of_today(
    given: str, now: str, own: Options, shared: ViewOptions
) -> None:
    with pytest.warns(DeprecationWarning, match=f"write '{now}'") as caught:
        found = parsed(given)

    assert found == (own, shared, ())
    assert len(caught) == 1


def test_a_string_without_a_meaning_is_accepted_only_when_not_strict() -> None:
    with pytest.raises(UnknownOptionError):
        parsed("with-resource-map")

    assert parsed("with-resource-map", strict=False).ignored == ("with-resource-map",)


def test_two_strings_of_one_meaning_do_not_contradict_each_other() -> None:
    with pytest.warns(DeprecationWarning, match="io-log"):
        assert parsed("with-io-log", "flatten-io-log").shared == ViewOptions(logs="all")


def test_a_string_that_contradicts_an_option_is_refused() -> None:
    with (
        pytest.warns(DeprecationWarning, match="with-io-log"),
        pytest.raises(OptionValueError, match="it was given twice"),
    ):
        parsed("logs=none", "with-io-log")


@pytest.mark.parametrize("name", LEGACY_OPTIONS)
@pytest.mark.parametrize(
    "exporter",
    [
        "tap",
        "ndjson",
        "csv",
        "agent",
        "otr",
        "allure",
        "ctrf",
        "html",
        "json",
        "junit",
        "tar",
        "text",
        "global",
        "xlsx",
    ],
)
def test_every_string_of_plainbox_is_taken_by_every_exporter_when_not_strict(
    exporter: str, name: str
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        bound = BoundExporter(
            sample_session(), exporter, options=[name], strict=False, registry=REGISTRY
        )

    assert bound.ignored_options in {(), (name,)}


def test_trap_key_value_options_are_kept_when_not_strict() -> None:
    found = parsed("comments=yes", "log-max=5", "unheard=of", strict=False)

    assert found == (Options(comments=True), ViewOptions(log_max=5), ("unheard",))


@pytest.mark.parametrize("exporter", ["markdown", "html", "json", "junit", "global"])
def test_trap_strict_refuses_what_a_template_exporter_never_heard_of(exporter: str) -> None:
    with pytest.raises(UnknownOptionError):
        BoundExporter(sample_session(), exporter, options=["nonsense"], registry=REGISTRY)


def test_trap_exporting_does_not_change_the_session() -> None:
    view = sample_session().view()
    before = [job.id for job in view.jobs()]

    for exporter in ("json", "text", "junit"):
        export(view, exporter, _Nowhere(), registry=REGISTRY)

    assert [job.id for job in view.jobs()] == before


class _Nowhere:
    def write(self, data: bytes) -> int:
        return len(data)
